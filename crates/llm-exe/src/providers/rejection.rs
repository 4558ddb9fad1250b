//! Reads from an error message which part of a request the provider rejected, so that the request
//! can be sent again without that part.
//!
//! The wording of these messages differs, but all of them name a field of the request and state
//! that the model or the API does not support it. A message about the prompt, or about a value that
//! is out of range, is not such a rejection. `tests/cases/rejections.json` contains known messages.

use crate::chat::{Chat, Sampling};
use crate::error::shorten;
use crate::word_list::{contains_phrase, contains_word};

use super::capabilities::{Efforts, is_effort};
use super::quoted_chat::{Quote, find_quote};
use super::rejection_text::{
    GENERAL_PHRASES, GENERAL_WORDS, LIMIT_WORDS, WINDOW_TEXT, is_about_value, is_exclusive,
    leading_efforts, leading_number, without_alternatives, without_name, without_quotations,
    without_urls,
};

/// A rejection of a part of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) part: RejectedPart,
    /// Whether parts of the request exclude each other. Only one of them must be dropped.
    pub(crate) is_exclusive: bool,
    /// Whether the provider rejects the part in every request to the model. Otherwise the rejection
    /// may be due to another part of the request, or to the value of the part.
    pub(crate) is_general: bool,
    /// The words of the message that reject the part, if it is rejected in every request. They
    /// quote nothing of the request, because all of them are known.
    pub(crate) evidence: String,
}

/// The part of a request that a provider rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RejectedPart {
    /// These options are not supported.
    Options(Vec<SamplingOption>),
    /// The effort is not supported. The set contains the supported values, if the message names
    /// them.
    Effort(Efforts),
    /// The maximum number of output tokens is above this limit.
    OutputLimit(u64),
    /// The field for the schema or for JSON mode is not supported.
    Format,
    /// The field is supported, but not with this schema.
    Schema,
    /// The schema of a tool is not supported.
    ToolSchema,
    /// The model can't call tools.
    Tools,
    /// The model can't be forced to call a tool.
    ToolChoice,
    /// The field that allows or forbids several tool calls in one turn is not supported.
    ParallelToolCalls,
    /// Only the Responses API accepts the request.
    ChatCompletions,
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
/// Maximum length of the evidence for a rejection in bytes.
const MAX_EVIDENCE_BYTES: usize = 300;
/// Minimum output limit. Lower numbers are not limits of a model.
const MIN_OUTPUT_LIMIT: u64 = 256;

/// Texts about a schema that the provider does not support.
const SCHEMA_TEXTS: &str = "\
    invalid schema for response_format|invalid json schema|compiled grammar is too large|\
    schema is too complex|schemas contains too many|too many states for serving|\
    output_config.format.schema|response_schema.|response_json_schema.|\
    lookaround is not supported|json schema error at|json schema conversion failed|\
    automatic parser generation failed|failed to parse grammar|not supported by xgrammar|\
    grammar error:";
/// Words that occur only in messages about one schema, in lower case.
const SCHEMA_KEYWORDS: &str = "\
    keyword keywords oneof anyof allof $ref $defs additionalproperties patternproperties \
    prefixitems minitems maxitems uniqueitems minlength maxlength minimum maximum multipleof \
    pattern enum const";
/// Texts about the schema of a tool.
const TOOL_SCHEMA_TEXTS: &str = "input_schema|inputschema";
/// Texts that state that a field is not supported.
const UNSUPPORTED_TEXTS: &str = "\
    unsupported|not support|n't support|not a supported|unknown parameter|unknown name|\
    unknown field|unrecognized|extra inputs|extra_forbidden|extraneous key|\
    deprecated for this model|only be set to|only the default|cannot both be specified|\
    cannot be used|can't be used|mutually exclusive|only one of|either |not permitted|\
    not enabled for|not available for|not allowed|not compatible|incompatible|is unavailable|\
    must be unset|may not be enabled";
/// Texts about a value that no model accepts, or about a prompt that is too long.
const INVALID_VALUE_TEXTS: &str = "\
    greater than|less than|between|range|above maximum|below minimum|expected a value|\
    invalid type|at least|at most|too long|too large|context length|context limit|context window|\
    function tools";
/// Texts about the tokens that the prompt leaves in the context.
const REMAINING_TEXTS: &str = "prompt|input|context|total|messages";
/// Texts about a minimum. The output limit can't be lowered after such a message.
const MINIMUM_TEXTS: &str = "\
    must be greater|must be larger|must be at least|must be >|must exceed|>=";
/// Texts that precede the list of supported values.
const LIST_TEXTS: &[&str] = &[
    "supported values",
    "supported levels",
    "supported efforts",
    "valid levels",
    "valid values",
    "allowed values",
    "must be one of",
    "expected one of",
    "input should be",
    "choose from",
];

