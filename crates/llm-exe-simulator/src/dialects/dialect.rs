//! The trait that a provider's wire format implements, and the request and rejection it works
//! with.

use http::HeaderMap;
use serde_json::Value;

use crate::completion::{Completion, CompletionSpec};

/// The server side of a provider's wire format.
pub(crate) trait Dialect: Sync {
    /// The name used in scripts and in the journal.
    fn name(&self) -> &'static str;

    /// Whether this dialect serves the path.
    fn serves(&self, path: &str) -> bool;

    /// Whether the headers suggest that a request to an unknown path was meant for this dialect.
    fn recognizes(&self, headers: &HeaderMap) -> bool;

    /// The maximum size of a request body, in bytes.
    fn body_limit(&self) -> usize;

    /// The response header that holds the request id.
    fn request_id_header(&self) -> &'static str;

    /// The requested model.
    fn model<'a>(&self, request: &ProviderRequest<'a>) -> Option<&'a str>;

    /// The whole text of the prompt. Malformed parts of the body are skipped.
    fn prompt(&self, request: &ProviderRequest<'_>) -> String;

    /// Rejects the request if the real service would reject it.
    fn validate(&self, request: &ProviderRequest<'_>) -> Result<(), Rejection>;

    /// The service's error body for a status.
    fn error(&self, status: u16, message: &str) -> Value;

    /// The headers that the service sends with a body, except for the request id.
    fn headers(&self, status: u16, body: &Value) -> Vec<(&'static str, String)> {
        let _ = (status, body);
        Vec::new()
    }

    /// What a valid request asks the model for.
    fn completion_spec(&self, request: &ProviderRequest<'_>) -> CompletionSpec;

    /// The body of a successful reply. `number` becomes part of its id.
    fn reply(&self, request: &ProviderRequest<'_>, completion: &Completion, number: u64) -> Value;
}

/// A request as a dialect receives it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProviderRequest<'a> {
    /// The path as received, percent-encoded.
    pub(crate) path: &'a str,
    /// The percent-decoded path; some dialects have the model in it.
    pub(crate) decoded: &'a str,
    pub(crate) headers: &'a HeaderMap,
    /// The body, or null if it isn't JSON.
    pub(crate) body: &'a Value,
    /// The bytes of the body.
    pub(crate) raw: &'a [u8],
    pub(crate) is_json: bool,
}

impl ProviderRequest<'_> {
    /// The trimmed value of a header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

/// An error response with which the service rejects a request.
#[derive(Debug, Clone)]
pub(crate) struct Rejection {
    pub(crate) status: u16,
    /// The error body in the provider's format.
    pub(crate) body: Value,
    /// Headers that replace those of [`Dialect::headers`].
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Rejection {
    /// A rejection with the dialect's usual headers.
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, body, headers: Vec::new() }
    }
}
