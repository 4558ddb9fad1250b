//! What is said to the model beside the prompt: the schema, where the dialect has no place for
//! it, and what was wrong with an answer.

use serde_json::{Map, Value, json};

use super::check_reply::Fault;
use crate::chat::{Message, Part, Role};
use crate::schema::{Schema, referenced};

/// Adds the schema and an example to the first system message, or in front of the conversation.
pub(crate) fn add_schema(messages: &mut Vec<Message>, schema: &Schema) {
    let shown = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    let mut text = format!(
        "Answer with one JSON value and nothing else. It must satisfy this JSON Schema:\n\
         ```json\n{}\n```",
        shown(schema.written())
    );
    let example = example(schema.written(), schema.written(), 0, &mut MOST_NODES.clone());
    if schema.is_valid(&example) {
        text.push_str(&format!("\nFor example:\n```json\n{}\n```", shown(&example)));
    }
    let system = messages.iter_mut().find(|message| message.role == Role::System);
    match system {
        Some(message) => match message.content.last_mut() {
            Some(Part::Text(last)) => {
                last.push_str("\n\n");
                last.push_str(&text);
            }
            _ => message.content.push(Part::Text(text)),
        },
        None => messages.insert(0, Message::text(Role::System, text)),
    }
}

/// Adds the answer that did not fit, what is wrong with it, and what is wanted instead.
pub(crate) fn add_fault(messages: &mut Vec<Message>, fault: &Fault, wanted: &str) {
    if !fault.said.trim().is_empty() {
        messages.push(Message::text(Role::Assistant, fault.said.trim()));
    }
    let text = format!(
        "That answer can't be used: {}. Answer again, with {wanted} and nothing else.",
        fault.wrong
    );
    messages.push(Message::text(Role::User, text));
}

/// The most nodes of an example; a schema that doubles with each level has no use for one.
const MOST_NODES: usize = 500;

/// A plain value of the schema's shape: defaults, first choices, and the simplest of each type.
fn example(root: &Value, schema: &Value, depth: usize, left: &mut usize) -> Value {
    *left = left.saturating_sub(1);
    if depth > 16 || *left == 0 {
        return Value::Null;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        return referenced(root, target)
            .map_or(Value::Null, |to| example(root, to, depth + 1, left));
    }
    let first = |key: &str| schema.get(key).and_then(Value::as_array).and_then(|all| all.first());
    if let Some(value) = schema.get("default").or_else(|| schema.get("const")) {
        return value.clone();
    }
    if let Some(value) = first("examples").or_else(|| first("enum")) {
        return value.clone();
    }
    if let Some(form) = first("anyOf").or_else(|| first("oneOf")) {
        return example(root, form, depth + 1, left);
    }
    let kind = schema.get("type").and_then(Value::as_str).or_else(|| first("type")?.as_str());
    match kind {
        Some("string") => json!("text"),
        Some("integer") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("number") => schema.get("minimum").cloned().unwrap_or(json!(1.5)),
        Some("boolean") => json!(true),
        Some("array") => {
            let item = schema.get("items").map(|items| example(root, items, depth + 1, left));
            Value::Array(item.into_iter().collect())
        }
        Some("object") => {
            let mut fields = Map::new();
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                fields.insert(name.clone(), example(root, property, depth + 1, left));
            }
            Value::Object(fields)
        }
        _ => Value::Null,
    }
}