/// Texts that state that only OpenAI's Responses API serves a model, or its tools, in lower case.
const RESPONSES_MODEL_TEXTS: &str = "\
    this model is only supported in v1/responses|unsupported legacy protocol|\
    chatcompletion operation does not work with the specified model|\
    not a chat model and thus not supported in the v1/chat/completions|\
    function tools with reasoning_effort are not supported|\
    multi agent requests are not allowed on chat completions";
/// Texts that recommend the Responses API. Another API may accept other requests to the model.
const RESPONSES_TEXTS: &str = "\
    use /v1/responses|use v1/responses|use the /v1/responses|use the v1/responses|\
    only supported in v1/responses|only supported in /v1/responses|use the responses api";

/// What a name in a message refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Options(&'static [SamplingOption]),
    Effort,
    OutputLimit,
    Format,
    Tools,
    ToolChoice,
    ParallelToolCalls,
    /// A part of the request that must not be changed, such as the messages.
    Fixed,
}

impl Subject {
    /// Returns whether a name with this subject refers to a rejected part.
    fn names(self, part: &RejectedPart) -> bool {
        match part {
            RejectedPart::Options(rejected) => match self {
                Subject::Options(options) => options.iter().any(|it| rejected.contains(it)),
                _ => false,
            },
            RejectedPart::Effort(_) => self == Subject::Effort,
            RejectedPart::OutputLimit(_) => self == Subject::OutputLimit,
            RejectedPart::Format | RejectedPart::Schema => self == Subject::Format,
            RejectedPart::Tools => self == Subject::Tools,
            RejectedPart::ToolChoice => self == Subject::ToolChoice,
            RejectedPart::ParallelToolCalls => self == Subject::ParallelToolCalls,
            RejectedPart::ToolSchema | RejectedPart::ChatCompletions => false,
        }
    }
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
    ("valid levels", Subject::Effort),
    ("stop sequences", Subject::Options(&[SamplingOption::StopSequences])),
    ("penalty is not enabled", PENALTIES),
    ("output format", Subject::Format),
    ("response format", Subject::Format),
    ("response schema", Subject::Format),
    ("structured output", Subject::Format),
    ("json mode", Subject::Format),
    ("tool choice", Subject::ToolChoice),
    ("type \"tool\"", Subject::ToolChoice),
    ("parallel tool calls", Subject::ParallelToolCalls),
    ("support tool", Subject::Tools),
    ("support image", Subject::Fixed),
];

const PENALTIES: Subject =
    Subject::Options(&[SamplingOption::FrequencyPenalty, SamplingOption::PresencePenalty]);

/// Returns the part of a request that the provider rejected, or `None` if the error does not name a
/// part that can be changed. `message` is the provider's error message, and `body` is the whole
/// response body, which is searched if the message does not name a field. A text that quotes a
/// whole text of the chat is not read, because the caller could have written the rejection.
pub(crate) fn read_rejection(message: &str, body: &[u8], chat: &Chat) -> Option<Rejection> {
    let message = truncate(message);
    let rejection = needs_responses(message).or_else(|| parse_message(message, &chat.model));
    if let Some(rejection) = rejection {
        return check_quotes(rejection, message, chat);
    }
    // Validation errors often contain the name in a separate field.
    let body = std::str::from_utf8(body).ok().map(truncate)?;
    let names_field = !subjects(&without_quotations(message)).is_empty();
    if names_field || !contains_phrase(&message.to_ascii_lowercase(), UNSUPPORTED_TEXTS) {
        return None;
    }
    check_quotes(parse_message(body, &chat.model)?, body, chat)
}

/// Ignores a rejection in a text that quotes the chat. If the text quotes only a few words, the
/// rejection applies to this request.
fn check_quotes(rejection: Rejection, text: &str, chat: &Chat) -> Option<Rejection> {
    let is_api = rejection.part == RejectedPart::ChatCompletions;
    let is_name = |word: &str| match subject_of_segment(word) {
        None | Some(Subject::Fixed) => is_api && matches!(word, "responses" | "completions"),
        Some(_) => true,
    };
    match find_quote(text, chat, is_name) {
        Quote::Text => None,
        Quote::Words => Some(Rejection { is_general: false, ..rejection }),
        Quote::None => Some(rejection),
    }
}

/// The phrase in OpenAI's message about an organization whose streams are restricted. The rest of
/// the message is advice.
const UNVERIFIED_TEXT: &str = "must be verified to stream this model";

/// Further words of messages that reject streams of a model, and of the error that quotes them.
const STREAM_WORDS: &str = "\
    function functions mode provider rejected request requests response responses stream \
    stream_options streamed streaming streams tool tools true value your";

