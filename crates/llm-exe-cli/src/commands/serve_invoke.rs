//! Implements Lambda's Invoke API, which accepts events from any source. `serve` provides it on
//! loopback addresses only.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>
//! <https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use llm_exe::Error;
use llm_exe_function::{LogLevel, LogLine};
use llm_exe_simulator::{AWS_EVENT_STREAM, event_frame};
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

/// The invocation type, which the caller sends in the header `x-amz-invocation-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvocationType {
    /// Synchronous: the caller receives the function's response.
    RequestResponse,
    /// Asynchronous: the caller does not receive the function's response.
    Event,
    /// A dry run: the function is not invoked.
    DryRun,
    /// Any value that the operation does not define.
    Unknown,
}

/// A call of the operation `Invoke` or `InvokeWithResponseStream`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InvokeCall {
    pub(crate) invocation_type: InvocationType,
    /// Whether the operation is `InvokeWithResponseStream`.
    pub(crate) is_streamed: bool,
    /// Whether the caller asks for the end of the log.
    wants_log: bool,
}

impl InvokeCall {
    /// Returns the call, or `None` if the request is for something else. The function name in the
    /// path can be any name.
    pub(crate) fn from_request(head: &Parts) -> Option<Self> {
        let path = head.uri.path();
        let (version, rest) = path.strip_prefix('/')?.split_once("/functions/")?;
        let (name, resource) = rest.split_once('/')?;
        let is_streamed = match (version, resource) {
            ("2015-03-31", "invocations") => false,
            ("2021-11-15", "response-streaming-invocations") => true,
            _ => return None,
        };
        if head.method != Method::POST || name.is_empty() {
            return None;
        }
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let invocation_type = match header("x-amz-invocation-type") {
            None | Some("RequestResponse") => InvocationType::RequestResponse,
            Some("Event") if !is_streamed => InvocationType::Event,
            Some("DryRun") => InvocationType::DryRun,
            Some(_) => InvocationType::Unknown,
        };
        let wants_log = header("x-amz-log-type") == Some("Tail");
        Some(InvokeCall { invocation_type, is_streamed, wants_log })
    }

    /// Builds the response for a result or an error that is not streamed. For an asynchronous
    /// invocation, Lambda responds before the function runs. This server responds afterwards, so
    /// that stopping it does not lose an event.
    pub(crate) fn response(
        self,
        outcome: Result<Value, Error>,
        line: &LogLine,
    ) -> Response<Full<Bytes>> {
        if self.invocation_type == InvocationType::Event {
            let mut response = empty_response(StatusCode::ACCEPTED);
            self.add_log(&mut response, line);
            return response;
        }
        let error_type = outcome.as_ref().err().map(|error| error.kind().name());
        let body = outcome.unwrap_or_else(|error| {
            let message = error.message_with_details();
            json!({ "errorType": error.kind().name(), "errorMessage": message })
        });
        let body = body.to_string();
        if self.is_streamed && self.invocation_type != InvocationType::Unknown {
            let mut frames = Vec::new();
            if error_type.is_none() {
                frames.extend(payload_frames(body.as_bytes()));
            }
            let error = error_type.map(|kind| (kind, &*body));
            frames.extend(self.last_frame(error, Some(line)));
            return frames_response(Full::from(frames));
        }
        let mut response = Response::new(Full::from(body));
        if self.invocation_type == InvocationType::Unknown {
            *response.status_mut() = StatusCode::BAD_REQUEST;
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(EXECUTED_VERSION, HeaderValue::from_static("$LATEST"));
        if error_type.is_some() {
            let name = HeaderName::from_static("x-amz-function-error");
            headers.insert(name, HeaderValue::from_static("Unhandled"));
        }
        self.add_log(&mut response, line);
        response
    }

    /// Returns the event `InvokeComplete`, the last one of a stream, with the type and the JSON of
    /// the error if the invocation failed.
    pub(crate) fn last_frame(self, error: Option<(&str, &str)>, line: Option<&LogLine>) -> Bytes {
        let mut fields = Map::new();
        if let Some((kind, details)) = error {
            fields.insert("ErrorCode".to_owned(), json!(kind));
            fields.insert("ErrorDetails".to_owned(), json!(details));
        }
        if let Some(line) = line.filter(|_| self.wants_log) {
            fields.insert("LogResult".to_owned(), json!(log_result(line)));
        }
        let payload = Value::Object(fields).to_string();
        event_frame("InvokeComplete", "application/json", payload.as_bytes()).into()
    }

    /// Adds the log line to a response, as Lambda adds the end of the log.
    fn add_log(self, response: &mut Response<Full<Bytes>>, line: &LogLine) {
        if !self.wants_log {
            return;
        }
        if let Ok(value) = HeaderValue::from_str(&log_result(line)) {
            response.headers_mut().insert(HeaderName::from_static("x-amz-log-result"), value);
        }
    }
}

const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");

/// Maximum size of the payload of an event in bytes.
const MAX_PAYLOAD_BYTES: usize = 64 * 1024;

/// Returns events `PayloadChunk` with these bytes.
pub(crate) fn payload_frames(bytes: &[u8]) -> Bytes {
    let chunks = bytes.chunks(MAX_PAYLOAD_BYTES);
    let frame = |chunk| event_frame("PayloadChunk", "application/octet-stream", chunk);
    chunks.flat_map(frame).collect()
}

/// Builds the response of `InvokeWithResponseStream` from its events.
pub(crate) fn frames_response<B>(frames: B) -> Response<B> {
    let mut response = Response::new(frames);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(AWS_EVENT_STREAM));
    headers.insert(EXECUTED_VERSION, HeaderValue::from_static("$LATEST"));
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

/// Returns the end of the log as base64.
fn log_result(line: &LogLine) -> String {
    let mut text = line.to_json(LogLevel::Debug).unwrap_or_default();
    text.push(b'\n');
    let start = text.len().saturating_sub(MAX_LOG_BYTES);
    STANDARD.encode(text.get(start..).unwrap_or_default())
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
    use llm_exe_function::LogLine;

    #[test]
    fn only_the_end_of_a_long_log_is_returned() {
        let mut line = LogLine::new("x".repeat(10_000));
        line.source = "direct";
        let log = STANDARD.decode(super::log_result(&line)).unwrap();
        assert_eq!(log.len(), super::MAX_LOG_BYTES);
        assert!(log.ends_with(b"}\n"));
    }
}
