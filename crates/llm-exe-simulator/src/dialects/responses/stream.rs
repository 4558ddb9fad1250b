//! Builds streams, which consist of `ResponseStreamEvent` objects.

use serde_json::{Value, json};

use crate::dialects::json::{array_field, str_field};
use crate::dialects::stream::{pieces, typed};

/// Returns the events that a response is streamed as.
pub(super) fn events(response: &Value) -> Vec<Vec<u8>> {
    let mut events = Vec::new();
    let mut add = |kind: &str, fields: Value| {
        let mut event = json!({"type": kind, "sequence_number": events.len()});
        if let (Some(event), Value::Object(fields)) = (event.as_object_mut(), fields) {
            event.extend(fields);
        }
        events.push(typed(&event));
    };
    let mut started = response.clone();
    started["status"] = json!("in_progress");
    started["output"] = json!([]);
    for name in ["completed_at", "incomplete_details", "usage"] {
        started[name] = Value::Null;
    }
    add("response.created", json!({ "response": started }));
    add("response.in_progress", json!({ "response": started }));
    for (index, item) in array_field(response, "output").iter().enumerate() {
        add_item(index, item, &mut add);
    }
    let status = str_field(response, "status").unwrap_or("completed");
    add(&format!("response.{status}"), json!({ "response": response }));
    events
}

fn add_item(index: usize, item: &Value, add: &mut dyn FnMut(&str, Value)) {
    let id = item.get("id").cloned().unwrap_or_default();
    let mut started = item.clone();
    started["status"] = json!("in_progress");
    for (name, empty) in
        [("content", json!([])), ("arguments", json!("")), ("encrypted_content", json!("gAAA"))]
    {
        if item.get(name).is_some() {
            started[name] = empty;
        }
    }
    add("response.output_item.added", json!({"output_index": index, "item": started}));
    for (at, part) in array_field(item, "content").iter().enumerate() {
        let place = json!({"item_id": id, "output_index": index, "content_index": at});
        let with = |name: &str, value: Value| {
            let mut fields = place.clone();
            fields[name] = value;
            fields
        };
        let (kind, name) = match str_field(part, "type") {
            Some("refusal") => ("response.refusal", "refusal"),
            _ => ("response.output_text", "text"),
        };
        let text = str_field(part, name).unwrap_or_default();
        add("response.content_part.added", with("part", json!({"type": part["type"], name: ""})));
        for piece in pieces(text) {
            add(&format!("{kind}.delta"), with("delta", json!(piece)));
        }
        add(&format!("{kind}.done"), with(name, json!(text)));
        add("response.content_part.done", with("part", part.clone()));
    }
    if let Some(arguments) = str_field(item, "arguments") {
        for piece in pieces(arguments) {
            let fields = json!({"item_id": id, "output_index": index, "delta": piece});
            add("response.function_call_arguments.delta", fields);
        }
    }
    add("response.output_item.done", json!({"output_index": index, "item": item}));
}
