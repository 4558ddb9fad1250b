//! The user's keys, which come from environment variables, `.env` or Parameter Store, and the keys
//! of the simulator.

use std::collections::HashMap;
use std::future::ready;
use std::sync::Arc;

use llm_exe::ports::PortFuture;
use llm_exe::{EnvironmentKeys, Error, ErrorKind, KeyName, Keys, Secret};
use llm_exe_events::endpoint_key;

use crate::env_file::EnvValue;

/// The key of every provider if the simulator replaces the providers. Keys are removed from
/// messages, so this text must not occur in any of them.
const SIMULATED_KEY: &str = "k7f3a9c51e0d24b86f19";

/// Looks up keys in environment variables, then in `.env` and finally in a store.
pub(crate) struct UserKeys {
    variable: fn(&str) -> Option<String>,
    env_file: Arc<HashMap<String, EnvValue>>,
    keys: EnvironmentKeys,
}

impl UserKeys {
    /// Creates a source of keys. `variable` returns the value of an environment variable that is
    /// not blank.
    pub(crate) fn new(
        variable: fn(&str) -> Option<String>,
        env_file: Arc<HashMap<String, EnvValue>>,
        store: Option<Arc<dyn Keys>>,
    ) -> Self {
        let file = Arc::clone(&env_file);
        let look_up = move |name: &str| {
            variable(name).or_else(|| file.get(name).map(|value| value.text.clone()))
        };
        let keys = EnvironmentKeys::new(look_up);
        let keys = match store {
            Some(store) => keys.or_else(store),
            None => keys,
        };
        UserKeys { variable, env_file, keys }
    }

    /// Returns an error that names the line in `.env` if the key comes from the file and is not
    /// usable.
    fn problem_in_file(&self, name: &KeyName) -> Option<Error> {
        let mut set = name.environment.iter().filter_map(|name| {
            let value = self.env_file.get(&**name).filter(|value| !value.text.trim().is_empty());
            ((self.variable)(name).is_some() || value.is_some()).then_some((name, value))
        });
        // An environment variable takes precedence over the same variable in the file.
        let (variable, value) = set.next().filter(|(name, _)| (self.variable)(name).is_none())?;
        let value = value?;
        let reason = Secret::new(value.text.as_str()).err()?;
        let line = value.line;
        let message = format!("the key {variable} in .env, line {line}, can't be used: {reason}");
        Some(Error::new(ErrorKind::SecretNotFound, message))
    }
}

impl Keys for UserKeys {
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        match self.problem_in_file(name) {
            Some(error) => Box::pin(ready(Err(error))),
            None => self.keys.get(name),
        }
    }

    fn renewed<'a>(
        &'a self,
        name: &'a KeyName,
        stale: &'a Secret,
    ) -> PortFuture<'a, Result<Option<Secret>, Error>> {
        self.keys.renewed(name, stale)
    }
}

/// Returns a placeholder for the key of each provider. The endpoint key, which authenticates
/// callers of `serve`, is the user's.
pub(crate) struct SimulatedKeys(pub(crate) UserKeys);

impl Keys for SimulatedKeys {
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        if *name == endpoint_key() {
            return self.0.get(name);
        }
        // Keys without a variable are not those of providers, and are optional.
        if name.environment.is_empty() {
            let error = Error::new(ErrorKind::SecretNotFound, "the simulator has no such key");
            return Box::pin(ready(Err(error)));
        }
        let key = Secret::new(SIMULATED_KEY)
            .map_err(|reason| Error::new(ErrorKind::Internal, reason.to_string()));
        Box::pin(ready(key))
    }
}
