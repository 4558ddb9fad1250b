//! Handles HTTP requests to `llm-exe serve`. Converts each request to a function URL event, runs
//! the function with it, and converts the function's response to an HTTP response.

use std::convert::Infallible;
use std::io::IsTerminal;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Either, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use llm_exe::{Deadline, Error, ErrorKind, StreamFormat};
use llm_exe_events::{
    Invocation, MAX_BODY_BYTES, StreamingEntryPoint, WARNINGS_HEADER, http_failure,
};
use llm_exe_function::{
    Function, HandledEvent, LogLevel, LogLine, ResponseBody, ResponseSender, StartedResponse,
    StreamedRun, start_response,
};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::serve_invoke::{self, InvocationType, InvokeCall};
use crate::escape::escape_controls;
use crate::output;

/// The state that all request handlers share.
pub(crate) struct Server {
    pub(crate) function: Function,
    /// A random number in each request id. It makes the ids unique across server runs, which is
    /// necessary because the names of stored results contain them.
    pub(crate) run_id: u64,
    pub(crate) request_count: AtomicU64,
    /// The number of requests in progress, including those whose clients have disconnected.
    pub(crate) open_requests: AtomicUsize,
    /// Notified when no request is in progress any more.
    pub(crate) idle: Notify,
    pub(crate) address: SocketAddr,
    /// The maximum duration of a request.
    pub(crate) timeout: Duration,
    /// Whether the server provides Lambda's Invoke API, which accepts events from any source.
    pub(crate) has_invoke_api: bool,
    /// The level of the JSON log, or `None` if the server logs short lines of text instead.
    pub(crate) json_log_level: Option<LogLevel>,
}

impl Server {
    /// Waits until no request is in progress. Prints how many runs it waits for, if there are any.
    pub(crate) async fn finish_runs(&self) {
        // A run ends shortly after its stream.
        let ended = tokio::time::timeout(Duration::from_millis(50), self.wait_until_idle());
        if ended.await.is_ok() {
            return;
        }
        let count = self.open_requests.load(Ordering::Relaxed);
        if count > 0 {
            let runs = if count == 1 { "run whose client has" } else { "runs whose clients have" };
            anstream::eprintln!("waiting for {count} {runs} disconnected");
        }
        self.wait_until_idle().await;
    }

    async fn wait_until_idle(&self) {
        while self.open_requests.load(Ordering::Relaxed) > 0 {
            self.idle.notified().await;
        }
    }
}

/// The status in the log of a run whose client disconnected before its response, as in other
/// servers.
const CLIENT_CLOSED: u16 = 499;

/// Counts a request as open until it is dropped: when its response was sent and its run has ended.
struct OpenRequest(Arc<Server>);

impl OpenRequest {
    fn new(server: Arc<Server>) -> Self {
        server.open_requests.fetch_add(1, Ordering::Relaxed);
        OpenRequest(server)
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        if self.0.open_requests.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.idle.notify_one();
        }
    }
}

/// The body of a response. Streams contain no errors.
pub(crate) type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, Infallible>>;

/// Handles a request and logs it.
pub(crate) async fn handle(server: Arc<Server>, request: Request<Incoming>) -> Response<Body> {
    let open = Arc::new(OpenRequest::new(Arc::clone(&server)));
    let (head, body) = request.into_parts();
    let target = format!("{} {}", head.method, head.uri.path());
    let number = server.request_count.fetch_add(1, Ordering::Relaxed) + 1;
    let invocation = Invocation {
        request_id: format!("local-{:016x}-{number}", server.run_id),
        version: env!("CARGO_PKG_VERSION"),
        ..Invocation::default()
    };
    let invoke = server.has_invoke_api.then(|| InvokeCall::from_request(&head)).flatten();
    let is_dry_run = invoke.is_some_and(|call| call.invocation_type == InvocationType::DryRun);
    if is_dry_run && check_host_and_origin(server.address, &head.headers).is_ok() {
        return serve_invoke::empty_response(StatusCode::NO_CONTENT).map(Either::Left);
    }
    let event = read_event(&server, &head, body, invoke).await;
    let call = Call { open, target, invoke };
    let event = match event {
        Ok(event) => event,
        Err(error) => {
            let mut line = LogLine::new(invocation.request_id.clone());
            line.source = "http";
            line.error = Some(error.clone());
            let outcome = match invoke {
                Some(_) => Err(error),
                None => http_failure(&invocation, &error),
            };
            return call.respond(&HandledEvent { outcome, line }).await.map(Either::Left);
        }
    };
    let Some(invoke) = invoke else {
        let run = call.clone();
        let started = start_response(|stream| run.run_streamed(event, invocation, stream));
        return match started.await {
            StartedResponse::Whole { output, .. } => call.respond(&output).await.map(Either::Left),
            StartedResponse::Events { format, warning_count, body, .. } => {
                events_response(format, warning_count, body)
            }
        };
    };
    if let Err(error) = serve_invoke::check_payload(&event) {
        let response = serve_invoke::invalid_content(&error);
        let mut line = LogLine::new(invocation.request_id);
        line.error = Some(error);
        log(&server, &call.target, response.status().as_u16(), &line);
        return response.map(Either::Left);
    }
    if !invoke.is_streamed {
        // As on Lambda, an invocation continues if its client disconnects.
        let run = tokio::spawn(call.run_whole(event, invocation));
        let failed = || serve_invoke::empty_response(StatusCode::INTERNAL_SERVER_ERROR);
        return run.await.unwrap_or_else(|_| failed()).map(Either::Left);
    }
    let run = call.clone();
    let started = start_response(|stream| {
        stream.limit_to(StreamingEntryPoint::Invoke);
        run.run_streamed(event, invocation, stream)
    });
    match started.await {
        StartedResponse::Whole { output, .. } => call.respond(&output).await.map(Either::Left),
        StartedResponse::Events { body, run, .. } => frames_response(invoke, body, run),
    }
}

