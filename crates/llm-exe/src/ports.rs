//! Traits for the services that supply API keys, AWS signatures and hosted documents. Other crates
//! implement them.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::function_name::FunctionName;

/// The return type of the trait methods in this module. It is boxed, so that the traits can be used
/// as trait objects.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The names of an API key in the key store and in the environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyName {
    /// The name in the key store, such as `KeyOpenAI`.
    pub store: Cow<'static, str>,
    /// The environment variables that may contain the key. The first one that is set takes
    /// precedence.
    pub environment: Cow<'static, [Cow<'static, str>]>,
}

impl KeyName {
    /// Creates a key name from the name in the key store and the environment variables.
    pub fn new(store: impl Into<Cow<'static, str>>, environment: &[&'static str]) -> Self {
        let environment = environment.iter().map(|name| Cow::Borrowed(*name)).collect();
        KeyName { store: store.into(), environment }
    }

    /// Returns whether the key can be set with this environment variable.
    pub fn is_set_by(&self, variable: &str) -> bool {
        self.environment.iter().any(|known| known == variable)
    }

    /// Returns the environment variables for an error message, such as `A or B`. If there are none,
    /// returns the name in the key store.
    pub fn variables(&self) -> String {
        if self.environment.is_empty() {
            return self.store.to_string();
        }
        self.environment.join(" or ")
    }
}

/// The value of an API key. Its `Debug` output is `[redacted]`, and its memory is zeroed when it is
/// dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

/// The reason why a string is not a usable API key. The error message does not quote the string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSecret {
    /// The string is empty.
    #[error("the value is empty")]
    Empty,
    /// The string contains spaces or characters that are not printable ASCII.
    #[error("the value contains spaces or characters that are not printable ASCII")]
    NotPrintable,
}

impl Secret {
    /// Creates a secret from an API key after trimming whitespace. The key must be printable ASCII
    /// without spaces, because it is sent in an HTTP header.
    ///
    /// # Errors
    /// [`InvalidSecret`] if the key is empty or contains any other character.
    pub fn new(text: impl Into<String> + AsRef<str>) -> Result<Secret, InvalidSecret> {
        let trimmed = text.as_ref().trim();
        if trimmed.is_empty() {
            return Err(InvalidSecret::Empty);
        }
        if !trimmed.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidSecret::NotPrintable);
        }
        let is_trimmed = trimmed.len() == text.as_ref().len();
        let key = if is_trimmed { text.into() } else { trimmed.to_owned() };
        Ok(Secret(SecretString::from(key)))
    }

    /// Returns the key in plain text. Use it only in request headers and in comparisons.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A source of API keys.
pub trait Keys: Send + Sync {
    /// Returns the value of a key.
    ///
    /// # Errors
    /// `SecretNotFound` if the key is not set or not usable, and `SecretUnavailable` if the key
    /// store fails.
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>>;

    /// Returns a newer value of the key after a provider rejected `stale`, or `None` if there is no
    /// newer value.
    ///
    /// # Errors
    /// The same as for [`Keys::get`].
    fn renewed<'a>(
        &'a self,
        name: &'a KeyName,
        stale: &'a Secret,
    ) -> PortFuture<'a, Result<Option<Secret>, Error>> {
        let _ = (name, stale);
        Box::pin(std::future::ready(Ok(None)))
    }
}

/// A POST request to AWS before it is signed.
#[derive(Debug, Clone, Copy)]
pub struct UnsignedRequest<'a> {
    /// The URL, with its path percent-encoded.
    pub url: &'a str,
    /// The headers that the signature covers, in addition to `host`.
    pub headers: &'a [(&'a str, &'a str)],
    /// The request body.
    pub body: &'a [u8],
    /// The name of the AWS service, such as `bedrock`.
    pub service: &'static str,
    /// The AWS region of the service.
    pub region: &'a str,
}

/// Signs requests to AWS. The credentials are held by the implementation, not by this crate.
pub trait Signer: Send + Sync {
    /// Returns the headers to add to the request: the signature and the headers that it requires,
    /// such as `x-amz-date`.
    ///
    /// # Errors
    /// `SecretNotFound` if there are no credentials, and `SecretUnavailable` if the source of the
    /// credentials fails.
    fn sign<'a>(
        &'a self,
        request: UnsignedRequest<'a>,
    ) -> PortFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, Error>>;

    /// Returns the credentials that sign the requests, including their ids and tokens. They are
    /// removed from the messages of providers. By default, there are none.
    fn secrets(&self) -> PortFuture<'_, Vec<Secret>> {
        Box::pin(std::future::ready(Vec::new()))
    }
}

/// A signer without credentials, for runners that do not call AWS providers.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSigner;

