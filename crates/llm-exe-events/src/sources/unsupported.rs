//! Rejects events that would otherwise be run as direct requests by mistake: events from
//! unsupported sources, events that mix several sources, and arrays that are not from EventBridge
//! Pipes.

use llm_exe::{Error, json};
use serde_json::Value;
use serde_json::value::RawValue;

use super::direct::only_result;
use crate::record::{FinishedRecord, Invocation, Record};
use crate::source::EventSource;
use crate::{envelopes, foreign, shapes};

/// Maximum number of source names listed in an error message.
const MAX_LISTED_NAMES: usize = 5;

/// Handles non-empty `Records`, events with an `eventSource` but no `Records` (Kafka and MQ),
/// events of other services, and all arrays. Supported sources match first.
pub(crate) struct Unsupported;

impl EventSource for Unsupported {
    fn name(&self) -> &'static str {
        "unsupported"
    }

    fn matches(&self, event: &Value) -> bool {
        let has_source = shapes::source_of(event).is_some() && !shapes::is_request(event);
        let has_records = shapes::records(event).is_some_and(|items| !items.is_empty());
        event.is_array() || has_records || has_source || foreign::service_of(event).is_some()
    }

    fn records(&self, event: Value, _: &Invocation) -> Result<Vec<Record>, Error> {
        let supported = envelopes::supported_sources();
        if let Some(name) = shapes::source_of(&event).map(json::quoted) {
            let message = format!(
                "an event from {name} without Records is not supported; expected Records from \
                 {supported}"
            );
            return Err(Error::invalid("eventSource", message));
        }
        if let Some(service) = foreign::service_of(&event) {
            return Err(foreign::unsupported(service));
        }
        let is_list = event.is_array();
        let items = shapes::into_items(event);
        let names = source_names(&items);
        Err(match (is_list, names.as_slice()) {
            (true, []) => Error::invalid(
                "",
                "the event is a list; expected a request (a JSON object) or a list of SQS messages \
                 from EventBridge Pipes",
            ),
            (false, []) => Error::invalid("Records", "no record has an eventSource"),
            (true, names) => Error::invalid("", unsupported_sources(names, "aws:sqs")),
            (false, names) => Error::invalid("Records", unsupported_sources(names, &supported)),
        })
    }

    fn respond(&self, _: &Invocation, records: &[FinishedRecord]) -> Result<Box<RawValue>, Error> {
        only_result(records)
    }
}

fn unsupported_sources(names: &[String], supported: &str) -> String {
    let listed = names.iter().take(MAX_LISTED_NAMES).cloned().collect::<Vec<_>>().join(", ");
    let more = if names.len() > MAX_LISTED_NAMES { " and others" } else { "" };
    match names {
        [_] => {
            format!("records from {listed} are not supported; expected records from {supported}")
        }
        _ => format!(
            "the event mixes records from {listed}{more}; expected records from one source: \
             {supported}"
        ),
    }
}

/// Returns the distinct source names, quoted for an error message. Records without a source are
/// listed as one unnamed source. If no record has a source, the list is empty.
fn source_names(items: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let sources = items.iter().map(shapes::source_of);
    if sources.clone().all(|source| source.is_none()) {
        return names;
    }
    for source in sources {
        let name = source.map_or_else(|| "an unnamed source".to_owned(), json::quoted);
        if !names.contains(&name) {
            names.push(name);
        }
        if names.len() > MAX_LISTED_NAMES {
            break;
        }
    }
    names
}
