//! The log line of an invocation, which is a JSON object with CloudWatch metrics. The line never
//! contains API keys, and contains prompts and replies only with `LOG_PROMPTS`, in lines of their
//! own.

mod content;
mod fields;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use llm_exe::error::shorten;
use llm_exe::trace::TraceId;
use llm_exe::{Cost, Error, ErrorKind, Report, RequestChange, StepReport, Tags, Usage};
use serde::Serialize;
use serde_json::Value;

pub(crate) use self::content::LoggedContent;
use self::fields::Fields;
use crate::batch::RecordOutcome;
use crate::outcome::RequestOutcome;
use crate::settings::LogLevel;

/// Maximum number of runs of tools in a line.
const MAX_LISTED_TOOL_RUNS: usize = 20;

/// Maximum number of steps in a line, those of nested chains included.
const MAX_LISTED_STEPS: usize = 50;

/// Maximum number of failed records listed in a log line.
const MAX_LISTED_FAILURES: usize = 20;

/// Maximum length of a failed record's error message in characters.
const MAX_FAILURE_CHARS: usize = 200;

/// The initial capacity of the buffer for a line, which is enough for a request without warnings.
const TYPICAL_BYTES: usize = 2048;

/// A summary of one invocation, which is logged as one line of JSON.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// The request id that Lambda assigned to the invocation.
    pub request_id: String,
    /// The ARN of the function, if it is known. The metric of errors has the function's name as its
    /// dimension.
    pub function_arn: Option<String>,
    /// The name of the event source.
    pub source: &'static str,
    /// Whether the caller receives errors as HTTP responses.
    pub is_http: bool,
    /// Whether this is the first invocation of the process.
    pub cold: bool,
    /// The duration of the invocation.
    pub duration: Duration,
    /// The HTTP status, if the function responded without running a request.
    pub status: Option<u16>,
    /// The report about the request. If there are several requests, it describes the first one that
    /// called a provider, but contains the attempts, the tokens, the changes and the learned
    /// capabilities of all requests.
    pub report: Report,
    /// The number of warnings about all requests. `report` contains only the warnings about the
    /// request that it describes.
    pub request_warnings: usize,
    /// The names and the values of the tags that are dimensions of the metrics.
    pub tag_dimensions: Vec<(String, String)>,
    /// The number of records in the event.
    pub records: usize,
    /// The ids and errors of the failed records.
    pub failed: Vec<(String, Error)>,
    /// The number of requests that returned a stored result instead of being run.
    pub replayed: usize,
    /// The number of records that contained nothing to run.
    pub skipped: usize,
    /// The error of the first failed record, or the error of the event as a whole.
    pub error: Option<Error>,
    /// The id of X-Ray's trace of the invocation.
    pub xray_trace_id: Option<String>,
    /// The id of the first trace that is exported.
    pub trace_id: Option<TraceId>,
    /// The number of spans that were not exported.
    pub dropped_spans: u32,
    /// Why the spans were not exported.
    pub trace_error: Option<String>,
    /// The prompts, replies, and the arguments and results of tools that are logged.
    pub(crate) contents: Vec<LoggedContent>,
    /// Warnings about the configuration. They never quote a request, so they are logged below debug
    /// level too, unlike the warnings in `report`.
    pub warnings: Vec<&'static str>,
}

