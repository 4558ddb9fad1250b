//! Reads from an error message which part of a request the provider refused, so that the request
//! can be sent again without that part.
//!
//! The wording of these messages differs, but all of them name a field of the request and state
//! that the model or the API does not support it. A message about the prompt, or about a value that
//! is out of range, is not such a refusal. `tests/cases/refusals.json` contains known messages.

use std::borrow::Cow;

use crate::chat::{Chat, Part, Sampling, ToolContent};

use super::failure::contains_any;
use super::refusal_text::{
    is_about_value, is_exclusive, leading_efforts, leading_number, without_alternatives,
    without_quotations,
};

/// The part of a request that a provider refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// These options are not supported.
    Options(Vec<SamplingOption>),
    /// The effort is not supported. The list contains the supported values in ascending order, if
    /// the message names them.
    Effort(Vec<&'static str>),
    /// The maximum number of output tokens is above this limit.
    OutputLimit(u64),
    /// The field for the schema or for JSON mode is not supported.
    Format,
    /// The field is supported, but not with this schema.
    Schema,
    /// The schema of a tool is not supported.
    ToolSchema,
    /// The model can't be forced to call a tool.
    ToolChoice,
    /// The field that allows or forbids several tool calls in one turn is not supported.
    ParallelToolCalls,
    /// Parts of the request exclude each other. Requests with only one of them are accepted.
    Exclusive(Box<Refusal>),
}

/// An option of a request that can be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SamplingOption {
    Temperature,
    TopP,
    TopK,
    StopSequences,
    FrequencyPenalty,
    PresencePenalty,
    Seed,
}

impl SamplingOption {
    /// Returns the option's path in requests.
    pub(crate) fn path(self) -> &'static str {
        match self {
            SamplingOption::Temperature => "options.temperature",
            SamplingOption::TopP => "options.topP",
            SamplingOption::TopK => "options.topK",
            SamplingOption::StopSequences => "options.stopSequences",
            SamplingOption::FrequencyPenalty => "options.frequencyPenalty",
            SamplingOption::PresencePenalty => "options.presencePenalty",
            SamplingOption::Seed => "options.seed",
        }
    }

    /// Removes the option, and returns whether it was set.
    pub(crate) fn clear(self, sampling: &mut Sampling) -> bool {
        match self {
            SamplingOption::Temperature => sampling.temperature.take().is_some(),
            SamplingOption::TopP => sampling.top_p.take().is_some(),
            SamplingOption::TopK => sampling.top_k.take().is_some(),
            SamplingOption::FrequencyPenalty => sampling.frequency_penalty.take().is_some(),
            SamplingOption::PresencePenalty => sampling.presence_penalty.take().is_some(),
            SamplingOption::Seed => sampling.seed.take().is_some(),
            SamplingOption::StopSequences => {
                !std::mem::take(&mut sampling.stop_sequences).is_empty()
            }
        }
    }
}

/// Maximum length in bytes of the text that is searched. A longer text quotes the request.
const MAX_TEXT_BYTES: usize = 2000;
/// Minimum length of a text of the chat that is searched in messages, in characters.
const MIN_QUOTED: usize = 4;
/// Maximum length of the beginning and the end of such a text that are searched, in characters.
const MAX_QUOTED: usize = 40;
/// Minimum output limit. Lower numbers are not limits of a model.
const MIN_OUTPUT_LIMIT: u64 = 256;

