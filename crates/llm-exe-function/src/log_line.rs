//! The one line that an invocation leaves in the log: JSON, with CloudWatch's embedded metrics in
//! it. No prompt, no reply, no key.

use std::time::{Duration, SystemTime};

use llm_exe::error::shorten;
use llm_exe::{Error, ErrorKind, Report, Usage};
use serde_json::{Map, Value, json};

use crate::batch::RecordOutcome;
use crate::outcome::RequestOutcome;
use crate::settings::LogLevel;

/// The namespace of the metrics.
const NAMESPACE: &str = "LlmExe";

/// The most failed records that a line names, and the most characters of each one's message.
const MOST_FAILED: usize = 20;
const LONGEST_FAILURE: usize = 200;

/// What an invocation did.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// Lambda's id of the request.
    pub request_id: String,
    /// The event source's name.
    pub source: &'static str,
    /// Whether this is the process's first invocation.
    pub cold: bool,
    /// How long it took.
    pub duration: Duration,
    /// The HTTP status of an answer that ran nothing.
    pub status: Option<u64>,
    /// What the run did; attempts and tokens are summed over the records.
    pub report: Report,
    /// How many records the event had.
    pub records: usize,
    /// The ids of those that failed, and why.
    pub failed: Vec<(String, Error)>,
    /// How many requests were answered as they had been before.
    pub replayed: usize,
    /// How many records asked for nothing.
    pub skipped: usize,
    /// The first failure.
    pub error: Option<Error>,
    /// What the operator has to change. Unlike a request's warnings, these quote no request and
    /// are spelled out at every level.
    pub warnings: Vec<&'static str>,
}

impl LogLine {
    /// A line of which nothing is known yet.
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

    pub(crate) fn note_answer(&mut self, answer: &Value) {
        self.status = answer.get("statusCode").and_then(Value::as_u64);
    }

    /// Notes what became of the event's records.
    pub(crate) fn note(&mut self, ran: &[RecordOutcome]) {
        for (at, ended) in ran.iter().flat_map(|one| &one.asks).enumerate() {
            let mut usage = self.report.usage;
            usage.add(ended.report.usage);
            let attempts = self.report.attempts + ended.report.attempts;
            // Of several requests the log tells the first one that asked somebody.
            if at == 0 || self.report.attempts == 0 {
                self.report = ended.report.clone();
            }
            self.report.usage = usage;
            self.report.attempts = attempts;
            self.replayed += usize::from(ended.replayed);
        }
        self.error = ran.iter().find_map(RecordOutcome::error).cloned();
        self.records = ran.len();
        let failed = ran.iter().filter_map(|one| Some((&one.id, one.error()?)));
        self.failed = failed.map(|(id, error)| (id.clone(), error.clone())).collect();
        let asks_nothing = |one: &RecordOutcome| one.asks.iter().all(RequestOutcome::is_skipped);
        self.skipped = ran.iter().filter(|one| asks_nothing(one)).count();
    }

    /// How grave it is.
    pub fn level(&self) -> LogLevel {
        use ErrorKind::{AccessDenied, Internal, ProviderAuthFailed, SecretNotFound};
        match self.error.as_ref().map(Error::kind) {
            None if self.warnings.is_empty() => LogLevel::Info,
            None => LogLevel::Warn,
            Some(Internal | AccessDenied | SecretNotFound | ProviderAuthFailed) => LogLevel::Error,
            Some(_) => LogLevel::Warn,
        }
    }

    /// The line as JSON, or `None` where the level keeps it out.
    pub fn to_json(&self, least: LogLevel) -> Option<String> {
        if self.level() > least {
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
        put("level", json!(self.level().word()));
        put("requestId", json!(self.request_id));
        put("message", json!(if self.error.is_none() { "answered" } else { "failed" }));
        put("source", json!(self.source));
        put("coldStart", json!(self.cold));
        put("httpStatus", json!(self.status));
        self.put_records(&mut put);
        self.put_report(&mut put, least);
        if let Some(error) = &self.error {
            put("errorType", json!(error.kind().name()));
            put("errorMessage", json!(error.for_log()));
            put("providerStatus", json!(error.provider_status()));
        }
        put("durationMs", milliseconds(self.duration));
        line.insert("_aws".to_owned(), self.metrics(now));
        Some(Value::Object(line).to_string())
    }

    /// A record that is the invocation itself is not told apart from it.
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
        let named: Vec<_> = self.failed.iter().filter(|(id, _)| *id != self.request_id).collect();
        if !named.is_empty() {
            let told = named.into_iter().take(MOST_FAILED);
            let told = told.map(|(id, error)| {
                let message = shorten(&error.for_log(), LONGEST_FAILURE);
                json!({ "id": id, "errorType": error.kind().name(), "errorMessage": message })
            });
            put("failures", told.collect());
        }
    }

    fn put_report(&self, put: &mut dyn FnMut(&str, Value), least: LogLevel) {
        let report = &self.report;
        put("provider", json!(report.provider));
        put("model", json!(report.model));
        if let Some(passed_over) = report.passed_over.as_ref().filter(|all| !all.is_empty()) {
            let told = passed_over.iter().map(|one| {
                let kind = one.error.kind().name();
                json!({ "provider": one.provider, "model": one.model, "errorType": kind })
            });
            put("passedOver", told.collect());
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
            for (name, count) in buckets(report.usage) {
                put(name, json!(count));
            }
        }
        let mut warnings = self.warnings.clone();
        let count = warnings.len() + report.warnings.len();
        if least >= LogLevel::Debug {
            warnings.extend(report.warnings.iter().map(String::as_str));
        }
        if count > 0 {
            put("warningCount", json!(count));
        }
        if !warnings.is_empty() {
            put("warnings", json!(warnings));
        }
    }

    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
    fn metrics(&self, now: SystemTime) -> Value {
        let mut metrics = vec![json!({ "Name": "durationMs", "Unit": "Milliseconds" })];
        if self.report.attempts > 0 {
            metrics.push(json!({ "Name": "providerMs", "Unit": "Milliseconds" }));
            metrics.push(json!({ "Name": "attempts", "Unit": "Count" }));
            for (name, _) in buckets(self.report.usage) {
                metrics.push(json!({ "Name": name, "Unit": "Count" }));
            }
        }
        let mut dimensions = vec!["source"];
        // A caller's misspelt model must not become a metric of its own, which costs money.
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
    /// The word as Lambda's JSON log format has it.
    pub fn word(self) -> &'static str {
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

fn buckets(usage: Usage) -> [(&'static str, u64); 6] {
    [
        ("inputTokens", usage.input_tokens),
        ("outputTokens", usage.output_tokens),
        ("cachedInputTokens", usage.cached_input_tokens),
        ("cacheWriteTokens", usage.cache_write_tokens),
        ("reasoningTokens", usage.reasoning_tokens),
        ("totalTokens", usage.total_tokens),
    ]
}