impl LogLine {
    /// Creates the log line of an invocation that is about to begin.
    pub fn new(request_id: String) -> Self {
        LogLine {
            request_id,
            function_arn: None,
            source: "unreadable",
            is_http: false,
            cold: false,
            duration: Duration::ZERO,
            status: None,
            report: Report::default(),
            request_warnings: 0,
            tag_dimensions: Vec::new(),
            records: 0,
            failed: Vec::new(),
            replayed: 0,
            skipped: 0,
            error: None,
            xray_trace_id: None,
            trace_id: None,
            dropped_spans: 0,
            trace_error: None,
            contents: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Adds the outcomes of the event's records, and moves the report that the line describes out
    /// of them.
    pub(crate) fn set_records(&mut self, records: &mut [RecordOutcome]) {
        let common_tags = common_tags(records);
        let requests = records.iter_mut().flat_map(|record| &mut record.requests);
        for (index, request) in requests.enumerate() {
            // The line of an earlier attempt contains the calls that it paid for.
            request.report.remove_restored_counts();
            let mut usage = self.report.usage;
            usage.add(request.report.usage);
            let attempts = self.report.attempts + request.report.attempts;
            let mut changed = std::mem::take(&mut self.report.changed);
            changed.append(&mut request.report.changed);
            let mut learned = std::mem::take(&mut self.report.learned);
            learned.append(&mut request.report.learned);
            let prices_error = self.report.prices_error.take();
            let prices_error = prices_error.or(request.report.prices_error.take());
            let mut tool_runs = std::mem::take(&mut self.report.tool_runs);
            tool_runs.append(&mut request.report.tool_runs);
            // If there are several requests, the line describes the first one that called a
            // provider.
            let mut other = std::mem::take(&mut request.report);
            if index == 0 || self.report.attempts == 0 {
                std::mem::swap(&mut self.report, &mut other);
            }
            self.report.add_cost_of(&other);
            self.report.usage = usage;
            self.report.attempts = attempts;
            self.report.changed = changed;
            self.report.learned = learned;
            self.report.tool_runs = tool_runs;
            self.report.prices_error = prices_error;
            self.replayed += usize::from(request.replayed);
        }
        self.report.tags = common_tags;
        self.request_warnings = records.iter().map(|record| record.warning_count).sum();
        self.error = records.iter().find_map(RecordOutcome::error).cloned();
        self.records = records.len();
        let failed = records.iter().filter_map(|record| Some((&record.id, record.error()?)));
        self.failed = failed.map(|(id, error)| (id.clone(), error.clone())).collect();
        let is_skipped =
            |record: &&RecordOutcome| record.requests.iter().all(RequestOutcome::is_skipped);
        self.skipped = records.iter().filter(is_skipped).count();
    }

    /// Returns the level at which the line is logged.
    pub fn level(&self) -> LogLevel {
        use ErrorKind::{AccessDenied, Internal, ProviderAuthFailed, SecretNotFound};
        match self.error.as_ref().map(Error::kind) {
            None if self.warnings.is_empty()
                && self.report.prices_error.is_none()
                && self.trace_error.is_none() =>
            {
                LogLevel::Info
            }
            None => LogLevel::Warn,
            Some(Internal | AccessDenied | SecretNotFound | ProviderAuthFailed) => LogLevel::Error,
            Some(_) => LogLevel::Warn,
        }
    }

    /// Returns the line as JSON in UTF-8, or `None` if `max_level` suppresses the line. If contents
    /// are logged, the lines with them come first.
    pub fn to_json(&self, max_level: LogLevel) -> Option<Vec<u8>> {
        if self.level() > max_level {
            return None;
        }
        // Writing to a buffer can't fail, and all values are valid JSON.
        let line = self.write(max_level).ok()?;
        if self.contents.is_empty() {
            return Some(line);
        }
        let mut lines = Vec::new();
        for content in &self.contents {
            lines.extend(content.to_json(&self.request_id).ok()?);
            lines.push(b'\n');
        }
        lines.extend(line);
        Some(lines)
    }

    /// Writes the line as a JSON object.
    fn write(&self, max_level: LogLevel) -> serde_json::Result<Vec<u8>> {
        let now = SystemTime::now();
        let mut line = Fields::with_capacity(TYPICAL_BYTES);
        let timestamp = humantime::format_rfc3339_millis(now);
        line.add("timestamp", &format_args!("{timestamp}"))?;
        line.add_word("level", self.level().name());
        line.add("requestId", &self.request_id)?;
        line.add_some("xrayTraceId", self.xray_trace_id.as_ref())?;
        if let Some(id) = &self.trace_id {
            line.add("traceId", &format_args!("{id}"))?;
        }
        line.add_word("message", if self.error.is_none() { "answered" } else { "failed" });
        line.add_word("source", self.source);
        let function_name = self.function_name();
        if let Some(name) = function_name {
            line.add_json("functionName", &["\"", name, "\""]);
        }
        line.add("coldStart", &self.cold)?;
        line.add_some("httpStatus", self.status.as_ref())?;
        self.write_records(&mut line)?;
        self.write_report(&mut line)?;
        self.write_warnings(&mut line, max_level)?;
        if let Some(error) = &self.error {
            line.add_word("errorType", error.kind().name());
            line.add("errorMessage", &error.for_log())?;
            line.add_some("providerStatus", error.provider_status().as_ref())?;
        }
        line.add("errors", &self.error_count())?;
        line.add("durationMs", &milliseconds(self.duration))?;
        line.add_some("droppedSpans", Some(&self.dropped_spans).filter(|count| **count > 0))?;
        line.add_some("traceError", self.trace_error.as_ref())?;
        for (name, value) in &self.tag_dimensions {
            // Names and values of tags contain nothing that JSON escapes.
            line.add_json_named(&["tag_", name], &["\"", value, "\""]);
        }
        self.write_metrics(&mut line, now, function_name.is_some());
        Ok(line.finish())
    }

    /// Writes the fields about records. The failure of a direct or HTTP request is not listed,
    /// because the line already contains its error.
    fn write_records(&self, line: &mut Fields) -> serde_json::Result<()> {
        line.add_some("replayed", Some(&self.replayed).filter(|count| **count > 0))?;
        line.add_some("skipped", Some(&self.skipped).filter(|count| **count > 0))?;
        if self.records > 1 {
            line.add("records", &self.records)?;
            line.add("failedRecords", &self.failed.len())?;
        }
        let failed = self.failed.iter().filter(|(id, _)| *id != self.request_id);
        let failures: Vec<LoggedFailure<'_>> = failed
            .take(MAX_LISTED_FAILURES)
            .map(|(id, error)| LoggedFailure {
                id,
                error_type: error.kind().name(),
                error_message: shorten(&error.for_log(), MAX_FAILURE_CHARS),
            })
            .collect();
        line.add_some("failures", Some(&failures).filter(|failures| !failures.is_empty()))
    }

    fn write_report(&self, line: &mut Fields) -> serde_json::Result<()> {
        let report = &self.report;
        line.add_some("provider", report.provider.as_ref())?;
        line.add_some("model", report.model.as_ref())?;
        if let Some(passed_over) = report.passed_over.as_ref().filter(|all| !all.is_empty()) {
            let targets = passed_over.iter().map(|target| LoggedTarget {
                provider: &target.provider,
                model: &target.model,
                error_type: target.error.kind().name(),
            });
            line.add("passedOver", &targets.collect::<Vec<_>>())?;
        }
        if let Some(tags) = &report.tags {
            let tags = tags.iter().map(|(name, value)| (name.clone(), Value::from(&**value)));
            line.add("tags", &Value::Object(tags.collect()))?;
        }
        line.add_some("output", report.output.as_ref())?;
        line.add_some("promptHash", report.prompt_hash.as_ref())?;
        if let Some(place) = &report.config_place {
            let state = report.config.as_ref();
            let version = state.and_then(|config| config.version.as_ref());
            let etag = state.and_then(|config| config.etag.as_ref());
            line.add("config", place)?;
            line.add_some("configState", version.or(etag))?;
            line.add("configMs", &milliseconds(report.durations.config))?;
        }
        line.add_some("dryRun", report.dry_run.then_some(&true))?;
        for (name, changes) in
            [("requestChanged", &report.changed), ("capabilityLearned", &report.learned)]
        {
            if !changes.is_empty() {
                let changes = changes.iter().map(LoggedChange::from);
                line.add(name, &changes.collect::<Vec<_>>())?;
            }
        }
        if !report.steps.is_empty() {
            write_steps(line, &report.steps)?;
        }
        if report.attempts > 0 {
            line.add("attempts", &report.attempts)?;
            line.add("repairs", &report.repairs)?;
            line.add("secretsMs", &milliseconds(report.durations.secrets))?;
            line.add("providerMs", &milliseconds(report.durations.provider))?;
            if let Some(reason) = report.stop_reason {
                line.add_word("stopReason", reason.name());
            }
            line.add_some("providerStopReason", report.provider_stop_reason.as_ref())?;
            if !report.tool_runs.is_empty() {
                let runs = report.tool_runs.iter().take(MAX_LISTED_TOOL_RUNS).map(|run| {
                    let (name, turn, failed) = (&*run.name, run.turn, run.outcome.is_err());
                    LoggedToolRun { name, turn, failed, duration_ms: milliseconds(run.duration) }
                });
                line.add("toolRunCount", &report.tool_runs.len())?;
                line.add("toolRuns", &runs.collect::<Vec<_>>())?;
            }
            for (name, count) in token_counts(report.usage) {
                line.add(name, &count)?;
            }
            let cost = report.cost().copied().unwrap_or_default();
            line.add_with("cost", |json| cost.write_json(json));
            line.add_some("pricesError", report.prices_error.as_ref())?;
            // A metric must be a field of the line itself.
            if cost.is_known() {
                line.add_with("costUsd", |json| cost.write_usd(json));
            }
        }
        Ok(())
    }

    /// Returns whether a provider was called and the cost of all calls is known.
    fn has_known_cost(&self) -> bool {
        self.report.attempts > 0 && self.report.cost().is_none_or(Cost::is_known)
    }

    /// Returns the number of warnings about the configuration and about the requests.
    pub fn warning_count(&self) -> usize {
        self.warnings.len() + self.request_warnings
    }

    /// Returns the number of failed records, or 1 if the event failed as a whole. Errors that an
    /// HTTP caller caused are not counted, because an operator can't correct them: those with a
    /// status below 500, except for the rate limit of a provider. Streams that their caller closed
    /// are not counted either.
    pub fn error_count(&self) -> usize {
        let is_of_caller =
            |kind: ErrorKind| kind.http_status() < 500 && kind != ErrorKind::ProviderRateLimited;
        match self.error.as_ref().map(Error::kind) {
            None => 0,
            Some(kind) if self.is_http && is_of_caller(kind) => 0,
            Some(_) if self.report.is_cancelled => 0,
            Some(_) => self.failed.len().max(1),
        }
    }

    /// Returns the name of the function in its ARN. It contains nothing that JSON escapes.
    fn function_name(&self) -> Option<&str> {
        let name = self.function_arn.as_deref()?.split(':').nth(6)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (!name.is_empty() && name.bytes().all(is_plain)).then_some(name)
    }

    fn write_warnings(&self, line: &mut Fields, max_level: LogLevel) -> serde_json::Result<()> {
        let count = self.warning_count();
        if count == 0 {
            return Ok(());
        }
        line.add("warningCount", &count)?;
        let mut warnings = self.warnings.clone();
        if max_level >= LogLevel::Debug {
            warnings.extend(self.report.warnings.iter().map(String::as_str));
        }
        line.add_some("warnings", Some(&warnings).filter(|warnings| !warnings.is_empty()))
    }

    /// Writes the field from which CloudWatch reads the metrics, in its embedded metric format:
    /// the names of the line's fields that are metrics, and of those that are their dimensions.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
    fn write_metrics(&self, line: &mut Fields, now: SystemTime, has_function_name: bool) {
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let timestamp = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let called_provider = self.report.attempts > 0;
        // CloudWatch charges for each metric, so a misspelled model name must not create a new one.
        let is_known_model = called_provider && self.report.answered_model.is_some();
        let mut digits = itoa::Buffer::new();
        let tags = self.tag_dimensions.iter().map(|(name, _)| format!(r#"],["tag_{name}""#));
        let tags: String = tags.collect();
        line.add_json(
            "_aws",
            &[
                r#"{"Timestamp":"#,
                digits.format(timestamp),
                r#","CloudWatchMetrics":[{"Namespace":"LlmExe","Dimensions":[["source""#,
                if is_known_model { r#","provider","model""# } else { "" },
                &tags,
                r#"]],"Metrics":[{"Name":"durationMs","Unit":"Milliseconds"}"#,
                if called_provider { PROVIDER_METRICS } else { "" },
                if self.has_known_cost() { COST_METRIC } else { "" },
                if self.warning_count() > 0 { WARNING_METRICS } else { "" },
                "]}",
                if has_function_name { ERROR_METRIC } else { "" },
                "]}",
            ],
        );
    }
}

/// Returns the tags that all requests have.
fn common_tags(records: &[RecordOutcome]) -> Option<Tags> {
    let mut requests = records.iter().flat_map(|record| &record.requests);
    let first = requests.next()?.report.tags.as_ref()?;
    let has_tag = |request: &RequestOutcome, tag: &(String, String)| {
        request.report.tags.as_ref().is_some_and(|tags| tags.contains(tag))
    };
    let mut common = Tags::clone(first);
    for request in requests {
        Arc::make_mut(&mut common).retain(|tag| has_tag(request, tag));
    }
    (!common.is_empty()).then_some(common)
}

/// The metrics of a line about calls of a provider. Each must be a field of such a line.
const PROVIDER_METRICS: &str = concat!(
    r#",{"Name":"providerMs","Unit":"Milliseconds"}"#,
    r#",{"Name":"attempts","Unit":"Count"}"#,
    r#",{"Name":"inputTokens","Unit":"Count"}"#,
    r#",{"Name":"outputTokens","Unit":"Count"}"#,
    r#",{"Name":"cachedInputTokens","Unit":"Count"}"#,
    r#",{"Name":"cacheWriteTokens","Unit":"Count"}"#,
    r#",{"Name":"reasoningTokens","Unit":"Count"}"#,
    r#",{"Name":"totalTokens","Unit":"Count"}"#,
);

/// The metric of a line about calls whose cost is known, in US dollars.
const COST_METRIC: &str = r#",{"Name":"costUsd","Unit":"None"}"#;

/// The metric of a line with warnings.
const WARNING_METRICS: &str = r#",{"Name":"warningCount","Unit":"Count"}"#;

/// The metric of errors. Its only dimension is the function, so that one alarm covers all sources.
const ERROR_METRIC: &str = concat!(
    r#",{"Namespace":"LlmExe","Dimensions":[["functionName"]]"#,
    r#","Metrics":[{"Name":"errors","Unit":"Count"}]}"#,
);

/// A failed record in a log line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedFailure<'a> {
    id: &'a str,
    error_type: &'static str,
    error_message: String,
}

/// A run of a tool in a log line, without its arguments and its result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedToolRun<'a> {
    name: &'a str,
    turn: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    failed: bool,
    duration_ms: f64,
}

/// A step of a chain that ended, without its result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedStep {
    /// The name, after the names of the steps around the step.
    name: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    failed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    restored: bool,
    attempts: u32,
    duration_ms: f64,
    input_tokens: u64,
    output_tokens: u64,
}

fn write_steps(line: &mut Fields, steps: &[StepReport]) -> serde_json::Result<()> {
    let mut listed = Vec::new();
    list_steps("", steps, &mut listed);
    // The steps of a nested chain come before the step that contains it.
    let failed = listed.iter().find(|step| step.failed);
    line.add_some("failedStep", failed.map(|step| &step.name))?;
    line.add("steps", &listed)
}

/// Adds steps, and those of the chains inside of them, up to [`MAX_LISTED_STEPS`].
fn list_steps(around: &str, steps: &[StepReport], listed: &mut Vec<LoggedStep>) {
    for step in steps {
        let name = format!("{around}{}", step.name);
        if !step.steps.is_empty() {
            list_steps(&format!("{name}."), &step.steps, listed);
        }
        if listed.len() >= MAX_LISTED_STEPS {
            return;
        }
        let usage = step.paid_usage();
        listed.push(LoggedStep {
            name,
            failed: step.has_failed,
            skipped: step.is_skipped,
            restored: step.is_restored(),
            attempts: step.paid_attempts(),
            duration_ms: milliseconds(step.duration),
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
        });
    }
}

/// A target that failed before another one succeeded.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedTarget<'a> {
    provider: &'a str,
    model: &'a str,
    error_type: &'static str,
}

/// A [`RequestChange`] in the log line.
#[derive(Serialize)]
struct LoggedChange<'a> {
    provider: &'a str,
    model: &'a str,
    field: &'static str,
    change: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<&'a str>,
}

