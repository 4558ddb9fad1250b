//! Tools in Converse: their declaration, the choice, the calls and the results.

use serde_json::{Map, Value, json};

use crate::chat::{Chat, Structure, Tool, ToolCall, ToolChoice as Choice, ToolContent, ToolResult};
use crate::error::Error;
use crate::json::object;
use crate::providers::anthropic::tools as claude;
use crate::providers::bedrock::models::{ConverseModel, Family, ToolChoice};
use crate::providers::call_arguments::arguments_item;
use crate::providers::call_ids::CallIds;
use crate::providers::options::dropped_field;
use crate::wire::BodyItem;

/// The name of the dialect.
pub(super) const NAME: &str = "converse";

/// The body fields that declare the tools, and the warnings about them.
#[derive(Default)]
pub(super) struct Tools {
    /// The value of `toolConfig`, which is empty if there are no tools.
    pub(super) config: Map<String, Value>,
    /// The tool choice in Anthropic's format, for choices that Converse cannot express.
    pub(super) claude_choice: Option<Value>,
    pub(super) warnings: Vec<String>,
}

/// Returns the fields that declare the tools of a chat.
///
/// # Errors
/// `InvalidRequest` if the model does not accept the schema of a tool, or if the chat contains
/// calls but no tools.
pub(super) fn build_tools(chat: &Chat, model: Family) -> Result<Tools, Error> {
    let mut tools = Tools::default();
    let calling = chat.messages.iter().position(|message| message.tool_calls().next().is_some());
    let choice = claude::requested_choice(chat);
    // Without calls, the model can't know the tools, so none of them needs to be declared.
    if choice == Choice::None && calling.is_none() {
        return Ok(tools);
    }
    let mut specs = Vec::with_capacity(chat.tools.len());
    for (index, tool) in chat.tools.iter().enumerate() {
        specs.push(declaration(tool, index, chat, model)?);
    }
    if let Structure::ForcedTool { name, schema } = &chat.structure {
        specs.push(spec(name, Some(claude::REPLY_TOOL), schema.clone()));
    }
    if specs.is_empty() {
        let Some(index) = calling else { return Ok(tools) };
        let message = format!(
            "expected the tools that message[{index}] calls, because this provider accepts tool \
             calls only together with their tools"
        );
        return Err(Error::invalid("tools", message));
    }
    tools.config.insert("tools".to_owned(), Value::Array(specs));
    match model {
        Family::Claude(model) => {
            let choice = claude::choose_tool(chat, model, &mut tools.warnings);
            if claude::may_call_several(chat) || choice == Choice::None {
                tools.insert_choice(chat, &choice, ToolChoice::Tool);
            } else {
                tools.claude_choice = claude::choice_field(&choice, false);
            }
        }
        Family::Other(model) => {
            tools.insert_choice(chat, &choice, model.tool_choice);
            if !chat.parallel_tool_calls && !chat.tools.is_empty() {
                let reason = "the provider does not support this option for the model";
                tools.warn_dropped("parallelToolCalls", chat, reason);
            }
        }
    }
    Ok(tools)
}

/// Returns the tool choice that is sent for that of the chat.
pub(super) fn supported_choice(chat: &Chat, model: Family) -> Choice {
    let support = match model {
        Family::Claude(model) => return claude::supported_choice(chat, model),
        Family::Other(model) => model.tool_choice,
    };
    match (&chat.tool_choice, support) {
        (Choice::Required | Choice::Named(_), ToolChoice::Unsupported) => Choice::Auto,
        // With a single tool, both choices have the same effect.
        (Choice::Named(_), ToolChoice::Any) if chat.tools.len() > 1 => Choice::Required,
        (choice, _) => choice.clone(),
    }
}

impl Tools {
    fn insert_choice(&mut self, chat: &Chat, choice: &Choice, support: ToolChoice) {
        let any = || json!({ "any": {} });
        let choice = match (choice, support) {
            (Choice::Auto, _) => return,
            (Choice::None, _) => {
                let reason = "the provider can't forbid calls of tools that the conversation uses";
                return self.warn_dropped("toolChoice", chat, reason);
            }
            (_, ToolChoice::Unsupported) => {
                let reason = "the model can't be forced to call a tool";
                return self.warn_dropped("toolChoice", chat, reason);
            }
            (Choice::Required, _) => any(),
            (Choice::Named(name), ToolChoice::Tool | ToolChoice::ToolWithPlainRoot) => {
                json!({ "tool": { "name": name } })
            }
            // With a single tool, both choices have the same effect.
            (Choice::Named(_), ToolChoice::Any) => {
                let tools = self.config.get("tools").and_then(Value::as_array);
                if tools.is_some_and(|tools| tools.len() > 1) {
                    self.warnings.push(format!(
                        "toolChoice is sent as \"required\" for {}: the model can't be forced to \
                         call a certain tool",
                        chat.model
                    ));
                }
                any()
            }
        };
        self.config.insert("toolChoice".to_owned(), choice);
    }

