//! A conversation that was handed back to the caller, and the results that continue it.
//!
//! A conversation is data of the caller, who can change it. So nothing in it is trusted: it is
//! checked like a new request, and no call in it ever runs.

use std::collections::HashSet;

use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::problems::Problems;
use super::request_form::RequestForm;
use super::target::Target;
use crate::chat::{Message, Part, RawTurn, Role, ToolCall, ToolContent, ToolResult};
use crate::hex::hex;
use crate::json;
use crate::providers::Dialect;
use crate::request::{Request, RequestToolResult, suggestion};

/// The version of the format.
const VERSION: u32 = 1;
/// Maximum size of a conversation in bytes.
pub(crate) const MAX_CONVERSATION_BYTES: usize = 4 << 20;

/// Maximum size of the result of a tool in bytes.
pub(crate) const MAX_RESULT_BYTES: usize = 256 * 1024;
/// Maximum number of turns of a conversation.
pub(super) const MAX_TURNS: u32 = 50;
/// The fields and types of parts that name a file or an object, which a provider would read with
/// the key or the role of the operator. No turn that a dialect receives contains them.
const REFERENCES: &[&str] = &[
    "s3Location",
    "fileData",
    "fileUri",
    "file_data",
    "file_id",
    "file_url",
    "image_url",
    "item_reference",
];

/// A conversation that was handed back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HandedBackConversation {
    version: u32,
    pub(crate) provider: String,
    pub(crate) model: String,
    /// How the requests are sent. `None` if an earlier version handed the conversation back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<RequestForm>,
    /// The hash of the tools.
    tools: String,
    /// The id of the conversation, which stays the same when it is continued.
    pub(crate) run_id: String,
    /// The number of turns of the model.
    pub(crate) turns: u32,
    /// The messages, of which the last is the turn of the model whose calls were handed back.
    pub(crate) messages: Vec<Message>,
    /// The results of those calls of the last turn that ran before the conversation was handed
    /// back.
    results: Vec<ToolResult>,
}

impl HandedBackConversation {
    /// Creates the conversation to hand back. `results` are those of the calls that ran.
    pub(crate) fn new(
        (provider, model, form): (&str, &str, RequestForm),
        digest: &str,
        (run_id, turns): (&str, u32),
        messages: Vec<Message>,
        results: Vec<ToolResult>,
    ) -> Self {
        let (provider, model) = (provider.to_owned(), model.to_owned());
        let tools = digest.to_owned();
        let (version, run_id) = (VERSION, run_id.to_owned());
        let form = Some(form);
        HandedBackConversation {
            version,
            provider,
            model,
            form,
            tools,
            run_id,
            turns,
            messages,
            results,
        }
    }

    /// Returns the size of the conversation in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.messages.iter().map(Message::bytes).sum()
    }

    /// Returns why the caller must have changed the conversation, if that is certain.
    fn find_change(&self, dialect: Option<&dyn Dialect>) -> Option<(String, String)> {
        if self.turns > MAX_TURNS {
            let text = format!("expected at most {MAX_TURNS}, got {}", self.turns);
            return Some(("turns".to_owned(), text));
        }
        let bytes = self.bytes();
        if bytes > MAX_CONVERSATION_BYTES {
            let text = format!("expected at most {MAX_CONVERSATION_BYTES} bytes, got {bytes}");
            return Some(("messages".to_owned(), text));
        }
        let index =
            self.messages.iter().position(|message| !is_as_handed_back(message, dialect))?;
        let text = "expected a message exactly as it was handed back";
        Some((format!("messages[{index}]"), text.to_owned()))
    }

    /// Returns whether this is the provider and the model of the conversation.
    pub(crate) fn is_with(&self, target: &Target) -> bool {
        target.provider.name() == self.provider && target.model == self.model
    }

    /// Returns the calls of the last turn.
    fn last_calls(&self) -> Vec<&ToolCall> {
        let last = self.messages.last().filter(|last| last.role == Role::Assistant);
        let parts = last.into_iter().flat_map(|message| &message.parts);
        parts
            .filter_map(|part| match part {
                Part::ToolCall(call) => Some(call),
                _ => None,
            })
            .collect()
    }
}

/// What a conversation must match to be continued.
pub(super) struct ContinuationContext<'a> {
    /// The hash of the tools.
    pub(super) digest: &'a str,
    /// The target of the request and its fallbacks.
    pub(super) targets: Vec<&'a Target>,
}

