//! The [`Dialect`] trait, which is implemented for each provider's wire format, and the request and
//! rejection types that it uses.

use http::HeaderMap;
use serde_json::Value;

use super::stream;
use crate::completion::{Completion, CompletionSpec};

/// The server side of a provider's wire format.
pub(crate) trait Dialect: Sync {
    /// Returns the name used in scripts and in the journal.
    fn name(&self) -> &'static str;

    /// Whether this dialect serves the path.
    fn serves(&self, path: &str) -> bool;

    /// Whether the headers suggest that a request to an unknown path was meant for this dialect.
    fn recognizes(&self, headers: &HeaderMap) -> bool;

    /// Returns the maximum size of a request body in bytes.
    fn body_limit(&self) -> usize;

    /// Returns the name of the response header that contains the request id.
    fn request_id_header(&self) -> &'static str;

    /// Returns the requested model, if the request names one.
    fn model<'a>(&self, request: &ProviderRequest<'a>) -> Option<&'a str>;

    /// Returns the full text of the prompt, skipping malformed parts of the body.
    fn prompt(&self, request: &ProviderRequest<'_>) -> String;

    /// Rejects a request that the real service would reject.
    fn validate(&self, request: &ProviderRequest<'_>) -> Result<(), Rejection>;

    /// Builds the error body that the service sends with this status.
    fn error(&self, status: u16, message: &str) -> Value;

    /// Returns the headers that the service sends with this body, except for the request id.
    fn headers(&self, status: u16, body: &Value) -> Vec<(&'static str, String)> {
        let _ = (status, body);
        Vec::new()
    }

    /// Converts a valid request into a description of the completion that it asks for.
    fn completion_spec(&self, request: &ProviderRequest<'_>) -> CompletionSpec;

    /// Returns the error that the service sends instead of a completion that does not have the
    /// requested format.
    fn reject_completion(
        &self,
        request: &ProviderRequest<'_>,
        completion: &Completion,
    ) -> Option<Rejection> {
        let _ = (request, completion);
        None
    }

    /// Builds the body of a successful reply. `number` becomes part of the reply's id.
    fn reply(&self, request: &ProviderRequest<'_>, completion: &Completion, number: u64) -> Value;

    /// Whether a valid request asks for a stream.
    fn is_streamed(&self, request: &ProviderRequest<'_>) -> bool {
        request.body.get("stream").is_some_and(|stream| *stream == true)
    }

    /// Splits the body of a successful reply into the events of a stream.
    fn stream(&self, request: &ProviderRequest<'_>, reply: &Value) -> Vec<Vec<u8>>;

    /// Returns the content type of a stream.
    fn stream_type(&self) -> &'static str {
        stream::EVENT_STREAM
    }

    /// Builds the event with which the service reports an error in a stream.
    fn stream_error(&self, message: &str) -> Vec<u8> {
        stream::data(&self.error(503, message))
    }
}

/// A request as a dialect receives it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProviderRequest<'a> {
    /// The query, without its question mark.
    pub(crate) query: &'a str,
    /// The path as received, percent-encoded.
    pub(crate) path: &'a str,
    /// The percent-decoded path. In some dialects it contains the model.
    pub(crate) decoded: &'a str,
    pub(crate) headers: &'a HeaderMap,
    /// The body, or null if it isn't JSON.
    pub(crate) body: &'a Value,
    /// The body as received.
    pub(crate) raw: &'a [u8],
    pub(crate) is_json: bool,
}

impl ProviderRequest<'_> {
    /// Returns the trimmed value of a header, or `None` if it is missing or not ASCII.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

/// The error response to a request that the service rejects.
#[derive(Debug, Clone)]
pub(crate) struct Rejection {
    pub(crate) status: u16,
    /// The error body in the provider's format.
    pub(crate) body: Value,
    /// Headers that override those from [`Dialect::headers`].
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Rejection {
    /// Creates a rejection with the dialect's usual headers.
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, body, headers: Vec::new() }
    }
}
