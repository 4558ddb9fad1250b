//! The HTTP server. It reads requests, passes them to the service that executes them, and injects
//! faults.

use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response};
use llm_exe_simulator::response::{self, Body, ConnectionDropped, Delivery, PlannedResponse};
use llm_exe_simulator::sigv4::{self, SignedRequest};
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;

use super::fault::{Action, Operation};
use super::service::{Rejection, Service, ServiceRequest};
use super::store::{RecordedCall, SharedStore};
use super::{event_bridge, s3, sqs};
use crate::accept;

/// The services in the order in which they are tried. S3 is last because it accepts every request.
static SERVICES: &[&dyn Service] = &[&sqs::Sqs, &event_bridge::EventBridge, &s3::S3];

/// The maximum body size in bytes, which is larger than any object in tests.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// The message of injected errors.
const SCRIPTED: &str = "this error was injected by the simulator";

/// Serves connections until the task is aborted.
pub(super) async fn run(listener: TcpListener, store: Arc<SharedStore>) {
    accept::serve(listener, move |request| serve(request, Arc::clone(&store))).await;
}

async fn serve(
    request: Request<Incoming>,
    store: Arc<SharedStore>,
) -> Result<Response<Body>, ConnectionDropped> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_LIMIT).collect().await.map_err(|_| ConnectionDropped)?;
    let body = body.to_bytes();
    let path = percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned();
    let request = ServiceRequest { head: &head, path, body: &body };
    let Some(service) = SERVICES.iter().copied().find(|service| service.serves(&request)) else {
        return Err(ConnectionDropped);
    };
    let planned = decide(service, &request, &store).await;
    let id = store.lock().next_id();
    response::deliver(planned.with_header(service.request_id_header(), &id)).await
}

/// Executes a request, injects a fault if one matches, and records the call.
async fn decide(
    service: &dyn Service,
    request: &ServiceRequest<'_>,
    store: &SharedStore,
) -> PlannedResponse {
    if let Err(rejection) = check_signature(service, request) {
        return service.error_response(request, &rejection);
    }
    let Some((operation, name)) = service.operation(request) else {
        let message = "A header you provided implies functionality that is not implemented";
        let rejection = Rejection::new(501, "NotImplemented", message);
        return service.error_response(request, &rejection);
    };
    let action = store.lock().next_action(operation, &name);
    if let Some(Action::Delay(wait)) = action {
        tokio::time::sleep(wait).await;
    }
    let mut store = store.lock();
    let scripted_error = |status: u16, code: &str| {
        service.error_response(request, &Rejection::new(status, code, SCRIPTED))
    };
    let mut done = false;
    let mut execute = || match service.execute(request, &mut store) {
        Ok(planned) => {
            done = true;
            planned
        }
        Err(rejection) => service.error_response(request, &rejection),
    };
    let planned = match action {
        Some(Action::Refuse(status, code)) => scripted_error(status, &code),
        Some(Action::Drop) => scripted_error(500, "").with_delivery(Delivery::Drop),
        Some(Action::Hang) => scripted_error(500, "").with_delivery(Delivery::Never),
        Some(Action::DoneThenDrop) => execute().with_delivery(Delivery::Drop),
        Some(Action::DoneThenHang) => execute().with_delivery(Delivery::Never),
        Some(Action::DoneThenRefuse(status, code)) => {
            execute();
            scripted_error(status, &code)
        }
        Some(Action::FailEntries(code)) if operation == Operation::PutEvents => {
            event_bridge::failed_entries(request, &code, SCRIPTED)
        }
        Some(Action::Delay(_) | Action::FailEntries(_)) | None => execute(),
    };
    let status = (planned.delivery == Delivery::Full).then_some(planned.status);
    store.calls.push(RecordedCall { operation, name, status, done });
    planned
}

fn check_signature(service: &dyn Service, request: &ServiceRequest<'_>) -> Result<(), Rejection> {
    sigv4::check(&SignedRequest {
        service: service.signing_name(),
        method: request.head.method.as_str(),
        path: request.head.uri.path(),
        query: request.head.uri.query().unwrap_or_default(),
        headers: &request.head.headers,
        body: request.body,
    })
    .map_err(|error| {
        let (status, code) = service.signature_error(error.kind);
        Rejection::new(status, code, &error.message)
    })
}
