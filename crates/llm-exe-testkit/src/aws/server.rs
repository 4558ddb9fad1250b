//! The HTTP server. It reads requests, passes them to the service that executes them, and injects
//! faults.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response};
use llm_exe_simulator::response::{self, Body, ConnectionDropped, Delivery, PlannedResponse};
use llm_exe_simulator::sigv4::{self, SignedRequest};
use tokio::net::TcpListener;

use super::fault::{Action, Operation};
use super::service::{Rejection, Service, ServiceRequest};
use super::store::{RecordedCall, SharedStore};
use super::{event_bridge, lambda, s3, sqs};
use crate::accept;

/// The services in the order in which they are tried. S3 is last because it accepts every request.
static SERVICES: &[&dyn Service] =
    &[&sqs::Sqs, &event_bridge::EventBridge, &lambda::Lambda, &s3::S3];

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
    if drops_early(&head, &store) {
        return Err(ConnectionDropped);
    }
    let body = Limited::new(body, BODY_LIMIT).collect().await.map_err(|_| ConnectionDropped)?;
    let body = body.to_bytes();
    let request = ServiceRequest::new(&head, &body);
    let service = find_service(&request).ok_or(ConnectionDropped)?;
    let planned = decide(service, &request, &store).await;
    let id = store.lock().next_id();
    response::deliver(planned.with_header(service.request_id_header(), &id)).await
}

fn find_service(request: &ServiceRequest<'_>) -> Option<&'static dyn Service> {
    SERVICES.iter().copied().find(|service| service.serves(request))
}

/// Records the call if a fault closes its connection before the body is read.
fn drops_early(head: &Parts, store: &SharedStore) -> bool {
    let no_body = Bytes::new();
    let request = ServiceRequest::new(head, &no_body);
    let Some((operation, name)) =
        find_service(&request).and_then(|service| service.operation(&request))
    else {
        return false;
    };
    let mut store = store.lock();
    let is_dropped = store.drops_early(operation, &name);
    if is_dropped {
        store.calls.push(RecordedCall { operation, name, status: None, done: false });
    }
    is_dropped
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
        Some(Action::Throttle(seconds)) => scripted_error(429, "TooManyRequestsException")
            .with_header("retry-after", &seconds.to_string()),
        Some(Action::Drop | Action::DropEarly) => {
            scripted_error(500, "").with_delivery(Delivery::Drop)
        }
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
