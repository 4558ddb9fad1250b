//! Tools in Ollama's API: their declaration, the calls and the results.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::chat::{Chat, Message, Part, RawTurn, Reply, ToolChoice, ToolResult};
use crate::providers::call_arguments::arguments_item;
use crate::providers::open_calls::OpenCalls;
use crate::providers::openai_chat::tools::declare_function;
use crate::providers::options::dropped_field;
use crate::wire::{Body, BodyItem};

/// The name of the dialect.
pub(super) const NAME: &str = "ollama";
/// The name of the body field that contains the tools.
pub(super) const TOOLS: &str = "tools";

/// Inserts the tools, and returns the warnings.
pub(super) fn insert_tools(body: &mut Map<String, Value>, chat: &Chat) -> Vec<String> {
    let mut warnings = Vec::new();
    if chat.tools.is_empty() {
        return warnings;
    }
    let mut warn = |field, reason| warnings.push(dropped_field(field, &chat.model, reason));
    match chat.tool_choice {
        ToolChoice::Auto => {}
        // Without tools the model can't call them.
        ToolChoice::None => {
            warn(TOOLS, "toolChoice is \"none\", which the API has no option for");
            return warnings;
        }
        ToolChoice::Required | ToolChoice::Named(_) => {
            warn("toolChoice", "the API has no such option");
        }
    }
    if !chat.parallel_tool_calls {
        warn("parallelToolCalls", "the API has no such option");
    }
    body.insert(TOOLS.to_owned(), chat.tools.iter().map(declare_function).collect());
    warnings
}

/// Returns a message with the tool calls of an assistant message, if there are any.
pub(super) fn with_calls(wire: Map<String, Value>, message: &Message) -> BodyItem {
    let calls: Vec<BodyItem> = message
        .tool_calls()
        .map(|call| {
            let name = json!({ "name": call.name });
            let function = BodyItem::object(name, "arguments", arguments_item(call));
            BodyItem::object(json!({ "id": call.id }), "function", function)
        })
        .collect();
    if calls.is_empty() {
        return BodyItem::Value(Value::Object(wire));
    }
    BodyItem::Object(Body::with_list(wire, "tool_calls", calls))
}

/// The results of the calls of the latest assistant message.
#[derive(Default)]
pub(super) struct Results<'a> {
    calls: OpenCalls<'a>,
    /// The results so far, each with the position of its call.
    results: Vec<(usize, Value)>,
}

impl<'a> Results<'a> {
    /// Begins with the calls of a message. `raw` is the turn that is sent instead of its parts.
    pub(super) fn new(message: &'a Message, raw: Option<&RawTurn>) -> Self {
        // Servers before version 0.12.10 send calls without ids.
        let lacks_ids = raw.is_some_and(|raw| {
            let message = serde_json::from_str::<RawMessage>(raw.json.get());
            message.is_ok_and(|message| message.lacks_ids())
        });
        Results { calls: OpenCalls::new(message, lacks_ids), results: Vec::new() }
    }

    /// Adds the results of a message.
    pub(super) fn add(&mut self, message: &Message) {
        for part in &message.parts {
            if let Part::ToolResult(result) = part {
                let wire = result_message(result, self.calls.result_id(result));
                self.results.push((self.calls.position(result), wire));
            }
        }
    }

    /// Moves the results to the messages, in the order of the calls. Templates that ignore names
    /// and ids pair them by their order.
    pub(super) fn move_to(&mut self, messages: &mut Vec<BodyItem>) {
        self.results.sort_by_key(|(position, _)| *position);
        messages.extend(self.results.drain(..).map(|(_, result)| BodyItem::Value(result)));
    }
}

fn result_message(result: &ToolResult, id: Option<&str>) -> Value {
    let mut wire = Map::new();
    wire.insert("role".to_owned(), json!("tool"));
    wire.insert("tool_name".to_owned(), json!(result.name));
    if let Some(id) = id {
        wire.insert("tool_call_id".to_owned(), json!(id));
    }
    wire.insert("content".to_owned(), json!(result.text_with_error()));
    Value::Object(wire)
}

/// The fields of a raw turn that this dialect reads.
#[derive(Deserialize)]
struct RawMessage {
    #[serde(default)]
    role: String,
    tool_calls: Option<Vec<RawCall>>,
}

impl RawMessage {
    /// Returns the ids of the calls, which are empty if they are missing.
    fn call_ids(&self) -> impl Iterator<Item = &str> {
        let calls = self.tool_calls.iter().flatten();
        calls.map(|call| call.id.as_deref().unwrap_or_default())
    }

    /// Returns whether no call has an id.
    fn lacks_ids(&self) -> bool {
        self.call_ids().all(str::is_empty)
    }
}

#[derive(Deserialize)]
struct RawCall {
    id: Option<String>,
}

/// Returns the message of a response as it is sent back. Returns `None` if it must be built from
/// the parts of the reply, because the API would reject it.
pub(super) fn raw_turn(json: &RawValue, chat: &Chat, reply: &Reply) -> Option<RawTurn> {
    let message: RawMessage = serde_json::from_str(json.get()).ok()?;
    // If some ids are missing or repeated, the results could not be paired with the calls.
    let ids = reply.tool_calls().map(|call| call.id.as_str());
    let has_usable_ids = message.lacks_ids() || message.call_ids().eq(ids);
    let is_usable = has_usable_ids && message.role == "assistant";
    is_usable.then(|| RawTurn::new(NAME, &chat.model, json.to_owned()))
}
