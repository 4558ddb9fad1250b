//! The control endpoints below `/_simulator/`, on the same port as the dialects.
//!
//! In: `GET` and `DELETE` of the journal, `POST` and `DELETE` of the script, `GET` of the health.
//! Out: JSON. None of these calls is written to the journal.

use crate::action::{self, Body, Decided};
use crate::script;
use crate::state::State;
use http::Method;
use http::request::Parts;
use hyper::Response;
use serde_json::{Value, json};

const ROOT: &str = "/_simulator/";

/// Whether a path is one of the simulator's own.
pub(crate) fn serves(path: &str) -> bool {
    path.starts_with(ROOT)
}

/// Answers a control call.
pub(crate) fn answer(head: &Parts, raw: &[u8], state: &State) -> Response<Body> {
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
        (_, "health" | "journal" | "script") => (405, message("this method is not served here")),
        _ => (404, message("served are health, journal and script")),
    };
    action::response(Decided::json(status, &body))
}

fn append(raw: &[u8], state: &State) -> (u16, Value) {
    let script = match serde_json::from_slice(raw) {
        Ok(script) => script,
        Err(error) => return (400, message(&format!("the script is not JSON: {error}"))),
    };
    match script::parse(script) {
        Ok(steps) => {
            let count = steps.len();
            state.append(steps);
            (200, json!({"status": "ok", "steps": count}))
        }
        Err(error) => (400, message(&error.to_string())),
    }
}

fn message(text: &str) -> Value {
    json!({"message": text})
}
