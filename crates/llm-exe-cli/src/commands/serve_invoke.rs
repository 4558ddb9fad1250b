//! Implements Lambda's Invoke API, which accepts events from any source. `serve` provides it on
//! loopback addresses only.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use llm_exe::Error;
use llm_exe_function::{LogLevel, LogLine};
use serde::de::IgnoredAny;
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
    let body = outcome.unwrap_or_else(|error| {
        let message = error.message_with_details();
        json!({ "errorType": error.kind().name(), "errorMessage": message })
    });
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

/// Maximum size of the log in a response in bytes.
const MAX_LOG_BYTES: usize = 4096;

/// Returns the event of an invocation. Without a payload, it is an empty object.
pub(crate) fn event(payload: Bytes) -> Bytes {
    if payload.is_empty() { Bytes::from_static(b"{}") } else { payload }
}

/// Returns an error if a payload is not JSON. Lambda then does not invoke the function.
pub(crate) fn check_payload(payload: &[u8]) -> Result<(), Error> {
    let parsed = serde_json::from_slice::<IgnoredAny>(payload);
    let message = |error| format!("could not parse the request body as JSON: {error}");
    parsed.map(|_| ()).map_err(|error| Error::invalid("", message(error)))
}

/// Returns the error response of the Invoke API for a payload that is not JSON.
pub(crate) fn invalid_content(error: &Error) -> Response<Full<Bytes>> {
    let body = json!({ "Type": "User", "message": error.message() });
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let name = HeaderName::from_static("x-amzn-errortype");
    headers.insert(name, HeaderValue::from_static("InvalidRequestContentException"));
    response
}

/// Returns whether the caller asks for the end of the log.
pub(crate) fn wants_log(head: &Parts) -> bool {
    head.headers.get("x-amz-log-type").is_some_and(|value| value == "Tail")
}

/// Adds the log line to the response, as Lambda adds the end of the log.
pub(crate) fn add_log(response: &mut Response<Full<Bytes>>, line: &LogLine) {
    let mut text = line.to_json(LogLevel::Debug).unwrap_or_default();
    text.push(b'\n');
    let start = text.len().saturating_sub(MAX_LOG_BYTES);
    let end = text.get(start..).unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(&STANDARD.encode(end)) {
        response.headers_mut().insert(HeaderName::from_static("x-amz-log-result"), value);
    }
}

pub(crate) fn empty_response(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use http::StatusCode;
    use llm_exe_function::LogLine;

    #[test]
    fn only_the_end_of_a_long_log_is_returned() {
        let mut line = LogLine::new("x".repeat(10_000));
        line.source = "direct";
        let mut response = super::empty_response(StatusCode::OK);
        super::add_log(&mut response, &line);
        let log = STANDARD.decode(&response.headers()["x-amz-log-result"]).unwrap();
        assert_eq!(log.len(), super::MAX_LOG_BYTES);
        assert!(log.ends_with(b"}\n"));
    }
}