/// Texts about a schema that the provider does not support.
const SCHEMA_TEXTS: &[&str] = &[
    "invalid schema for response_format",
    "invalid json schema",
    "compiled grammar is too large",
    "schema is too complex",
    "schemas contains too many",
    "too many states for serving",
    "output_config.format.schema",
    "response_schema.",
    "response_json_schema.",
    "lookaround is not supported",
];
/// Words that occur only in messages about one schema, in lower case.
const SCHEMA_KEYWORDS: &[&str] = &[
    "keyword",
    "keywords",
    "oneof",
    "anyof",
    "allof",
    "$ref",
    "$defs",
    "additionalproperties",
    "patternproperties",
    "prefixitems",
    "minitems",
    "maxitems",
    "uniqueitems",
    "minlength",
    "maxlength",
    "minimum",
    "maximum",
    "multipleof",
    "pattern",
    "enum",
    "const",
];
/// Texts about the schema of a tool.
const TOOL_SCHEMA_TEXTS: &[&str] = &["input_schema", "inputschema"];
/// Texts that state that a field is not supported.
const UNSUPPORTED_TEXTS: &[&str] = &[
    "unsupported",
    "not support",
    "n't support",
    "not a supported",
    "unknown parameter",
    "unknown name",
    "unknown field",
    "unrecognized",
    "extra inputs",
    "extra_forbidden",
    "extraneous key",
    "deprecated for this model",
    "only be set to",
    "only the default",
    "cannot both be specified",
    "cannot be used",
    "can't be used",
    "mutually exclusive",
    "only one of",
    "either ",
    "not permitted",
    "not enabled for",
    "not available for",
    "not allowed",
    "not compatible",
    "incompatible",
    "is unavailable",
    "must be unset",
    "may not be enabled",
];
/// Texts about a value that no model accepts, or about a prompt that is too long.
const INVALID_VALUE_TEXTS: &[&str] = &[
    "greater than",
    "less than",
    "between",
    "range",
    "above maximum",
    "below minimum",
    "expected a value",
    "invalid type",
    "at least",
    "at most",
    "too long",
    "too large",
    "context length",
    "context limit",
    "context window",
    "function tools",
];
/// Texts about the tokens that the prompt leaves in the context.
const REMAINING_TEXTS: &[&str] = &["prompt", "input", "context", "total", "messages"];
/// What Groq's message about the limit of a model adds.
const WINDOW_TEXT: &str = "is less than the `context_window` for this model";
/// Texts that precede the list of supported values.
const LIST_TEXTS: &[&str] = &[
    "supported values",
    "supported levels",
    "supported efforts",
    "valid values",
    "allowed values",
    "must be one of",
    "expected one of",
    "input should be",
    "choose from",
];

/// What a name in a message refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Options(&'static [SamplingOption]),
    Effort,
    OutputLimit,
    Format,
    ToolChoice,
    ParallelToolCalls,
    /// A part of the request that must not be changed, such as the messages.
    Fixed,
}

/// Phrases in ordinary English that refer to a field.
const PHRASES: &[(&str, Subject)] = &[
    ("adaptive thinking", Subject::Effort),
    ("thinking level", Subject::Effort),
    ("thinking budget", Subject::Effort),
    ("think value", Subject::Effort),
    ("support thinking", Subject::Effort),
    ("reasoning effort", Subject::Effort),
    ("effort level", Subject::Effort),
    ("stop sequences", Subject::Options(&[SamplingOption::StopSequences])),
    ("penalty is not enabled", PENALTIES),
    ("output format", Subject::Format),
    ("response format", Subject::Format),
    ("structured output", Subject::Format),
    ("json mode", Subject::Format),
    ("tool choice", Subject::ToolChoice),
    ("type \"tool\"", Subject::ToolChoice),
    ("parallel tool calls", Subject::ParallelToolCalls),
    ("support tool", Subject::Fixed),
    ("support image", Subject::Fixed),
];

const PENALTIES: Subject =
    Subject::Options(&[SamplingOption::FrequencyPenalty, SamplingOption::PresencePenalty]);

/// Returns the part of a request that the provider refused, or `None` if the error does not name a
/// part that can be changed. `message` is the provider's error message, and `body` is the whole
/// response body, which is searched if the message does not name a field. A text that quotes the
/// chat is not read, because the caller could have written the refusal.
pub(crate) fn read_refusal(message: &str, body: &[u8], chat: &Chat) -> Option<Refusal> {
    let message = truncate(message);
    if quotes_chat(message, chat) {
        return None;
    }
    if let Some(refusal) = parse_message(message) {
        return Some(refusal);
    }
    // Validation errors often contain the name in a separate field.
    let body = std::str::from_utf8(body).ok().map(truncate)?;
    let names_field = !subjects(&without_quotations(message)).is_empty();
    if names_field || !contains_any(&message.to_ascii_lowercase(), UNSUPPORTED_TEXTS) {
        return None;
    }
    if quotes_chat(body, chat) { None } else { parse_message(body) }
}

