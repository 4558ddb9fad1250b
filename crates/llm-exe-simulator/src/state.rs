//! The state of a running simulator, which decides the response to each call.
//!
//! A scripted status or fault takes precedence. Otherwise, an invalid request is rejected, and a
//! valid request gets the scripted reply or, by default, a simulated reply. Every call is recorded
//! in the journal.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::Method;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::completion;
use crate::dialects::{self, Dialect, ProviderRequest, Rejection};
use crate::journal::{self, Call, CallOutcome, Observer};
use crate::response::{Delivery, PlannedResponse, PlannedStream};
use crate::script::response::{Fault, ScriptedResponse};
use crate::script::stream::StreamScript;
use crate::script::{CallInfo, Script, Step};

const HTML: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
                    <center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";

/// The script and the journal of a running simulator.
pub(crate) struct State {
    started: Instant,
    observer: Observer,
    script: Mutex<Script>,
    journal: Mutex<Journal>,
}

#[derive(Default)]
struct Journal {
    calls: Vec<Call>,
    sequence: u64,
}

/// A call as the server received it.
pub(crate) struct ReceivedCall<'a> {
    /// The method, path and headers.
    pub(crate) head: &'a Parts,
    /// The body, which is empty if it was too large.
    pub(crate) raw: &'a [u8],
    /// Whether the body exceeded the dialect's limit.
    pub(crate) too_large: bool,
    /// The number of the TCP connection that carried the call.
    pub(crate) connection: u64,
}

impl State {
    pub(crate) fn new(observer: Observer) -> Self {
        Self {
            started: Instant::now(),
            observer,
            script: Mutex::default(),
            journal: Mutex::default(),
        }
    }

    pub(crate) fn append(&self, steps: Vec<Step>) {
        lock(&self.script).append(steps);
    }

    pub(crate) fn clear_script(&self) {
        lock(&self.script).clear();
    }

    pub(crate) fn journal(&self) -> Vec<Call> {
        lock(&self.journal).calls.clone()
    }

    pub(crate) fn clear_journal(&self) {
        *lock(&self.journal) = Journal::default();
    }

    /// Whether the next scripted step closes the connection before the body is read. If so, the
    /// step is used up and the call is recorded.
    pub(crate) fn drop_early(&self, dialect: &dyn Dialect, head: &Parts, connection: u64) -> bool {
        let drop_early = lock(&self.script).take_drop_early(dialect.name());
        if drop_early {
            let call = ReceivedCall { head, raw: &[], too_large: false, connection };
            let fault = Some(Fault::DropEarly.name().to_owned());
            self.record(Some(dialect), &call, None, CallOutcome { status: None, fault });
        }
        drop_early
    }

    /// Decides the response to a call and records the call in the journal.
    pub(crate) fn decide(
        &self,
        dialect: Option<&dyn Dialect>,
        call: &ReceivedCall<'_>,
    ) -> PlannedResponse {
        let json: Option<Value> = serde_json::from_slice(call.raw).ok();
        let (response, fault) = match dialect {
            None => (unknown_path(call.head), None),
            Some(dialect) if call.head.method != Method::POST => {
                let message = format!("Method {} is not allowed. Use POST.", call.head.method);
                let response = PlannedResponse::json(405, &dialect.error(405, &message));
                (response.with_header("allow", "POST"), None)
            }
            Some(dialect) => self.respond(dialect, call, json.as_ref()),
        };
        let is_silent = matches!(response.delivery, Delivery::Never | Delivery::Drop);
        let status = (!is_silent).then_some(response.status);
        let fault = fault.map(|fault| fault.name().to_owned());
        let number = self.record(dialect, call, json.as_ref(), CallOutcome { status, fault });
        match dialect {
            Some(dialect) => {
                response.with_header(dialect.request_id_header(), &format!("req_sim{number:06}"))
            }
            None => response,
        }
    }

    /// Decides the response to a request. Returns it together with the injected fault, if any.
    fn respond(
        &self,
        dialect: &dyn Dialect,
        call: &ReceivedCall<'_>,
        json: Option<&Value>,
    ) -> (PlannedResponse, Option<Fault>) {
        let path = call.head.uri.path();
        let decoded = percent_decode_str(path).decode_utf8_lossy();
        let request = ProviderRequest {
            query: call.head.uri.query().unwrap_or_default(),
            path,
            decoded: &decoded,
            headers: &call.head.headers,
            body: json.unwrap_or(&Value::Null),
            raw: call.raw,
            is_json: json.is_some(),
        };
        let rejection = if call.too_large {
            Some(too_large(dialect))
        } else {
            dialect.validate(&request).err()
        };
        match self.scripted_response(dialect, &request, rejection.is_some()) {
            Some((ScriptedResponse::Status { status, headers, body }, _)) => {
                let response = match body {
                    Some(body) => PlannedResponse::json(status, &body),
                    None => {
                        let body = dialect.error(status, "scripted");
                        with_dialect_headers(dialect, status, &body)
                    }
                };
                let add = |response: PlannedResponse, (name, value): &(String, String)| {
                    response.with_header(name, value)
                };
                (headers.iter().fold(response, add), None)
            }
            Some((ScriptedResponse::Fault(fault), _)) => {
                let regular = || self.regular_response(dialect, &request, rejection, None);
                (faulty_response(&fault, regular), Some(fault))
            }
            scripted => {
                let scripted = scripted.as_ref();
                (self.regular_response(dialect, &request, rejection, scripted), None)
            }
        }
    }

