//! The format of stored and sent results, for records and for calls with an `idempotencyKey`.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use llm_exe::error::{Problem, shorten};
use llm_exe::{Error, ErrorKind, Report, Run, StopReason, StreamFormat, hex};
use llm_exe_events::{RESULT_MARK_FIELD, RESULT_MARK_VALUE};
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::destination::Destination;
use crate::outcome::RequestOutcome;

/// The result or error of a run, as stored in an S3 object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredResult {
    /// The id of the record, or the id of the invocation for a direct or HTTP call.
    pub(crate) id: String,
    /// The name of the event source.
    pub(crate) source: String,
    /// The hash of a record's request, if the request could be read. It detects different requests
    /// with the same id.
    #[serde(rename = "request", default, skip_serializing_if = "Option::is_none")]
    request_hash: Option<String>,
    status: Status,
    /// Whether running the request again would have the same outcome, which is true for results and
    /// for errors that a retry can't fix.
    #[serde(rename = "final")]
    is_final: bool,
    /// The result as the caller receives it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    result: Value,
    /// The error, if there is no result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<StoredError>,
    /// Whether the request sets `"return": "full"`, which makes the result an object with further
    /// fields.
    #[serde(default)]
    full: bool,
    /// The destination that the request named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
    /// The format of the stream: `sse`, `ndjson` or `none`. `None` if it is that of the request,
    /// which a hosted config can replace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
    /// The tags of the request, or of its hosted config.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    tags: Map<String, Value>,
    /// The time of the run in RFC 3339 format.
    at: String,
    /// The provider, model, token usage, cost, attempts, stop reason and duration of the run.
    #[serde(flatten)]
    details: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Error,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct StoredError {
    #[serde(rename = "type")]
    kind: String,
    message: String,
    retryable: bool,
    /// The error message for the log, which does not quote prompts, replies or data.
    #[serde(default)]
    logged: String,
    /// The problems of an invalid request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    problems: Vec<StoredProblem>,
    /// The HTTP status of the provider's response, if there was one.
    #[serde(rename = "providerStatus", default, skip_serializing_if = "Option::is_none")]
    provider_status: Option<u16>,
    /// The warnings, if the request sets `"return": "full"`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    warnings: Value,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StoredProblem {
    path: String,
    message: String,
}

/// Maximum number of problems that are stored, which is the number in an error message.
const MAX_PROBLEMS: usize = 50;

/// Maximum length in characters of the message of a problem that is stored.
const MAX_PROBLEM_CHARS: usize = 600;

/// The fields of a stored result that describe what a failed run used.
const ERROR_DETAILS: [&str; 5] = ["provider", "model", "attempts", "usage", "cost"];

impl StoredResult {
    /// Creates a stored result from a run.
    pub(crate) fn from_run(
        id: &str,
        source: &str,
        request_hash: Option<String>,
        run: &Run,
    ) -> StoredResult {
        let Run { outcome, report } = run;
        let tags = report.tags.iter().flat_map(|tags| tags.iter());
        let (status, result, error) = match outcome {
            Ok(value) => (Status::Ok, value.clone(), None),
            Err(error) => {
                let (kind, message) = (error.kind(), error.message().to_owned());
                let (kind, retryable) = (kind.name().to_owned(), kind.retryable());
                let logged = error.for_log();
                let problems = error.problems().iter().take(MAX_PROBLEMS).map(|problem| {
                    let message = shorten(&problem.message, MAX_PROBLEM_CHARS);
                    StoredProblem { path: problem.path.clone(), message }
                });
                let problems = problems.collect();
                let warnings = error.run_details().and_then(|details| details.get("warnings"));
                let error = StoredError {
                    kind,
                    message,
                    retryable,
                    logged,
                    problems,
                    provider_status: error.provider_status(),
                    warnings: warnings.cloned().unwrap_or_default(),
                };
                (Status::Error, Value::Null, Some(error))
            }
        };
        StoredResult {
            id: id.to_owned(),
            source: source.to_owned(),
            request_hash,
            status,
            is_final: is_final(run),
            result,
            error,
            full: report.full,
            destination: report.destination.as_ref().map(ToString::to_string),
            stream: None,
            tags: tags.map(|(name, value)| (name.clone(), json!(value))).collect(),
            at: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            details: details(report),
        }
    }

