//! Implements `idempotencyKey`. A repeated call returns the stored result of the first call. If
//! several calls with the same key are concurrent, only one of them runs the request.
//!
//! Each key has an object in the result store. The call that creates the object runs the request.
//! It owns the key until it writes the result or its deadline passes. Meanwhile, other calls with
//! the same key wait for the result.

use std::time::Duration;

use bytes::Bytes;
use llm_exe::json::hash_request;
use llm_exe::{Deadline, Error, ErrorKind, Run};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::progress::RunIdentity;
use super::stored_result::{StoredResult, hash_parts};
use super::{Results, milliseconds, now, unreadable};
use crate::destination::{ResultPlace, ResultPrefix};
use crate::outcome::RequestOutcome;
use crate::ports::{Precondition, StoredObject, WriteOutcome};

/// Maximum length of an `idempotencyKey` in characters.
const MAX_KEY_CHARS: usize = 255;

/// How long a call waits before it first polls a key that another call owns. The interval doubles
/// with each poll, up to `MAX_POLL`.
const FIRST_POLL: Duration = Duration::from_millis(100);
const MAX_POLL: Duration = Duration::from_secs(1);

/// A call with an `idempotencyKey`.
#[derive(Debug, Clone)]
pub(crate) struct IdempotentCall {
    key: String,
    request_hash: String,
}

/// The state of a key, as stored in the key's object.
#[derive(Debug, Serialize, Deserialize)]
struct KeyEntry {
    /// The hash of the request. `None` if the previous call failed before it called a provider, so
    /// that a different request may use the key.
    #[serde(rename = "request", default, skip_serializing_if = "Option::is_none")]
    request_hash: Option<String>,
    /// The id of the call that owns the key.
    holder: String,
    /// When the ownership expires, in milliseconds since the Unix epoch.
    #[serde(rename = "until")]
    expires_at: u64,
    #[serde(rename = "answer", default, skip_serializing_if = "Option::is_none")]
    result: Option<StoredResult>,
}

/// The state of a key from the perspective of one call.
enum KeyState {
    /// No call owns the key. Contains the ETag of the key's object, if the object exists.
    Free(Option<String>),
    /// An earlier call with this key has finished with this result.
    Finished(Box<StoredResult>),
    /// Another call owns the key.
    Owned,
}

/// The outcome of acquiring a key.
enum Acquired {
    /// The call owns the key. Contains the ETag of the key's object.
    Owned(String),
    /// Another call has finished with this result.
    Finished(Box<StoredResult>),
}

impl IdempotentCall {
    /// Removes the `idempotencyKey` from a request. Returns `None` if the request has no key, or if
    /// it is a dry run, which has no result to store.
    ///
    /// # Errors
    /// Returns `InvalidRequest` if the key is not a string of 1 to 255 characters.
    pub(crate) fn take_from(body: &mut Value) -> Result<Option<IdempotentCall>, Error> {
        const NAME: &str = "idempotencyKey";
        let is_dry_run = body.get("dryRun").and_then(Value::as_bool) == Some(true);
        let value = body.as_object_mut().and_then(|fields| fields.shift_remove(NAME));
        let key = match value {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(key)) => key,
            Some(other) => {
                let received = llm_exe::json::shown(&other);
                return Err(Error::invalid(NAME, format!("expected a string, got {received}")));
            }
        };
        let length = key.chars().count();
        if !(1..=MAX_KEY_CHARS).contains(&length) {
            let message = format!("expected 1 to {MAX_KEY_CHARS} characters, got {length}");
            return Err(Error::invalid(NAME, message));
        }
        Ok((!is_dry_run).then(|| IdempotentCall { key, request_hash: hash_request(body) }))
    }

    /// Returns the object that stores the state of this key. Callers do not share keys.
    pub(crate) fn place(&self, prefix: &ResultPrefix, caller: &str) -> ResultPlace {
        let name = hash_parts(&[caller, &self.key]);
        prefix.object(&format!("idempotency/{name}.json"))
    }

    /// Returns the identity of the run of this call, which is the same when the call is repeated.
    pub(super) fn run_identity<'a>(&'a self, caller: &'a str) -> RunIdentity<'a> {
        RunIdentity::Key { caller, key: &self.key }
    }
}

