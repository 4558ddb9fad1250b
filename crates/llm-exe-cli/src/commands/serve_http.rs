//! One HTTP request of `serve`: to a function URL's event, through the function, and back.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use llm_exe::{Deadline, Error, ErrorKind};
use llm_exe_events::{Invocation, MOST_BODY_BYTES};
use llm_exe_function::{Function, LogLevel, LogLine};
use serde_json::{Map, Value, json};

use crate::output;

/// What every request needs.
pub(crate) struct Served {
    pub(crate) function: Function,
    pub(crate) address: SocketAddr,
    pub(crate) timeout: Duration,
    /// JSON lines up to this level, or short ones for people.
    pub(crate) least: Option<LogLevel>,
}

/// Answers a request.
pub(crate) async fn answer(served: &Served, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let target = format!("{} {}", head.method, head.uri.path());
    if let Err(message) = is_ours(served.address, &head.headers) {
        return refused(&target, Error::new(ErrorKind::Unauthorized, message));
    }
    // One byte more than is allowed: enough to see that it is too much.
    let body = match Limited::new(body, MOST_BODY_BYTES + 1).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let text = format!("the body has more than {MOST_BODY_BYTES} bytes");
            return refused(&target, Error::new(ErrorKind::RequestTooLarge, text));
        }
        Err(_) => return refused(&target, Error::invalid("", "the body did not come whole")),
    };
    let event = event(&head, &body);
    let invocation = Invocation {
        request_id: format!("local-{}", std::process::id()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let deadline = Deadline::after(served.timeout);
    let bytes = event.to_string().into_bytes();
    let answered = served.function.answer(&bytes, &invocation, deadline).await;
    let response = match answered.outcome {
        Ok(value) => response(&value),
        Err(error) => failed(&error),
    };
    log(served, &target, response.status(), &answered.line);
    response
}

/// Whether a request was meant for this server: on loopback, a web page that its user visits must
/// not be able to spend the user's keys, by its own origin or by a name that it points here.
fn is_ours(address: SocketAddr, headers: &HeaderMap) -> Result<(), String> {
    if !address.ip().is_loopback() {
        return Ok(());
    }
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let is_local = |host: &str| {
        let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
        let name = name.map_or(host, |(name, _)| name);
        matches!(name, "localhost" | "127.0.0.1" | "[::1]") || name == address.ip().to_string()
    };
    match text(header::HOST) {
        Some(host) if is_local(host) => {}
        host => {
            let host = host.unwrap_or("no host");
            return Err(format!("requests for {host} are not answered here, only for localhost"));
        }
    }
    match text(header::ORIGIN) {
        None => Ok(()),
        Some(origin) => match origin.split_once("://") {
            Some((_, host)) if is_local(host) => Ok(()),
            _ => Err(format!("requests from web pages of {origin} are not answered")),
        },
    }
}

/// The event that a function URL would make of a request.
fn event(head: &http::request::Parts, body: &Bytes) -> Value {
    let mut headers = Map::new();
    for name in head.headers.keys() {
        let values: Vec<&str> =
            head.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        headers.insert(name.as_str().to_owned(), json!(values.join(",")));
    }
    // AWS hands on text as text and everything else, plain `curl -d` among it, as base64.
    let text = is_text(&head.headers).then(|| std::str::from_utf8(body).ok()).flatten();
    let (body, is_base64) = match text {
        Some(text) => (text.to_owned(), false),
        None => (STANDARD.encode(body), true),
    };
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": head.uri.path(),
        "rawQueryString": head.uri.query().unwrap_or_default(),
        "headers": headers,
        "requestContext": {
            "domainName": "local.lambda-url.localhost",
            "stage": "$default",
            "http": { "method": head.method.as_str(), "path": head.uri.path() }
        },
        "body": body,
        "isBase64Encoded": is_base64
    })
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| {
        let kind = kind.trim().to_lowercase();
        ["text/", "application/json", "application/javascript", "application/xml"]
            .iter()
            .any(|known| kind.starts_with(known))
    })
}

/// The HTTP response in a function URL's answer.
fn response(value: &Value) -> Response<Full<Bytes>> {
    let status = value.get("statusCode").and_then(Value::as_u64);
    let status = status.and_then(|code| u16::try_from(code).ok()).unwrap_or(200);
    let mut response = Response::builder().status(status);
    for (name, value) in value.get("headers").and_then(Value::as_object).into_iter().flatten() {
        response = response.header(name, value.as_str().unwrap_or_default());
    }
    let body = value.get("body").and_then(Value::as_str).unwrap_or_default().to_owned();
    response.body(Full::from(body)).unwrap_or_else(|_| {
        failed(&Error::new(ErrorKind::Internal, "the answer is no HTTP response"))
    })
}

fn refused(target: &str, error: Error) -> Response<Full<Bytes>> {
    anstream::eprintln!("{target} {} {}", error.kind().http_status(), error.kind());
    failed(&error)
}

fn failed(error: &Error) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(output::failure_json(error).to_string()));
    let status = StatusCode::from_u16(error.kind().http_status());
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn log(served: &Served, target: &str, status: StatusCode, line: &LogLine) {
    if let Some(least) = served.least {
        if let Some(text) = line.to_json(least) {
            output::print(&text);
        }
        return;
    }
    let report = &line.report;
    let mut text = format!("{target} {} {} ms", status.as_u16(), line.duration.as_millis());
    if let (Some(provider), Some(model)) = (report.provider, &report.model) {
        text.push_str(&format!(" {provider} {model}"));
    }
    if report.attempts > 0 {
        text.push_str(&format!(" {} tokens", report.usage.total_tokens));
    }
    if let Some(error) = &line.error {
        text.push_str(&format!(" {}", error.kind()));
    }
    anstream::eprintln!("{text}");
}