/// Returns whether a text contains a message or a stop sequence of the chat, or its beginning or
/// end.
fn quotes_chat(text: &str, chat: &Chat) -> bool {
    let parts = chat.messages.iter().flat_map(|message| &message.parts);
    let texts = parts.filter_map(|part| match part {
        Part::Text(text) => Some(Cow::Borrowed(text.as_str())),
        Part::ToolResult(result) => match &result.content {
            ToolContent::Text(text) => Some(Cow::Borrowed(text.as_str())),
            ToolContent::Json(value) => Some(Cow::Owned(value.to_string())),
        },
        Part::ToolCall(_) | Part::Media(_) => None,
    });
    let stops = chat.sampling.stop_sequences.iter().map(|stop| Cow::Borrowed(stop.as_str()));
    let contains = |part: String| {
        let escaped = serde_json::Value::from(part.as_str()).to_string();
        text.contains(&part) || text.contains(escaped.trim_matches('"'))
    };
    texts.chain(stops).any(|quoted| {
        let quoted = quoted.trim();
        let end: Vec<char> = quoted.chars().rev().take(MAX_QUOTED).collect();
        end.len() >= MIN_QUOTED
            && (contains(quoted.chars().take(MAX_QUOTED).collect())
                || contains(end.into_iter().rev().collect()))
    })
}

fn truncate(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or(text)
}

fn parse_message(message: &str) -> Option<Refusal> {
    let message = without_quotations(remove_schema_rule(message));
    let text = message.to_ascii_lowercase();
    if contains_any(&text, SCHEMA_TEXTS) {
        return Some(Refusal::Schema);
    }
    if contains_any(&text, TOOL_SCHEMA_TEXTS) {
        return Some(Refusal::ToolSchema);
    }
    let found = subjects(&message);
    if let Some(limit) = read_output_limit(&text, found.first().map(|(_, subject)| *subject)) {
        return Some(Refusal::OutputLimit(limit));
    }
    let named = subjects(&without_alternatives(&message));
    let is_exclusive = is_exclusive(&text) || excludes_following(&text, &named);
    let subjects: Vec<Subject> = named.into_iter().map(|(_, subject)| subject).collect();
    let refusal = read_subjects(&text, &subjects, is_exclusive)?;
    Some(if is_exclusive { Refusal::Exclusive(Box::new(refusal)) } else { refusal })
}

/// Returns the refusal of the first part that a message names. If parts exclude each other, an
/// option is dropped rather than another part.
fn read_subjects(text: &str, subjects: &[Subject], is_exclusive: bool) -> Option<Refusal> {
    let is_option = |subject: &&Subject| matches!(subject, Subject::Options(_));
    let first = subjects.first()?;
    let option = subjects.iter().find(is_option);
    let option = option.filter(|_| is_exclusive && *first != Subject::Fixed);
    let subject = option.unwrap_or(first);
    let efforts = supported_efforts(text);
    if *subject == Subject::Effort && !efforts.is_empty() {
        return Some(Refusal::Effort(efforts));
    }
    if !contains_any(text, UNSUPPORTED_TEXTS) || contains_any(text, INVALID_VALUE_TEXTS) {
        return None;
    }
    match subject {
        Subject::Options(_) if is_about_value(text) => None,
        Subject::Options(_) => {
            let mut options = Vec::new();
            for subject in subjects {
                let Subject::Options(named) = subject else { continue };
                let new = named.iter().filter(|option| !options.contains(*option));
                let new: Vec<SamplingOption> = new.copied().collect();
                options.extend(new);
            }
            Some(Refusal::Options(options))
        }
        Subject::Effort => Some(Refusal::Effort(Vec::new())),
        Subject::Format if names_keyword(text) => Some(Refusal::Schema),
        Subject::Format => Some(Refusal::Format),
        Subject::ToolChoice => Some(Refusal::ToolChoice),
        Subject::ParallelToolCalls => Some(Refusal::ParallelToolCalls),
        // The output limit is lowered, but never dropped.
        Subject::OutputLimit | Subject::Fixed => None,
    }
}

