//! Tools in the Gemini API: their declaration, the calls and the results.
//!
//! A result belongs to the call with the same `id` and `name`, as the type `FunctionResponse` of
//! the npm package `@google/genai` documents. The id is optional there, because older models send
//! calls without ids. Their results are sent without ids too, and in the order of the calls, since
//! nothing else distinguishes two calls of the same function.

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::models::{self, GeminiModel};
use super::raw_content::{MODEL_ROLE, NAME, RawContent};
use crate::chat::{Chat, RawTurn, Reply, Structure, ToolCall, ToolChoice, ToolContent, ToolResult};
use crate::json::object;
use crate::providers::call_arguments::arguments_item;
use crate::providers::options::dropped_field;
use crate::wire::{Body, BodyItem};

/// The name of the body field that contains the tools.
pub(super) const TOOLS: &str = "tools";
/// The name of the field that contains the call in a part.
const FUNCTION_CALL: &str = "functionCall";

/// The signature for calls that the model did not make, which turns off the check of signatures.
/// Source: <https://ai.google.dev/gemini-api/docs/thought-signatures>
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// Inserts the tools and how they may be called, and returns the warnings.
pub(super) fn insert_tools(
    body: &mut Map<String, Value>,
    chat: &Chat,
    model: GeminiModel,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if chat.tools.is_empty() {
        return warnings;
    }
    let is_json = matches!(chat.structure, Structure::Native { .. } | Structure::JsonMode);
    if chat.tool_choice == ToolChoice::None && is_json && !model.json_with_tools {
        // The model must not call them, so the schema is worth more.
        let reason = "the model does not support it together with a schema";
        warnings.push(dropped_field(TOOLS, &chat.model, reason));
        return warnings;
    }
    let declarations: Vec<Value> = chat
        .tools
        .iter()
        .map(|tool| {
            object([
                ("name", json!(tool.name)),
                ("description", json!(tool.description.as_deref().unwrap_or_default())),
                ("parametersJsonSchema", tool.object_schema()),
            ])
        })
        .collect();
    let declarations = object([("functionDeclarations", Value::Array(declarations))]);
    body.insert(TOOLS.to_owned(), Value::Array(vec![declarations]));
    let calling = match &chat.tool_choice {
        ToolChoice::Auto => None,
        ToolChoice::None => Some(json!({ "mode": "NONE" })),
        ToolChoice::Required => Some(json!({ "mode": "ANY" })),
        ToolChoice::Named(name) => Some(json!({ "mode": "ANY", "allowedFunctionNames": [name] })),
    };
    if let Some(calling) = calling {
        body.insert("toolConfig".to_owned(), json!({ "functionCallingConfig": calling }));
    }
    if !chat.parallel_tool_calls {
        let reason = "the API has no such option";
        warnings.push(dropped_field("parallelToolCalls", &chat.model, reason));
    }
    warnings
}

/// Returns a call as a part.
pub(super) fn call_part(call: &ToolCall, needs_signature: bool) -> BodyItem {
    let mut part = Map::new();
    part.insert(FUNCTION_CALL.to_owned(), Value::Null);
    if needs_signature {
        part.insert("thoughtSignature".to_owned(), json!(NO_SIGNATURE));
    }
    let fields = json!({ "id": call.id, "name": call.name });
    let function = BodyItem::object(fields, "args", arguments_item(call));
    BodyItem::Object(Body::with_field(part, FUNCTION_CALL, function))
}

/// The part of a raw turn that is a call.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPart {
    function_call: Option<RawCall>,
    thought_signature: Option<String>,
}

#[derive(Deserialize)]
struct RawCall {
    id: Option<String>,
}

/// Returns whether a raw turn has calls without ids. Older models send such calls.
pub(super) fn raw_lacks_ids(raw: &RawTurn) -> bool {
    let content = serde_json::from_str::<RawContent>(raw.json.get());
    content.is_ok_and(|content| lacks_ids(&parse_parts(&content)))
}

/// Returns a result as a part. `id` is the id of its call, if the call is sent with one.
pub(super) fn result_part(result: &ToolResult, id: Option<&str>) -> Value {
    let content = match &result.content {
        ToolContent::Text(text) => json!(text),
        ToolContent::Json(value) => value.clone(),
    };
    let mut response = Map::new();
    if let Some(id) = id {
        response.insert("id".to_owned(), json!(id));
    }
    response.insert("name".to_owned(), json!(result.name));
    // The API understands these two keys, and takes any other object as the output.
    let key = if result.is_error { "error" } else { "output" };
    response.insert("response".to_owned(), json!({ key: content }));
    json!({ "functionResponse": response })
}

fn parse_parts(content: &RawContent) -> Vec<RawPart> {
    content.parts.iter().filter_map(|part| serde_json::from_str(part.get()).ok()).collect()
}

/// Returns whether no call has an id.
fn lacks_ids(parts: &[RawPart]) -> bool {
    call_ids(parts).all(str::is_empty)
}

/// Returns the ids of the calls, which are empty if they are missing.
fn call_ids(parts: &[RawPart]) -> impl Iterator<Item = &str> {
    let calls = parts.iter().filter_map(|part| part.function_call.as_ref());
    calls.map(|call| call.id.as_deref().unwrap_or_default())
}

/// Returns the turn of the model, which is the content of a candidate, as it is sent back. Returns
/// `None` if it must be built from the parts of the reply, because the API would reject it.
pub(super) fn raw_turn(json: &RawValue, chat: &Chat, reply: &Reply) -> Option<RawTurn> {
    let mut content: RawContent = serde_json::from_str(json.get()).ok()?;
    if content.parts.is_empty() {
        return None;
    }
    let parts = parse_parts(&content);
    let ids = reply.tool_calls().map(|call| call.id.as_str());
    if !lacks_ids(&parts) && !call_ids(&parts).eq(ids) {
        // Some ids were missing or repeated, so the results could not be paired with the calls.
        return None;
    }
    // Of parallel calls, only the first one has a signature.
    let first_call = parts.iter().find(|part| part.function_call.is_some());
    let is_unsigned = first_call.is_some_and(|part| part.thought_signature.is_none());
    if is_unsigned && models::find_model(&chat.model).signed_calls {
        return None;
    }
    let json = if content.role == MODEL_ROLE {
        json.to_owned()
    } else {
        content.role = MODEL_ROLE.to_owned();
        to_raw_value(&content).ok()?
    };
    Some(RawTurn::new(NAME, &chat.model, json))
}