    /// Takes the response to this request from the script. A rejected request can only use a
    /// scripted status or fault.
    fn scripted_response(
        &self,
        dialect: &dyn Dialect,
        request: &ProviderRequest<'_>,
        is_rejected: bool,
    ) -> Option<(ScriptedResponse, StreamScript)> {
        let prompt = dialect.prompt(request);
        let call =
            CallInfo { dialect: dialect.name(), model: dialect.model(request), prompt: &prompt };
        let mut script = lock(&self.script);
        let overrides_rejection = script.peek(&call).is_some_and(|step| {
            matches!(step.then, ScriptedResponse::Status { .. } | ScriptedResponse::Fault(_))
        });
        if overrides_rejection || !is_rejected { script.take(&call) } else { None }
    }

    /// Decides the response to a request, ignoring scripted statuses and faults.
    fn regular_response(
        &self,
        dialect: &dyn Dialect,
        request: &ProviderRequest<'_>,
        rejection: Option<Rejection>,
        scripted: Option<&(ScriptedResponse, StreamScript)>,
    ) -> PlannedResponse {
        if let Some(rejection) = rejection {
            return rejected_response(dialect, rejection);
        }
        let (scripted, script) = scripted.map(|(then, script)| (then, script.clone())).unzip();
        if let Some(ScriptedResponse::Json(body)) = scripted {
            return PlannedResponse::json(200, body);
        }
        let number = lock(&self.journal).sequence + 1;
        let completion = completion::complete(&dialect.completion_spec(request), scripted);
        if let Some(rejection) = dialect.reject_completion(request, &completion) {
            return rejected_response(dialect, rejection);
        }
        let reply = dialect.reply(request, &completion, number);
        if !dialect.is_streamed(request) {
            return with_dialect_headers(dialect, 200, &reply);
        }
        let events = dialect.stream(request, &reply);
        let script = script.unwrap_or_default();
        let pieces = script.split(events, dialect.stream_error("scripted"));
        let stream = PlannedStream { pieces, pause: script.pause(), end: script.end };
        // The headers with token counts belong to replies that are not streamed.
        let response = with_dialect_headers(dialect, 200, &Value::Null);
        response.with_header("content-type", dialect.stream_type()).with_stream(stream)
    }

    /// Adds a call to the journal and returns its sequence number.
    fn record(
        &self,
        dialect: Option<&dyn Dialect>,
        received: &ReceivedCall<'_>,
        json: Option<&Value>,
        answered: CallOutcome,
    ) -> u64 {
        let at = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut call = Call {
            sequence: 0,
            dialect: dialect.map(|dialect| dialect.name().to_owned()),
            method: received.head.method.to_string(),
            path: journal::path(&received.head.uri),
            headers: journal::headers(&received.head.headers),
            body: journal::body(received.raw, json),
            at,
            connection: received.connection,
            answered,
        };
        {
            let mut journal = lock(&self.journal);
            journal.sequence += 1;
            call.sequence = journal.sequence;
            journal.calls.push(call.clone());
        }
        (self.observer)(&call);
        call.sequence
    }
}

fn rejected_response(dialect: &dyn Dialect, rejection: Rejection) -> PlannedResponse {
    let Rejection { status, body, headers } = rejection;
    let response = with_dialect_headers(dialect, status, &body);
    let add = |response: PlannedResponse, (name, value): &(&str, String)| {
        response.with_header(name, value)
    };
    headers.iter().fold(response, add)
}

/// Builds a response with this body and the headers that the dialect sends with it.
fn with_dialect_headers(dialect: &dyn Dialect, status: u16, body: &Value) -> PlannedResponse {
    let headers = dialect.headers(status, body);
    let add = |response: PlannedResponse, (name, value): &(&str, String)| {
        response.with_header(name, value)
    };
    headers.iter().fold(PlannedResponse::json(status, body), add)
}

fn faulty_response(fault: &Fault, regular: impl FnOnce() -> PlannedResponse) -> PlannedResponse {
    let empty = || PlannedResponse::bytes(200, "application/json", Bytes::new());
    match fault {
        Fault::Hang => empty().with_delivery(Delivery::Never),
        Fault::Drop | Fault::DropEarly => empty().with_delivery(Delivery::Drop),
        Fault::Truncate => regular().with_delivery(Delivery::Truncated),
        Fault::BadJson => {
            let body = regular().body;
            let half = body.slice(..body.len() / 2);
            PlannedResponse::bytes(200, "application/json", half)
        }
        Fault::Slow(wait) => PlannedResponse { wait: *wait, ..regular() },
        Fault::Endless => {
            let beginning = Bytes::from_static(b"{\"id\":\"endless\",\"content\":\"");
            let response = PlannedResponse::bytes(200, "application/json", beginning);
            response.with_delivery(Delivery::Endless)
        }
        Fault::Html => {
            PlannedResponse::bytes(502, "text/html", Bytes::from_static(HTML.as_bytes()))
        }
        Fault::CloseIdle(after) => PlannedResponse { close_after: Some(*after), ..regular() },
        Fault::Redirect(location) => PlannedResponse::bytes(307, "text/plain", Bytes::new())
            .with_header("location", location),
    }
}

fn too_large(dialect: &dyn Dialect) -> Rejection {
    Rejection::new(413, dialect.error(413, "Request exceeds the maximum size"))
}

/// Builds a 404 response in the format of the dialect that the request headers suggest.
fn unknown_path(head: &Parts) -> PlannedResponse {
    let dialect = dialects::by_headers(&head.headers);
    let message = format!("Unknown request URL: {} {}.", head.method, head.uri.path());
    PlannedResponse::json(404, &dialect.error(404, &message))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