impl<'a> From<&'a RequestChange> for LoggedChange<'a> {
    fn from(change: &'a RequestChange) -> Self {
        let RequestChange { provider, model, field, change, evidence, .. } = change;
        LoggedChange { provider, model, field, change, evidence: evidence.as_deref() }
    }
}

impl LogLevel {
    /// Returns the level's name in Lambda's JSON log format.
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Error => "ERROR",
            LogLevel::Warn => "WARN",
            LogLevel::Info => "INFO",
            LogLevel::Debug => "DEBUG",
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

fn token_counts(usage: Usage) -> [(&'static str, u64); 6] {
    [
        ("inputTokens", usage.input_tokens),
        ("outputTokens", usage.output_tokens),
        ("cachedInputTokens", usage.cached_input_tokens),
        ("cacheWriteTokens", usage.cache_write_tokens),
        ("reasoningTokens", usage.reasoning_tokens),
        ("totalTokens", usage.total_tokens),
    ]
}

#[cfg(test)]
mod tests {
    use llm_exe::Usage;

    use super::{PROVIDER_METRICS, token_counts};

    #[test]
    fn every_token_count_is_a_metric() {
        for (name, _) in token_counts(Usage::default()) {
            assert!(PROVIDER_METRICS.contains(&format!(r#""Name":"{name}""#)), "{name}");
        }
    }
}
