//! Tools in the Messages API: their declaration, the choice, the calls and the results. Converse
//! shares the parts that are the same for Claude models.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::models::ClaudeModel;
use crate::chat::{
    Chat, Message, Part, RawTurn, Role, Structure, Tool, ToolCall, ToolChoice, ToolResult,
};
use crate::json::object;
use crate::providers::call_arguments::arguments_item;
use crate::providers::call_ids::CallIds;
use crate::providers::options::dropped_field;
use crate::wire::BodyItem;

/// The description of the tool whose input is the reply.
pub(crate) const REPLY_TOOL: &str = "Gives the answer in its required form.";
/// The content of results without any text, which the API rejects for errors and Bedrock for all
/// results.
const NO_CONTENT: &str = "(no content)";

/// Removes the input of each call in a turn.
pub(crate) fn remove_arguments(turn: &mut Value) {
    let blocks = turn.get_mut("content").and_then(Value::as_array_mut);
    for block in blocks.into_iter().flatten().filter_map(Value::as_object_mut) {
        if block.get("type").is_some_and(|kind| kind == "tool_use") {
            block.shift_remove("input");
        }
    }
}

/// Inserts the tools and how they may be called, and returns the warnings.
pub(super) fn insert_tools(
    body: &mut Map<String, Value>,
    chat: &Chat,
    model: ClaudeModel,
) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut tools: Vec<Value> = chat.tools.iter().map(declaration).collect();
    if let Structure::ForcedTool { name, schema } = &chat.structure {
        tools.push(object([
            ("name", json!(name)),
            ("description", json!(REPLY_TOOL)),
            ("input_schema", schema.clone()),
        ]));
    }
    if tools.is_empty() {
        return warnings;
    }
    body.insert("tools".to_owned(), Value::Array(tools));
    let choice = choose_tool(chat, model, &mut warnings);
    if let Some(choice) = choice_field(&choice, may_call_several(chat)) {
        body.insert("tool_choice".to_owned(), choice);
    }
    warnings
}

fn declaration(tool: &Tool) -> Value {
    let mut fields = Map::new();
    fields.insert("name".to_owned(), json!(tool.name));
    if let Some(description) = &tool.description {
        fields.insert("description".to_owned(), json!(description));
    }
    fields.insert("input_schema".to_owned(), tool.draft_2020_12_schema());
    Value::Object(fields)
}

/// Returns the tool choice of a request, in which a tool may also stand for the reply's schema. The
/// model then calls the other tools until it gives the answer.
pub(crate) fn requested_choice(chat: &Chat) -> ToolChoice {
    match (&chat.structure, &chat.tool_choice) {
        (Structure::ForcedTool { name, .. }, choice) => match choice {
            ToolChoice::Auto | ToolChoice::Required if !chat.tools.is_empty() => {
                ToolChoice::Required
            }
            ToolChoice::Named(tool) => ToolChoice::Named(tool.clone()),
            _ => ToolChoice::Named(name.clone()),
        },
        (_, choice) => choice.clone(),
    }
}

/// Returns whether the model may call several tools in one turn. The call that is the reply must
/// be the only one.
pub(crate) fn may_call_several(chat: &Chat) -> bool {
    let is_reply_a_call = matches!(chat.structure, Structure::ForcedTool { .. });
    chat.tools.is_empty() || (chat.parallel_tool_calls && !is_reply_a_call)
}

/// Returns the tool choice that is sent, and adds a warning if it differs from that of the request.
pub(crate) fn choose_tool(
    chat: &Chat,
    model: ClaudeModel,
    warnings: &mut Vec<String>,
) -> ToolChoice {
    let choice = requested_choice(chat);
    let is_forced = matches!(choice, ToolChoice::Required | ToolChoice::Named(_));
    // Without tools, the choice belongs to the schema, for which the model was looked up already.
    if chat.tools.is_empty() || !is_forced || model.forced_tool {
        return choice;
    }
    let reason = "the model can't be forced to call a tool";
    warnings.push(dropped_field("toolChoice", &chat.model, reason));
    ToolChoice::Auto
}

/// Returns the tool choice that is sent for that of the chat, if no tool stands for a schema.
pub(crate) fn supported_choice(chat: &Chat, model: ClaudeModel) -> ToolChoice {
    match chat.tool_choice {
        ToolChoice::Required | ToolChoice::Named(_) if !model.forced_tool => ToolChoice::Auto,
        _ => chat.tool_choice.clone(),
    }
}

/// Returns whether the request forces the model to call a tool.
pub(super) fn is_forced(chat: &Chat, model: ClaudeModel) -> bool {
    let choice = choose_tool(chat, model, &mut Vec::new());
    let has_tools =
        !chat.tools.is_empty() || matches!(chat.structure, Structure::ForcedTool { .. });
    has_tools && matches!(choice, ToolChoice::Required | ToolChoice::Named(_))
}

