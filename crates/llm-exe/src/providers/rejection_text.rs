//! Finds the parts of an error message that count as a rejection, and reads numbers and lists.

use std::ops::Range;

use super::capabilities::{Efforts, is_effort};
use crate::word_list::contains_phrase;

/// Maximum length of a quoted name or value, such as `response_format.json_schema`.
const MAX_NAME: usize = 64;
/// Keys of error bodies whose values are messages and not parts of the request.
const MESSAGE_KEYS: &[&str] = &["message", "msg", "detail", "error", "description", "raw"];
const QUOTES: [char; 3] = ['\'', '"', '`'];
/// Texts that state that a number or a word is the reason, and not the option itself.
const VALUE_TEXTS: &str = "\
    must be |between|range|maximum|minimum|at most|at least|more than|fewer than|up to |values|\
    negative|whitespace|empty|too many";
/// Texts about a value that mean that the option is not supported.
const DEFAULT_ONLY_TEXTS: &str = "only the default (1) value|only be set to 1 when|must be unset";
/// Texts that come before the options that are supported.
const ALTERNATIVE_TEXTS: &[&str] = &[
    "use ",
    "did you mean",
    "supported parameters",
    "supported options",
    "allowed parameters",
    "allowed options",
];
/// Texts that end a list of supported options that begins with `only`.
const ONLY_ENDS: &[&str] = &[
    "may be used",
    "can be used",
    "are supported",
    "is supported",
    "are allowed",
    "are permitted",
];
/// Texts about several parts of a request that exclude each other.
const EXCLUSIVE_TEXTS: &str = "\
    at the same time|only one of|mutually exclusive|in combination|combined with";

/// What Groq's message about the limit of a model adds.
pub(super) const WINDOW_TEXT: &str = "is less than the `context_window` for this model";
/// The words of known messages that state that a model does not support a part. None of them names
/// a condition, such as a kind of input, a value or a quota.
pub(super) const GENERAL_WORDS: &str = "\
    a about again allowed an and any are argument arguments at available badrequest be body \
    but by can can't cannot client code column control default deprecated description \
    deserialize detail details does doesn't don't either enabled error errors expected extra \
    extra_forbidden extraneous failed field fields fieldviolations find following for \
    generation_config generationconfig got guide id in inferenceconfig instead \
    internal_error_proxy into invalid invalid_argument invalid_request_error is it json key \
    keys learn level levels line loc longer malformed may message model models msg must name \
    no not null object occurred of on one only option options or param parameter parameters \
    payload permitted please properties property received recognized reformat remove returned \
    s see set setting specified status supplied support supported supports that the these this \
    to try type unavailable unknown unrecognized unset unsupported unsupported_parameter \
    unsupported_value url use used valid values which with you";
/// Further words of messages about the output limit of a model.
pub(super) const LIMIT_WORDS: &str = "\
    above completion equal exceeds exclusive from has inclusive integer large less limit lower \
    max maximum most number output provided range requested than tokens too update value \
    whereas your";
/// Phrases of known messages whose words could name a condition in another message.
pub(super) const GENERAL_PHRASES: &[&str] = &[
    "unsupported value:",
    "the default (1) value",
    "extra inputs",
    "\"input\":",
    "your input",
    "malformed input request",
    "request argument",
    "specified in the request",
    "learn more",
    "unable to submit request because",
    "request id",
    "unavailable now",
    "json body into the target type",
    "type \"tool\" and \"any\"",
    // Changes are remembered together with the kind of reasoning.
    "when thinking is enabled",
    "in adaptive mode",
    "thinking may not be enabled when tool_choice forces tool use",
    "thinking behavior",
    "please retry with other",
    "model incompatible",
    WINDOW_TEXT,
];

/// Returns a text without a name, unless the name is a part of another word.
pub(super) fn without_name(text: &str, name: &str) -> String {
    let mut remaining = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(name).filter(|_| !name.is_empty()) {
        remaining.push_str(before);
        let is_part =
            before.ends_with(char::is_alphanumeric) || after.starts_with(char::is_alphanumeric);
        remaining.push_str(if is_part { name } else { " " });
        rest = after;
    }
    remaining.push_str(rest);
    remaining
}

/// Returns a message without URLs, which can be parts of the request.
pub(super) fn without_urls(message: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || "'\"`<>".contains(c);
    let mut remaining = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find("://") {
        let (before, url) = rest.split_at(at);
        remaining.push_str(before.trim_end_matches(|c: char| c.is_ascii_alphanumeric()));
        rest = url.get(url.find(is_end).unwrap_or(url.len())..).unwrap_or_default();
    }
    remaining.push_str(rest);
    remaining
}

