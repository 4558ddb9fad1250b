//! Tools in the Responses API: their declaration, the calls and the results, and the turns that are
//! sent back.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::apis::OpenAiResponses;
use crate::chat::{Chat, Message, Part, RawTurn, Tool, ToolCall, ToolChoice};
use crate::providers::call_ids::CallIds;
use crate::providers::capabilities::rows::OpenAiModel;
use crate::providers::options::dropped_field;
use crate::providers::raw_object::RawObject;
use crate::wire::{Body, BodyItem};

/// Inserts the tools and how they may be called, and returns the warnings.
pub(super) fn insert_tools(
    body: &mut Map<String, Value>,
    chat: &Chat,
    model: OpenAiModel,
) -> Vec<String> {
    if chat.tools.is_empty() {
        return Vec::new();
    }
    body.insert("tools".to_owned(), chat.tools.iter().map(declare_function).collect());
    let choice = match &chat.tool_choice {
        ToolChoice::Auto => None,
        ToolChoice::None => Some(json!("none")),
        ToolChoice::Required => Some(json!("required")),
        ToolChoice::Named(name) => Some(json!({ "type": "function", "name": name })),
    };
    if let Some(choice) = choice {
        body.insert("tool_choice".to_owned(), choice);
    }
    let mut warnings = Vec::new();
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

fn declare_function(tool: &Tool) -> Value {
    let mut function = Map::new();
    function.insert("type".to_owned(), json!("function"));
    function.insert("name".to_owned(), json!(tool.name));
    if let Some(description) = &tool.description {
        function.insert("description".to_owned(), json!(description));
    }
    function.insert("parameters".to_owned(), tool.object_schema());
    // Without the field, the API changes the schema to one of strict mode.
    function.insert("strict".to_owned(), json!(false));
    Value::Object(function)
}

/// Returns an item for each tool result in a message.
pub(super) fn result_items(message: &Message, ids: &CallIds) -> impl Iterator<Item = Value> {
    let results = message.parts.iter().filter_map(|part| match part {
        Part::ToolResult(result) => Some(result),
        _ => None,
    });
    results.map(|result| {
        let output = result.text_with_error();
        json!({
            "type": "function_call_output", "call_id": ids.get(&result.call_id), "output": output
        })
    })
}

/// Returns the item of a tool call.
pub(super) fn call_item(call: &ToolCall, id: &str) -> Value {
    // Arguments are a string, even if they are not valid JSON.
    let arguments = call.arguments_text();
    json!({ "type": "function_call", "call_id": id, "name": call.name, "arguments": arguments })
}

/// The name of the field of a raw turn, whose JSON must be an object, that contains the items.
const ITEMS: &str = "output";

/// Returns the items of a raw turn, byte for byte.
pub(super) fn turn_items(raw: &RawTurn) -> Option<Vec<Box<RawValue>>> {
    serde_json::from_str(RawObject::parse(&raw.json)?.get(ITEMS)?).ok()
}

/// Creates a raw turn from its items.
pub(super) fn raw_turn(
    api: OpenAiResponses,
    chat: &Chat,
    items: Vec<Box<RawValue>>,
) -> Option<RawTurn> {
    let items = items.into_iter().map(BodyItem::Raw).collect();
    let json = to_raw_value(&Body::with_list(Map::new(), ITEMS, items)).ok()?;
    Some(RawTurn::new(api.turns(), &chat.model, json))
}