    /// Adds the format of the run's stream, unless the request asks for it itself.
    #[must_use]
    pub(crate) fn with_stream_format(self, requested: Option<StreamFormat>, run: &Run) -> Self {
        let format_name = match run.report.stream {
            None => "none",
            Some(StreamFormat::Lines) => "ndjson",
            Some(_) => "sse",
        };
        let differs = run.report.stream != requested;
        StoredResult { stream: differs.then(|| format_name.to_owned()), ..self }
    }

    /// Returns the format of the stream of a repeated request, which asks for `requested` itself.
    pub(crate) fn stream_format(&self, requested: Option<StreamFormat>) -> Option<StreamFormat> {
        match self.stream.as_deref() {
            Some("none") => None,
            Some("ndjson") => Some(StreamFormat::Lines),
            Some(_) => Some(StreamFormat::ServerSentEvents),
            None => requested,
        }
    }

    /// Returns true if running the request again would have the same outcome.
    pub(crate) fn is_final(&self) -> bool {
        self.is_final
    }

    /// Returns true if this is the result of a request with a different hash.
    pub(crate) fn is_for_different_request(&self, request_hash: Option<&String>) -> bool {
        matches!((&self.request_hash, request_hash), (Some(own), Some(other)) if own != other)
    }

    /// Returns the object name for this result, which is the same for every run of the record.
    pub(crate) fn object_name(&self) -> String {
        hash_parts(&[&self.source, &self.id])
    }

    /// Returns the id of this result's notification. Each run of the record has a different id,
    /// because a FIFO queue drops a message whose id it has already received.
    pub(crate) fn notification_id(&self) -> String {
        hash_parts(&[&self.source, &self.id, &self.at])
    }

    /// Returns true for a result and false for an error.
    pub(crate) fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }

    /// Returns the kind of the error, or `None` for a successful result.
    fn error_kind(&self) -> Option<ErrorKind> {
        let error = match self.status {
            Status::Ok => return None,
            Status::Error => self.error.as_ref(),
        };
        let known_kind = |error: &StoredError| {
            ErrorKind::ALL.iter().copied().find(|kind| kind.name() == error.kind)
        };
        // An error kind that this version does not know is treated as retryable.
        Some(error.and_then(known_kind).unwrap_or(ErrorKind::ResultUnavailable))
    }

    /// Returns the result, which is null if the run failed.
    pub(crate) fn result(&self) -> &Value {
        &self.result
    }

    /// Returns the destination that the request named.
    pub(crate) fn destination(&self) -> Option<Destination> {
        Destination::parse(self.destination.as_deref()?).ok()
    }

    /// Converts the stored result into the outcome of a repeated request, which is not run again.
    pub(crate) fn into_replay(self) -> RequestOutcome {
        let mut report = Report::default();
        report.full = self.full;
        let tags = self.tags.iter();
        let tags = tags.filter_map(|(name, tag)| Some((name.clone(), tag.as_str()?.to_owned())));
        let tags: Vec<(String, String)> = tags.collect();
        report.tags = (!tags.is_empty()).then(|| Arc::new(tags));
        let outcome = match self.error_kind() {
            None => {
                let mut result = self.result;
                if let (true, Some(fields)) = (self.full, result.as_object_mut()) {
                    fields.insert("replayed".to_owned(), json!(true));
                }
                Ok(result)
            }
            Some(kind) => Err(self.replayed_error(kind)),
        };
        RequestOutcome { replayed: true, ..RequestOutcome::from_run(Run { outcome, report }) }
    }

    /// Returns the stored error, with what its run used.
    fn replayed_error(self, kind: ErrorKind) -> Error {
        let StoredError { message, logged, problems, provider_status, warnings, .. } =
            self.error.unwrap_or_default();
        let problem = |StoredProblem { path, message }| Problem::new(kind, path, message);
        let problems = problems.into_iter().map(problem).collect();
        let error = Error::new(kind, message).with_problems(problems).logged_as(logged);
        let error = error.with_provider_status(provider_status);
        let details = error_details(self.details, warnings);
        match details.is_empty() {
            true => error,
            false => error.with_run_details(details, self.full),
        }
    }

    pub(crate) fn to_bytes(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Serializes the notification for a destination as JSON. `url` is the URL of the stored
    /// result. The result itself is included only if `with_result` is set.
    pub(crate) fn to_notification(&self, url: Option<&str>, with_result: bool) -> String {
        let mut notification = json!(self);
        if let Some(fields) = notification.as_object_mut() {
            for name in ["full", "destination", "request", "final", "stream", "tags"] {
                fields.shift_remove(name);
            }
            if let Some(error) = fields.get_mut("error").and_then(Value::as_object_mut) {
                error.shift_remove("logged");
                error.shift_remove("warnings");
            }
            fields.insert(RESULT_MARK_FIELD.to_owned(), json!(RESULT_MARK_VALUE));
            if !with_result {
                fields.shift_remove("result");
            }
            if let Some(url) = url {
                fields.insert("resultUrl".to_owned(), json!(url));
            }
        }
        notification.to_string()
    }
}