    fn warn_dropped(&mut self, field: &str, chat: &Chat, reason: &str) {
        self.warnings.push(dropped_field(field, &chat.model, reason));
    }
}

fn declaration(tool: &Tool, index: usize, chat: &Chat, model: Family) -> Result<Value, Error> {
    let mut schema = tool.draft_2020_12_schema();
    if let Family::Other(ConverseModel { tool_choice: ToolChoice::ToolWithPlainRoot, .. }) = model {
        schema = with_plain_root(&schema).ok_or_else(|| {
            let message = format!(
                "{} accepts only schemas without $ref, and without anyOf and other conditions at \
                 the root",
                chat.model
            );
            Error::invalid(format!("tools[{index}].parameters"), message)
        })?;
    }
    Ok(spec(&tool.name, tool.description.as_deref(), schema))
}

fn spec(name: &str, description: Option<&str>, schema: Value) -> Value {
    let mut fields = Map::new();
    fields.insert("name".to_owned(), json!(name));
    // The API rejects an empty description.
    if let Some(description) = description.filter(|description| !description.is_empty()) {
        fields.insert("description".to_owned(), json!(description));
    }
    fields.insert("inputSchema".to_owned(), object([("json", schema)]));
    object([("toolSpec", Value::Object(fields))])
}

/// Returns the content block of a tool call.
pub(super) fn call(call: &ToolCall, ids: &CallIds) -> BodyItem {
    let fields = json!({ "toolUseId": ids.get(&call.id), "name": call.name });
    let call = BodyItem::object(fields, "input", arguments_item(call));
    BodyItem::object(json!({}), "toolUse", call)
}

/// Returns the content block of a tool result. Only some models accept its `status`.
pub(super) fn result(result: &ToolResult, ids: &CallIds, has_status: bool) -> Value {
    let content = match &result.content {
        ToolContent::Json(json @ Value::Object(_)) if has_status || !result.is_error => {
            json!({ "json": json })
        }
        content if has_status => json!({ "text": claude::text_or_placeholder(&content.to_text()) }),
        _ => json!({ "text": claude::text_or_placeholder(&result.text_with_error()) }),
    };
    let mut block = json!({ "toolUseId": ids.get(&result.call_id), "content": [content] });
    if result.is_error && has_status {
        block["status"] = json!("error");
    }
    json!({ "toolResult": block })
}

/// Keywords at the root that Nova does not support and that the model must know.
const ROOT_CONDITIONS: &[&str] = &[
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
    "anyOf",
    "oneOf",
    "allOf",
    "if",
    "patternProperties",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
];

/// Reduces the root of a schema to `type`, `properties` and `required`. Returns `None` if the
/// schema has references, or if its root has a keyword such as `anyOf` or `patternProperties`, or a
/// schema for additional properties. All other root keywords can be dropped, because the reply is
/// later validated against the full schema.
pub(super) fn with_plain_root(schema: &Value) -> Option<Value> {
    let properties = schema.get("properties")?;
    let has_schema = |key: &str| schema.get(key).is_some_and(Value::is_object);
    if ROOT_CONDITIONS.iter().any(|key| schema.get(key).is_some())
        || has_schema("additionalProperties")
        || has_schema("unevaluatedProperties")
        || has_reference(properties)
    {
        return None;
    }
    let mut plain = json!({ "type": "object", "properties": properties });
    if let Some(required) = schema.get("required") {
        plain["required"] = required.clone();
    }
    Some(plain)
}

fn has_reference(schema: &Value) -> bool {
    match schema {
        Value::Object(rules) => {
            let is_reference = |key: &str| rules.get(key).is_some_and(Value::is_string);
            ["$ref", "$dynamicRef", "$recursiveRef"].into_iter().any(is_reference)
                || rules.values().any(has_reference)
        }
        Value::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::with_plain_root;

    #[test]
    fn a_root_that_would_lose_conditions_is_not_reduced() {
        let properties = json!({"k": {"type": "string"}});
        for (key, value) in [
            ("$ref", json!("#/$defs/U")),
            ("additionalProperties", json!({"type": "integer"})),
            ("unevaluatedProperties", json!({"type": "integer"})),
            ("dependentRequired", json!({"k": ["a"]})),
            ("dependencies", json!({"k": ["a"]})),
            ("properties", json!({"k": {"$dynamicRef": "#n"}})),
            ("properties", json!({"k": {"$recursiveRef": "#"}})),
        ] {
            let mut schema = json!({"type": "object", "properties": properties});
            schema[key] = value;
            assert_eq!(with_plain_root(&schema), None, "{key}");
        }
    }

    #[test]
    fn a_root_without_conditions_is_reduced() {
        let plain = json!({
            "type": "object", "properties": {"k": {"type": "string"}}, "required": ["k"]
        });
        let mut schema = plain.clone();
        for (key, value) in [
            ("title", json!("T")),
            ("additionalProperties", json!(false)),
            ("$defs", json!({"a": {"type": "string"}})),
        ] {
            schema[key] = value;
        }
        assert_eq!(with_plain_root(&schema), Some(plain));
    }
}
