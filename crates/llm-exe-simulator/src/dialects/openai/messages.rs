//! What OpenAI refuses in `messages`: roles, contents, and tool calls without their answers.
//!
//! In: the request's body. Out: nothing, or the refusal.

use super::super::Refusal;
use super::super::check::{field, list, text};
use super::refuse::{empty_list, invalid, missing, unsupported_value, wrong_type};
use serde_json::Value;

const ROLES: &[&str] = &["system", "assistant", "user", "function", "tool", "developer"];

/// Refuses what the service would refuse in `messages`.
pub(crate) fn refuse(body: &Value) -> Result<(), Refusal> {
    let messages = match body.get("messages") {
        Some(Value::Array(messages)) => messages,
        Some(other) => return Err(wrong_type("messages", "an array of objects", other)),
        None => return Err(missing("messages")),
    };
    if messages.is_empty() {
        return Err(empty_list("messages"));
    }
    for (index, message) in messages.iter().enumerate() {
        self::message(message, &format!("messages[{index}]"))?;
    }
    answered(messages)
}

fn message(message: &Value, path: &str) -> Result<(), Refusal> {
    if !message.is_object() {
        return Err(wrong_type(path, "an object", message));
    }
    let role = match field(message, "role") {
        Some(Value::String(role)) => role.as_str(),
        Some(other) => return Err(wrong_type(&format!("{path}.role"), "a string", other)),
        None => return Err(missing(&format!("{path}.role"))),
    };
    if !ROLES.contains(&role) {
        return Err(unsupported_value(&format!("{path}.role"), role, ROLES));
    }
    if role == "tool" && text(message, "tool_call_id").is_none() {
        return Err(missing(&format!("{path}.tool_call_id")));
    }
    if role == "function" && text(message, "name").is_none() {
        return Err(missing(&format!("{path}.name")));
    }
    if role == "assistant" && field(message, "tool_calls").is_some() {
        calls(message, &format!("{path}.tool_calls"))?;
    }
    content(message, role, &format!("{path}.content"))
}

fn content(message: &Value, role: &str, path: &str) -> Result<(), Refusal> {
    let instead = ["tool_calls", "function_call", "refusal", "audio"];
    let may_lack = role == "function"
        || role == "assistant" && instead.iter().any(|name| field(message, name).is_some());
    match message.get("content") {
        None | Some(Value::Null) if may_lack => Ok(()),
        None => Err(missing(path)),
        Some(Value::String(_)) => Ok(()),
        Some(Value::Array(parts)) if parts.is_empty() => Err(empty_list(path)),
        Some(Value::Array(parts)) => {
            let mut parts = parts.iter().enumerate();
            parts.try_for_each(|(index, part)| self::part(part, role, &format!("{path}[{index}]")))
        }
        Some(other) => Err(wrong_type(path, "one of a string or array of objects", other)),
    }
}

fn part(part: &Value, role: &str, path: &str) -> Result<(), Refusal> {
    let supported: &[&str] = match role {
        "user" => &["text", "image_url", "input_audio", "file"],
        "assistant" => &["text", "refusal"],
        _ => &["text"],
    };
    if !part.is_object() {
        return Err(wrong_type(path, "an object", part));
    }
    let kind = match field(part, "type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(other) => return Err(wrong_type(&format!("{path}.type"), "a string", other)),
        None => return Err(missing(&format!("{path}.type"))),
    };
    if !supported.contains(&kind) {
        return Err(unsupported_value(&format!("{path}.type"), kind, supported));
    }
    let path = format!("{path}.{kind}");
    match (kind, field(part, kind)) {
        (_, None) => Err(missing(&path)),
        ("text" | "refusal", Some(Value::String(_))) => Ok(()),
        ("text" | "refusal", Some(other)) => Err(wrong_type(&path, "a string", other)),
        (_, Some(inner)) if !inner.is_object() => Err(wrong_type(&path, "an object", inner)),
        ("image_url", Some(image)) => image_url(image, &path),
        ("input_audio", Some(audio)) => {
            let lacks = ["data", "format"].iter().find(|name| text(audio, name).is_none());
            lacks.map_or(Ok(()), |name| Err(missing(&format!("{path}.{name}"))))
        }
        _ => Ok(()),
    }
}

fn image_url(image: &Value, path: &str) -> Result<(), Refusal> {
    let param = format!("{path}.url");
    let Some(url) = text(image, "url") else {
        return Err(missing(&param));
    };
    let fine = ["https://", "http://", "data:image/"].iter().any(|start| url.starts_with(start));
    match fine {
        true => Ok(()),
        false => {
            let message =
                format!("Invalid '{param}'. Expected a valid URL, but got another value.");
            Err(invalid(&message, &param, "invalid_image_url"))
        }
    }
}

fn calls(message: &Value, path: &str) -> Result<(), Refusal> {
    let calls = match message.get("tool_calls") {
        Some(Value::Array(calls)) if calls.is_empty() => return Err(empty_list(path)),
        Some(Value::Array(calls)) => calls,
        Some(other) => return Err(wrong_type(path, "an array of objects", other)),
        None => return Ok(()),
    };
    for (index, call) in calls.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if text(call, "id").is_none() {
            return Err(missing(&format!("{path}.id")));
        }
        match text(call, "type") {
            Some("function") => {}
            Some("custom") => continue,
            Some(other) => {
                let supported = &["function", "custom"];
                return Err(unsupported_value(&format!("{path}.type"), other, supported));
            }
            None => return Err(missing(&format!("{path}.type"))),
        }
        for name in ["name", "arguments"] {
            let param = format!("{path}.function.{name}");
            match call.pointer(&format!("/function/{name}")) {
                Some(Value::String(_)) => {}
                Some(other) => return Err(wrong_type(&param, "a string", other)),
                None => return Err(missing(&param)),
            }
        }
    }
    Ok(())
}

/// Every tool call is answered right behind it, and every answer has its call.
fn answered(messages: &[Value]) -> Result<(), Refusal> {
    let mut waiting: Vec<&str> = Vec::new();
    let mut in_turn = false;
    for (index, message) in messages.iter().enumerate() {
        let path = format!("messages[{index}]");
        if text(message, "role") == Some("tool") {
            let id = text(message, "tool_call_id").unwrap_or_default();
            match waiting.iter().position(|waits| *waits == id) {
                Some(at) => drop(waiting.remove(at)),
                None if in_turn => {
                    let message = format!(
                        "Invalid parameter: 'tool_call_id' of '{id}' not found \
                                           in 'tool_calls' of previous message."
                    );
                    return Err(invalid(
                        &message,
                        &format!("{path}.tool_call_id"),
                        "invalid_value",
                    ));
                }
                None => {
                    let message = "Invalid parameter: messages with role 'tool' must be a \
                                   response to a preceeding message with 'tool_calls'.";
                    return Err(invalid(message, &format!("{path}.role"), "invalid_value"));
                }
            }
            continue;
        }
        unanswered(&waiting, &path)?;
        waiting = list(message, "tool_calls").iter().filter_map(|call| text(call, "id")).collect();
        in_turn = !waiting.is_empty();
    }
    unanswered(&waiting, "messages")
}

fn unanswered(waiting: &[&str], path: &str) -> Result<(), Refusal> {
    if waiting.is_empty() {
        return Ok(());
    }
    let message = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to \
         each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        waiting.join(", ")
    );
    Err(invalid(&message, path, "invalid_value"))
}
