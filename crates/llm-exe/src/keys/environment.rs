//! Reads API keys from environment variables, or from a store if no variable contains the key.

use std::future::ready;
use std::sync::Arc;

use super::unusable;
use crate::error::Error;
use crate::ports::{KeyName, Keys, PortFuture, Secret};

type LookUp = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Looks up API keys in environment variables first, and then in an optional store. The
/// variable for a provider's key has the name that other programs use, such as
/// `OPENAI_API_KEY`.
pub struct EnvironmentKeys {
    look_up: Box<LookUp>,
    store: Option<Arc<dyn Keys>>,
}

impl std::fmt::Debug for EnvironmentKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnvironmentKeys")
    }
}

impl EnvironmentKeys {
    /// Creates an instance that reads the environment variables of the process each time a key
    /// is needed.
    #[expect(clippy::disallowed_methods, reason = "the caller asks for the environment")]
    pub fn from_process() -> Self {
        EnvironmentKeys::new(|variable| std::env::var(variable).ok())
    }

    /// Creates an instance that reads variables with `look_up`, which returns the value of a
    /// variable.
    pub fn new(look_up: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        EnvironmentKeys { look_up: Box::new(look_up), store: None }
    }

    /// Sets the store from which a key is read if no environment variable contains it.
    #[must_use]
    pub fn or_else(self, store: Arc<dyn Keys>) -> Self {
        EnvironmentKeys { store: Some(store), ..self }
    }

    /// Returns the key from the first variable that is set and not empty.
    fn in_environment(&self, name: &KeyName) -> Option<Result<Secret, Error>> {
        let (variable, value) = name.environment.iter().find_map(|variable| {
            let value = (self.look_up)(variable)?;
            (!value.trim().is_empty()).then_some((variable, value))
        })?;
        let place = || format!("the key in {variable}");
        Some(Secret::new(value).map_err(|reason| unusable(&place(), reason)))
    }
}

impl Keys for EnvironmentKeys {
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        let key = self.in_environment(name);
        if let (None, Some(store), false) = (&key, &self.store, name.store.is_empty()) {
            return store.get(name);
        }
        let key = key.unwrap_or_else(|| {
            let message = format!("no API key found; set {} in the environment", name.variables());
            Err(Error::secret_not_set(message))
        });
        Box::pin(ready(key))
    }

    fn renewed<'a>(
        &'a self,
        name: &'a KeyName,
        stale: &'a Secret,
    ) -> PortFuture<'a, Result<Option<Secret>, Error>> {
        match &self.store {
            Some(store) if self.in_environment(name).is_none() => store.renewed(name, stale),
            _ => Box::pin(ready(Ok(None))),
        }
    }
}