/// Returns the value of `tool_choice`, or `None` for the API's default.
pub(crate) fn choice_field(choice: &ToolChoice, several: bool) -> Option<Value> {
    let mut field = match choice {
        ToolChoice::Auto if several => return None,
        ToolChoice::Auto => json!({ "type": "auto" }),
        ToolChoice::None => return Some(json!({ "type": "none" })),
        ToolChoice::Required => json!({ "type": "any" }),
        ToolChoice::Named(name) => json!({ "type": "tool", "name": name }),
    };
    if !several {
        field["disable_parallel_tool_use"] = json!(true);
    }
    Some(field)
}

/// Returns the content block of a tool call.
pub(super) fn call(call: &ToolCall, ids: &CallIds) -> BodyItem {
    let fields = json!({ "type": "tool_use", "id": ids.get(&call.id), "name": call.name });
    BodyItem::object(fields, "input", arguments_item(call))
}

/// Returns the content block of a tool result.
pub(super) fn result(result: &ToolResult, ids: &CallIds) -> Value {
    let content = text_or_placeholder(&result.content.to_text()).to_owned();
    let id = ids.get(&result.call_id);
    let mut block = json!({ "type": "tool_result", "tool_use_id": id, "content": content });
    if result.is_error {
        block["is_error"] = json!(true);
    }
    block
}

/// Returns the text of a result, or a placeholder if it is blank.
pub(crate) fn text_or_placeholder(text: &str) -> &str {
    if text.trim().is_empty() { NO_CONTENT } else { text }
}

/// Returns whether a message contains tool results.
pub(crate) fn has_results(message: &Message) -> bool {
    message.parts.iter().any(is_result)
}

fn is_result(part: &Part) -> bool {
    matches!(part, Part::ToolResult(_))
}

/// Returns whether a part of a message must be skipped. Some models write a blank text, for example
/// before a tool call, and these APIs reject blank texts.
pub(crate) fn is_skipped(part: &Part, message: &Message) -> bool {
    matches!(part, Part::Text(text) if text.trim().is_empty())
        && (message.role == Role::Assistant || has_results(message))
}

/// Returns the parts of a message, with tool results before all others, as the APIs require.
pub(crate) fn results_first(message: &Message) -> impl Iterator<Item = (usize, &Part)> {
    let parts = || message.parts.iter().enumerate();
    let results = parts().filter(|(_, part)| is_result(part));
    results.chain(parts().filter(|(_, part)| !is_result(part)))
}

/// A content block of an assistant turn, for the decision whether it can be sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockUse {
    /// The block is sent back.
    Kept,
    /// The block is sent back, but not as the last block of a turn.
    KeptBeforeOthers,
    /// The API rejects the block.
    Dropped,
}

