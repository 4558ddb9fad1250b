//! Events of sources that are not served, several sources in one event, and lists that are none
//! of Pipes': refused by name, never run as a direct request by mistake.

use llm_exe::{Error, json};
use serde_json::Value;

use super::direct::alone;
use crate::shapes;
use crate::{EventSource, Invocation, Record, Settled};

/// What `Records` may be of.
const SERVED: &str = "aws:sqs, aws:sns or aws:s3";

/// The most names that a message tells.
const MOST_NAMED: usize = 5;

/// `Records` with a record, an `eventSource` without any, as of Kafka and MQ, and any list.
pub(crate) struct Unsupported;

impl EventSource for Unsupported {
    fn name(&self) -> &'static str {
        "unsupported"
    }

    fn recognises(&self, event: &Value) -> bool {
        let names_itself = shapes::source_of(event).is_some() && !shapes::is_request(event);
        let has_records = shapes::records(event).is_some_and(|items| !items.is_empty());
        event.is_array() || has_records || names_itself
    }

    fn records(&self, event: Value, _: &Invocation) -> Result<Vec<Record>, Error> {
        if let Some(name) = shapes::source_of(&event).map(json::quoted) {
            let text = format!("an event of {name} without Records of {SERVED} is not served");
            return Err(Error::invalid("eventSource", text));
        }
        let is_list = event.is_array();
        let items = shapes::into_items(event);
        let names = names(&items);
        Err(match (is_list, names.as_slice()) {
            (true, []) => Error::invalid(
                "",
                "the event is a list, and not one of messages of SQS as EventBridge Pipes deliver \
                 them; expected a request, a JSON object",
            ),
            (false, []) => Error::invalid("Records", "no record names its eventSource"),
            (true, names) => Error::invalid("", told("a list", names)),
            (false, names) => Error::invalid("Records", told("Records", names)),
        })
    }

    fn respond(&self, _: &Invocation, settled: Vec<Settled>) -> Result<Value, Error> {
        alone(settled)
    }
}

fn told(what: &str, names: &[String]) -> String {
    let served = match what {
        "a list" => "aws:sqs",
        _ => SERVED,
    };
    let shown = names.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = if names.len() > MOST_NAMED { " and others" } else { "" };
    match names {
        [_] => format!("events of {shown} are not served; expected {what} of {served}"),
        _ => format!("records of {shown}{more} in one event; expected one source: {served}"),
    }
}

/// The sources, each once, as messages quote them; records without one count as such.
fn names(items: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let named = items.iter().map(shapes::source_of);
    if named.clone().all(|name| name.is_none()) {
        return names;
    }
    for name in named {
        let name = name.map_or_else(|| "an unnamed source".to_owned(), json::quoted);
        if !names.contains(&name) {
            names.push(name);
        }
        if names.len() > MOST_NAMED {
            break;
        }
    }
    names
}