/// Returns whether a part is not supported with another part, as in "`stop` is not supported with
/// `response_format`". Options are remembered with the kind of reasoning anyway.
fn excludes_following(text: &str, subjects: &[(usize, Subject)]) -> bool {
    subjects.iter().skip(1).any(|(at, subject)| {
        let before = text.get(..*at).unwrap_or_default().trim_end_matches(['\'', '"', '`']);
        *subject != Subject::Effort && before.ends_with(" with ")
    })
}

/// Returns whether a text in lower case is about a keyword of a schema, or about one schema.
fn names_keyword(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$');
    let mut before = "";
    text.split(|c| !is_part(c)).filter(|word| !word.is_empty()).any(|word| {
        // "JSON schema" is the name of the method.
        let is_schema = matches!(word, "schema" | "schemas") && before != "json";
        before = word;
        is_schema || SCHEMA_KEYWORDS.contains(&word)
    })
}

/// Removes the schema rule that a message of Bedrock quotes before the name of the refused key.
fn remove_schema_rule(message: &str) -> &str {
    let rest = message.split_once("must not be valid against schema").map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split_once('}')).map_or(message, |(_, rest)| rest)
}

/// Returns the parts of the request that a message names, with their positions.
fn subjects(message: &str) -> Vec<(usize, Subject)> {
    let text = message.to_ascii_lowercase();
    let phrases =
        PHRASES.iter().filter_map(|(phrase, subject)| Some((text.find(phrase)?, *subject)));
    let mut subjects: Vec<(usize, Subject)> = phrases.collect();
    subjects
        .extend(field_names(message).filter_map(|(at, name)| Some((at, subject_of_path(name)?))));
    subjects.sort_by_key(|(at, _)| *at);
    subjects
}

/// Returns the names of fields in a message and their positions. An ordinary word counts as a name
/// only if it is marked as one, for example by quotes.
fn field_names(message: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let mut at = 0;
    let words = std::iter::from_fn(move || {
        let rest = message.get(at..)?;
        let start = at + rest.find(is_part)?;
        let rest = message.get(start..)?;
        let length = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        at = start + length;
        Some((start, rest.get(..length)?))
    });
    words.filter_map(move |(start, word)| {
        let name = word.trim_matches('.');
        let before = message.get(..start).unwrap_or_default();
        let after = message.get(start + word.len()..).unwrap_or_default();
        is_field_name(before, name, after).then_some((start, name))
    })
}

/// Returns whether a word is the name of a field: it is quoted, spelled as a name, or next to a
/// word such as `parameter`.
fn is_field_name(before: &str, word: &str, after: &str) -> bool {
    let is_camel = |pair: &[u8]| {
        let [first, second] = pair else { return false };
        first.is_ascii_lowercase() && second.is_ascii_uppercase()
    };
    let follows = [" parameter", " field", " option", " argument", ":"];
    let precedes = ["parameter ", "parameter: ", "field ", "argument ", "argument: "];
    word == "temperature"
        || before.ends_with(['\'', '"', '`', '[', '/'])
        || word.contains(['_', '.'])
        || word.as_bytes().windows(2).any(is_camel)
        || follows.iter().any(|text| after.starts_with(text))
        || precedes.iter().any(|text| before.ends_with(text))
        || before.ends_with([':', ',', ' '])
            && before.trim_end().ends_with([':', ','])
            && after.trim_matches(['.', ' ']).is_empty()
}

