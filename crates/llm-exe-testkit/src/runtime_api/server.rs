//! The HTTP server of the Runtime API, version 2018-06-01.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::outcome::{InitError, InvocationOutcome, ResponseFault};
use super::queue::{DeliveredInvocation, InvocationQueue, PostedOutcome};
use crate::accept;

const ROOT: &str = "/2018-06-01/runtime/";
/// Lambda's maximum size of a buffered response in bytes: 6 MB and a small allowance.
const MAX_BUFFERED: usize = 6 * 1024 * 1024 + 100;
/// Lambda's maximum size of a streamed response in bytes.
const MAX_STREAMED: usize = 200 * 1024 * 1024;
const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:simulated";
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
const RESPONSE_MODE: &str = "lambda-runtime-function-response-mode";

const INCOMPLETE_BODY: &str = "The request body is incomplete";

type Reply = Response<Full<Bytes>>;

/// Serves connections until the task is aborted.
pub(super) async fn run(listener: TcpListener, queue: Arc<InvocationQueue>) {
    accept::serve(listener, move |request| serve(request, Arc::clone(&queue))).await;
}

/// The error that closes the connection.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is closed because of a fault")
    }
}

impl std::error::Error for Closed {}

async fn serve(request: Request<Incoming>, queue: Arc<InvocationQueue>) -> Result<Reply, Closed> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().strip_prefix(ROOT).unwrap_or_default().to_owned();
    let segments: Vec<&str> = path.split('/').collect();
    Ok(match (&head.method, segments.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => event_reply(queue.next().await),
        (&Method::POST, ["invocation", id, "response"]) => match queue.take_fault() {
            None => receive_response(&queue, id, &head.headers, body).await,
            Some(fault) => fail_response(&queue, id, (&head.headers, body), fault).await?,
        },
        (&Method::POST, ["invocation", id, "error"]) => {
            receive_error(&queue, id, &head.headers, body).await
        }
        (&Method::POST, ["init", "error"]) => receive_init_error(&queue, &head.headers, body).await,
        (
            _,
            ["invocation", "next"] | ["invocation", _, "response" | "error"] | ["init", "error"],
        ) => error_reply(405, "MethodNotAllowed", "Method not allowed"),
        _ => error_reply(404, "NotFound", "404 page not found"),
    })
}

fn event_reply(invocation: DeliveredInvocation) -> Reply {
    let DeliveredInvocation { id, event, timeout } = invocation;
    let deadline = SystemTime::now() + timeout;
    let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let trace = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0";
    let headers = [
        ("content-type", "application/json"),
        ("lambda-runtime-aws-request-id", &id),
        ("lambda-runtime-deadline-ms", &deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", FUNCTION_ARN),
        ("lambda-runtime-trace-id", trace),
    ];
    reply(200, &headers, event)
}

async fn receive_response(
    queue: &InvocationQueue,
    id: &str,
    headers: &HeaderMap,
    body: Incoming,
) -> Reply {
    if !queue.is_executing(id) {
        return unknown_id();
    }
    let streaming = headers.get(RESPONSE_MODE).is_some_and(|mode| mode == "streaming");
    let max_length = if streaming { MAX_STREAMED } else { MAX_BUFFERED };
    let Some(received) = read_body(body, max_length).await else {
        return error_reply(400, "InvalidRequest", INCOMPLETE_BODY);
    };
    let (headers, first_byte_at) = (to_map(headers), received.first_byte_at);
    if received.length > max_length {
        let message = format!(
            "Response payload size ({} bytes) exceeded maximum allowed payload size ({max_length} \
             bytes).",
            received.length
        );
        let error_type = "Function.ResponseSizeTooLarge".to_owned();
        let body = json!({"errorType": error_type, "errorMessage": message}).to_string();
        let body = Bytes::from(body);
        let outcome = InvocationOutcome::Error { error_type, error_message: message.clone(), body };
        queue.complete(id, PostedOutcome { outcome, headers, first_byte_at });
        return error_reply(413, "RequestEntityTooLarge", &message);
    }
    // If a stream fails midway, the function reports the error in the trailers.
    let stream_error = received.trailers.get(ERROR_TYPE).and_then(|error| error.to_str().ok());
    let outcome = match stream_error {
        None => InvocationOutcome::Response(received.body),
        Some(error_type) => InvocationOutcome::Error {
            error_type: error_type.to_owned(),
            error_message: String::new(),
            body: received.body,
        },
    };
    accepted(queue.complete(id, PostedOutcome { outcome, headers, first_byte_at }))
}

/// Fails to receive a response, and completes the invocation with what it has received.
async fn fail_response(
    queue: &InvocationQueue,
    id: &str,
    (headers, mut body): (&HeaderMap, Incoming),
    fault: ResponseFault,
) -> Result<Reply, Closed> {
    let mut received = BytesMut::new();
    let mut first_byte_at = None;
    if let ResponseFault::Close(bytes) = fault {
        while received.len() < bytes
            && let Some(Ok(frame)) = body.frame().await
        {
            received.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new()));
            first_byte_at.get_or_insert_with(Instant::now);
        }
    }
    let outcome = InvocationOutcome::Response(received.freeze());
    queue.complete(id, PostedOutcome { outcome, headers: to_map(headers), first_byte_at });
    match fault {
        ResponseFault::Close(_) => Err(Closed),
        ResponseFault::Reject(status) => Ok(error_reply(status, "Rejected", "a fault")),
    }
}