/// Returns a message without quoted texts, which can be parts of the request. Quoted names and
/// values stay, and so do the messages in a JSON error body.
pub(super) fn without_quotations(message: &str) -> String {
    let mut remaining = String::with_capacity(message.len());
    let mut at = 0;
    while let Some(quotation) = find_quotation(message, at) {
        let before = message.get(..quotation.start).unwrap_or_default();
        let content = message.get(quotation.clone()).unwrap_or_default();
        remaining.push_str(message.get(at..quotation.start).unwrap_or_default());
        if is_name(content) {
            remaining.push_str(content);
        } else if follows_message_key(before) {
            remaining.push_str(&without_quotations(content));
        } else {
            // Not a word of `GENERAL_WORDS`, because the quotation may name a condition.
            remaining.push('…');
        }
        let rest = message.get(quotation.end..).unwrap_or_default();
        let closing = rest.find(QUOTES).map_or(rest.len(), |at| at + 1);
        remaining.push_str(rest.get(..closing).unwrap_or_default());
        at = quotation.end + closing;
    }
    remaining.push_str(message.get(at..).unwrap_or_default());
    remaining
}

/// Returns the content of the next quotation. An apostrophe in a word is not a quote.
fn find_quotation(text: &str, from: usize) -> Option<Range<usize>> {
    let quotes = text.get(from..)?.match_indices(QUOTES);
    for (offset, quote) in quotes {
        let start = from + offset;
        let before = text.get(..start)?;
        let unescaped = before.trim_end_matches('\\');
        let escapes = before.len() - unescaped.len();
        if unescaped.ends_with(char::is_alphanumeric) {
            continue;
        }
        let start = start + quote.len();
        let mut ends = text.get(start..)?.match_indices(quote);
        let end = ends.find_map(|(offset, _)| {
            let (content, rest) = text.get(start..)?.split_at_checked(offset)?;
            let unescaped = content.trim_end_matches('\\').len();
            let is_end = content.len() - unescaped == escapes
                && !rest.get(quote.len()..)?.starts_with(char::is_alphanumeric);
            is_end.then_some(start + unescaped)
        });
        if let Some(end) = end {
            return Some(start..end);
        }
    }
    None
}

fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "_.-/[]$#*".contains(c);
    text.len() <= MAX_NAME && text.chars().all(is_part)
}

/// Returns whether a text ends with a key for messages, a colon and a quote.
fn follows_message_key(before: &str) -> bool {
    let before = before.trim_end_matches(['\\', '\'', '"', '`']).trim_end();
    let Some(key) = before.strip_suffix(':') else { return false };
    let key = key.trim_end().trim_end_matches(['\\', '\'', '"']);
    MESSAGE_KEYS
        .iter()
        .any(|known| key.strip_suffix(known).is_some_and(|before| before.ends_with(['\'', '"'])))
}

/// Returns a message without the options that it names as supported.
pub(super) fn without_alternatives(message: &str) -> String {
    let text = message.to_ascii_lowercase();
    let sentence = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        rest.get(..sentence_length(rest)).unwrap_or_default()
    };
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for intro in ALTERNATIVE_TEXTS {
        // "Use of" names an option that is rejected.
        let starts =
            word_positions(&text, intro).filter(|start| !sentence(*start).starts_with("use of "));
        ranges.extend(starts.map(|start| start..start + sentence(start).len()));
    }
    for start in word_positions(&text, "only ") {
        let sentence = sentence(start);
        let ends = ONLY_ENDS.iter().filter_map(|end| sentence.find(end));
        ranges.extend(ends.min().map(|end| start..start + end));
    }
    let mut message = message.to_owned();
    for range in ranges {
        let spaces = " ".repeat(range.len());
        message.replace_range(range, &spaces);
    }
    message
}

/// Returns the positions of a text that does not continue a word.
fn word_positions<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let positions = text.match_indices(word).map(|(at, _)| at);
    positions
        .filter(|at| text.get(..*at).is_some_and(|before| !before.ends_with(char::is_alphanumeric)))
}

fn sentence_length(text: &str) -> usize {
    let ends = [". ", ";", "\n", "?"];
    ends.iter().filter_map(|end| text.find(end)).min().unwrap_or(text.len())
}

