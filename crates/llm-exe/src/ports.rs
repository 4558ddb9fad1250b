//! What the core needs from outside, as traits that the binaries' rooms implement.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};

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

    /// Whether the environment variable may hold it.
    pub fn is_set_by(&self, variable: &str) -> bool {
        self.environment.iter().any(|known| known == variable)
    }

    /// The environment variables as a message lists them; the store's name where there are none.
    pub fn variables(&self) -> String {
        if self.environment.is_empty() {
            return self.store.clone();
        }
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

/// A POST that is to be signed, as it will be sent.
#[derive(Debug, Clone, Copy)]
pub struct Unsigned<'a> {
    /// The whole URL, its path percent-encoded.
    pub url: &'a str,
    /// The headers that the signature covers beside `host`.
    pub headers: &'a [(&'static str, &'static str)],
    /// The body.
    pub body: &'a [u8],
    /// The service that it goes to, like `bedrock`.
    pub service: &'static str,
    /// The service's region.
    pub region: &'a str,
}

/// Who signs requests to AWS. The core never holds AWS credentials.
pub trait Signer: Send + Sync {
    /// The headers that carry the signature, and what it needs beside.
    ///
    /// # Errors
    /// `SecretNotFound` where there are no credentials, `SecretUnavailable` where their source
    /// failed.
    fn sign<'a>(
        &'a self,
        request: Unsigned<'a>,
    ) -> PortFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, Error>>;
}

/// Signs nothing: for executors that ask no provider of AWS.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSigner;

impl Signer for NoSigner {
    fn sign<'a>(
        &'a self,
        _: Unsigned<'a>,
    ) -> PortFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, Error>> {
        let text = "no AWS credentials: this executor was made without a signer";
        Box::pin(std::future::ready(Err(Error::new(ErrorKind::SecretNotFound, text))))
    }
}

/// Where a hosted document is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DocumentLocation {
    /// An object in S3.
    Object {
        /// The bucket's name.
        bucket: String,
        /// The object's key, as it is, not encoded.
        key: String,
        /// The version's id, if one was asked for.
        version: Option<String>,
    },
    /// A page at an https URL, as written.
    Url(String),
}

/// A document as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// All of it.
    pub body: Bytes,
    /// The id of the version that it is, where the store keeps versions.
    pub version: Option<String>,
    /// What names this state of it, quotes included.
    pub etag: Option<String>,
}

/// Where hosted documents come from.
pub trait DocumentStore: Send + Sync {
    /// The document at a place, or `None` where it is still what `known`, an ETag, names.
    ///
    /// # Errors
    /// `ConfigNotFound`, `ConfigForbidden` for a place that must not be read, `ConfigInvalid` over
    /// a size, `AccessDenied` where AWS refused our role, `ConfigUnavailable` where it failed.
    fn fetch<'a>(
        &'a self,
        place: &'a DocumentLocation,
        known: Option<&'a str>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>>;
}
