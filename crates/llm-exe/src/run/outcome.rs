//! A run's end: the outcome that the caller gets, and the report that the operator gets.

use serde_json::{Value, json};

use super::report::Report;
use crate::error::Error;
use crate::plan::{Plan, Returns};

/// What came of a request.
#[derive(Debug, Clone)]
pub struct Run {
    /// The bare result, or the `full` object where the request asked for it.
    pub outcome: Result<Value, Error>,
    /// What was done and what it cost.
    pub report: Report,
}

impl Run {
    pub(crate) fn bare(outcome: Result<Value, Error>, report: Report) -> Self {
        Run { outcome, report }
    }

    pub(crate) fn of(plan: &Plan, outcome: Result<Value, Error>, report: Report) -> Self {
        let outcome = match plan.returns {
            Returns::Result => outcome,
            Returns::Full => outcome.map(|result| full(result, &report)),
        };
        Run { outcome, report }
    }
}

fn full(result: Value, report: &Report) -> Value {
    let model = report.answered_model.as_ref().or(report.model.as_ref());
    let mut full = json!({
        "result": result,
        "usage": report.usage,
        "provider": report.provider,
        "model": model,
        "stopReason": report.stop_reason.map(crate::chat::StopReason::name),
        "attempts": report.attempts,
        "durationMs": u64::try_from(report.durations.total.as_millis()).unwrap_or(u64::MAX),
        "warnings": report.warnings,
        "config": config(report),
    });
    if let (Some(passed_over), Some(fields)) = (&report.passed_over, full.as_object_mut()) {
        let told = passed_over.iter().map(|one| {
            json!({
                "provider": one.provider,
                "model": one.model,
                "errorType": one.error.kind().name(),
                "errorMessage": one.error.message(),
            })
        });
        fields.insert("passedOver".to_owned(), told.collect());
    }
    full
}

/// What the prompt was, and where it came from.
fn config(report: &Report) -> Value {
    let mut config = json!({ "promptHash": report.prompt_hash });
    if let (Some(source), Some(fields)) = (&report.config, config.as_object_mut()) {
        fields.insert("source".to_owned(), json!(source.location));
        let state = source.version.as_ref().map(|version| ("version", version));
        let state = state.or(source.etag.as_ref().map(|etag| ("etag", etag)));
        if let Some((name, value)) = state {
            fields.insert(name.to_owned(), json!(value));
        }
    }
    config
}