/// Parses the conversation that a request continues, and adds the results to it.
pub(super) fn check_continued(
    request: &mut Request,
    context: &ContinuationContext<'_>,
    problems: &mut Problems,
) -> Option<HandedBackConversation> {
    reject_stored(request, problems);
    let results = request.tool_results.take();
    let Some(written) = request.conversation.take() else {
        if results.is_some() {
            problems.add("toolResults", "is only valid together with conversation");
        }
        return None;
    };
    let mut conversation = parse(written, problems)?;
    let text = if conversation.version != VERSION {
        Some(("version", format!("expected {VERSION}, got {}", conversation.version)))
    } else if conversation.tools != context.digest {
        let text = "the tools of the request have changed since the conversation was handed back; \
                    send the same request again, with a fixed version of a hosted config";
        Some(("tools", text.to_owned()))
    } else {
        check_target(&conversation, &context.targets).map(|text| ("model", text))
    };
    let text = text.map(|(field, text)| (field.to_owned(), text));
    let target = context.targets.iter().find(|target| conversation.is_with(target));
    let dialect = target.map(|target| target.provider.dialect());
    if let Some((field, text)) = text.or_else(|| conversation.find_change(dialect)) {
        problems.add(format!("conversation.{field}"), text);
        return None;
    }
    add_results(&mut conversation, results.unwrap_or_default(), problems)?;
    let bytes = conversation.bytes();
    if bytes > MAX_CONVERSATION_BYTES {
        let max = MAX_CONVERSATION_BYTES;
        let text =
            format!("expected at most {max} bytes together with the conversation, got {bytes}");
        problems.add("toolResults", text);
        return None;
    }
    Some(conversation)
}

/// Rejects the id of a stored conversation. Where conversations are stored, the Lambda function
/// replaces the id with the conversation.
pub(super) fn reject_stored(request: &Request, problems: &mut Problems) {
    if request.continues.is_some() {
        let text = "is supported only in calls to a function with the setting RESULT_PREFIX; send \
                    the conversation instead";
        problems.add("continue", text);
    }
}

fn parse(written: Map<String, Value>, problems: &mut Problems) -> Option<HandedBackConversation> {
    match json::read::<HandedBackConversation>(&Value::Object(written)) {
        Ok(conversation) => Some(conversation),
        Err(error) => {
            let text = format!(
                "expected a conversation exactly as it was handed back: {}",
                json::describe_error(&error)
            );
            problems.add("conversation", text);
            None
        }
    }
}

/// Returns why the conversation does not belong to a target of the request.
fn check_target(conversation: &HandedBackConversation, targets: &[&Target]) -> Option<String> {
    // Without a valid target, the request is rejected anyway.
    if targets.is_empty() || targets.iter().any(|target| conversation.is_with(target)) {
        return None;
    }
    let HandedBackConversation { provider, model, .. } = conversation;
    Some(format!(
        "the conversation is with {} of {}, which is not the provider and model of the request or \
         of one of its fallbacks",
        json::quoted(model),
        json::quoted(provider)
    ))
}

/// Adds a message with the result of each call of the last turn.
fn add_results(
    conversation: &mut HandedBackConversation,
    written: Vec<Option<RequestToolResult>>,
    problems: &mut Problems,
) -> Option<()> {
    let calls = conversation.last_calls();
    if calls.is_empty() {
        let text = "expected the calls of a model in the last message";
        problems.add("conversation.messages", text);
        return None;
    }
    let mut results: Vec<Option<ToolResult>> = calls
        .iter()
        .map(|call| conversation.results.iter().find(|known| known.call_id == call.id).cloned())
        .collect();
    let ids: Vec<&str> = calls.iter().map(|call| &*call.id).collect();
    let mut is_valid = true;
    for (index, result) in written.into_iter().enumerate() {
        if problems.is_full() {
            break;
        }
        let path = format!("toolResults[{index}]");
        let added = read_result(result.unwrap_or_default(), &ids, &calls, &mut results);
        if let Err((field, text)) = added {
            problems.add(format!("{path}{field}"), text);
            is_valid = false;
        }
    }
    is_valid &= !problems.is_full();
    let missing = ids.iter().zip(&results).filter(|(_, result)| result.is_none());
    let missing: Vec<String> = missing.map(|(id, _)| json::quoted(id)).collect();
    if !missing.is_empty() && is_valid {
        let text = format!("missing: the result of the calls {}", missing.join(", "));
        problems.add("toolResults", text);
    }
    if !missing.is_empty() || !is_valid {
        return None;
    }
    conversation.run_id = continued_id(&conversation.run_id, results.iter().flatten());
    conversation.results.clear();
    conversation.messages.push(Message::tool_results(results.into_iter().flatten()));
    Some(())
}

/// Returns whether a message can be one that was handed back: a turn in the provider's format is an
/// assistant message and refers to no file, an image has a URL of an allowed kind, and each call
/// has an id of its own.
fn is_as_handed_back(message: &Message, dialect: Option<&dyn Dialect>) -> bool {
    let mut ids = HashSet::new();
    let has_valid_ids =
        message.tool_calls().all(|call| !call.id.is_empty() && ids.insert(&call.id));
    let has_valid_media = message.parts.iter().all(|part| match part {
        Part::Media(media) => media.url.starts_with("https:") || media.url.starts_with("data:"),
        _ => true,
    });
    let has_valid_raw = message
        .raw
        .as_ref()
        .is_none_or(|raw| message.role == Role::Assistant && is_valid_turn(raw, dialect));
    has_valid_ids && has_valid_media && has_valid_raw
}