/// Returns true if running the request again would have the same outcome.
fn is_final(run: &Run) -> bool {
    let Err(error) = &run.outcome else {
        return true;
    };
    let kind = error.kind();
    // An error that the hosted config may have caused is not stored, because the config can be
    // corrected. A repeat costs nothing extra, because no provider has been called.
    let is_config_error = run.report.config_place.is_some() && run.report.attempts == 0;
    !kind.retryable() && !is_configuration_error(kind) && !is_config_error
}

/// Returns true if the error is caused by the configuration of the function. After the
/// configuration is corrected, the record must be run again.
fn is_configuration_error(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::AccessDenied
            | ErrorKind::ConfigForbidden
            | ErrorKind::ConfigNotFound
            | ErrorKind::Internal
            | ErrorKind::ProviderAuthFailed
            | ErrorKind::SecretNotFound
    )
}

fn details(report: &Report) -> Value {
    json!({
        "provider": report.provider,
        "model": report.answered_model.as_ref().or(report.model.as_ref()),
        "usage": report.usage,
        "cost": report.cost().copied().unwrap_or_default().to_json(),
        "attempts": report.attempts,
        "stopReason": report.stop_reason.map(StopReason::name),
        "durationMs": u64::try_from(report.durations.total.as_millis()).unwrap_or(u64::MAX),
    })
}

/// Returns what a failed run used, from the details and the warnings in its stored result.
fn error_details(mut details: Value, warnings: Value) -> Map<String, Value> {
    let mut fields = Map::new();
    if details.get("attempts").and_then(Value::as_u64).unwrap_or_default() > 0 {
        for name in ERROR_DETAILS {
            let value = details.get_mut(name).map(Value::take).unwrap_or_default();
            fields.insert(name.to_owned(), value);
        }
    }
    if !warnings.is_null() {
        fields.insert("warnings".to_owned(), warnings);
    }
    fields
}

/// Returns a hash of the parts, which is a valid object name even if the parts contain special
/// characters.
pub(crate) fn hash_parts(parts: &[&str]) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in parts {
        // The lengths distinguish lists whose concatenations are equal, such as ["ab", "c"] and
        // ["a", "bc"].
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(hash.finish().as_ref())
}
