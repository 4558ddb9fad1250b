//! Keys from Parameter Store: fetched when first needed, by one request however many wait, and
//! kept for a while.
//!
//! In: a key's name. Out: `/{stack}/Secret/{name}`, decrypted. While the store fails a value that
//! is known already is used on: a key that may have been replaced beats an outage, and a provider
//! that no longer takes it says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use llm_exe::ports::PortFuture;
use llm_exe::{Deadline, Error, ErrorKind, KeyName, Keys, Secret};

use crate::call::CallError;
use crate::refusal::Refusal;
use crate::ssm::{GetParameter, Ssm};

/// The time for one look-up, tries and waits included.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long the store is left alone after it failed, while a known value is used on.
const RESPITE: Duration = Duration::from_secs(30);
/// A refused key is fetched anew at most this often.
const RENEWAL: Duration = Duration::from_secs(5);

/// Keys of a stack in Parameter Store.
#[derive(Debug)]
pub struct SsmKeys {
    ssm: Ssm,
    stack: String,
    keep: Duration,
    entries: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Entry>>>>,
}

/// What is known of one key. It is locked for as long as it is fetched, so that others wait.
#[derive(Debug, Default)]
struct Entry {
    value: Option<(Secret, Instant)>,
    failure: Option<(Error, Instant)>,
    renewed: Option<Instant>,
}

impl SsmKeys {
    /// The keys of this stack, each kept for so long.
    pub fn new(ssm: Ssm, stack: &str, keep: Duration) -> Self {
        SsmKeys { ssm, stack: stack.to_owned(), keep, entries: Mutex::default() }
    }

    fn parameter(&self, name: &KeyName) -> String {
        format!("/{}/Secret/{}", self.stack, name.store)
    }

    fn entry(&self, name: &KeyName) -> Arc<tokio::sync::Mutex<Entry>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(entries.entry(name.store.clone()).or_default())
    }

    async fn found(&self, name: &KeyName) -> Result<Secret, Error> {
        let asked = Instant::now();
        let entry = self.entry(name);
        let mut entry = entry.lock().await;
        if let Some((value, until)) = &entry.value
            && *until > Instant::now()
        {
            return Ok(value.clone());
        }
        // Whoever waited for a look-up that failed has the same answer.
        if let Some((error, at)) = &entry.failure
            && *at >= asked
        {
            return Err(error.clone());
        }
        match self.fetched(name).await {
            Ok(value) => {
                entry.keep(&value, self.keep);
                Ok(value)
            }
            Err(error) => {
                if error.kind() == ErrorKind::SecretUnavailable
                    && let Some((known, _)) = entry.value.take()
                {
                    entry.keep(&known, RESPITE.min(self.keep));
                    return Ok(known);
                }
                entry.value = None;
                entry.failure = Some((error.clone(), Instant::now()));
                Err(error)
            }
        }
    }

    async fn newer(&self, name: &KeyName, stale: &Secret) -> Option<Secret> {
        let entry = self.entry(name);
        let mut entry = entry.lock().await;
        // Somebody else may have fetched it in the meantime.
        if let Some((value, _)) = &entry.value
            && value.expose() != stale.expose()
        {
            return Some(value.clone());
        }
        if entry.renewed.is_some_and(|at| at.elapsed() < RENEWAL) {
            return None;
        }
        entry.renewed = Some(Instant::now());
        // Where the store fails, what the provider said is told.
        let value = self.fetched(name).await.ok()?;
        entry.keep(&value, self.keep);
        (value.expose() != stale.expose()).then_some(value)
    }

    async fn fetched(&self, name: &KeyName) -> Result<Secret, Error> {
        let parameter = self.parameter(name);
        let get = GetParameter { name: &parameter };
        match self.ssm.get_parameter(get, Deadline::after(PATIENCE)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(why)) => {
                let text = format!("the key in {parameter} can't be used: {why}");
                Err(Error::new(ErrorKind::SecretNotFound, text))
            }
            Err(fault) => Err(error(fault, name, &parameter)),
        }
    }
}

impl Entry {
    fn keep(&mut self, value: &Secret, keep: Duration) {
        self.value = Some((value.clone(), Instant::now() + keep));
        self.failure = None;
    }
}

impl Keys for SsmKeys {
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        Box::pin(self.found(name))
    }

    fn renewed<'a>(
        &'a self,
        name: &'a KeyName,
        stale: &'a Secret,
    ) -> PortFuture<'a, Result<Option<Secret>, Error>> {
        Box::pin(async { Ok(self.newer(name, stale).await) })
    }
}

fn error(fault: CallError, name: &KeyName, parameter: &str) -> Error {
    let unavailable = |why: &dyn std::fmt::Display| {
        let text = format!("Parameter Store did not tell {parameter}: {why}");
        Error::new(ErrorKind::SecretUnavailable, text)
    };
    match fault {
        CallError::NotSigned(error) if error.kind() == ErrorKind::SecretNotFound => {
            let text =
                format!("{}; it was not asked: {}", missing(name, parameter), error.message());
            Error::new(ErrorKind::SecretNotFound, text)
        }
        CallError::NotSigned(error) => error,
        CallError::Failed(fault) => unavailable(&fault),
        CallError::Unreadable(why) => unavailable(&format!("the answer can't be read: {why}")),
        CallError::Refused(refusal) => match refused(&refusal, name, parameter) {
            Some((kind, text)) => Error::new(kind, text),
            None => unavailable(&refusal),
        },
    }
}

fn refused(refusal: &Refusal, name: &KeyName, parameter: &str) -> Option<(ErrorKind, String)> {
    if matches!(refusal.code.as_str(), "ParameterNotFound" | "ParameterVersionNotFound") {
        return Some((ErrorKind::SecretNotFound, missing(name, parameter)));
    }
    if refusal.is_of_credentials() {
        let text = format!("AWS did not accept the credentials ({refusal})");
        return Some((ErrorKind::AccessDenied, text));
    }
    if !refusal.is_denial() {
        return None;
    }
    let action = if refusal.is_of_kms() { "kms:Decrypt for" } else { "ssm:GetParameter on" };
    let text = format!("AWS does not allow its caller {action} {parameter} ({refusal})");
    Some((ErrorKind::AccessDenied, text))
}

fn missing(name: &KeyName, parameter: &str) -> String {
    format!(
        "no key: set {} in the environment, or the parameter {parameter} in Parameter Store by \
         npm run update-secrets",
        name.variables()
    )
}
