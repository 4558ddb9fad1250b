//! What a running simulator knows, and the one place where a call's fate is decided.
//!
//! In: a call as it arrived. Out: `Decided`, after the call was written to the journal. The
//! order: a scripted status or fault, then the service's refusals, then a scripted answer, then
//! the simulated one.

use crate::action::{Decided, Manner};
use crate::answer;
use crate::dialects::{self, Ask, Dialect, Refusal};
use crate::journal::{self, Answered, Call};
use crate::script::{Queue, Seen, Step};
use crate::simulator::Observer;
use crate::then::{Fault, Then};
use bytes::Bytes;
use http::Method;
use http::request::Parts;
use serde_json::Value;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

const HTML: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
                    <center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";

/// What a running simulator knows.
pub(crate) struct State {
    started: Instant,
    observer: Observer,
    script: Mutex<Queue>,
    journal: Mutex<Journal>,
}

#[derive(Default)]
struct Journal {
    calls: Vec<Call>,
    sequence: u64,
}

/// A call as it arrived.
pub(crate) struct Arrived<'a> {
    /// Method, path and headers.
    pub(crate) head: &'a Parts,
    /// The body; empty when it was too large.
    pub(crate) raw: &'a [u8],
    /// Whether the body went over the dialect's limit.
    pub(crate) too_large: bool,
    /// The number of the TCP connection.
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

    /// Whether the connection is to be closed before the body is read.
    pub(crate) fn drop_early(&self, dialect: &dyn Dialect, head: &Parts, connection: u64) -> bool {
        let early = lock(&self.script).take_early(dialect.name());
        if early {
            let arrived = Arrived { head, raw: &[], too_large: false, connection };
            let fault = Some(Fault::DropEarly.name().to_owned());
            let answered = Answered { status: None, fault };
            self.write(Some(dialect), &arrived, None, answered);
        }
        early
    }

    /// Decides what a call gets, and writes it to the journal.
    pub(crate) fn decide(&self, dialect: Option<&dyn Dialect>, arrived: &Arrived<'_>) -> Decided {
        let json: Option<Value> = serde_json::from_slice(arrived.raw).ok();
        let (decided, fault) = match dialect {
            None => (unknown_path(arrived.head), None),
            Some(dialect) if arrived.head.method != Method::POST => {
                let message = format!("Only POST is served here, not {}.", arrived.head.method);
                let decided = Decided::json(405, &dialect.error(405, &message));
                (decided.header("allow", "POST"), None)
            }
            Some(dialect) => self.fate(dialect, arrived, json.as_ref()),
        };
        let silent = matches!(decided.manner, Manner::Never | Manner::Drop);
        let status = (!silent).then_some(decided.status);
        let fault = fault.map(|fault| fault.name().to_owned());
        let number = self.write(dialect, arrived, json.as_ref(), Answered { status, fault });
        match dialect {
            Some(dialect) => {
                decided.header(dialect.request_id_header(), &format!("req_sim{number:06}"))
            }
            None => decided,
        }
    }

    fn fate(
        &self,
        dialect: &dyn Dialect,
        arrived: &Arrived<'_>,
        json: Option<&Value>,
    ) -> (Decided, Option<Fault>) {
        let path = arrived.head.uri.path();
        let decoded = dialects::decoded(path);
        let ask = Ask {
            path,
            decoded: &decoded,
            headers: &arrived.head.headers,
            body: json.unwrap_or(&Value::Null),
            raw: arrived.raw,
            is_json: json.is_some(),
        };
        let prompt = dialect.prompt(&ask);
        let seen = Seen { dialect: dialect.name(), model: dialect.model(&ask), prompt: &prompt };
        let refused = match arrived.too_large {
            true => Some(too_large(dialect)),
            false => dialect.refuse(&ask).err(),
        };
        let then = {
            let mut script = lock(&self.script);
            let goes_first = script
                .peek(&seen)
                .is_some_and(|step| matches!(step.then, Then::Status { .. } | Then::Fault(_)));
            match goes_first || refused.is_none() {
                true => script.take(&seen),
                false => None,
            }
        };
        match then {
            Some(Then::Status { status, headers, body }) => {
                let decided = match body {
                    Some(body) => Decided::json(status, &body),
                    None => shaped(dialect, status, &dialect.error(status, "scripted")),
                };
                let add = |decided: Decided, (name, value): &(String, String)| {
                    decided.header(name, value)
                };
                (headers.iter().fold(decided, add), None)
            }
            Some(Then::Fault(fault)) => {
                let usual = || self.usual(dialect, &ask, refused, None);
                (faulty(&fault, usual), Some(fault))
            }
            then => (self.usual(dialect, &ask, refused, then.as_ref()), None),
        }
    }

    fn usual(
        &self,
        dialect: &dyn Dialect,
        ask: &Ask<'_>,
        refused: Option<Refusal>,
        then: Option<&Then>,
    ) -> Decided {
        if let Some(Refusal { status, body }) = refused {
            return shaped(dialect, status, &body);
        }
        if let Some(Then::Json(body)) = then {
            return Decided::json(200, body);
        }
        let number = lock(&self.journal).sequence + 1;
        let answer = answer::answer(&dialect.wish(ask), then);
        shaped(dialect, 200, &dialect.reply(ask, &answer, number))
    }

    fn write(
        &self,
        dialect: Option<&dyn Dialect>,
        arrived: &Arrived<'_>,
        json: Option<&Value>,
        answered: Answered,
    ) -> u64 {
        let at = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut call = Call {
            sequence: 0,
            dialect: dialect.map(|dialect| dialect.name().to_owned()),
            method: arrived.head.method.to_string(),
            path: journal::path(&arrived.head.uri),
            headers: journal::headers(&arrived.head.headers),
            body: journal::body(arrived.raw, json),
            at,
            connection: arrived.connection,
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

/// A body with the headers that the dialect sends along.
fn shaped(dialect: &dyn Dialect, status: u16, body: &Value) -> Decided {
    let headers = dialect.headers(status, body);
    let add = |decided: Decided, (name, value): &(&str, String)| decided.header(name, value);
    headers.iter().fold(Decided::json(status, body), add)
}

fn faulty(fault: &Fault, usual: impl FnOnce() -> Decided) -> Decided {
    let none = || Decided::bytes(200, "application/json", Bytes::new());
    match fault {
        Fault::Hang => none().manner(Manner::Never),
        Fault::Drop | Fault::DropEarly => none().manner(Manner::Drop),
        Fault::Truncate => usual().manner(Manner::Half),
        Fault::BadJson => {
            let whole = usual().body;
            let cut = whole.slice(..whole.len() / 2);
            Decided::bytes(200, "application/json", cut)
        }
        Fault::Slow(wait) => Decided { wait: *wait, ..usual() },
        Fault::Endless => {
            let beginning = Bytes::from_static(b"{\"id\":\"endless\",\"content\":\"");
            let decided = Decided::bytes(200, "application/json", beginning);
            decided.manner(Manner::Endless)
        }
        Fault::Html => Decided::bytes(502, "text/html", Bytes::from_static(HTML.as_bytes())),
        Fault::CloseIdle(after) => Decided { close_after: Some(*after), ..usual() },
        Fault::Redirect(location) => {
            Decided::bytes(307, "text/plain", Bytes::new()).header("location", location)
        }
    }
}

fn too_large(dialect: &dyn Dialect) -> Refusal {
    Refusal { status: 413, body: dialect.error(413, "Request exceeds the maximum size") }
}

/// Nobody serves this path: the answer is shaped for whom the headers speak of.
fn unknown_path(head: &Parts) -> Decided {
    let dialect = dialects::by_headers(&head.headers);
    let message = format!("Unknown request URL: {} {}.", head.method, head.uri.path());
    Decided::json(404, &dialect.error(404, &message))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