/// A call of the function. It can last longer than the handler of its request, if the response is
/// streamed or the client disconnects.
#[derive(Clone)]
struct Call {
    open: Arc<OpenRequest>,
    target: String,
    invoke: Option<InvokeCall>,
}

impl Call {
    fn server(&self) -> &Server {
        &self.open.0
    }

    fn deadline(&self) -> Deadline {
        Deadline::after(self.server().timeout)
    }

    /// Runs the function for a client that can receive a stream. Logs the call if its response is a
    /// stream, or if the client is gone.
    async fn run_streamed(
        self,
        event: Bytes,
        invocation: Invocation,
        stream: ResponseSender,
    ) -> HandledEvent {
        let function = &self.server().function;
        let handled = function.handle_streamed(&event, invocation, self.deadline(), &stream).await;
        if stream.is_abandoned() {
            log(self.server(), &self.target, CLIENT_CLOSED, &handled.line);
        } else if stream.is_stream() {
            log(self.server(), &self.target, 200, &handled.line);
        }
        handled
    }

    /// Runs the function, and returns its response in one piece.
    async fn run_whole(self, event: Bytes, invocation: Invocation) -> Response<Full<Bytes>> {
        let function = &self.server().function;
        let handled = function.handle(&event, invocation, self.deadline()).await;
        self.respond(&handled).await
    }

    /// Converts the function's response to that of the server, and logs the call.
    async fn respond(&self, handled: &HandledEvent) -> Response<Full<Bytes>> {
        // The conversion of a large response blocks the thread, so other requests are polled first.
        tokio::task::yield_now().await;
        let response = match (self.invoke, handled.response()) {
            (Some(invoke), outcome) => invoke.response(outcome, &handled.line),
            (None, Ok(value)) => http_response(&value),
            (None, Err(_)) => serve_invoke::empty_response(StatusCode::INTERNAL_SERVER_ERROR),
        };
        log(self.server(), &self.target, response.status().as_u16(), &handled.line);
        response
    }
}

/// Returns the response of `InvokeWithResponseStream` to a request whose result is streamed.
fn frames_response(
    invoke: InvokeCall,
    body: ResponseBody,
    run: StreamedRun<HandledEvent>,
) -> Response<Body> {
    let end = stream::once(async move {
        let handled = run.output().await;
        Ok(invoke.last_frame(None, handled.as_ref().map(|handled| &handled.line)))
    });
    let frames = body.map_ok(|bytes| serve_invoke::payload_frames(&bytes)).chain(end);
    let body = UnsyncBoxBody::new(StreamBody::new(frames.map_ok(Frame::data)));
    serve_invoke::frames_response(Either::Right(body))
}

