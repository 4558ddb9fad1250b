//! Parses the response body of the Responses API.

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::apis::OpenAiResponses;
use super::tools;
use crate::chat::{Chat, Reply, ReplyBuilder, ReplyEvent, ReportedCounts, StopReason, Usage};
use crate::error::{Error, ErrorKind};
use crate::providers::content_parts::read_content;
use crate::providers::error_body::is_reported;
use crate::providers::failure;
use crate::providers::lenient::{
    Lenient, count, incomplete, list_items, optional_count, push_usage, read_text,
};
use crate::providers::raw_object::RawObject;
use crate::wire::WireReply;

/// The name of the response body in errors.
const EXPECTED: &str = "a response of the Responses API";

/// Parses a successful response to the request for `chat`.
///
/// # Errors
/// `ProviderUnavailable` if the body has no output items or reports an error, or if the provider
/// aborted the reply or has not finished it.
pub(super) fn read_reply(
    api: OpenAiResponses,
    wire: &WireReply,
    chat: &Chat,
) -> Result<Reply, Error> {
    let response: Response<'_> = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable(EXPECTED, &error))?;
    check_status(&response)?;
    let output = response.output.filter(|output| output.get() != "null");
    let items = output.and_then(|output| list_items(Some(output)));
    let items = items.ok_or_else(|| incomplete(EXPECTED, "the list of output items"))?;
    let mut builder = ReplyBuilder::new(chat);
    builder.push_some(response.id.ok().map(ReplyEvent::Id))?;
    builder.push_some(response.model.ok().map(ReplyEvent::Model))?;
    let parsed: Vec<_> = items
        .into_iter()
        .map(|item| (item, serde_json::from_str::<Item<'_>>(item.get())))
        .collect();
    let is_final = |item: &Item<'_>| item.is_final_answer();
    let has_final_answer = parsed.iter().any(|(_, item)| item.as_ref().is_ok_and(is_final));
    let mut reader = OutputReader::new(has_final_answer, chat);
    for (raw, item) in parsed {
        match item {
            Ok(item) => reader.read_item(&mut builder, raw, item)?,
            Err(_) => builder.warn_skipped("an unreadable output item"),
        }
    }
    let (reason, provider) = stop_reason(response.status.ok(), response.incomplete_details.ok());
    builder.push(ReplyEvent::Stop { reason, provider })?;
    push_usage(&mut builder, response.usage.map(WireUsage::into_usage))?;
    for reason in withheld_reasons(response.input_transformations) {
        let warning =
            format!("the provider withheld reasoning of earlier turns from the model ({reason})");
        builder.push(ReplyEvent::Warning(warning))?;
    }
    let mut reply = builder.finish();
    // The API rejects a turn that contains nothing but reasoning.
    let has_content = !reply.parts.is_empty() || reply.refusal.is_some();
    if has_content && reader.is_needed() {
        reply.raw = tools::raw_turn(api, chat, reader.into_items());
    }
    Ok(reply)
}

/// Returns the token counts of a response whose reply is not usable.
pub(super) fn read_usage(wire: &WireReply) -> Usage {
    #[derive(Deserialize)]
    struct Counts {
        #[serde(default)]
        usage: Lenient<WireUsage>,
    }
    let counts = str::from_utf8(&wire.body).ok().map(serde_json::from_str::<Counts>);
    let usage = counts.and_then(|counts| counts.ok()?.usage.ok());
    usage.map(WireUsage::into_usage).unwrap_or_default()
}

/// Checks that the provider has finished the reply and reports no error.
fn check_status(response: &Response<'_>) -> Result<(), Error> {
    let error = response.error.and_then(|error| serde_json::from_str(error.get()).ok());
    let message = match &response.status {
        // The caller adds the message of the provider.
        _ if error.is_some_and(|error| is_reported(&error)) => "the response contains an error",
        Lenient::Value(status) => match status.as_str() {
            "failed" | "cancelled" => "the provider aborted the reply",
            "in_progress" | "queued" => "the response is not finished",
            _ => return Ok(()),
        },
        Lenient::Missing | Lenient::Unreadable => return Ok(()),
    };
    Err(Error::new(ErrorKind::ProviderUnavailable, message))
}

/// Returns why the model stopped. A reply that is complete can end with calls or a refusal, which
/// the builder of the reply knows.
fn stop_reason(
    status: Option<String>,
    details: Option<IncompleteDetails>,
) -> (StopReason, Option<String>) {
    let provider = details.and_then(|details| details.reason.ok()).or(status);
    let reason = match provider.as_deref() {
        Some("completed") => StopReason::Stop,
        Some("max_output_tokens") => StopReason::Length,
        Some("content_filter") => StopReason::ContentFilter,
        Some("max_messages" | "steered") => StopReason::Pause,
        _ => StopReason::Other,
    };
    (reason, provider)
}

/// Returns why the provider withheld reasoning items that the request contains.
fn withheld_reasons(transformations: Option<&RawValue>) -> Vec<String> {
    #[derive(Deserialize)]
    struct Transformation {
        #[serde(default)]
        reason: Lenient<String>,
    }
    let is_word = |reason: &String| {
        reason.len() <= 40 && reason.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let items = list_items(transformations).unwrap_or_default();
    let read = |item: &RawValue| serde_json::from_str::<Transformation>(item.get()).ok();
    let reasons = items.into_iter().filter_map(read).map(|item| item.reason.ok());
    reasons.map(|it| it.filter(is_word).unwrap_or_else(|| "unknown reason".to_owned())).collect()
}

/// Reads the output items, and collects the items of the turn that is sent back.
struct OutputReader {
    /// Whether an item is marked as the final answer. Other messages are then comments on the work.
    has_final_answer: bool,
    has_tools: bool,
    /// Whether the turn contains reasoning that can be sent back.
    has_reasoning: bool,
    /// Whether a reasoning item can't be sent back.
    lacks_reasoning: bool,
    /// Whether the turn can be sent back as its items.
    can_replay: bool,
    turn: Vec<Box<RawValue>>,
}

impl OutputReader {
    fn new(has_final_answer: bool, chat: &Chat) -> Self {
        OutputReader {
            has_final_answer,
            has_tools: !chat.tools.is_empty(),
            has_reasoning: false,
            lacks_reasoning: false,
            can_replay: true,
            turn: Vec::new(),
        }
    }

    /// Returns whether a later request needs the turn as it was received.
    fn is_needed(&self) -> bool {
        self.can_replay && (self.has_tools || self.has_reasoning)
    }

    /// Returns the items that are sent back. The API requires the reasoning that belongs to the id
    /// of a call or a message, so these are sent without an id if a reasoning item is missing.
    fn into_items(self) -> Vec<Box<RawValue>> {
        let lacks_reasoning = self.lacks_reasoning;
        let items = self.turn.into_iter();
        items.map(|item| if lacks_reasoning { without_id(item) } else { item }).collect()
    }

    /// Reads an output item. Items of other types are not part of the reply.
    fn read_item(
        &mut self,
        builder: &mut ReplyBuilder,
        raw: &RawValue,
        item: Item<'_>,
    ) -> Result<(), Error> {
        match item.kind.as_deref() {
            Some("function_call") => {
                self.read_call(builder, raw, item);
                return Ok(());
            }
            Some("reasoning") if !has_text(item.encrypted_content) => {
                self.lacks_reasoning = true;
                if self.has_tools {
                    let warning = "a reasoning item without encrypted content is not sent back to \
                                   the provider";
                    builder.push(ReplyEvent::Warning(warning.to_owned()))?;
                }
                return Ok(());
            }
            Some("reasoning") => self.has_reasoning = true,
            // Some servers omit the type of a message.
            Some("message") | None => {
                if item.is_final_answer() || !self.has_final_answer {
                    self.can_replay &= read_content(builder, item.content, |text| text)?;
                }
            }
            Some(_) => {}
        }
        self.turn.push(raw.to_owned());
        Ok(())
    }

    /// Reads a tool call. One that the API would reject when it is sent back is written again.
    fn read_call(&mut self, builder: &mut ReplyBuilder, raw: &RawValue, call: Item<'_>) {
        let arguments = call.arguments.map_or(Lenient::Missing, read_text);
        let is_text = matches!(&arguments, Lenient::Value(text) if !text.trim().is_empty());
        let arguments = match arguments {
            Lenient::Value(text) => text,
            Lenient::Missing => String::new(),
            Lenient::Unreadable => call.arguments.map_or("", RawValue::get).to_owned(),
        };
        let (id, name) =
            (call.call_id.ok().unwrap_or_default(), call.name.ok().unwrap_or_default());
        let is_skipped = name.is_empty();
        if builder.push_call(id, name, arguments) && is_text {
            self.turn.push(raw.to_owned());
        } else if !is_skipped {
            let item = builder.last_call().map(|call| tools::call_item(call, &call.id));
            match item.and_then(|item| to_raw_value(&item).ok()) {
                Some(item) => self.turn.push(item),
                None => self.can_replay = false,
            }
        }
    }
}

/// Removes the id of a call or a message.
fn without_id(item: Box<RawValue>) -> Box<RawValue> {
    let Some(mut fields) = RawObject::parse(&item) else { return item };
    if !matches!(fields.get("type"), Some("\"function_call\"" | "\"message\"")) {
        return item;
    }
    fields.retain(|name, _| name != "id");
    fields.to_json().unwrap_or_else(|_| item.clone())
}

/// The phase of a message that is not a comment.
const FINAL_ANSWER: &str = "final_answer";

fn has_text(json: Option<&RawValue>) -> bool {
    json.is_some_and(|json| json.get().starts_with('"') && json.get() != "\"\"")
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(default)]
    id: Lenient<String>,
    #[serde(default)]
    model: Lenient<String>,
    #[serde(default)]
    status: Lenient<String>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(default)]
    incomplete_details: Lenient<IncompleteDetails>,
    #[serde(default)]
    usage: Lenient<WireUsage>,
    #[serde(borrow)]
    input_transformations: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct IncompleteDetails {
    #[serde(default)]
    reason: Lenient<String>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(rename = "type", default)]
    kind: Lenient<String>,
    #[serde(default)]
    phase: Lenient<String>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    encrypted_content: Option<&'a RawValue>,
    #[serde(default)]
    call_id: Lenient<String>,
    #[serde(default)]
    name: Lenient<String>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireUsage {
    #[serde(default, deserialize_with = "count")]
    input_tokens: u64,
    #[serde(default, deserialize_with = "count")]
    output_tokens: u64,
    #[serde(default, deserialize_with = "optional_count")]
    total_tokens: Option<u64>,
    input_tokens_details: Option<InputDetails>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct InputDetails {
    #[serde(deserialize_with = "count")]
    cached_tokens: u64,
    #[serde(deserialize_with = "count")]
    cache_write_tokens: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OutputDetails {
    #[serde(deserialize_with = "count")]
    reasoning_tokens: u64,
}

impl Item<'_> {
    fn is_final_answer(&self) -> bool {
        self.phase.as_deref() == Some(FINAL_ANSWER)
    }
}

impl WireUsage {
    /// Converts the token counts so that each token is counted once. `input_tokens` includes tokens
    /// that were read from and written to a cache, and `output_tokens` includes reasoning tokens.
    fn into_usage(self) -> Usage {
        let input = self.input_tokens_details.unwrap_or_default();
        let (cached, cache_write) = (input.cached_tokens, input.cache_write_tokens);
        // xAI can report more cached tokens than input tokens, which then exclude them.
        let excludes_cached = cached > self.input_tokens;
        let prompt = if excludes_cached { cached } else { 0 }.saturating_add(self.input_tokens);
        Usage::from_reported(&ReportedCounts {
            prompt,
            completion: self.output_tokens,
            cached,
            cache_write,
            reasoning: self.output_tokens_details.unwrap_or_default().reasoning_tokens,
            total: self.total_tokens.filter(|_| !excludes_cached),
        })
    }
}
