//! Converts a Converse request to Anthropic's format, in which Claude models validate it. Content
//! other than text, tools and reasoning becomes a placeholder.

use serde_json::{Map, Value, json};

use crate::dialects::json::{array_field, field, str_field};

/// Converts a request.
pub(super) fn convert(body: &Value) -> Value {
    let messages = array_field(body, "messages").iter().map(message);
    let mut converted = json!({"max_tokens": 4096, "messages": messages.collect::<Value>()});
    let system = array_field(body, "system");
    if !system.is_empty() {
        converted["system"] = system.iter().map(block).collect();
    }
    let config = field(body, "inferenceConfig").cloned().unwrap_or_default();
    for (converse_name, anthropic_name) in [
        ("maxTokens", "max_tokens"),
        ("temperature", "temperature"),
        ("topP", "top_p"),
        ("stopSequences", "stop_sequences"),
    ] {
        if let Some(value) = field(&config, converse_name) {
            converted[anthropic_name] = value.clone();
        }
    }
    if let Some(config) = field(body, "toolConfig") {
        converted["tools"] = tools(config);
        if let Some(choice) = tool_choice(config) {
            converted["tool_choice"] = choice;
        }
    }
    for name in ["top_k", "thinking", "output_config", "tool_choice"] {
        let fields = field(body, "additionalModelRequestFields");
        if let Some(value) = fields.and_then(|fields| field(fields, name)) {
            converted[name] = value.clone();
        }
    }
    converted
}

fn message(message: &Value) -> Value {
    let content: Vec<Value> = array_field(message, "content").iter().map(block).collect();
    json!({"role": message.get("role"), "content": content})
}

fn block(block: &Value) -> Value {
    if let Some(call) = field(block, "toolUse") {
        return json!({
            "type": "tool_use",
            "id": call.get("toolUseId"),
            "name": call.get("name"),
            "input": call.get("input"),
        });
    }
    if let Some(result) = field(block, "toolResult") {
        let is_error = str_field(result, "status") == Some("error");
        return json!({
            "type": "tool_result",
            "tool_use_id": result.get("toolUseId"),
            "content": array_field(result, "content").iter().map(result_block).collect::<Value>(),
            "is_error": is_error,
        });
    }
    if let Some(text) = block.pointer("/reasoningContent/reasoningText") {
        let mut thinking = Map::new();
        thinking.insert("type".to_owned(), json!("thinking"));
        thinking.extend(field(text, "text").map(|text| ("thinking".to_owned(), text.clone())));
        let signature = field(text, "signature");
        thinking.extend(signature.map(|text| ("signature".to_owned(), text.clone())));
        return Value::Object(thinking);
    }
    if let Some(data) = block.pointer("/reasoningContent/redactedContent") {
        return json!({"type": "redacted_thinking", "data": data});
    }
    json!({"type": "text", "text": str_field(block, "text").unwrap_or("x")})
}

fn result_block(block: &Value) -> Value {
    json!({"type": "text", "text": str_field(block, "text").unwrap_or("x")})
}

/// Converts the tools of a `toolConfig`.
fn tools(config: &Value) -> Value {
    let specs = array_field(config, "tools").iter().filter_map(|tool| tool.get("toolSpec"));
    specs.map(tool).collect()
}

fn tool(spec: &Value) -> Value {
    let schema = spec.pointer("/inputSchema/json");
    let mut tool = json!({"name": spec.get("name"), "input_schema": schema});
    if let Some(description) = field(spec, "description") {
        tool["description"] = description.clone();
    }
    tool
}

/// Converts the `toolChoice` of a `toolConfig`.
fn tool_choice(config: &Value) -> Option<Value> {
    let choice = field(config, "toolChoice")?;
    if let Some(name) = choice.pointer("/tool/name") {
        return Some(json!({"type": "tool", "name": name}));
    }
    Some(json!({"type": if field(choice, "any").is_some() { "any" } else { "auto" }}))
}
