//! A result as it is kept: what a record or a keyed call ended with, so that it ends so again.

use std::time::SystemTime;

use bytes::Bytes;
use llm_exe::results::{Destination, OWN_MARK, OWN_WORD};
use llm_exe::{Error, ErrorKind, Report, Run, StopReason};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::outcome::RequestOutcome;

/// What a record, or a keyed call, ended with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kept {
    /// The id of the record, or of the invocation.
    pub(crate) id: String,
    /// The event source's name.
    pub(crate) source: String,
    /// The hash of the request, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    /// `ok` or `error`.
    status: Status,
    /// Whether it ends so again: it is a result, or an error that no further try would mend.
    r#final: bool,
    /// The answer, as its caller gets it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    result: Value,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<KeptError>,
    /// Whether the answer is the `full` object.
    #[serde(default)]
    full: bool,
    /// Who was told, where the request named somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
    /// When, in RFC 3339.
    at: String,
    /// What was done for it and what it cost.
    #[serde(flatten)]
    cost: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Error,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptError {
    #[serde(rename = "type")]
    kind: String,
    message: String,
    retryable: bool,
    /// The message as logs may have it.
    #[serde(default)]
    logged: String,
}

impl Kept {
    /// What a run ended with.
    pub(crate) fn of(id: &str, source: &str, request: Option<String>, run: &Run) -> Kept {
        let Run { outcome, report } = run;
        let (status, result, error) = match outcome {
            Ok(value) => (Status::Ok, value.clone(), None),
            Err(error) => {
                let (kind, message) = (error.kind(), error.message().to_owned());
                let (kind, retryable) = (kind.name().to_owned(), kind.retryable());
                let logged = error.for_log();
                (Status::Error, Value::Null, Some(KeptError { kind, message, retryable, logged }))
            }
        };
        Kept {
            id: id.to_owned(),
            source: source.to_owned(),
            request,
            status,
            r#final: is_final(run),
            result,
            error,
            full: report.full,
            destination: report.destination.as_ref().map(Destination::to_string),
            at: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            cost: cost(report),
        }
    }

    /// Whether it ends so again.
    pub(crate) fn is_final(&self) -> bool {
        self.r#final
    }

    /// Whether it is of another request than this one.
    pub(crate) fn is_of_another(&self, request: Option<&String>) -> bool {
        matches!((&self.request, request), (Some(ours), Some(theirs)) if ours != theirs)
    }

    /// What names the record.
    pub(crate) fn name(&self) -> String {
        hashed(&[&self.source, &self.id])
    }

    /// What names this end of the record: one that is tried again may end otherwise.
    pub(crate) fn note_id(&self) -> String {
        hashed(&[&self.source, &self.id, &self.at])
    }

    /// Whether it is a result.
    pub(crate) fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }

    /// The kind of its error, if it is one.
    fn kind(&self) -> Option<ErrorKind> {
        let error = match self.status {
            Status::Ok => return None,
            Status::Error => self.error.as_ref(),
        };
        let named = |error: &KeptError| {
            ErrorKind::ALL.iter().copied().find(|kind| kind.name() == error.kind)
        };
        // A kind of another version: to be tried again is the safer guess.
        Some(error.and_then(named).unwrap_or(ErrorKind::ResultUnavailable))
    }

    /// The answer; null where there is none.
    pub(crate) fn result(&self) -> &Value {
        &self.result
    }

    /// The destination that the request named.
    pub(crate) fn destination(&self) -> Option<Destination> {
        Destination::read(self.destination.as_deref()?).ok()
    }

    /// The same end again, without having asked anybody.
    pub(crate) fn replayed(self) -> RequestOutcome {
        let report = Report { full: self.full, ..Report::default() };
        let outcome = match self.kind() {
            None => {
                let mut result = self.result;
                if let (true, Some(fields)) = (self.full, result.as_object_mut()) {
                    fields.insert("replayed".to_owned(), json!(true));
                }
                Ok(result)
            }
            Some(kind) => {
                let told = self.error.map(|error| (error.message, error.logged));
                let (message, logged) = told.unwrap_or_default();
                Err(Error::new(kind, message).logged_as(logged))
            }
        };
        RequestOutcome { replayed: true, ..RequestOutcome::of(Run { outcome, report }) }
    }

    /// As it is stored.
    pub(crate) fn to_bytes(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(self).unwrap_or_default())
    }

    /// As a destination is told of it: with its place, and without the result where that is
    /// too long.
    pub(crate) fn note(&self, place: Option<&str>, with_result: bool) -> String {
        let mut note = json!(self);
        if let Some(fields) = note.as_object_mut() {
            for name in ["full", "destination", "request", "final"] {
                fields.shift_remove(name);
            }
            if let Some(error) = fields.get_mut("error").and_then(Value::as_object_mut) {
                error.shift_remove("logged");
            }
            fields.insert(OWN_MARK.to_owned(), json!(OWN_WORD));
            if !with_result {
                fields.shift_remove("result");
            }
            if let Some(place) = place {
                fields.insert("resultUrl".to_owned(), json!(place));
            }
        }
        note.to_string()
    }
}

/// Whether no further try would end otherwise.
fn is_final(run: &Run) -> bool {
    let Err(error) = &run.outcome else {
        return true;
    };
    let kind = error.kind();
    // A hosted config may be mended, and nobody was asked.
    let is_of_a_config = run.report.config_place.is_some() && run.report.attempts == 0;
    !kind.retryable() && !is_of_the_set_up(kind) && !is_of_a_config
}

/// Failures of how the function is set up: whoever mends that wants the record to be tried again,
/// and no try before was paid for.
fn is_of_the_set_up(kind: ErrorKind) -> bool {
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

fn cost(report: &Report) -> Value {
    json!({
        "provider": report.provider,
        "model": report.answered_model.as_ref().or(report.model.as_ref()),
        "usage": report.usage,
        "attempts": report.attempts,
        "stopReason": report.stop_reason.map(StopReason::name),
        "durationMs": u64::try_from(report.durations.total.as_millis()).unwrap_or(u64::MAX),
    })
}

/// The name of what is kept for some words: a hash, so that they may hold anything.
pub(crate) fn hashed(words: &[&str]) -> String {
    let mut hash = Sha256::new();
    for word in words {
        // With their lengths, so that no two lists of words are the same text.
        hash.update((word.len() as u64).to_be_bytes());
        hash.update(word.as_bytes());
    }
    hex(&hash.finalize())
}

/// The hash of a request: the same for the same JSON, in whatever order its fields were written.
pub(crate) fn request_hash(request: &Value) -> String {
    let mut hash = Sha256::new();
    digest(request, &mut hash);
    hex(&hash.finalize())
}

fn digest(value: &Value, hash: &mut Sha256) {
    match value {
        Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                digest(item, hash);
                hash.update(b",");
            }
            hash.update(b"]");
        }
        Value::Object(fields) => {
            let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            hash.update(b"{");
            for (name, value) in sorted {
                hash.update(Value::from(name.as_str()).to_string().as_bytes());
                hash.update(b":");
                digest(value, hash);
                hash.update(b",");
            }
            hash.update(b"}");
        }
        plain => hash.update(plain.to_string().as_bytes()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