/// Returns the assistant turn as it is sent back. `content` is the list of its blocks as it was
/// received, which keeps its bytes if no block is dropped. `uses` states for each of them how it is
/// used. Returns `None` if nothing is left that the API accepts.
pub(crate) fn raw_turn(
    dialect: &str,
    chat: &Chat,
    content: &RawValue,
    uses: &[BlockUse],
) -> Option<RawTurn> {
    let blocks: Vec<&RawValue> = serde_json::from_str(content.get()).ok()?;
    let kept = || blocks.iter().zip(uses).filter(|(_, block_use)| **block_use != BlockUse::Dropped);
    if kept().next_back().is_none_or(|(_, block_use)| *block_use != BlockUse::Kept) {
        return None;
    }
    let content = if uses.contains(&BlockUse::Dropped) {
        let texts: Vec<&str> = kept().map(|(block, _)| block.get()).collect();
        format!("[{}]", texts.join(","))
    } else {
        content.get().to_owned()
    };
    let turn = format!(r#"{{"role":"assistant","content":{content}}}"#);
    Some(RawTurn::new(dialect, &chat.model, RawValue::from_string(turn).ok()?))
}

/// Returns whether the model may think before it continues the conversation. Models that think
/// within a budget reject a request with thinking if the latest assistant turn has calls but does
/// not begin with thinking, for example because another provider wrote it.
pub(super) fn can_think(chat: &Chat, dialect: &str) -> bool {
    let turn = chat.messages.iter().rev().find(|message| message.role == Role::Assistant);
    let Some(turn) = turn.filter(|turn| turn.tool_calls().next().is_some()) else { return true };
    let raw = turn.raw.as_ref().filter(|raw| raw.fits(dialect, &chat.model));
    raw.is_some_and(begins_with_thinking)
}

fn begins_with_thinking(raw: &RawTurn) -> bool {
    #[derive(Deserialize)]
    struct Turn {
        content: Vec<Block>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Block {
        r#type: Option<String>,
        /// The field that marks such a block in Converse.
        reasoning_content: Option<IgnoredAny>,
    }
    let turn = serde_json::from_str::<Turn>(raw.json.get()).ok();
    turn.and_then(|turn| turn.content.into_iter().next()).is_some_and(|block| {
        block.reasoning_content.is_some()
            || matches!(block.r#type.as_deref(), Some("thinking" | "redacted_thinking"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;
    use serde_json::{Value, json};

    use super::{BlockUse, raw_turn, requested_choice};
    use crate::chat::{Chat, Message, Role, Structure, Tool, ToolChoice};
    use crate::providers::{build_request, provider};

    /// Returns a chat whose reply is the input of the tool `answer`.
    fn chat(model: &str, choice: ToolChoice) -> Chat {
        let messages = vec![Message::text(Role::User, "Hi")];
        let mut chat = Chat::new(model, messages);
        let schema = json!({"type": "object"});
        chat.structure = Structure::ForcedTool { name: "answer".to_owned(), schema };
        chat.tools = vec![Tool::new("get_rate", json!({"type": "object"}))];
        chat.tool_choice = choice;
        chat
    }

    fn body(provider_name: &str, chat: &Chat) -> Value {
        let row = provider(provider_name).unwrap();
        let endpoint = row.endpoint(None, Some("eu-central-1"));
        let built = build_request(row.dialect, &endpoint, chat).unwrap();
        assert_eq!(built.warnings, [""; 0]);
        built.request.body.to_value()
    }

    #[test]
    fn reply_tool_is_called_after_the_other_tools() {
        let named = |name: &str| ToolChoice::Named(name.to_owned());
        let (model, nova) = ("claude-3-haiku-20240307", "amazon.nova-lite-v1:0");
        for (choice, anthropic, converse) in [
            (ToolChoice::Auto, json!({"type": "any"}), json!({"any": {}})),
            (ToolChoice::Required, json!({"type": "any"}), json!({"any": {}})),
            (
                named("get_rate"),
                json!({"type": "tool", "name": "get_rate"}),
                json!({"tool": {"name": "get_rate"}}),
            ),
            (
                ToolChoice::None,
                json!({"type": "tool", "name": "answer"}),
                json!({"tool": {"name": "answer"}}),
            ),
        ] {
            let sent = body("anthropic", &chat(model, choice.clone()));
            assert_eq!(sent["tools"][1]["name"], "answer");
            let mut expected = anthropic;
            expected["disable_parallel_tool_use"] = json!(true);
            assert_eq!(sent["tool_choice"], expected);
            let sent = body("amazon:nova", &chat(nova, choice));
            assert_eq!(sent["toolConfig"]["tools"][1]["toolSpec"]["name"], "answer");
            assert_eq!(sent["toolConfig"]["toolChoice"], converse);
        }
    }

    #[test]
    fn reply_tool_is_forced_without_other_tools() {
        let mut chat = chat("claude-3-haiku-20240307", ToolChoice::Auto);
        chat.tools.clear();
        assert_eq!(requested_choice(&chat), ToolChoice::Named("answer".to_owned()));
        let expected = json!({"type": "tool", "name": "answer"});
        assert_eq!(body("anthropic", &chat)["tool_choice"], expected);
    }

    #[test]
    fn kept_blocks_of_a_turn_keep_their_bytes() {
        let chat = Chat::new("m", Vec::new());
        let turn = |content: &str| {
            let content = RawValue::from_string(content.to_owned()).unwrap();
            let blocks: Vec<Value> = serde_json::from_str(content.get()).unwrap_or_default();
            let uses = blocks.iter().map(|block| match block.as_u64() {
                Some(0) => BlockUse::Dropped,
                Some(1) => BlockUse::KeptBeforeOthers,
                _ => BlockUse::Kept,
            });
            let raw = raw_turn("anthropic", &chat, &content, &uses.collect::<Vec<_>>());
            raw.map(|raw| raw.json.get().to_owned())
        };
        let expected =
            |content: &str| Some(format!(r#"{{"role":"assistant","content":{content}}}"#));
        assert_eq!(turn("[ 1,  2.0 ]"), expected("[ 1,  2.0 ]"));
        assert_eq!(turn(r#"[ 1, 0, "\u00e9" ]"#), expected(r#"[1,"\u00e9"]"#));
        for content in ["[]", "[0]", "[2, 1]", "[1, 0]", "{}"] {
            assert_eq!(turn(content), None, "{content}");
        }
    }
}