/// Returns whether a turn in the provider's format can be one of the model. A turn that can't be
/// read completely is not valid: the provider may read a part of it that this check does not, such
/// as the first of two fields with the same name.
fn is_valid_turn(raw: &RawTurn, dialect: Option<&dyn Dialect>) -> bool {
    let Ok(mut turn) = json::parse_unique(raw.json.get()) else { return false };
    // The arguments of calls can have any names. A turn of another dialect is not sent.
    if let Some(dialect) = dialect.filter(|dialect| dialect.name() == raw.dialect) {
        dialect.remove_call_arguments(&mut turn);
    }
    let role = turn.get("role").and_then(Value::as_str);
    matches!(role, None | Some("assistant" | "model")) && !has_reference(&turn)
}

/// Returns whether a value contains one of [`REFERENCES`] as a key or as a type.
fn has_reference(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            let is_type =
                name == "type" && value.as_str().is_some_and(|it| REFERENCES.contains(&it));
            REFERENCES.contains(&&**name) || is_type || has_reference(value)
        }),
        Value::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}

/// Returns the id of a continued conversation. It depends on the results, so that the calls of two
/// continuations of one conversation have different ids. The length of each text is hashed, so that
/// texts can't be divided in another way.
fn continued_id<'a>(run_id: &str, results: impl Iterator<Item = &'a ToolResult>) -> String {
    let mut hasher = digest::Context::new(&digest::SHA256);
    hasher.update(run_id.as_bytes());
    for result in results {
        let text = result.content.to_text();
        let head = json!([result.call_id, result.is_error, text.len()]);
        hasher.update(head.to_string().as_bytes());
        hasher.update(text.as_bytes());
    }
    hex(hasher.finish().as_ref())
}

/// Reads one result into the place of its call. Returns the field and the reason if it is invalid.
fn read_result(
    written: RequestToolResult,
    ids: &[&str],
    calls: &[&ToolCall],
    results: &mut [Option<ToolResult>],
) -> Result<(), (&'static str, String)> {
    let Some(id) = written.id else {
        return Err((".id", "missing; expected the id of a call".to_owned()));
    };
    let received = json::quoted(&id);
    let index = ids.iter().position(|known| *known == id);
    let (Some(call), Some(place)) =
        (index.and_then(|index| calls.get(index)), index.and_then(|index| results.get_mut(index)))
    else {
        let hint = suggestion(&id, ids);
        return Err((".id", format!("no call has the id {received}{hint}")));
    };
    if place.is_some() {
        return Err((".id", format!("the call {received} has a result already")));
    }
    let text = written.result.map(result_text);
    let bytes = text.as_deref().or(written.error.as_deref()).map_or(0, str::len);
    if bytes > MAX_RESULT_BYTES {
        return Err(("", format!("expected at most {MAX_RESULT_BYTES} bytes, got {bytes}")));
    }
    let result = match (text, written.error) {
        (Some(result), None) => ToolResult::new(call, ToolContent::Text(result)),
        (None, Some(error)) => ToolResult::error(call, error),
        _ => return Err(("", "expected either result or error".to_owned())),
    };
    *place = Some(result);
    Ok(())
}

/// Returns the text of a result for the model: a string as it is, any other value as compact JSON.
pub(crate) fn result_text(result: Value) -> String {
    match result {
        Value::String(text) => text_or_ok(text),
        other => other.to_string(),
    }
}

/// Returns the text of a result, or `ok` if it is empty, because some providers reject empty
/// results.
pub(crate) fn text_or_ok(text: String) -> String {
    if text.trim().is_empty() { "ok".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::continued_id;
    use crate::chat::{ToolCall, ToolContent, ToolResult};

    #[test]
    fn ids_of_continued_conversations_depend_on_all_of_each_result() {
        let call = |id: &str| ToolCall::new(id, "f", "{}");
        let text =
            |id: &str, text: &str| ToolResult::new(&call(id), ToolContent::Text(text.to_owned()));
        let ids = [
            vec![text("a", "x"), text("b", "y")],
            vec![text("a", "y"), text("b", "x")],
            vec![text("a", "x\ny")],
            vec![text("a", "x\n"), text("b", "y")],
            vec![text("a", "xy"), text("b", "")],
            vec![text("b", "x"), text("a", "y")],
            vec![ToolResult::error(&call("a"), "x"), text("b", "y")],
        ]
        .map(|results| continued_id("run", results.iter()));
        for (index, id) in ids.iter().enumerate() {
            assert!(!ids[..index].contains(id), "{index}");
        }
    }
}
