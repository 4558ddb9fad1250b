//! The control endpoints under `/_simulator/`, for health checks, the journal and the script. They
//! share a port with the simulated APIs, but the journal does not record calls to them.

use http::Method;
use http::request::Parts;
use hyper::Response;
use serde_json::{Value, json};

use crate::response::{self, Body, PlannedResponse};
use crate::script;
use crate::state::State;

const ROOT: &str = "/_simulator/";

/// Whether a path belongs to the control endpoints.
pub(crate) fn serves(path: &str) -> bool {
    path.starts_with(ROOT)
}

/// Handles a call to a control endpoint.
pub(crate) fn handle(head: &Parts, raw: &[u8], state: &State) -> Response<Body> {
    let name = head.uri.path().trim_start_matches(ROOT);
    let (status, body) = match (&head.method, name) {
        (&Method::GET, "health") => (200, json!({"status": "ok"})),
        (&Method::GET, "journal") => (200, json!(state.journal())),
        (&Method::DELETE, "journal") => {
            state.clear_journal();
            (200, json!({"status": "ok"}))
        }
        (&Method::POST, "script") => append(raw, state),
        (&Method::DELETE, "script") => {
            state.clear_script();
            (200, json!({"status": "ok"}))
        }
        (method, "health" | "journal" | "script") => {
            let expected = match name {
                "health" => "GET",
                "journal" => "GET or DELETE",
                _ => "POST or DELETE",
            };
            let message = format!("{ROOT}{name}: expected method {expected}, got {method}");
            (405, error_body(&message))
        }
        _ => {
            let message = format!(
                "unknown path {ROOT}{name}: expected {ROOT}health, {ROOT}journal or {ROOT}script"
            );
            (404, error_body(&message))
        }
    };
    response::build(PlannedResponse::json(status, &body))
}

fn append(raw: &[u8], state: &State) -> (u16, Value) {
    let script = match serde_json::from_slice(raw) {
        Ok(script) => script,
        Err(error) => return (400, error_body(&format!("the script is not valid JSON: {error}"))),
    };
    match script::parse(script) {
        Ok(steps) => {
            let count = steps.len();
            state.append(steps);
            (200, json!({"status": "ok", "steps": count}))
        }
        Err(error) => (400, error_body(&error.to_string())),
    }
}

fn error_body(message: &str) -> Value {
    json!({"message": message})
}
