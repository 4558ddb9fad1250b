//! Lambda's Invoke API, as `serve` offers it on loopback: any source's event, handed on as it is.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use llm_exe::Error;
use serde_json::{Value, json};

const PATH: &str = "/2015-03-31/functions/";

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// The answer is waited for.
    RequestResponse,
    /// Nobody wants the answer.
    Event,
    /// Nothing is to be run.
    DryRun,
    /// An invocation type that there is none of.
    Unknown,
}

/// Whether a request calls a function, of whatever name.
pub(crate) fn call(head: &Parts) -> Option<Call> {
    let rest = head.uri.path().strip_prefix(PATH)?;
    let (name, last) = rest.split_once('/')?;
    if head.method != Method::POST || name.is_empty() || last != "invocations" {
        return None;
    }
    let kind = head.headers.get("x-amz-invocation-type").and_then(|value| value.to_str().ok());
    Some(match kind {
        None | Some("RequestResponse") => Call::RequestResponse,
        Some("Event") => Call::Event,
        Some("DryRun") => Call::DryRun,
        Some(_) => Call::Unknown,
    })
}

/// What the API answers. An event is answered when it has been run, so that none is lost when the
/// server stops.
pub(crate) fn response(call: Call, outcome: Result<Value, Error>) -> Response<Full<Bytes>> {
    if call == Call::Event {
        return nothing(StatusCode::ACCEPTED);
    }
    let failed = outcome.is_err();
    let body = outcome.unwrap_or_else(
        |error| json!({ "errorType": error.kind().name(), "errorMessage": error.message() }),
    );
    let mut response = Response::new(Full::from(body.to_string()));
    if call == Call::Unknown {
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

/// A status alone.
pub(crate) fn nothing(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