/// Returns whether a text in lower case is about parts of a request that exclude each other.
pub(super) fn is_exclusive(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    let between = |start: &str, ends: &str| {
        text.match_indices(start).any(|(at, _)| {
            let sentence = text.get(at..).unwrap_or_default();
            let sentence = sentence.get(..sentence_length(sentence)).unwrap_or_default();
            contains_phrase(sentence, ends)
        })
    };
    words.any(|word| matches!(word, "both" | "together" | "simultaneously"))
        || contains_phrase(text, EXCLUSIVE_TEXTS)
        || between("either ", " or ")
        || between("when ", " is set| are set| is specified| is provided")
        || between("if ", " is set| are set| is specified| is provided")
}

/// The beginning of Fireworks' message about a field that the API does not have. The message quotes
/// the value, which does not matter.
const EXTRA_FIELD_TEXT: &str = "extra inputs are not permitted, field";

/// Returns whether a text in lower case is about the value of an option, which other requests can
/// have in range.
pub(super) fn is_about_value(text: &str) -> bool {
    if contains_phrase(text, DEFAULT_ONLY_TEXTS) || text.contains(EXTRA_FIELD_TEXT) {
        return false;
    }
    contains_phrase(text, VALUE_TEXTS) || names_number(text)
}

/// Returns whether a text contains a number that is not a status or a position.
fn names_number(text: &str) -> bool {
    let is_separator = |c: char| c.is_whitespace() || "()[]{}'\"`,;:=<>\\".contains(c);
    let mut before = "";
    let words = text.split(is_separator).map(|word| word.trim_end_matches('.'));
    for word in words.filter(|word| !word.is_empty()) {
        let is_number = word.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && word.parse::<f64>().is_ok();
        let is_position = matches!(
            before,
            "code" | "status" | "error" | "line" | "column" | "id" | "input" | "messages"
        );
        if is_number && !is_position {
            return true;
        }
        before = word;
    }
    false
}

/// Returns the number at the beginning of a text. A number with a unit, a fraction or a part of a
/// calculation is not read, because the digits alone have another value.
pub(super) fn leading_number(text: &str) -> Option<u64> {
    let text = text.trim_start_matches(['`', '\'', ' ']);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(text.len());
    let number = text.get(..end)?.trim_end_matches(',');
    let after = text.get(number.len()..)?;
    let mut groups = number.split(',');
    let first = groups.next()?;
    if number.contains(',') && (first.len() > 3 || groups.any(|group| group.len() != 3)) {
        return None;
    }
    let is_digit = |c: char| c.is_ascii_digit();
    let next = after.trim_start();
    let unit = next.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let continues = after.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '%')
        || after.strip_prefix(['.', '\'', ',']).is_some_and(|rest| rest.starts_with(is_digit))
        || next.starts_with(is_digit)
        || matches!(unit, "k" | "m" | "thousand" | "million")
        || next
            .strip_prefix(['+', '-', '*', '/', '^', '×'])
            .is_some_and(|rest| rest.trim_start().starts_with(is_digit));
    if continues {
        return None;
    }
    number.replace(',', "").parse().ok()
}

/// Returns the efforts in the list at the beginning of a text. The list ends with the first word
/// that is neither quoted nor separated by a comma.
pub(super) fn leading_efforts(list: &str) -> Efforts {
    let mut listed = Vec::new();
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut rest = list;
    let mut separators = "";
    loop {
        let start = rest.find(is_part).unwrap_or(rest.len());
        let (gap, words) = rest.split_at(start);
        let word = words.get(..words.find(|c| !is_part(c)).unwrap_or(words.len())).unwrap_or("");
        let is_end = word.is_empty() || gap.contains(['.', ';', '{', '}', '\n']);
        rest = words.get(word.len()..).unwrap_or_default();
        let is_quoted = gap.ends_with(QUOTES) && rest.starts_with(['\\', '\'', '"', '`']);
        if !is_end && is_joint(word) && !is_quoted {
            separators = if matches!(word, "or" | "and") { word } else { separators };
            continue;
        }
        let follows = listed.is_empty() || gap.contains(',') || !separators.is_empty();
        let is_known = is_effort(word);
        if is_end || !follows || !is_known && !is_quoted && !gap.contains(',') {
            break;
        }
        separators = "";
        listed.push(word);
    }
    Efforts::from_words(listed)
}

fn is_joint(word: &str) -> bool {
    matches!(word, "or" | "and" | "are" | "is" | "the" | "following" | "of")
}
