//! The HTTP server: reads requests, has their service decide them, carries out what was decided.
//!
//! In: a listener. Out: answers, or the faults that replace them. What is asked of which service is
//! said in its file; a row each in the table below.

use super::fault::{Action, Operation};
use super::object_store::{Call, Kept};
use super::{Shared, event_bridge, s3, sqs};
use crate::accept;
use crate::action::{self, Body, Decided, Dropped, Manner};
use crate::dialects::decoded;
use crate::sigv4::{self, Kind, Signed};
use bytes::Bytes;
use http::request::Parts;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response};
use std::sync::Arc;
use tokio::net::TcpListener;

/// The services; the first that serves a request does. S3 takes what is left.
static SERVICES: &[&dyn Service] = &[&sqs::Sqs, &event_bridge::EventBridge, &s3::S3];

/// More than anybody is asked to keep here.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// A service, as it reads requests and answers them.
pub(super) trait Service: Sync {
    /// Its name in signatures.
    fn signs_as(&self) -> &'static str;

    /// Whether a request is for it.
    fn serves(&self, ask: &Ask<'_>) -> bool;

    /// What is asked for, and the name that faults and calls have for whom it is about.
    fn asked(&self, ask: &Ask<'_>) -> Option<(Operation, String)>;

    /// Does it.
    fn act(&self, ask: &Ask<'_>, kept: &mut Kept) -> Result<Decided, Refusal>;

    /// The answer of a refusal.
    fn refused(&self, ask: &Ask<'_>, refusal: &Refusal) -> Decided;

    /// The status and the code for a signature that is no good.
    fn unsigned(&self, kind: Kind) -> (u16, &'static str);

    /// The header in which it numbers its answers.
    fn request_id_header(&self) -> &'static str;
}

/// A request, read.
pub(super) struct Ask<'a> {
    pub(super) head: &'a Parts,
    /// The path, decoded.
    pub(super) path: String,
    pub(super) body: &'a Bytes,
}

impl Ask<'_> {
    /// A header's value, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

/// Why a service refuses.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
}

/// A refusal in these words.
pub(super) fn refusal(status: u16, code: &str, message: &str) -> Refusal {
    Refusal { status, code: code.to_owned(), message: message.to_owned() }
}

/// Serves until the task is aborted.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    accept::serve(listener, move |request| serve(request, Arc::clone(&shared))).await;
}

async fn serve(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Body>, Dropped> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_LIMIT).collect().await.map_err(|_| Dropped)?.to_bytes();
    let ask = Ask { head: &head, path: decoded(head.uri.path()), body: &body };
    let Some(service) = SERVICES.iter().copied().find(|service| service.serves(&ask)) else {
        return Err(Dropped);
    };
    let decided = decide(service, &ask, &shared).await;
    let id = shared.lock().next_id();
    action::carry_out(decided.header(service.request_id_header(), &id)).await
}

async fn decide(service: &dyn Service, ask: &Ask<'_>, shared: &Shared) -> Decided {
    if let Err(refusal) = signed(service, ask) {
        return service.refused(ask, &refusal);
    }
    let Some((operation, name)) = service.asked(ask) else {
        let what = "A header or a method you provided implies functionality that is not there";
        return service.refused(ask, &refusal(501, "NotImplemented", what));
    };
    let deed = shared.lock().met(operation, &name);
    if let Some(Action::Delay(wait)) = deed {
        tokio::time::sleep(wait).await;
    }
    let mut kept = shared.lock();
    let scripted = |status: u16, code: &str| {
        service.refused(ask, &refusal(status, code, "The simulator was asked to say so"))
    };
    let mut done = false;
    let mut act = || match service.act(ask, &mut kept) {
        Ok(decided) => {
            done = true;
            decided
        }
        Err(refusal) => service.refused(ask, &refusal),
    };
    let decided = match deed {
        Some(Action::Refuse(status, code)) => scripted(status, &code),
        Some(Action::Drop) => scripted(500, "").manner(Manner::Drop),
        Some(Action::Hang) => scripted(500, "").manner(Manner::Never),
        Some(Action::DoneThenDrop) => act().manner(Manner::Drop),
        Some(Action::DoneThenHang) => act().manner(Manner::Never),
        Some(Action::DoneThenRefuse(status, code)) => {
            act();
            scripted(status, &code)
        }
        Some(Action::FailEntries(code)) if operation == Operation::PutEvents => {
            event_bridge::failed(ask, &code)
        }
        Some(Action::Delay(_) | Action::FailEntries(_)) | None => act(),
    };
    let status = (decided.manner == Manner::Whole).then_some(decided.status);
    kept.calls.push(Call { operation, name, status, done });
    decided
}

fn signed(service: &dyn Service, ask: &Ask<'_>) -> Result<(), Refusal> {
    sigv4::check(&Signed {
        service: service.signs_as(),
        method: ask.head.method.as_str(),
        path: ask.head.uri.path(),
        query: ask.head.uri.query().unwrap_or_default(),
        headers: &ask.head.headers,
        body: ask.body,
    })
    .map_err(|fault| {
        let (status, code) = service.unsigned(fault.kind);
        refusal(status, code, &fault.message)
    })
}