/// Returns what a path such as `generation_config.thinking_config` refers to. The last known
/// segment is the most specific one.
fn subject_of_path(path: &str) -> Option<Subject> {
    let mut segments = path.split('.').filter(|segment| !segment.is_empty());
    let first = segments.clone().next().and_then(subject_of_segment);
    if first == Some(Subject::Fixed) && !is_tool_config(path) {
        return first;
    }
    segments.rfind(|segment| subject_of_segment(segment).is_some()).and_then(subject_of_segment)
}

fn is_tool_config(path: &str) -> bool {
    path.to_ascii_lowercase().starts_with("toolconfig.toolchoice")
}

fn subject_of_segment(segment: &str) -> Option<Subject> {
    use SamplingOption::{
        FrequencyPenalty, PresencePenalty, Seed, StopSequences, Temperature, TopK, TopP,
    };
    let name: String =
        segment.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect();
    Some(match name.as_str() {
        "temperature" => Subject::Options(&[Temperature]),
        "topp" => Subject::Options(&[TopP]),
        "topk" => Subject::Options(&[TopK]),
        "stop" | "stopsequences" => Subject::Options(&[StopSequences]),
        "frequencypenalty" => Subject::Options(&[FrequencyPenalty]),
        "presencepenalty" => Subject::Options(&[PresencePenalty]),
        "seed" | "randomseed" => Subject::Options(&[Seed]),
        "reasoningeffort" | "effort" | "reasoning" | "reasoningconfig" | "thinking" | "think" => {
            Subject::Effort
        }
        "thinkingconfig" | "thinkinglevel" | "thinkingbudget" | "budgettokens" => Subject::Effort,
        "maxtokens" | "maxcompletiontokens" | "maxoutputtokens" | "numpredict" => {
            Subject::OutputLimit
        }
        "responseformat" | "jsonschema" | "jsonobject" | "outputconfig" | "outputformat" => {
            Subject::Format
        }
        "responsejsonschema" | "responseschema" | "responsemimetype" | "textformat" | "format" => {
            Subject::Format
        }
        "toolchoice" => Subject::ToolChoice,
        "paralleltoolcalls" | "disableparalleltooluse" => Subject::ParallelToolCalls,
        "messages" | "contents" | "content" | "system" | "systeminstruction" | "prompt" => {
            Subject::Fixed
        }
        "tools" | "toolconfig" | "functions" | "store" | "guardrailconfig" | "stream" => {
            Subject::Fixed
        }
        _ => return None,
    })
}

/// Returns the supported values of `effort` that a message lists, in ascending order.
fn supported_efforts(text: &str) -> Vec<&'static str> {
    let list = LIST_TEXTS.iter().find_map(|intro| text.split_once(intro)).map(|(_, list)| list);
    list.map(leading_efforts).unwrap_or_default()
}

/// Returns the maximum number of output tokens that a message names.
fn read_output_limit(text: &str, subject: Option<Subject>) -> Option<u64> {
    let names_limit = subject == Some(Subject::OutputLimit) || text.contains("maximum tokens");
    let is_model_limit = !contains_any(&text.replace(WINDOW_TEXT, ""), REMAINING_TEXTS);
    if !names_limit || !is_model_limit {
        return None;
    }
    let limits = [
        "> ",
        "supports at most ",
        "model limit of ",
        "maximum value of ",
        "less than or equal to ",
        "<= ",
        "exceeds the maximum of ",
    ];
    // In "max_tokens: N > M", the limit is the last number. The end of a range can be excluded.
    let limit = if let Some((_, limit)) = limits.iter().find_map(|intro| text.split_once(intro)) {
        leading_number(limit)?
    } else if let Some((_, range)) = text.split_once("supported range is from") {
        let limit = leading_number(range.split_once(" to ")?.1)?;
        if range.contains("(exclusive)") { limit.checked_sub(1)? } else { limit }
    } else {
        let (_, range) = text.split_once("valid range of max_tokens is [")?;
        leading_number(range.split_once(", ")?.1)?
    };
    (limit >= MIN_OUTPUT_LIMIT).then_some(limit)
}
