//! The log line of an invocation, which is a JSON object with CloudWatch metrics. The line never
//! contains prompts, replies or API keys.

use std::time::{Duration, SystemTime};

use llm_exe::error::shorten;
use llm_exe::{Error, ErrorKind, Report, Usage};
use serde_json::{Map, Value, json};

use crate::batch::RecordOutcome;
use crate::outcome::RequestOutcome;
use crate::settings::LogLevel;

/// The CloudWatch namespace of the metrics.
const NAMESPACE: &str = "LlmExe";

/// Maximum number of failed records listed in a log line.
const MAX_LISTED_FAILURES: usize = 20;

/// Maximum length of a failed record's error message in characters.
const MAX_FAILURE_CHARS: usize = 200;

/// A summary of one invocation, which is logged as one line of JSON.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// The request id that Lambda assigned to the invocation.
    pub request_id: String,
    /// The name of the event source.
    pub source: &'static str,
    /// Whether this is the first invocation of the process.
    pub cold: bool,
    /// The duration of the invocation.
    pub duration: Duration,
    /// The HTTP status, if the function responded without running a request.
    pub status: Option<u64>,
    /// The report about the request. If there are several requests, it describes the first one that
    /// called a provider, but contains the attempts and tokens of all requests.
    pub report: Report,
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
    /// Warnings about the configuration. They never quote a request, so they are logged below debug
    /// level too, unlike the warnings in `report`.
    pub warnings: Vec<&'static str>,
}

impl LogLine {
    /// Creates the log line of an invocation that is about to begin.
    pub fn new(request_id: &str) -> Self {
        LogLine {
            request_id: request_id.to_owned(),
            source: "unreadable",
            cold: false,
            duration: Duration::ZERO,
            status: None,
            report: Report::default(),
            records: 0,
            failed: Vec::new(),
            replayed: 0,
            skipped: 0,
            error: None,
            warnings: Vec::new(),
        }
    }

    /// Sets the HTTP status from a response that was returned without running a request.
    pub(crate) fn set_response(&mut self, response: &Value) {
        self.status = response.get("statusCode").and_then(Value::as_u64);
    }