impl Signer for NoSigner {
    fn sign<'a>(
        &'a self,
        _: UnsignedRequest<'a>,
    ) -> PortFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, Error>> {
        let text = "no AWS credentials: no signer is set; add one with ClientBuilder::signer";
        Box::pin(std::future::ready(Err(Error::new(ErrorKind::SecretNotFound, text))))
    }
}

/// The location of a hosted document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DocumentLocation {
    /// An object in S3.
    Object {
        /// The name of the bucket.
        bucket: String,
        /// The key of the object, without percent-encoding.
        key: String,
        /// The S3 version id, if the request names one.
        version: Option<String>,
    },
    /// A document at an https URL.
    Url(String),
}

/// A document fetched from its location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The content of the document.
    pub body: Bytes,
    /// The S3 version id, if the bucket is versioned.
    pub version: Option<String>,
    /// The ETag, including its quotes.
    pub etag: Option<String>,
}

/// A source of hosted documents.
pub trait DocumentStore: Send + Sync {
    /// Fetches a document. Returns `None` if the document still has the ETag `known`.
    ///
    /// # Errors
    /// `ConfigNotFound` if the document does not exist, `ConfigForbidden` if the location may not
    /// be read, `ConfigInvalid` if the document is too large, `AccessDenied` if AWS denies access
    /// to the function's role, and `ConfigUnavailable` for other failures.
    fn fetch<'a>(
        &'a self,
        place: &'a DocumentLocation,
        known: Option<&'a str>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>>;
}

/// Runs tools in the program itself. Their calls are then not handed back to the caller.
pub trait ToolHandler: Send + Sync {
    /// Returns whether this handler runs the tool with this name.
    fn handles(&self, name: &str) -> bool;

    /// Runs a tool with arguments that satisfy its parameters.
    ///
    /// # Errors
    /// Why the tool failed, for the model.
    fn call<'a>(&'a self, name: &'a str, arguments: Value)
    -> PortFuture<'a, Result<Value, String>>;
}

/// A call of a Lambda function that is a tool.
#[derive(Debug, Clone, Copy)]
pub struct FunctionCall<'a> {
    /// The name of the function, which the operator's rules allow.
    pub function: &'a FunctionName,
    /// The event as JSON.
    pub event: &'a [u8],
    /// The value of the header `X-Amzn-Trace-Id`, by which Lambda detects functions that call each
    /// other recursively.
    pub trace_id: Option<&'a str>,
}

/// Calls Lambda functions.
pub trait FunctionInvoker: Send + Sync {
    /// Calls a function and waits for its response, which is JSON.
    ///
    /// # Errors
    /// `ToolFailed` if the function fails or can't be called, `AccessDenied` if AWS denies the
    /// call, and `Timeout` if the function does not respond by the deadline.
    fn invoke<'a>(
        &'a self,
        call: FunctionCall<'a>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Bytes, Error>>;

    /// Returns the credentials that sign the calls, including their ids and tokens. They are
    /// removed from the results of tools. By default, there are none.
    fn secrets(&self) -> PortFuture<'_, Vec<Secret>> {
        Box::pin(std::future::ready(Vec::new()))
    }
}

/// A store for the progress of one run, which may be repeated after the process ended. A repeated
/// run continues after the last stored entry, so that nothing is paid for twice.
pub trait ProgressStore: Send + Sync {
    /// Starts or continues the run of a request before its first call. `request` is the hash of the
    /// request with its hosted configs, so that a changed request starts from the beginning.
    /// `deadline` is that of the run, until which no other process may continue it.
    ///
    /// # Errors
    /// `ResultUnavailable` if another process may be running the request, or if the store fails.
    fn open<'a>(
        &'a self,
        request: &'a str,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Box<dyn RunProgress>, Error>>;
}

/// The progress of one run. Its entries are written once and do not change.
pub trait RunProgress: Send + Sync {
    /// Returns the id of the run, which is the same when it is repeated.
    fn id(&self) -> &str;

    /// Returns whether an earlier run may have stored entries.
    fn is_repeated(&self) -> bool;

    /// Reads an entry. Names are paths such as `call-1-0/turn-2` of letters, digits and `-_/`.
    ///
    /// # Errors
    /// `ResultUnavailable` if the store fails.
    fn read<'a>(
        &'a self,
        name: &'a str,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<Bytes>, Error>>;

    /// Writes an entry. An entry that exists is not replaced.
    ///
    /// After an error, later entries need not be stored: a repeated run pays for the missing one
    /// again and may get another reply, to which they would not belong.
    ///
    /// # Errors
    /// `ResultUnavailable` if the store fails, or if another entry with this name exists.
    fn write<'a>(
        &'a self,
        name: &'a str,
        entry: Bytes,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<(), Error>>;

    /// Ends the run, so that it can be repeated before its deadline. Errors are ignored, because
    /// the deadline passes anyway.
    fn release(&self, deadline: Deadline) -> PortFuture<'_, ()>;
}