impl Results {
    /// Runs a call, or returns the result of an earlier call with the same key. Also returns the
    /// result as a [`StoredResult`], unless the key could not be acquired.
    pub(crate) async fn run_once(
        &self,
        call: &IdempotentCall,
        place: ResultPlace,
        holder: &str,
        deadline: Deadline,
        run: impl AsyncFnOnce(Deadline) -> Run,
        to_stored: impl FnOnce(&Run) -> StoredResult,
    ) -> (RequestOutcome, Option<StoredResult>) {
        let name = format!("{} {}", place.key, call.request_hash);
        if let Some(result) = self.replay_unstored(&name, call, &place, holder, deadline).await {
            return (result.clone().into_replay(), Some(result));
        }
        let etag = match self.acquire(&place, call, holder, deadline).await {
            Ok(Acquired::Owned(etag)) => etag,
            Ok(Acquired::Finished(result)) => {
                return (result.clone().into_replay(), Some(*result));
            }
            Err(error) => return (RequestOutcome::failed(error), None),
        };
        let run = run(self.run_deadline(deadline)).await;
        let result = to_stored(&run);
        let called_provider = run.report.attempts > 0;
        // If the request failed before a provider was called, the caller may correct it and send it
        // again with the same key.
        let uses_key = called_provider || run.outcome.is_ok();
        let entry = KeyEntry {
            request_hash: uses_key.then(|| call.request_hash.clone()),
            holder: holder.to_owned(),
            expires_at: 0,
            result: uses_key.then(|| result.clone()),
        };
        let condition = Precondition::Unchanged(etag);
        let written = self.store.write(&place, entry.to_bytes(), condition, deadline).await;
        let mut outcome = RequestOutcome::from_run(run);
        match written {
            Ok(WriteOutcome::Done(_)) => {}
            Ok(WriteOutcome::Unmet) => match self.read_key(&place, call, holder, deadline).await {
                // An earlier attempt at this write succeeded, but its response was lost.
                Ok(KeyState::Finished(current)) if *current == result => {}
                Ok(KeyState::Finished(current)) if current.is_ok() => {
                    let replay = current.clone().into_replay();
                    outcome = RequestOutcome { report: outcome.report, ..replay };
                    return (outcome, Some(*current));
                }
                _ => outcome.add_warning(
                    "idempotencyKey: the result was not stored, because another call has \
                     acquired the key",
                ),
            },
            // The result was paid for, so it is returned anyway. Repeated calls in this process
            // return it from memory.
            Err(error) => {
                let reason = error.message();
                let warning = format!("idempotencyKey: the result could not be stored: {reason}");
                outcome.add_warning(&warning);
                if called_provider && result.is_final() {
                    self.remember_unstored(&name, result.clone());
                }
            }
        }
        (outcome, Some(result))
    }

    /// Returns a result that this process could not store earlier, and tries to store it again.
    /// Returns `None` if there is no such result, or if the key no longer belongs to this result.
    async fn replay_unstored(
        &self,
        name: &str,
        call: &IdempotentCall,
        place: &ResultPlace,
        holder: &str,
        deadline: Deadline,
    ) -> Option<StoredResult> {
        let result = self.take_unstored(name)?;
        let is_stored = match self.store.read(place, deadline).await {
            Ok(Some(StoredObject { body, etag })) => {
                let entry: KeyEntry = serde_json::from_slice(&body).ok()?;
                let is_same_request = entry.request_hash.as_ref() == Some(&call.request_hash);
                if entry.result.is_some() || !is_same_request {
                    return None;
                }
                let entry = KeyEntry {
                    request_hash: entry.request_hash,
                    holder: holder.to_owned(),
                    expires_at: 0,
                    result: Some(result.clone()),
                };
                let condition = Precondition::Unchanged(etag);
                self.store.write(place, entry.to_bytes(), condition, deadline).await.is_ok()
            }
            Ok(None) => return None,
            Err(_) => false,
        };
        if !is_stored {
            self.remember_unstored(name, result.clone());
        }
        Some(result)
    }

    /// Acquires a key, or waits for the result of the call that owns it.
    async fn acquire(
        &self,
        place: &ResultPlace,
        call: &IdempotentCall,
        holder: &str,
        deadline: Deadline,
    ) -> Result<Acquired, Error> {
        let entry = KeyEntry {
            request_hash: Some(call.request_hash.clone()),
            holder: holder.to_owned(),
            expires_at: now().saturating_add(milliseconds(deadline.left())),
            result: None,
        };
        let mut condition = Precondition::Absent;
        let mut wait = FIRST_POLL;
        loop {
            let written = self.store.write(place, entry.to_bytes(), condition, deadline).await?;
            if let WriteOutcome::Done(Some(etag)) = written {
                return Ok(Acquired::Owned(etag));
            }
            loop {
                match self.read_key(place, call, holder, deadline).await? {
                    KeyState::Finished(result) => return Ok(Acquired::Finished(result)),
                    KeyState::Free(etag) if matches!(written, WriteOutcome::Unmet) => {
                        condition = etag.map_or(Precondition::Absent, Precondition::Unchanged);
                        break;
                    }
                    // This call wrote the entry, but the store did not return its ETag.
                    KeyState::Free(Some(etag)) => return Ok(Acquired::Owned(etag)),
                    KeyState::Free(None) => return Err(unreadable(place)),
                    KeyState::Owned => {}
                }
                if wait >= deadline.left() {
                    let message = "another call with this idempotencyKey is still running";
                    return Err(Error::new(ErrorKind::Timeout, message));
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(MAX_POLL);
            }
        }
    }

    async fn read_key(
        &self,
        place: &ResultPlace,
        call: &IdempotentCall,
        holder: &str,
        deadline: Deadline,
    ) -> Result<KeyState, Error> {
        let Some(StoredObject { body, etag }) = self.store.read(place, deadline).await? else {
            return Ok(KeyState::Free(None));
        };
        let entry: KeyEntry = serde_json::from_slice(&body).map_err(|_| unreadable(place))?;
        if entry.request_hash.as_ref().is_some_and(|hash| *hash != call.request_hash) {
            let message = "this idempotencyKey was already used for a different request";
            return Err(Error::new(ErrorKind::IdempotencyConflict, message));
        }
        Ok(match entry.result {
            Some(result) if result.is_final() => KeyState::Finished(Box::new(result)),
            Some(_) => KeyState::Free(Some(etag)),
            None if entry.holder == holder || entry.expires_at <= now() => {
                KeyState::Free(Some(etag))
            }
            None => KeyState::Owned,
        })
    }
}

impl KeyEntry {
    fn to_bytes(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(self).unwrap_or_default())
    }
}
