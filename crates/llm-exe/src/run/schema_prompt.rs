//! Adds instructions to the prompt: the schema, if the API has no field for it, the choice of a
//! tool, if the model can't be forced to call one, or a request to correct an unusable reply.

use serde_json::{Map, Value, json};

use super::check_reply::UnusableReply;
use crate::chat::{Message, Part, Reply, Role, ToolChoice};
use crate::schema::{Schema, SizeBudget, referenced, with_pointers};

/// Adds the schema and an example to the first system message, or to a new one if there is none.
pub(super) fn add_schema(messages: &mut Vec<Message>, schema: &Schema) {
    let mut text = format!(
        "Answer with one JSON value and nothing else. It must satisfy this JSON Schema:\n\
         ```json\n{}\n```",
        pretty(schema.written())
    );
    if let Some(example) = Example::build(&with_pointers(schema.written()))
        && schema.is_valid(&example)
    {
        text.push_str(&format!("\nFor example:\n```json\n{}\n```", pretty(&example)));
    }
    let system = messages.iter_mut().find(|message| message.role == Role::System);
    match system {
        Some(message) => match message.parts.last_mut() {
            Some(Part::Text(last)) => {
                last.push_str("\n\n");
                last.push_str(&text);
            }
            _ => message.parts.push(Part::Text(text)),
        },
        None => messages.insert(0, Message::text(Role::System, text)),
    }
}

/// Adds the unusable reply, and a text that explains the problem and the expected form. An empty
/// reply is not added.
pub(super) fn add_repair(
    messages: &mut Vec<Message>,
    reply: &Reply,
    unusable: &UnusableReply,
    expected: &str,
) {
    let text = unusable.text.trim();
    let has_calls = reply.tool_calls().next().is_some();
    match &reply.raw {
        _ if text.is_empty() => {}
        // The provider recognizes its own reasoning, which is sent back unchanged.
        Some(_) if !has_calls => messages.push(reply.to_message()),
        // A call would require a result, so only the text is sent back.
        _ => messages.push(Message::text(Role::Assistant, text)),
    }
    let text = format!(
        "That answer can't be used: {}. Answer again, with {expected} and nothing else.",
        unusable.reason_for_model()
    );
    add_user_text(messages, text);
}

/// Asks the model to call a tool, at the end of the last user message, because the request can't
/// force it to. Without a user message, one is added.
pub(super) fn add_choice(messages: &mut Vec<Message>, choice: &ToolChoice) {
    let text = match choice {
        ToolChoice::Named(name) => format!("Call the tool {name} before you answer."),
        _ => "Call at least one of the tools before you answer.".to_owned(),
    };
    match messages.iter().rposition(|message| message.role == Role::User) {
        Some(index) => {
            let mut last = messages.split_off(index);
            let after = last.split_off(1);
            add_user_text(&mut last, text);
            messages.extend(last.into_iter().chain(after));
        }
        None => add_user_text(messages, text),
    }
}

/// Adds a text of the user. It becomes part of the last message if that is a user message, because
/// many models require that the roles alternate.
fn add_user_text(messages: &mut Vec<Message>, text: String) {
    match messages.last_mut() {
        Some(Message { role: Role::User, parts, .. }) => match parts.last_mut() {
            Some(Part::Text(last)) => {
                last.push_str("\n\n");
                last.push_str(&text);
            }
            _ => parts.push(Part::Text(text)),
        },
        _ => messages.push(Message::text(Role::User, text)),
    }
}

/// Returns the JSON text of a value, with line breaks unless the value is large. Indentation could
/// multiply the length of a large value.
fn pretty(value: &Value) -> String {
    const MAX_BYTES: usize = 100_000;
    let text = match SizeBudget::with_bytes(MAX_BYTES).charge(value) {
        Some(()) => serde_json::to_string_pretty(value),
        None => serde_json::to_string(value),
    };
    text.unwrap_or_default()
}

/// Builds an example value for a schema.
struct Example<'a> {
    root: &'a Value,
    nodes_left: usize,
    budget: SizeBudget,
}

impl Example<'_> {
    /// Maximum number of values in an example. Without it, an example could double in size at each
    /// level of nesting.
    const MAX_NODES: usize = 500;
    /// Maximum number of bytes in an example. References can lead to the same long default many
    /// times.
    const MAX_BYTES: usize = 50_000;

    /// Builds an example. Returns `None` if it would be too large.
    fn build(root: &Value) -> Option<Value> {
        let budget = SizeBudget::with_bytes(Self::MAX_BYTES);
        Example { root, nodes_left: Self::MAX_NODES, budget }.value(root, 0)
    }

    /// Returns the default of a schema, an example of its first alternative, or a fixed value for
    /// its type.
    fn value(&mut self, schema: &Value, depth: usize) -> Option<Value> {
        self.nodes_left = self.nodes_left.saturating_sub(1);
        if depth > 16 || self.nodes_left == 0 {
            return Some(Value::Null);
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            return match referenced(self.root, target) {
                Some(target) => self.value(target, depth + 1),
                None => Some(Value::Null),
            };
        }
        let first = |key: &str| schema.get(key)?.as_array()?.first();
        let literal = schema.get("default").or_else(|| schema.get("const"));
        if let Some(value) = literal.or_else(|| first("examples")).or_else(|| first("enum")) {
            return self.budget.copy(value);
        }
        if let Some(form) = first("anyOf").or_else(|| first("oneOf")) {
            return self.value(form, depth + 1);
        }
        let kind = schema.get("type").and_then(Value::as_str).or_else(|| first("type")?.as_str());
        Some(match kind {
            Some("string") => json!("text"),
            Some("integer") => schema.get("minimum").cloned().unwrap_or(json!(1)),
            Some("number") => schema.get("minimum").cloned().unwrap_or(json!(1.5)),
            Some("boolean") => json!(true),
            Some("array") => match schema.get("items") {
                Some(items) => Value::Array(vec![self.value(items, depth + 1)?]),
                None => json!([]),
            },
            Some("object") => {
                let mut fields = Map::new();
                let properties = schema.get("properties").and_then(Value::as_object);
                for (name, property) in properties.into_iter().flatten() {
                    self.budget.charge_bytes(name.len())?;
                    fields.insert(name.clone(), self.value(property, depth + 1)?);
                }
                Value::Object(fields)
            }
            _ => Value::Null,
        })
    }
}