/// A rejection of a stream.
pub(crate) struct StreamRejection {
    /// The words that reject streams of the model in every request. `None` if the error may name a
    /// condition, such as a kind of input, because not all of its words are known.
    pub(crate) evidence: Option<String>,
}

/// Returns the rejection of a stream in an error, or `None` if the error does not name streams.
pub(crate) fn read_stream_rejection(message: &str, model: &str) -> Option<StreamRejection> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let names_stream =
        |word: &str| matches!(word, "stream" | "streaming" | "streamed" | "stream_options");
    if !message.split(|c| !is_letter(c)).any(names_stream) {
        return None;
    }
    let text = without_quotations(&without_urls(message)).to_ascii_lowercase();
    if text.contains(UNVERIFIED_TEXT) {
        return Some(StreamRejection { evidence: Some(UNVERIFIED_TEXT.to_owned()) });
    }
    let without_model = without_name(&text, &model.to_ascii_lowercase());
    let is_known = |word: &str| {
        word.is_empty()
            || word.bytes().all(|byte| byte.is_ascii_digit())
            || contains_word(GENERAL_WORDS, word)
            || contains_word(STREAM_WORDS, word)
    };
    let is_end = |c: char| !is_letter(c) && c != '\'' && c != '…';
    let is_general = without_model.split(is_end).map(|word| word.trim_matches('\'')).all(is_known);
    // Errors about an image or a file can name a stream of data.
    if !is_general && !contains_phrase(&text, UNSUPPORTED_TEXTS) {
        return None;
    }
    let evidence = is_general.then(|| shorten(&text, MAX_EVIDENCE_BYTES));
    Some(StreamRejection { evidence })
}

fn truncate(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or(text)
}

/// Returns the rejection in a message which states that only the Responses API accepts a request.
fn needs_responses(message: &str) -> Option<Rejection> {
    let text = without_quotations(message).to_ascii_lowercase();
    let general = RESPONSES_MODEL_TEXTS.split('|').find(|phrase| text.contains(phrase));
    let is_general = general.is_some();
    if !is_general && !contains_phrase(&text, RESPONSES_TEXTS) {
        return None;
    }
    let (part, evidence) = (RejectedPart::ChatCompletions, general.unwrap_or_default().to_owned());
    Some(Rejection { part, is_exclusive: false, is_general, evidence })
}

fn parse_message(message: &str, model: &str) -> Option<Rejection> {
    let message = without_quotations(&without_urls(remove_schema_rule(message)));
    let text = message.to_ascii_lowercase();
    let found = subjects(&message);
    let named = subjects(&without_alternatives(&message));
    let is_exclusive = is_exclusive(&text) || excludes_following(&text, &named);
    let part = if contains_phrase(&text, SCHEMA_TEXTS) {
        RejectedPart::Schema
    } else if contains_phrase(&text, TOOL_SCHEMA_TEXTS) {
        RejectedPart::ToolSchema
    } else if let Some(limit) = read_output_limit(&text, found.first().map(|(_, named)| *named)) {
        RejectedPart::OutputLimit(limit)
    } else {
        let subjects = without_conditions(&text, named, is_exclusive);
        read_subjects(&text, &subjects, is_exclusive)?
    };
    let is_general = match part {
        // The change applies to requests with the same schema.
        RejectedPart::Schema | RejectedPart::ToolSchema => true,
        _ => !is_exclusive && is_general(&text, &part, model),
    };
    let evidence = match part {
        RejectedPart::Schema | RejectedPart::ToolSchema => schema_evidence(&text),
        _ if is_general => shorten(&message, MAX_EVIDENCE_BYTES),
        _ => String::new(),
    };
    Some(Rejection { part, is_exclusive, is_general, evidence })
}

/// Returns the parts that a message names as rejected, without those that it names as the
/// condition, as in "`top_p` is not supported when `temperature` is zero".
fn without_conditions(
    text: &str,
    subjects: Vec<(usize, Subject)>,
    is_exclusive: bool,
) -> Vec<Subject> {
    let conditions = [" when ", " if ", " unless ", " because "];
    let start = conditions.iter().filter_map(|condition| text.find(condition)).min();
    let start = start.filter(|start| subjects.iter().any(|(at, _)| at < start) && !is_exclusive);
    let is_rejected = |at: usize| start.is_none_or(|start| at < start);
    let rejected = subjects.into_iter().filter(|(at, _)| is_rejected(*at));
    rejected.map(|(_, subject)| subject).collect()
}

