//! The outcome of a run: the result for the caller and the report for the operator.

use serde_json::{Map, Value, json};

use super::report::{Report, StepReport};
use crate::chat::StopReason;
use crate::error::Error;

/// The outcome and the report of a finished run.
#[derive(Debug, Clone)]
pub struct Run {
    /// The result, even if the request asked for the `full` object.
    pub outcome: Result<Value, Error>,
    /// What the run did, how long it took and how many tokens it used.
    pub report: Report,
}

impl Run {
    /// Adds what the run used to its error, and wraps the result in the `full` object, which also
    /// contains the usage, the model and the warnings, if the request asked for it with `"return":
    /// "full"`. Programs that return results as JSON call this at their boundary.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use serde_json::json;
    ///
    /// let client = llm_exe::Client::builder().build()?;
    /// let request = json!({
    ///     "provider": "ollama", "model": "qwen3", "message": "Hi",
    ///     "return": "full", "dryRun": true,
    /// });
    /// let run = client.run(request).await;
    /// assert_eq!(run.outcome.as_ref().expect("it is valid")["method"], "POST");
    /// let full = run.with_envelope().outcome?;
    /// assert_eq!((&full["result"]["method"], &full["attempts"]), (&json!("POST"), &json!(0)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_envelope(self) -> Run {
        let Run { outcome, report } = self;
        let outcome = match outcome {
            Ok(result) if report.full => Ok(full_result(result, &report)),
            Ok(result) => Ok(result),
            Err(error) => Err(report.add_details_to(error)),
        };
        Run { outcome, report }
    }
}

impl Report {
    /// Adds what the run used to an error that ended it, or that occurred after it, if a provider
    /// was called. If the request asked for the `full` object, the warnings are added too.
    #[must_use]
    pub fn add_details_to(&self, error: Error) -> Error {
        let mut fields = Map::new();
        if self.attempts > 0 {
            for (name, value) in [
                ("provider", json!(self.provider)),
                ("model", json!(self.answered_model.as_ref().or(self.model.as_ref()))),
                ("attempts", json!(self.attempts)),
                ("usage", json!(self.usage)),
                ("cost", self.cost().copied().unwrap_or_default().to_json()),
            ] {
                fields.insert(name.to_owned(), value);
            }
        }
        if self.full && !self.warnings.is_empty() {
            fields.insert("warnings".to_owned(), json!(self.warnings));
        }
        if fields.is_empty() { error } else { error.with_run_details(fields, self.full) }
    }
}

/// Wraps a result in the `full` object, which is returned if the request contains `"return":
/// "full"`.
fn full_result(result: Value, report: &Report) -> Value {
    let model = report.answered_model.as_ref().or(report.model.as_ref());
    let mut fields = Map::new();
    // `json!` would copy the result.
    fields.insert("result".to_owned(), result);
    let duration = u64::try_from(report.durations.total.as_millis()).unwrap_or(u64::MAX);
    for (name, value) in [
        ("usage", json!(report.usage)),
        ("cost", report.cost().copied().unwrap_or_default().to_json()),
        ("provider", json!(report.provider)),
        ("model", json!(model)),
        ("stopReason", json!(report.stop_reason.map(StopReason::name))),
        ("attempts", json!(report.attempts)),
        ("durationMs", json!(duration)),
        ("warnings", json!(report.warnings)),
        ("config", config(report)),
    ] {
        fields.insert(name.to_owned(), value);
    }
    if let Some(failed_targets) = &report.passed_over {
        let passed_over = failed_targets.iter().map(|target| {
            json!({
                "provider": target.provider,
                "model": target.model,
                "errorType": target.error.kind().name(),
                "errorMessage": target.error.message(),
            })
        });
        fields.insert("passedOver".to_owned(), passed_over.collect());
    }
    if report.has_tools {
        fields.insert("toolRuns".to_owned(), tool_runs(report));
    }
    if !report.steps.is_empty() {
        let has_results = !report.is_pinned && !report.has_pinned_tools;
        fields.insert("steps".to_owned(), steps(&report.steps, has_results));
    }
    Value::Object(fields)
}

/// Returns the `steps` field of the `full` object. Results of pinned configs are omitted.
fn steps(reports: &[StepReport], has_results: bool) -> Value {
    let steps = reports.iter().map(|step| {
        let mut fields = Map::new();
        fields.insert("name".to_owned(), json!(step.name));
        if step.is_skipped {
            fields.insert("skipped".to_owned(), json!(true));
            return Value::Object(fields);
        }
        if let (Some(result), true) = (&step.result, has_results) {
            fields.insert("result".to_owned(), result.clone());
        }
        if let Some(items) = step.items {
            fields.insert("items".to_owned(), json!(items));
        }
        let duration = u64::try_from(step.duration.as_millis()).unwrap_or(u64::MAX);
        for (name, value) in [
            ("usage", json!(step.usage)),
            ("cost", step.cost.unwrap_or_default().to_json()),
            ("attempts", json!(step.attempts)),
            ("durationMs", json!(duration)),
        ] {
            fields.insert(name.to_owned(), value);
        }
        if !step.steps.is_empty() {
            fields.insert("steps".to_owned(), self::steps(&step.steps, has_results));
        }
        Value::Object(fields)
    });
    steps.collect()
}

/// Returns the `toolRuns` field of the `full` object. The arguments and results of a pinned config
/// are omitted, because its author may not mean to publish them.
fn tool_runs(report: &Report) -> Value {
    let runs = report.tool_runs.iter().map(|run| {
        let duration = u64::try_from(run.duration.as_millis()).unwrap_or(u64::MAX);
        let mut fields = json!({ "turn": run.turn, "name": run.name });
        let (outcome, text) = match &run.outcome {
            Ok(text) => ("result", text),
            Err(text) => ("error", text),
        };
        let is_shown = !report.is_pinned && !report.has_pinned_tools;
        if let Some(fields) = fields.as_object_mut().filter(|_| is_shown) {
            fields.insert("arguments".to_owned(), json!(run.arguments));
            fields.insert(outcome.to_owned(), json!(text));
        }
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("durationMs".to_owned(), json!(duration));
        }
        fields
    });
    runs.collect()
}

/// Returns the `config` field of the `full` object. It contains the hash of the prompt and, for a
/// hosted config, the location and version.
fn config(report: &Report) -> Value {
    let mut config = json!({ "promptHash": report.prompt_hash });
    if let (Some(source), Some(fields)) = (&report.config, config.as_object_mut()) {
        fields.insert("source".to_owned(), json!(source.location));
        let version = source.version.as_ref().map(|version| ("version", version));
        let version = version.or(source.etag.as_ref().map(|etag| ("etag", etag)));
        if let Some((name, value)) = version {
            fields.insert(name.to_owned(), json!(value));
        }
    }
    config
}
