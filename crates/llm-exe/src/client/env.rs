//! Reads API keys, base URLs and the AWS region from environment variables. This is the only module
//! of the crate that reads the environment, and only with the feature `env`.

use crate::error::{Error, ErrorKind};
use crate::ports::{KeyName, Keys, PortFuture, Secret};

/// Returns the value of a variable, or `None` if it is not set or blank.
#[allow(clippy::disallowed_methods, reason = "the feature `env` is for this")]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Keys from the environment variables that the name of each key lists.
pub(super) struct KeysFromEnv;

impl Keys for KeysFromEnv {
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        let set = name.environment.iter().find_map(|name| Some((name, variable(name)?)));
        let key = match set {
            Some((variable, value)) => Secret::new(&value).map_err(|reason| {
                let message = format!("the key in {variable} can't be used: {reason}");
                Error::new(ErrorKind::SecretNotFound, message)
            }),
            None => Err(Error::secret_not_set(format!(
                "no API key found; set {} in the environment",
                name.variables()
            ))),
        };
        Box::pin(std::future::ready(key))
    }
}
