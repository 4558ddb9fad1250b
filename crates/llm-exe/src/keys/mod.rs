//! Key stores for common sources of API keys: one constant key, a closure, and environment
//! variables.

#[cfg(feature = "env")]
mod environment;

use std::future::ready;

use crate::error::{Error, ErrorKind};
use crate::ports::{InvalidSecret, KeyName, Keys, PortFuture, Secret};

#[cfg(feature = "env")]
pub use environment::EnvironmentKeys;

/// A key store that returns the same key for every provider, for programs that call one provider.
#[derive(Debug, Clone)]
pub struct ConstantKey(Result<Secret, InvalidSecret>);

impl ConstantKey {
    /// Creates a store for this key. If the key is not usable, runs that need it fail with
    /// `SecretNotFound`.
    pub fn new(key: &str) -> Self {
        ConstantKey(Secret::new(key))
    }
}

impl Keys for ConstantKey {
    fn get<'a>(&'a self, _: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        Box::pin(ready(self.0.clone().map_err(|reason| unusable("the constant key", reason))))
    }
}

/// A key store that calls a closure with the name of the key. The closure returns the key, or
/// `None` if it is not set.
///
/// Implement [`Keys`] instead for a source that is asynchronous or can fail.
pub struct KeyFn<F>(F);

impl<F> std::fmt::Debug for KeyFn<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyFn")
    }
}

impl<F: Fn(&KeyName) -> Option<String> + Send + Sync> KeyFn<F> {
    /// Creates a store that calls this closure each time a key is needed.
    pub fn new(closure: F) -> Self {
        KeyFn(closure)
    }
}

impl<F: Fn(&KeyName) -> Option<String> + Send + Sync> Keys for KeyFn<F> {
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        let key = (self.0)(name).ok_or_else(|| {
            Error::secret_not_set(format!("no API key found: {} is not set", name.store))
        });
        let key = key.and_then(|key| {
            Secret::new(&key).map_err(|reason| unusable(&format!("the key {}", name.store), reason))
        });
        Box::pin(ready(key))
    }
}

/// Creates the error for a key that can't be sent in a header.
fn unusable(place: &str, reason: InvalidSecret) -> Error {
    Error::new(ErrorKind::SecretNotFound, format!("{place} can't be used: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::{ConstantKey, KeyFn};
    use crate::error::ErrorKind;
    use crate::ports::{KeyName, Keys};

    async fn get(keys: &dyn Keys) -> Result<String, ErrorKind> {
        let name = KeyName::new("KeyOpenAI", &["OPENAI_API_KEY"]);
        keys.get(&name).await.map(|key| key.expose().to_owned()).map_err(|error| {
            assert!(!error.to_string().contains("b d"), "the message quotes the key: {error}");
            error.kind()
        })
    }

    #[tokio::test]
    async fn unusable_and_missing_keys_are_not_found() {
        for (key, expected) in [
            (" sk-test\n", Ok("sk-test".to_owned())),
            ("", Err(ErrorKind::SecretNotFound)),
            ("b d", Err(ErrorKind::SecretNotFound)),
        ] {
            assert_eq!(get(&ConstantKey::new(key)).await, expected);
            assert_eq!(get(&KeyFn::new(|_: &KeyName| Some(key.to_owned()))).await, expected);
            #[cfg(feature = "env")]
            {
                let keys = super::EnvironmentKeys::new(move |variable| {
                    (variable == "OPENAI_API_KEY").then(|| key.to_owned())
                });
                assert_eq!(get(&keys).await, expected);
            }
        }
        let by_name = KeyFn::new(|name: &KeyName| (name.store == "KeyXAI").then(String::new));
        assert_eq!(get(&by_name).await, Err(ErrorKind::SecretNotFound));
    }
}
