//! One HTTP request of `serve`: to a function URL's event, through the function, and back.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use llm_exe::{Deadline, Error, ErrorKind};
use llm_exe_events::{Invocation, MAX_BODY_BYTES, http_failure};
use llm_exe_function::{Function, HandledEvent, LogLevel, LogLine};
use serde_json::{Map, Value, json};

use super::serve_invoke::{self, Call};
use crate::output;

/// What every request needs.
pub(crate) struct Served {
    pub(crate) function: Function,
    /// What tells this run's requests from all others': it names results.
    pub(crate) run: u64,
    /// How many requests there were.
    pub(crate) requests: AtomicU64,
    pub(crate) address: SocketAddr,
    pub(crate) timeout: Duration,
    /// Whether Lambda's Invoke API is served, to whom every event may be handed.
    pub(crate) takes_events: bool,
    /// JSON lines up to this level, or short ones for people.
    pub(crate) least: Option<LogLevel>,
}

/// Answers a request, and tells of it in a line.
pub(crate) async fn answer(served: &Served, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let target = format!("{} {}", head.method, head.uri.path());
    let number = served.requests.fetch_add(1, Ordering::Relaxed) + 1;
    let invocation = Invocation {
        request_id: format!("local-{:016x}-{number}", served.run),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let call = served.takes_events.then(|| serve_invoke::call(&head)).flatten();
    if let (Some(Call::DryRun), Ok(())) = (call, is_ours(served.address, &head.headers)) {
        return serve_invoke::nothing(StatusCode::NO_CONTENT);
    }
    let answered = match event(served, &head, body, call).await {
        Ok(event) => {
            let deadline = Deadline::after(served.timeout);
            served.function.handle(&event, &invocation, deadline).await
        }
        Err(error) => {
            let mut line = LogLine::new(&invocation.request_id);
            line.source = "http";
            line.error = Some(error.clone());
            let outcome = match call {
                Some(_) => Err(error),
                None => Ok(http_failure(&invocation, &error)),
            };
            HandledEvent { outcome, line }
        }
    };
    let response = match (call, answered.outcome) {
        (Some(call), outcome) => serve_invoke::response(call, outcome),
        (None, Ok(value)) => response(&value),
        (None, Err(_)) => {
            let mut broken = Response::new(Full::default());
            *broken.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            broken
        }
    };
    log(served, &target, response.status(), &answered.line);
    response
}

/// The event that a function URL would make of a request, or what a call of the Invoke API hands
/// on as it is, if the request is for this server.
async fn event(
    served: &Served,
    head: &Parts,
    body: Incoming,
    call: Option<Call>,
) -> Result<Bytes, Error> {
    is_ours(served.address, &head.headers)
        .map_err(|message| Error::new(ErrorKind::Unauthorized, message))?;
    if call == Some(Call::Unknown) {
        let text = "expected RequestResponse, Event or DryRun";
        return Err(Error::invalid("x-amz-invocation-type", text));
    }
    // One byte more than is allowed: enough to see that it is too much.
    match Limited::new(body, MAX_BODY_BYTES + 1).collect().await {
        Ok(body) if call.is_some() => Ok(body.to_bytes()),
        Ok(body) => Ok(event_of(head, &body.to_bytes()).to_string().into()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let text = format!("the body has more than {MAX_BODY_BYTES} bytes");
            Err(Error::new(ErrorKind::RequestTooLarge, text))
        }
        Err(_) => Err(Error::invalid("", "the body did not come whole")),
    }
}

/// Whether a request was meant for this server: on loopback, a web page that its user visits must
/// not be able to spend the user's keys, by its own origin or by a name that it points here.
fn is_ours(address: SocketAddr, headers: &HeaderMap) -> Result<(), String> {
    if !address.ip().is_loopback() {
        return Ok(());
    }
    if headers.get_all(header::HOST).iter().count() > 1 {
        return Err("a request names its host once".to_owned());
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

fn event_of(head: &Parts, body: &Bytes) -> Value {
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
    response.body(Full::from(body)).unwrap_or_default()
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
    for warning in &line.warnings {
        output::warning(warning);
    }
}