async fn receive_error(
    queue: &InvocationQueue,
    id: &str,
    headers: &HeaderMap,
    body: Incoming,
) -> Reply {
    if !queue.is_executing(id) {
        return unknown_id();
    }
    let Some(received) = read_body(body, MAX_BUFFERED).await else {
        return error_reply(400, "InvalidRequest", INCOMPLETE_BODY);
    };
    let first_byte_at = received.first_byte_at;
    let InitError { error_type, error_message, body } = parse_error(headers, received.body);
    let outcome = InvocationOutcome::Error { error_type, error_message, body };
    let headers = to_map(headers);
    accepted(queue.complete(id, PostedOutcome { outcome, headers, first_byte_at }))
}

async fn receive_init_error(queue: &InvocationQueue, headers: &HeaderMap, body: Incoming) -> Reply {
    let Some(received) = read_body(body, MAX_BUFFERED).await else {
        return error_reply(400, "InvalidRequest", INCOMPLETE_BODY);
    };
    queue.fail_init(parse_error(headers, received.body));
    accepted(true)
}

/// Parses the error that a function posted. Its type is in the header or, if that is missing, in
/// the body.
fn parse_error(headers: &HeaderMap, body: Bytes) -> InitError {
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
    let named = headers.get(ERROR_TYPE).and_then(|error| error.to_str().ok()).map(str::to_owned);
    InitError {
        error_type: named.or_else(|| text("errorType")).unwrap_or_else(|| "Runtime.Unknown".into()),
        error_message: text("errorMessage").unwrap_or_default(),
        body,
    }
}

/// A received request body.
struct ReceivedBody {
    /// The body, or only its beginning if the body is too long.
    body: Bytes,
    /// The length of the whole body.
    length: usize,
    trailers: HeaderMap,
    first_byte_at: Option<Instant>,
}

/// Reads a whole body and stores at most `max_length` bytes of it. Returns `None` if the body is
/// incomplete.
async fn read_body(mut body: Incoming, max_length: usize) -> Option<ReceivedBody> {
    let mut buffer = BytesMut::new();
    let mut length = 0;
    let mut trailers = HeaderMap::new();
    let mut first_byte_at = None;
    while let Some(frame) = body.frame().await {
        match frame.ok()?.into_data() {
            Ok(data) => {
                length += data.len();
                first_byte_at.get_or_insert_with(Instant::now);
                if length <= max_length {
                    buffer.extend_from_slice(&data);
                }
            }
            Err(frame) => trailers = frame.into_trailers().unwrap_or_default(),
        }
    }
    Some(ReceivedBody { body: buffer.freeze(), length, trailers, first_byte_at })
}

fn to_map(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn accepted(known: bool) -> Reply {
    if known { json_reply(202, &json!({"status": "OK"})) } else { unknown_id() }
}

fn unknown_id() -> Reply {
    error_reply(400, "InvalidRequestID", "Invalid request ID")
}

fn error_reply(status: u16, error_type: &str, message: &str) -> Reply {
    json_reply(status, &json!({"errorType": error_type, "errorMessage": message}))
}

fn json_reply(status: u16, body: &Value) -> Reply {
    reply(status, &[("content-type", "application/json")], Bytes::from(body.to_string()))
}

fn reply(status: u16, headers: &[(&str, &str)], body: Bytes) -> Reply {
    let builder = Response::builder().status(status);
    let builder =
        headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    // All names and values are valid, so building the response can't fail.
    builder.body(Full::new(body)).unwrap_or_default()
}
