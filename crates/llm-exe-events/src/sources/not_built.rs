//! Events of sources that this version does not serve yet: refused by name, never run as a direct
//! request by mistake.

use llm_exe::Error;
use serde_json::Value;

use super::direct::alone;
use crate::{EventSource, Invocation, Record, Settled};

/// Queues, topics, buckets, buses, REST APIs and load balancers.
pub(crate) struct NotBuilt;

impl EventSource for NotBuilt {
    fn name(&self) -> &'static str {
        "unsupported"
    }

    fn recognises(&self, event: &Value) -> bool {
        name(event).is_some()
    }

    fn records(&self, event: Value, _: &Invocation) -> Result<Vec<Record>, Error> {
        let name = name(&event).unwrap_or_default();
        let text = format!("events of {name} are not built yet in this version");
        Err(Error::invalid("", text))
    }

    fn respond(&self, _: &Invocation, settled: Vec<Settled>) -> Result<Value, Error> {
        alone(settled)
    }
}

fn name(event: &Value) -> Option<String> {
    let records = event.as_array().or_else(|| event.get("Records").and_then(Value::as_array));
    if let Some(first) = records.and_then(|records| records.first()) {
        let source = first.get("eventSource").or_else(|| first.get("EventSource"))?;
        return Some(source.as_str().unwrap_or("an unknown source").to_owned());
    }
    if event.get("Records").is_some_and(Value::is_array) {
        return Some("an empty batch".to_owned());
    }
    if event.get("httpMethod").is_some() && event.get("path").is_some() {
        let is_alb = event.pointer("/requestContext/elb").is_some();
        let name = if is_alb { "a load balancer" } else { "an API Gateway REST API" };
        return Some(name.to_owned());
    }
    let detail = event.get("detail").is_some() && event.get("detail-type").is_some();
    detail.then(|| "EventBridge".to_owned())
}
