//! Tools in the chat completions API: their declaration, the calls and the results.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::models::OpenAiModel;
use super::quirks::OpenAiChat;
use crate::chat::{Chat, Message, Part, RawTurn, Reply, Tool, ToolCall, ToolChoice};
use crate::json::object;
use crate::providers::call_ids::CallIds;
use crate::providers::capabilities::FeatureSupport;
use crate::providers::options::dropped_field;
use crate::providers::raw_object::RawObject;

/// Inserts the tools and how they may be called, and returns the warnings. `effort` is the effort
/// that is sent.
pub(super) fn insert_tools(
    body: &mut Map<String, Value>,
    api: &OpenAiChat,
    chat: &Chat,
    model: OpenAiModel,
    effort: Option<&str>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if chat.tools.is_empty() {
        return warnings;
    }
    body.insert("tools".to_owned(), chat.tools.iter().map(declare_function).collect());
    let (choice, warning) = choose_tool(api, chat, model, effort);
    warnings.extend(warning);
    let choice = match choice {
        ToolChoice::Auto => None,
        ToolChoice::None => Some(json!("none")),
        ToolChoice::Required => Some(json!("required")),
        ToolChoice::Named(name) => {
            Some(json!({ "type": "function", "function": { "name": name } }))
        }
    };
    if let Some(choice) = choice {
        body.insert("tool_choice".to_owned(), choice);
    }
    if !chat.parallel_tool_calls {
        if model.parallel_switch {
            body.insert("parallel_tool_calls".to_owned(), json!(false));
        } else {
            let reason = "the model does not accept this option";
            warnings.push(dropped_field("parallelToolCalls", &chat.model, reason));
        }
    }
    warnings
}

/// Returns the tool choice that is sent for that of the chat, and a warning if they differ.
/// `effort` is the effort that is sent.
pub(super) fn choose_tool(
    api: &OpenAiChat,
    chat: &Chat,
    model: OpenAiModel,
    effort: Option<&str>,
) -> (ToolChoice, Option<String>) {
    if !matches!(chat.tool_choice, ToolChoice::Required | ToolChoice::Named(_)) {
        return (chat.tool_choice.clone(), None);
    }
    let reason = match model.forced_tool {
        FeatureSupport::Never => Some("reasoning models can't be forced to call"),
        FeatureSupport::WithoutReasoning if effort != Some("none") => {
            Some("the model can be forced to call only with effort \"none\"")
        }
        _ => None,
    };
    if let Some(reason) = reason {
        let warning = dropped_field("toolChoice", &chat.model, reason);
        return (ToolChoice::Auto, Some(warning));
    }
    match &chat.tool_choice {
        ToolChoice::Named(_) if !api.named_tool => {
            let warning = format!(
                "toolChoice is sent as \"required\" for {}: the model can't be forced to call a \
                 certain tool",
                chat.model
            );
            (ToolChoice::Required, Some(warning))
        }
        choice => (choice.clone(), None),
    }
}

/// Returns the declaration of a tool, whose format Ollama's API shares.
pub(in crate::providers) fn declare_function(tool: &Tool) -> Value {
    let mut function = Map::new();
    function.insert("name".to_owned(), json!(tool.name));
    if let Some(description) = &tool.description {
        function.insert("description".to_owned(), json!(description));
    }
    function.insert("parameters".to_owned(), tool.object_schema());
    object([("type", json!("function")), ("function", Value::Object(function))])
}

/// Returns a message for each tool result in a message.
pub(super) fn result_messages(message: &Message, ids: &CallIds) -> Vec<Value> {
    let results = message.parts.iter().filter_map(|part| match part {
        Part::ToolResult(result) => Some(result),
        _ => None,
    });
    results
        .map(|result| {
            let content = result.text_with_error();
            let id = ids.get(&result.call_id);
            json!({ "role": "tool", "tool_call_id": id, "content": content })
        })
        .collect()
}

/// Inserts the tool calls of an assistant message, if there are any.
pub(super) fn insert_calls(wire: &mut Map<String, Value>, message: &Message, ids: &CallIds) {
    let calls: Vec<Value> =
        message.tool_calls().map(|call| wire_call(call, ids.get(&call.id))).collect();
    if !calls.is_empty() {
        wire.insert("tool_calls".to_owned(), Value::Array(calls));
    }
}

fn wire_call(call: &ToolCall, id: &str) -> Value {
    // Arguments are a string, even if they are not valid JSON.
    let function = json!({ "name": call.name, "arguments": call.arguments_text() });
    object([("id", json!(id)), ("type", json!("function")), ("function", function)])
}

/// Returns the assistant turn as it is sent back: the message of the response without the fields
/// that servers write but reject. `can_replay_calls` states whether the calls may be sent back as
/// they were received.
pub(super) fn raw_turn(
    api: &OpenAiChat,
    message: &RawValue,
    reply: &Reply,
    chat: &Chat,
    can_replay_calls: bool,
) -> Option<RawTurn> {
    // The API rejects a turn without content, which the request then builds from the parts.
    if reply.parts.is_empty() && reply.refusal.is_none() {
        return None;
    }
    let mut fields = RawObject::parse(message)?;
    let mut is_changed = fields.retain(|name, value| match name {
        // A message with calls may have a null content.
        "content" => true,
        "annotations" => false,
        "tool_calls" => !value.trim_start_matches('[').trim_start().starts_with(']'),
        _ => value != "null",
    });
    if !can_replay_calls {
        let calls: Vec<Value> = reply.tool_calls().map(|call| wire_call(call, &call.id)).collect();
        match calls.is_empty() {
            true => drop(fields.retain(|name, _| name != "tool_calls")),
            false => fields.set("tool_calls", to_raw_value(&calls).ok()?),
        }
        is_changed = true;
    }
    if fields.get("role").is_none() {
        fields.set("role", to_raw_value("assistant").ok()?);
        is_changed = true;
    }
    let model = api.model(&chat.model);
    if model.reasoning_turns && fields.get("reasoning_content").is_none() {
        fields.set("reasoning_content", to_raw_value("").ok()?);
        is_changed = true;
    }
    let json = if is_changed { fields.to_json().ok()? } else { message.to_owned() };
    Some(RawTurn::new(api.turns, &chat.model, json))
}
