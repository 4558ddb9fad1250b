//! What the core needs from outside, as traits that the binaries' rooms implement.

use std::future::Future;
use std::pin::Pin;

use secrecy::{ExposeSecret, SecretString};

use crate::error::Error;

/// A future that a port's object-safe method answers.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Which key is meant: the names under which it may be set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyName {
    /// The name in the store of secrets, like `KeyOpenAI`.
    pub store: String,
    /// The environment variables that may hold it, the first set one wins.
    pub environment: Vec<String>,
}

impl KeyName {
    /// A key with its store name and environment variables.
    pub fn new(store: &str, environment: &[&str]) -> Self {
        KeyName {
            store: store.to_owned(),
            environment: environment.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// The environment variables as a message lists them.
    pub fn variables(&self) -> String {
        self.environment.join(" or ")
    }
}

/// A key's value: printed as `[redacted]`, wiped when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// A usable secret: trimmed, not empty, printable ASCII, so that it fits a header.
    ///
    /// # Errors
    /// What is wrong with it, without quoting it.
    pub fn new(text: &str) -> Result<Secret, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it holds spaces or characters that are not printable ASCII");
        }
        Ok(Secret(SecretString::from(text)))
    }

    /// The value itself; only for the header that carries it and for comparing.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Where keys come from.
pub trait Keys: Send + Sync {
    /// The key's value.
    ///
    /// # Errors
    /// `SecretNotFound` where it is not set or can't be used, `SecretUnavailable` where the store
    /// failed.
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>>;

    /// A newer value than `stale`, after a provider refused that one; `None` where there is none.
    ///
    /// # Errors
    /// As [`Keys::get`].
    fn renewed<'a>(
        &'a self,
        name: &'a KeyName,
        stale: &'a Secret,
    ) -> PortFuture<'a, Result<Option<Secret>, Error>> {
        let _ = (name, stale);
        Box::pin(std::future::ready(Ok(None)))
    }
}