fn events_response(
    format: StreamFormat,
    warning_count: usize,
    body: ResponseBody,
) -> Response<Body> {
    let body = StreamBody::new(body.map_ok(Frame::data));
    let mut response = Response::new(Either::Right(UnsyncBoxBody::new(body)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if warning_count > 0 {
        headers.insert(WARNINGS_HEADER, HeaderValue::from(warning_count));
    }
    response
}

/// Returns the event for a request. For an Invoke API call, the event is the request body. For any
/// other request, it is the event that a function URL would create.
///
/// # Errors
/// Returns an error if the host or origin is not allowed, the invocation type is unknown, or the
/// body is too large or incomplete.
async fn read_event(
    server: &Server,
    head: &Parts,
    body: Incoming,
    invoke: Option<InvokeCall>,
) -> Result<Bytes, Error> {
    check_host_and_origin(server.address, &head.headers)
        .map_err(|message| Error::new(ErrorKind::Unauthorized, message))?;
    if let Some(InvokeCall { invocation_type: InvocationType::Unknown, is_streamed, .. }) = invoke {
        let message = match is_streamed {
            true => "expected RequestResponse or DryRun",
            false => "expected RequestResponse, Event or DryRun",
        };
        return Err(Error::invalid("x-amz-invocation-type", message));
    }
    // Allow one byte more than the limit, so that the function itself can reject a body that is
    // slightly too large.
    match Limited::new(body, MAX_BODY_BYTES + 1).collect().await {
        Ok(body) if invoke.is_some() => Ok(serve_invoke::event(body.to_bytes())),
        Ok(body) => Ok(function_url_event(head, &body.to_bytes()).to_string().into()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let message =
                format!("the request body is larger than the maximum of {MAX_BODY_BYTES} bytes");
            Err(Error::new(ErrorKind::RequestTooLarge, message))
        }
        Err(_) => Err(Error::invalid(
            "",
            "the connection was closed before the request body was complete",
        )),
    }
}

/// Rejects requests from foreign web pages if the server listens on a loopback address. A page that
/// the user visits must not be able to use the user's keys, either by cross-origin requests or by
/// DNS rebinding.
fn check_host_and_origin(address: SocketAddr, headers: &HeaderMap) -> Result<(), String> {
    if !address.ip().is_loopback() {
        return Ok(());
    }
    for name in [header::HOST, header::ORIGIN] {
        if headers.get_all(&name).iter().count() > 1 {
            return Err(format!("the request has more than one {name} header"));
        }
    }
    let header_text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host_name = |host: &str| {
        let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
        name.map_or(host, |(name, _)| name).to_ascii_lowercase()
    };
    let own_name = match address.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let is_local = |host: &str| {
        let name = host_name(host);
        matches!(&*name, "localhost" | "127.0.0.1" | "[::1]") || name == own_name
    };
    match header_text(header::HOST) {
        Some(host) if is_local(host) => {}
        Some(host) => return Err(format!("the host {host} is not allowed; use localhost")),
        None => return Err("the request has no host header".to_owned()),
    }
    // Pages on other ports of this machine, such as those of development servers, are rejected too.
    let own_port = address.port().to_string();
    // Another program may listen on the same port of another address.
    let is_own = |host: &str| {
        let port = host.rsplit_once(':').map_or("80", |(_, port)| port);
        let name = host_name(host);
        (name == "localhost" || name == own_name) && port == own_port
    };
    match header_text(header::ORIGIN) {
        None => Ok(()),
        Some(origin) => match origin.split_once("://") {
            Some(("http", host)) if is_own(host) => Ok(()),
            _ => Err(format!("the origin {origin} is not allowed; use a page of this server")),
        },
    }
}

fn function_url_event(head: &Parts, body: &Bytes) -> Value {
    let mut headers = Map::new();
    for name in head.headers.keys() {
        let values: Vec<&str> =
            head.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        headers.insert(name.as_str().to_owned(), json!(values.join(",")));
    }
    // As on AWS, the body is encoded as base64 unless its content type is a text type. The default
    // content type of `curl -d` is not one.
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
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|content_type| {
        let content_type = content_type.trim().to_lowercase();
        ["text/", "application/json", "application/javascript", "application/xml"]
            .iter()
            .any(|prefix| content_type.starts_with(prefix))
    })
}

/// Converts the function's response to an HTTP response.
fn http_response(value: &Value) -> Response<Full<Bytes>> {
    let status = value.get("statusCode").and_then(Value::as_u64);
    let status = status.and_then(|code| u16::try_from(code).ok()).unwrap_or(200);
    let mut response = Response::builder().status(status);
    for (name, value) in value.get("headers").and_then(Value::as_object).into_iter().flatten() {
        response = response.header(name, value.as_str().unwrap_or_default());
    }
    let body = value.get("body").and_then(Value::as_str).unwrap_or_default().to_owned();
    response.body(Full::from(body)).unwrap_or_default()
}

fn log(server: &Server, target: &str, status: u16, line: &LogLine) {
    if let Some(level) = server.json_log_level {
        if let Some(text) = line.to_json(level) {
            output::print(&String::from_utf8_lossy(&text));
        }
        return;
    }
    let report = &line.report;
    let mut text = format!("{target} {status} {} ms", line.duration.as_millis());
    if let (Some(provider), Some(model)) = (&report.provider, &report.model) {
        text.push_str(&format!(" {provider} {model}"));
    }
    if report.attempts > 0 {
        text.push_str(&format!(" {} tokens", report.usage.total_tokens));
    }
    if let Some(error) = &line.error {
        text.push_str(&format!(" {}", error.kind()));
    }
    match line.warning_count() {
        0 => {}
        1 => text.push_str(" 1 warning"),
        count => text.push_str(&format!(" {count} warnings")),
    }
    anstream::eprintln!("{}", escape_controls(&text));
    for warning in &line.warnings {
        output::print_warning(warning, false);
    }
    // A warning can quote a request, which a file that collects the output should not contain.
    if std::io::stderr().is_terminal() {
        for warning in &report.warnings {
            output::print_warning(warning, false);
        }
    }
}
