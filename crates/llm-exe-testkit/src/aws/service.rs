//! The trait that an imitated AWS service implements, and the request and rejection it works with.

use bytes::Bytes;
use http::request::Parts;
use llm_exe_simulator::response::PlannedResponse;
use llm_exe_simulator::sigv4::SignatureErrorKind;

use super::fault::Operation;
use super::store::Store;

/// An imitated AWS service.
pub(super) trait Service: Sync {
    /// The service's name in the credential scope of signatures.
    fn signing_name(&self) -> &'static str;

    /// Whether a request is for this service.
    fn serves(&self, request: &ServiceRequest<'_>) -> bool;

    /// The requested operation and the name of its target, which faults and calls refer to; `None`
    /// if the operation is not supported.
    fn operation(&self, request: &ServiceRequest<'_>) -> Option<(Operation, String)>;

    /// Executes the operation.
    fn execute(
        &self,
        request: &ServiceRequest<'_>,
        store: &mut Store,
    ) -> Result<PlannedResponse, Rejection>;

    /// The error response for a rejection.
    fn error_response(
        &self,
        request: &ServiceRequest<'_>,
        rejection: &Rejection,
    ) -> PlannedResponse;

    /// The status and the error code for an invalid signature.
    fn signature_error(&self, kind: SignatureErrorKind) -> (u16, &'static str);

    /// The response header that holds the request id.
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

impl ServiceRequest<'_> {
    /// The trimmed value of a header, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

/// An error with which a service rejects a request.
pub(super) struct Rejection {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
}

impl Rejection {
    /// A rejection with this status, error code and message.
    pub(super) fn new(status: u16, code: &str, message: &str) -> Self {
        Self { status, code: code.to_owned(), message: message.to_owned() }
    }
}
