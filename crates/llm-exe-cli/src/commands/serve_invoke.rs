//! Implements Lambda's Invoke API, which accepts events from any source. `serve` provides it on
//! loopback addresses only.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use llm_exe::Error;
use serde_json::{Value, json};

const PATH_PREFIX: &str = "/2015-03-31/functions/";

/// The invocation type, which the caller sends in the header `x-amz-invocation-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvocationType {
    /// Synchronous: the caller receives the function's response.
    RequestResponse,
    /// Asynchronous: the caller does not receive the function's response.
    Event,
    /// A dry run: the function is not invoked.
    DryRun,
    /// Any value that the Invoke API does not define.
    Unknown,
}

/// Returns the invocation type, or `None` if the request is not an Invoke API call. The function
/// name in the path can be any name.
pub(crate) fn invocation_type(head: &Parts) -> Option<InvocationType> {
    let rest = head.uri.path().strip_prefix(PATH_PREFIX)?;
    let (name, resource) = rest.split_once('/')?;
    if head.method != Method::POST || name.is_empty() || resource != "invocations" {
        return None;
    }
    let value = head.headers.get("x-amz-invocation-type").and_then(|value| value.to_str().ok());
    Some(match value {
        None | Some("RequestResponse") => InvocationType::RequestResponse,
        Some("Event") => InvocationType::Event,
        Some("DryRun") => InvocationType::DryRun,
        Some(_) => InvocationType::Unknown,
    })
}

/// Builds the response of the Invoke API. For an asynchronous invocation, Lambda responds before
/// the function runs. This server responds afterwards, so that stopping it does not lose an event.
pub(crate) fn response(
    invocation_type: InvocationType,
    outcome: Result<Value, Error>,
) -> Response<Full<Bytes>> {
    if invocation_type == InvocationType::Event {
        return empty_response(StatusCode::ACCEPTED);
    }
    let failed = outcome.is_err();
    let body = outcome.unwrap_or_else(
        |error| json!({ "errorType": error.kind().name(), "errorMessage": error.message() }),
    );
    let mut response = Response::new(Full::from(body.to_string()));
    if invocation_type == InvocationType::Unknown {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let version = HeaderName::from_static("x-amz-executed-version");
    headers.insert(version, HeaderValue::from_static("$LATEST"));
    if failed {
        let name = HeaderName::from_static("x-amz-function-error");
        headers.insert(name, HeaderValue::from_static("Unhandled"));
    }
    response
}

pub(crate) fn empty_response(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