/// Returns whether a text in lower case states without a condition that the model does not support
/// a part. All other words of the text must be known.
fn is_general(text: &str, part: &RejectedPart, model: &str) -> bool {
    let mut text = without_name(text, &model.to_ascii_lowercase());
    let phrases = PHRASES.iter().filter(|(_, subject)| subject.names(part));
    for phrase in phrases.map(|(phrase, _)| phrase).chain(GENERAL_PHRASES) {
        text = text.replace(phrase, " ");
    }
    // The names of options that are supported are not conditions.
    let others = without_alternatives(&text);
    let is_alternative = |word: &str, subject: Subject| {
        matches!(subject, Subject::Options(_) | Subject::Effort | Subject::OutputLimit)
            && !others.contains(word)
    };
    let is_limit = matches!(part, RejectedPart::OutputLimit(_));
    let is_effort = |word: &str| matches!(part, RejectedPart::Effort(_)) && is_effort(word);
    let is_separator = |c: char| c.is_whitespace() || "()[]{}<>\"`,;:=?\\".contains(c);
    text.split(is_separator).map(|word| word.trim_matches(['\'', '.', '#', '/', '-', '*'])).all(
        |word| {
            word.is_empty()
                || word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
                || contains_word(GENERAL_WORDS, word)
                || is_limit && contains_word(LIMIT_WORDS, word)
                || is_effort(word)
                || subject_of_path(word)
                    .is_some_and(|named| named.names(part) || is_alternative(word, named))
        },
    )
}

/// Returns the rejection of the first part that a message names. If parts exclude each other, an
/// option is dropped rather than another part.
fn read_subjects(text: &str, subjects: &[Subject], is_exclusive: bool) -> Option<RejectedPart> {
    let is_option = |subject: &&Subject| matches!(subject, Subject::Options(_));
    let first = subjects.first()?;
    let option = subjects.iter().find(is_option);
    let option = option.filter(|_| is_exclusive && *first != Subject::Fixed);
    let subject = option.unwrap_or(first);
    let efforts = supported_efforts(text);
    if *subject == Subject::Effort && !efforts.is_empty() {
        return Some(RejectedPart::Effort(efforts));
    }
    if !contains_phrase(text, UNSUPPORTED_TEXTS) || contains_phrase(text, INVALID_VALUE_TEXTS) {
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
            Some(RejectedPart::Options(options))
        }
        Subject::Effort => Some(RejectedPart::Effort(Efforts::default())),
        Subject::Format if schema_words(text).next().is_some() => Some(RejectedPart::Schema),
        Subject::Format => Some(RejectedPart::Format),
        Subject::Tools => Some(RejectedPart::Tools),
        Subject::ToolChoice => Some(RejectedPart::ToolChoice),
        Subject::ParallelToolCalls => Some(RejectedPart::ParallelToolCalls),
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

/// Returns the words of a text in lower case that are about one schema: keywords, and the word
/// `schema` itself.
fn schema_words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$');
    let mut before = "";
    text.split(move |c| !is_part(c)).filter(|word| !word.is_empty()).filter(move |word| {
        // "JSON schema" is the name of the method.
        let is_schema = matches!(*word, "schema" | "schemas") && before != "json";
        before = word;
        is_schema || contains_word(SCHEMA_KEYWORDS, word)
    })
}

/// Returns the texts or, without any, the words that identify a text in lower case as the rejection
/// of a schema. The other words are not known, so they could quote the request.
fn schema_evidence(text: &str) -> String {
    let phrases = SCHEMA_TEXTS.split('|').chain(TOOL_SCHEMA_TEXTS.split('|'));
    let phrases: Vec<&str> = phrases.filter(|phrase| text.contains(phrase)).collect();
    let evidence = if phrases.is_empty() { schema_words(text).collect() } else { phrases };
    shorten(&evidence.join(", "), MAX_EVIDENCE_BYTES)
}

/// Removes the schema rule that a message of Bedrock quotes before the name of the rejected key.
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

/// Returns the supported values of `effort` that a message lists.
fn supported_efforts(text: &str) -> Efforts {
    let list = LIST_TEXTS.iter().find_map(|intro| text.split_once(intro)).map(|(_, list)| list);
    list.map(leading_efforts).unwrap_or_default()
}

/// Returns the maximum number of output tokens that a message names.
fn read_output_limit(text: &str, subject: Option<Subject>) -> Option<u64> {
    let names_limit = subject == Some(Subject::OutputLimit) || text.contains("maximum tokens");
    let is_model_limit = !contains_phrase(&text.replace(WINDOW_TEXT, ""), REMAINING_TEXTS);
    if !names_limit || !is_model_limit || contains_phrase(text, MINIMUM_TEXTS) {
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
        let intros = ["valid range of max_tokens is [", "must be in the range ["];
        let (_, range) = intros.iter().find_map(|intro| text.split_once(intro))?;
        leading_number(range.split_once(", ")?.1)?
    };
    (limit >= MIN_OUTPUT_LIMIT).then_some(limit)
}
