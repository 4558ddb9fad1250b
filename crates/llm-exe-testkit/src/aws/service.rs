//! The trait that each simulated AWS service implements, and the request and rejection types that
//! it uses.

use bytes::Bytes;
use http::request::Parts;
use llm_exe_simulator::response::PlannedResponse;
use llm_exe_simulator::sigv4::SignatureErrorKind;
use percent_encoding::percent_decode_str;

use super::fault::Operation;
use super::store::Store;

/// A simulated AWS service.
pub(super) trait Service: Sync {
    /// Returns the name of the service in the credential scope of signatures.
    fn signing_name(&self) -> &'static str;

    /// Whether a request is for this service.
    fn serves(&self, request: &ServiceRequest<'_>) -> bool;

    /// Returns the requested operation and the name of its target, as faults and recorded calls
    /// refer to it. Returns `None` if the operation is not supported.
    fn operation(&self, request: &ServiceRequest<'_>) -> Option<(Operation, String)>;

    /// Executes the operation.
    fn execute(
        &self,
        request: &ServiceRequest<'_>,
        store: &mut Store,
    ) -> Result<PlannedResponse, Rejection>;

    /// Builds the error response for a rejection.
    fn error_response(
        &self,
        request: &ServiceRequest<'_>,
        rejection: &Rejection,
    ) -> PlannedResponse;

    /// Returns the status and the error code for an invalid signature.
    fn signature_error(&self, kind: SignatureErrorKind) -> (u16, &'static str);

    /// Returns the name of the response header that contains the request id.
    fn request_id_header(&self) -> &'static str;
}

/// A request with its whole body.
pub(super) struct ServiceRequest<'a> {
    /// The method, path and headers.
    pub(super) head: &'a Parts,
    /// The percent-decoded path.
    pub(super) path: String,
    pub(super) body: &'a Bytes,
}

impl<'a> ServiceRequest<'a> {
    pub(super) fn new(head: &'a Parts, body: &'a Bytes) -> Self {
        let path = percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned();
        Self { head, path, body }
    }

    /// Returns the trimmed value of a header, or `None` if it is missing or not ASCII.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

/// The error response to a request that a service rejects.
pub(super) struct Rejection {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
}

impl Rejection {
    /// Creates a rejection with this status, error code and message.
    pub(super) fn new(status: u16, code: &str, message: &str) -> Self {
        Self { status, code: code.to_owned(), message: message.to_owned() }
    }
}
