//! The Lambda operation `Invoke` with the type `RequestResponse`, in the REST JSON protocol.
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use bytes::Bytes;
use llm_exe_simulator::response::PlannedResponse;
use llm_exe_simulator::sigv4::SignatureErrorKind;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::fault::Operation;
use super::service::{Rejection, Service, ServiceRequest};
use super::store::{FunctionInvocation, FunctionResponse, Store};

const PATH_PREFIX: &str = "/2015-03-31/functions/";
const PATH_SUFFIX: &str = "/invocations";
const CONTENT_TYPE: &str = "application/json";
const ERROR_HEADER: &str = "x-amz-function-error";
/// The maximum size of an event and of a response in bytes.
const MAX_BYTES: usize = 6 * 1024 * 1024;

pub(super) struct Lambda;

impl Service for Lambda {
    fn signing_name(&self) -> &'static str {
        "lambda"
    }

    fn serves(&self, request: &ServiceRequest<'_>) -> bool {
        request.path.starts_with(PATH_PREFIX)
    }

    fn operation(&self, request: &ServiceRequest<'_>) -> Option<(Operation, String)> {
        let (function, qualifier) = target(request)?;
        let is_supported = request.head.method == http::Method::POST
            && request.header("x-amz-invocation-type") == Some("RequestResponse");
        let name = match qualifier {
            Some(qualifier) => format!("{function}:{qualifier}"),
            None => function,
        };
        is_supported.then_some((Operation::Invoke, name))
    }

    fn execute(
        &self,
        request: &ServiceRequest<'_>,
        store: &mut Store,
    ) -> Result<PlannedResponse, Rejection> {
        let (function, qualifier) = target(request).unwrap_or_default();
        if request.body.len() > MAX_BYTES {
            let message = format!(
                "Request must be smaller than {MAX_BYTES} bytes for the InvokeFunction operation"
            );
            return Err(Rejection::new(413, "RequestTooLargeException", &message));
        }
        let event: Value = serde_json::from_slice(request.body).map_err(|error| {
            let message = format!("Could not parse request body into json: {error}");
            Rejection::new(400, "InvalidRequestContentException", &message)
        })?;
        let name = function.rsplit(':').next().unwrap_or_default();
        if name.starts_with("missing-") {
            let message = format!("Function not found: {name}");
            return Err(Rejection::new(404, "ResourceNotFoundException", &message));
        }
        let response = store
            .next_response(name)
            .unwrap_or_else(|| FunctionResponse::Result(event.to_string()));
        let trace_id = request.header("x-amzn-trace-id").map(str::to_owned);
        let version = qualifier.clone().unwrap_or_else(|| "$LATEST".to_owned());
        store.invocations.push(FunctionInvocation { function, qualifier, trace_id, event });
        Ok(function_response(response).with_header("x-amz-executed-version", &version))
    }

    fn error_response(&self, _: &ServiceRequest<'_>, rejection: &Rejection) -> PlannedResponse {
        let kind = if rejection.status < 500 { "User" } else { "Service" };
        let body = json!({ "Type": kind, "Message": rejection.message });
        PlannedResponse::json(rejection.status, &body)
            .with_header("x-amzn-errortype", &rejection.code)
    }

    fn signature_error(&self, kind: SignatureErrorKind) -> (u16, &'static str) {
        match kind {
            SignatureErrorKind::Missing => (403, "MissingAuthenticationTokenException"),
            SignatureErrorKind::Incomplete => (403, "IncompleteSignatureException"),
            SignatureErrorKind::UnknownKey => (403, "UnrecognizedClientException"),
            SignatureErrorKind::Mismatch | SignatureErrorKind::Expired => {
                (403, "InvalidSignatureException")
            }
        }
    }

    fn request_id_header(&self) -> &'static str {
        "x-amzn-requestid"
    }
}

/// Returns the name and the qualifier of the function in the URL.
fn target(request: &ServiceRequest<'_>) -> Option<(String, Option<String>)> {
    let function = request.path.strip_prefix(PATH_PREFIX)?.strip_suffix(PATH_SUFFIX)?;
    let query = request.head.uri.query().unwrap_or_default();
    let qualifier = query.split('&').find_map(|pair| pair.strip_prefix("Qualifier="));
    let qualifier = qualifier.map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned());
    Some((function.to_owned(), qualifier))
}

fn function_response(response: FunctionResponse) -> PlannedResponse {
    let (body, has_failed) = match response {
        FunctionResponse::Result(body) if body.len() > MAX_BYTES => {
            let message = format!(
                "Response payload size exceeded maximum allowed payload size ({MAX_BYTES} bytes)."
            );
            let error = json!({
                "errorType": "Function.ResponseSizeTooLarge", "errorMessage": message,
            });
            (error.to_string(), true)
        }
        FunctionResponse::Result(body) => (body, false),
        FunctionResponse::Failure(body) => (body, true),
    };
    let planned = PlannedResponse::bytes(200, CONTENT_TYPE, Bytes::from(body));
    if has_failed { planned.with_header(ERROR_HEADER, "Unhandled") } else { planned }
}
