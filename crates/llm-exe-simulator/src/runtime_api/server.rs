//! The HTTP side of the Runtime API, version 2018-06-01.
//!
//! In: the function's requests. Out: events to it, its answers to `Shared`, and the refusals that
//! the real one would send.

use super::shared::{Delivered, Shared};
use super::{InitError, Outcome};
use crate::accept;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;

const ROOT: &str = "/2018-06-01/runtime/";
/// Lambda's limit for a buffered response: 6 MB and a little for what wraps it.
const MOST_BUFFERED: usize = 6 * 1024 * 1024 + 100;
/// Lambda's limit for a streamed response.
const MOST_STREAMED: usize = 200 * 1024 * 1024;
const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:simulated";
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
const RESPONSE_MODE: &str = "lambda-runtime-function-response-mode";

type Reply = Response<Full<Bytes>>;

/// Serves until the task is aborted.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    accept::serve(listener, move |request| serve(request, Arc::clone(&shared))).await;
}

async fn serve(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Reply, Infallible> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().strip_prefix(ROOT).unwrap_or_default().to_owned();
    let steps: Vec<&str> = path.split('/').collect();
    Ok(match (&head.method, steps.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => event(shared.next().await),
        (&Method::POST, ["invocation", id, "response"]) => {
            response(&shared, id, &head.headers, body).await
        }
        (&Method::POST, ["invocation", id, "error"]) => {
            error(&shared, id, &head.headers, body).await
        }
        (&Method::POST, ["init", "error"]) => init_error(&shared, &head.headers, body).await,
        (
            _,
            ["invocation", "next"] | ["invocation", _, "response" | "error"] | ["init", "error"],
        ) => refused(405, "MethodNotAllowed", "Method not allowed"),
        _ => refused(404, "NotFound", "404 page not found"),
    })
}

fn event(delivered: Delivered) -> Reply {
    let Delivered { id, event, timeout } = delivered;
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

async fn response(shared: &Shared, id: &str, headers: &HeaderMap, body: Incoming) -> Reply {
    if !shared.waits(id) {
        return unknown_id();
    }
    let streaming = headers.get(RESPONSE_MODE).is_some_and(|mode| mode == "streaming");
    let most = if streaming { MOST_STREAMED } else { MOST_BUFFERED };
    let Some(read) = read(body, most).await else {
        return refused(400, "InvalidRequest", "The request's body broke off");
    };
    let answered = names(headers);
    if read.length > most {
        let message = format!(
            "Response payload size ({} bytes) exceeded maximum allowed payload size ({most} \
             bytes).",
            read.length
        );
        let error_type = "Function.ResponseSizeTooLarge".to_owned();
        let body = json!({"errorType": error_type, "errorMessage": message}).to_string();
        let body = Bytes::from(body);
        let outcome = Outcome::Error { error_type, error_message: message.clone(), body };
        shared.answer(id, (outcome, answered));
        return refused(413, "RequestEntityTooLarge", &message);
    }
    // A stream that fails midway says so behind its body.
    let failed = read.trailers.get(ERROR_TYPE).and_then(|error| error.to_str().ok());
    let outcome = match failed {
        None => Outcome::Response(read.body),
        Some(error_type) => Outcome::Error {
            error_type: error_type.to_owned(),
            error_message: String::new(),
            body: read.body,
        },
    };
    accepted(shared.answer(id, (outcome, answered)))
}

async fn error(shared: &Shared, id: &str, headers: &HeaderMap, body: Incoming) -> Reply {
    if !shared.waits(id) {
        return unknown_id();
    }
    let Some(read) = read(body, MOST_BUFFERED).await else {
        return refused(400, "InvalidRequest", "The request's body broke off");
    };
    let InitError { error_type, error_message, body } = described(headers, read.body);
    let outcome = Outcome::Error { error_type, error_message, body };
    accepted(shared.answer(id, (outcome, names(headers))))
}

async fn init_error(shared: &Shared, headers: &HeaderMap, body: Incoming) -> Reply {
    let Some(read) = read(body, MOST_BUFFERED).await else {
        return refused(400, "InvalidRequest", "The request's body broke off");
    };
    shared.fail_init(described(headers, read.body));
    accepted(true)
}

fn described(headers: &HeaderMap, body: Bytes) -> InitError {
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
    let named = headers.get(ERROR_TYPE).and_then(|error| error.to_str().ok()).map(str::to_owned);
    InitError {
        error_type: named.or_else(|| text("errorType")).unwrap_or_else(|| "Runtime.Unknown".into()),
        error_message: text("errorMessage").unwrap_or_default(),
        body,
    }
}

struct Read {
    /// The body, or its beginning when it is too long.
    body: Bytes,
    length: usize,
    trailers: HeaderMap,
}

/// Reads a body to its end; nothing when it breaks off.
async fn read(mut body: Incoming, most: usize) -> Option<Read> {
    let mut kept = BytesMut::new();
    let mut length = 0;
    let mut trailers = HeaderMap::new();
    while let Some(frame) = body.frame().await {
        match frame.ok()?.into_data() {
            Ok(data) => {
                length += data.len();
                if length <= most {
                    kept.extend_from_slice(&data);
                }
            }
            Err(frame) => trailers = frame.into_trailers().unwrap_or_default(),
        }
    }
    Some(Read { body: kept.freeze(), length, trailers })
}

fn names(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn accepted(known: bool) -> Reply {
    match known {
        true => json_reply(202, &json!({"status": "OK"})),
        false => unknown_id(),
    }
}

fn unknown_id() -> Reply {
    refused(400, "InvalidRequestID", "Invalid request ID")
}

fn refused(status: u16, error_type: &str, message: &str) -> Reply {
    json_reply(status, &json!({"errorType": error_type, "errorMessage": message}))
}

fn json_reply(status: u16, body: &Value) -> Reply {
    reply(status, &[("content-type", "application/json")], Bytes::from(body.to_string()))
}

fn reply(status: u16, headers: &[(&str, &str)], body: Bytes) -> Reply {
    let builder = Response::builder().status(status);
    let builder =
        headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    // Names and values are our own, so that building can't fail.
    builder.body(Full::new(body)).unwrap_or_default()
}
