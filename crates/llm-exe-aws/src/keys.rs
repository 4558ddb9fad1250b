//! Reads the API keys of LLM providers from Parameter Store and caches them.
//!
//! Each key is stored in the parameter `/{stack}/Secret/{name}`. The first caller that needs a key
//! fetches it, and concurrent callers wait for the same request. If Parameter Store fails, an
//! expired cache entry stays in use, so that requests succeed despite the outage. This is safe,
//! because the provider rejects a key that has been revoked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use llm_exe::ports::PortFuture;
use llm_exe::{Deadline, Error, ErrorKind, KeyName, Keys, Secret};

use crate::client::CallError;
use crate::error_context::ErrorContext;
use crate::ssm::{GetParameter, Ssm};

/// The timeout for fetching a key, including all retries and the waits between them.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(8);
/// How long an expired key stays in use after a failed request to Parameter Store, before the next
/// attempt to fetch it.
const STALE_EXTENSION: Duration = Duration::from_secs(30);
/// The minimum time between attempts to renew a key that its provider rejected.
const MIN_RENEWAL_INTERVAL: Duration = Duration::from_secs(5);

/// A key store that reads a stack's provider keys from Parameter Store and caches them.
#[derive(Debug)]
pub struct SsmKeys {
    ssm: Ssm,
    stack: String,
    cache: Duration,
    entries: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Entry>>>>,
}

/// The cache entry for a key. It stays locked while a caller fetches the key, so that concurrent
/// callers wait for the result instead of sending more requests.
#[derive(Debug, Default)]
struct Entry {
    /// The key and the time at which it expires.
    value: Option<(Secret, Instant)>,
    /// The error and the time of the last request, if it failed.
    error: Option<(Error, Instant)>,
    renewed_at: Option<Instant>,
}

impl SsmKeys {
    /// Creates a key store for a stack. Each key is cached for the duration `cache`.
    pub fn new(ssm: Ssm, stack: &str, cache: Duration) -> Self {
        SsmKeys { ssm, stack: stack.to_owned(), cache, entries: Mutex::default() }
    }

    fn parameter(&self, name: &KeyName) -> String {
        format!("/{}/Secret/{}", self.stack, name.store)
    }

    fn entry(&self, name: &KeyName) -> Arc<tokio::sync::Mutex<Entry>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(entries.entry(name.store.to_string()).or_default())
    }

    async fn cached_or_fetched(&self, name: &KeyName) -> Result<Secret, Error> {
        let called_at = Instant::now();
        let entry = self.entry(name);
        let mut entry = entry.lock().await;
        if let Some((value, expires_at)) = &entry.value
            && *expires_at > Instant::now()
        {
            return Ok(value.clone());
        }
        // Another caller's request failed while this caller waited for the lock. Return its error
        // instead of sending the same request again.
        if let Some((error, failed_at)) = &entry.error
            && *failed_at >= called_at
        {
            return Err(error.clone());
        }
        match self.fetch(name).await {
            Ok(value) => {
                entry.store(&value, self.cache);
                Ok(value)
            }
            Err(error) => {
                if error.kind() == ErrorKind::SecretUnavailable
                    && let Some((stale, _)) = entry.value.take()
                {
                    entry.store(&stale, STALE_EXTENSION.min(self.cache));
                    return Ok(stale);
                }
                entry.value = None;
                entry.error = Some((error.clone(), Instant::now()));
                Err(error)
            }
        }
    }

    /// Fetches the key again and returns it if it differs from `stale`.
    async fn newer_than(&self, name: &KeyName, stale: &Secret) -> Option<Secret> {
        let entry = self.entry(name);
        let mut entry = entry.lock().await;
        // Another caller may have renewed the key in the meantime.
        if let Some((value, _)) = &entry.value
            && value.expose() != stale.expose()
        {
            return Some(value.clone());
        }
        if entry.renewed_at.is_some_and(|at| at.elapsed() < MIN_RENEWAL_INTERVAL) {
            return None;
        }
        entry.renewed_at = Some(Instant::now());
        // Ignore errors here: without a new key, the caller reports the provider's error.
        let value = self.fetch(name).await.ok()?;
        entry.store(&value, self.cache);
        (value.expose() != stale.expose()).then_some(value)
    }

    async fn fetch(&self, name: &KeyName) -> Result<Secret, Error> {
        let parameter = self.parameter(name);
        let get = GetParameter { name: &parameter };
        match self.ssm.get_parameter(get, Deadline::after(LOOK_UP_TIMEOUT)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(reason)) => {
                let message = format!("the key in parameter {parameter} can't be used: {reason}");
                Err(Error::new(ErrorKind::SecretNotFound, message))
            }
            Err(error) => Err(convert_error(error, name, &parameter)),
        }
    }
}

impl Entry {
    fn store(&mut self, value: &Secret, cache: Duration) {
        self.value = Some((value.clone(), Instant::now() + cache));
        self.error = None;
    }
}

impl Keys for SsmKeys {
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        Box::pin(self.cached_or_fetched(name))
    }

    fn renewed<'a>(
        &'a self,
        name: &'a KeyName,
        stale: &'a Secret,
    ) -> PortFuture<'a, Result<Option<Secret>, Error>> {
        Box::pin(async { Ok(self.newer_than(name, stale).await) })
    }
}

fn convert_error(error: CallError, name: &KeyName, parameter: &str) -> Error {
    let not_set = format!(
        "no API key: set {} in the environment, or store the key as parameter {parameter} in \
         Parameter Store with npm run update-secrets",
        name.variables()
    );
    match &error {
        CallError::Rejected(response)
            if matches!(
                response.code.as_str(),
                "ParameterNotFound" | "ParameterVersionNotFound"
            ) =>
        {
            Error::secret_not_set(not_set)
        }
        CallError::NotSigned(cause) if cause.kind() == ErrorKind::SecretNotFound => {
            let message =
                format!("{not_set} (Parameter Store was not called: {})", cause.message());
            Error::secret_not_set(message)
        }
        _ => {
            let context = ErrorContext {
                unavailable: ErrorKind::SecretUnavailable,
                failed: "can't read parameter",
                resource: parameter,
                action: "ssm:GetParameter",
                denial_hint: "",
            };
            context.error(error)
        }
    }
}
