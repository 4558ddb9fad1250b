//! Events of a bus, and what a template of a pipe or a rule made to look like one.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>

use llm_exe::Error;
use serde_json::Value;

use super::direct::alone;
use crate::shapes::{self, said};
use crate::wrappings::{self, Way};
use crate::{EventSource, Invocation, Record, Settled, batch};

/// `detail-type` and `detail`.
pub(crate) struct EventBridge;

impl EventSource for EventBridge {
    fn name(&self) -> &'static str {
        "eventbridge"
    }

    fn recognises(&self, event: &Value) -> bool {
        shapes::is_bus_event(event)
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        let id = said(&event, "/id").unwrap_or(&invocation.request_id).to_owned();
        let asks = wrappings::bus_event(Way::new("eventbridge", &id), event);
        Ok(batch::each_once(vec![Record { id, group: None, asks }]))
    }

    fn respond(&self, _: &Invocation, settled: Vec<Settled>) -> Result<Value, Error> {
        alone(settled)
    }
}