    /// Adds the outcomes of the event's records.
    pub(crate) fn set_records(&mut self, records: &[RecordOutcome]) {
        let requests = records.iter().flat_map(|record| &record.requests);
        for (index, request) in requests.enumerate() {
            let mut usage = self.report.usage;
            usage.add(request.report.usage);
            let attempts = self.report.attempts + request.report.attempts;
            // If there are several requests, the line describes the first one that called a
            // provider.
            if index == 0 || self.report.attempts == 0 {
                self.report = request.report.clone();
            }
            self.report.usage = usage;
            self.report.attempts = attempts;
            self.replayed += usize::from(request.replayed);
        }
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
            None if self.warnings.is_empty() => LogLevel::Info,
            None => LogLevel::Warn,
            Some(Internal | AccessDenied | SecretNotFound | ProviderAuthFailed) => LogLevel::Error,
            Some(_) => LogLevel::Warn,
        }
    }

    /// Returns the line as JSON, or `None` if `max_level` suppresses the line.
    pub fn to_json(&self, max_level: LogLevel) -> Option<String> {
        if self.level() > max_level {
            return None;
        }
        let now = SystemTime::now();
        let mut line = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                line.insert(name.to_owned(), value);
            }
        };
        put("timestamp", json!(humantime::format_rfc3339_millis(now).to_string()));
        put("level", json!(self.level().name()));
        put("requestId", json!(self.request_id));
        put("message", json!(if self.error.is_none() { "answered" } else { "failed" }));
        put("source", json!(self.source));
        put("coldStart", json!(self.cold));
        put("httpStatus", json!(self.status));
        self.put_records(&mut put);
        self.put_report(&mut put, max_level);
        if let Some(error) = &self.error {
            put("errorType", json!(error.kind().name()));
            put("errorMessage", json!(error.for_log()));
            put("providerStatus", json!(error.provider_status()));
        }
        put("durationMs", milliseconds(self.duration));
        line.insert("_aws".to_owned(), self.metrics(now));
        Some(Value::Object(line).to_string())
    }

    /// Adds the fields about records. The failure of a direct or HTTP request is not listed,
    /// because the line already contains its error.
    fn put_records(&self, put: &mut dyn FnMut(&str, Value)) {
        if self.replayed > 0 {
            put("replayed", json!(self.replayed));
        }
        if self.skipped > 0 {
            put("skipped", json!(self.skipped));
        }
        if self.records > 1 {
            put("records", json!(self.records));
            put("failedRecords", json!(self.failed.len()));
        }
        let failed: Vec<_> = self.failed.iter().filter(|(id, _)| *id != self.request_id).collect();
        if !failed.is_empty() {
            let failures = failed.into_iter().take(MAX_LISTED_FAILURES).map(|(id, error)| {
                let message = shorten(&error.for_log(), MAX_FAILURE_CHARS);
                json!({ "id": id, "errorType": error.kind().name(), "errorMessage": message })
            });
            put("failures", failures.collect());
        }
    }

    fn put_report(&self, put: &mut dyn FnMut(&str, Value), max_level: LogLevel) {
        let report = &self.report;
        put("provider", json!(report.provider));
        put("model", json!(report.model));
        if let Some(passed_over) = report.passed_over.as_ref().filter(|all| !all.is_empty()) {
            let targets = passed_over.iter().map(|target| {
                let kind = target.error.kind().name();
                json!({ "provider": target.provider, "model": target.model, "errorType": kind })
            });
            put("passedOver", targets.collect());
        }
        put("output", json!(report.output));
        put("promptHash", json!(report.prompt_hash));
        if let Some(place) = &report.config_place {
            let state = report.config.as_ref();
            let version = state.and_then(|config| config.version.as_ref());
            let etag = state.and_then(|config| config.etag.as_ref());
            put("config", json!(place));
            put("configState", json!(version.or(etag)));
            put("configMs", milliseconds(report.durations.config));
        }
        if report.dry_run {
            put("dryRun", json!(true));
        }
        if report.attempts > 0 {
            put("attempts", json!(report.attempts));
            put("repairs", json!(report.repairs));
            put("secretsMs", milliseconds(report.durations.secrets));
            put("providerMs", milliseconds(report.durations.provider));
            put("stopReason", json!(report.stop_reason.map(llm_exe::StopReason::name)));
            put("providerStopReason", json!(report.provider_stop_reason));
            for (name, count) in token_counts(report.usage) {
                put(name, json!(count));
            }
        }
        let mut warnings = self.warnings.clone();
        let count = warnings.len() + report.warnings.len();
        if max_level >= LogLevel::Debug {
            warnings.extend(report.warnings.iter().map(String::as_str));
        }
        if count > 0 {
            put("warningCount", json!(count));
        }
        if !warnings.is_empty() {
            put("warnings", json!(warnings));
        }
    }

    /// Returns the metrics in CloudWatch's embedded metric format.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
    fn metrics(&self, now: SystemTime) -> Value {
        let mut metrics = vec![json!({ "Name": "durationMs", "Unit": "Milliseconds" })];
        if self.report.attempts > 0 {
            metrics.push(json!({ "Name": "providerMs", "Unit": "Milliseconds" }));
            metrics.push(json!({ "Name": "attempts", "Unit": "Count" }));
            for (name, _) in token_counts(self.report.usage) {
                metrics.push(json!({ "Name": name, "Unit": "Count" }));
            }
        }
        let mut dimensions = vec!["source"];
        // CloudWatch charges for each metric, so a misspelt model name must not create a new one.
        if self.report.answered_model.is_some() {
            dimensions.extend(["provider", "model"]);
        }
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        json!({
            "Timestamp": u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": metrics
            }]
        })
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

fn milliseconds(duration: Duration) -> Value {
    json!((duration.as_secs_f64() * 100_000.0).round() / 100.0)
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
