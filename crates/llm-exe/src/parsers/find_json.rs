//! Finds JSON in a reply. The JSON can be the whole reply, a fenced code block, or values within
//! other text.

use serde_json::Value;

use super::embedded_json::find_embedded;
use super::fences::find_code_blocks;
use super::parser::OutputError;
use super::reasoning::skip_reasoning;
use crate::json::{JsonError, NearJson, parse_near, parse_unique};
use crate::schema::Schema;

/// The result of searching a reply for JSON.
#[derive(Debug)]
pub(super) enum FoundJson<'t> {
    /// The whole reply, or the content of the fence around it, is one JSON value.
    Whole(Value, &'t str),
    /// The same, but the text is not strict JSON.
    WholeNear(NearJson, &'t str),
    /// The reply contains values within other text.
    Embedded(EmbeddedJson<'t>),
}

/// The values that a reply contains.
#[derive(Debug, Default)]
pub(super) struct EmbeddedJson<'t> {
    /// The texts of the values, in order of appearance.
    pub(super) texts: Vec<&'t str>,
    /// The content of a fence that is not strict JSON.
    pub(super) near: Option<(NearJson, &'t str)>,
    /// Whether the reply consists of at least two lines and each line is one object.
    pub(super) are_lines: bool,
}

/// Searches a reply for JSON. Parts of broken JSON are not used. The schema is not checked.
///
/// # Errors
/// Returns an error if the reply contains no JSON or broken JSON.
pub(super) fn find_json<'t>(
    text: &'t str,
    schema: Option<&Schema>,
) -> Result<FoundJson<'t>, OutputError> {
    let text = trim(text);
    let (language, content) = strip_fence(text).unwrap_or(("", text));
    match parse_unique(content) {
        Ok(value) => Ok(FoundJson::Whole(value, content)),
        Err(error) if !error.is_syntax() => Err(describe(&error)),
        Err(error) => {
            let found = find_other(text, content, may_be_json(language), schema)?;
            found.ok_or_else(|| describe(&error))
        }
    }
}

/// Returns the language and the content of the code block if the whole text is a single fenced code
/// block.
pub(super) fn strip_fence(text: &str) -> Option<(&str, &str)> {
    let fence = if text.starts_with("```") { "```" } else { "~~~" };
    let rest = text.strip_prefix(fence)?;
    let (language, rest) = rest.split_once('\n')?;
    let content = rest.trim_end().strip_suffix(fence)?;
    let is_only = !language.contains('`') && !content.contains(fence);
    is_only.then(|| (language.trim(), content.trim()))
}

fn is_json(language: &str) -> bool {
    language.eq_ignore_ascii_case("json")
}

fn may_be_json(language: &str) -> bool {
    language.is_empty() || is_json(language)
}

/// Searches a reply that is not a JSON value as a whole. `is_json` is whether the content can be
/// near-JSON.
fn find_other<'t>(
    text: &'t str,
    content: &'t str,
    is_json: bool,
    schema: Option<&Schema>,
) -> Result<Option<FoundJson<'t>>, OutputError> {
    if let Some(texts) = split_objects(content)? {
        let lines = EmbeddedJson { texts, are_lines: true, ..EmbeddedJson::default() };
        return Ok(Some(FoundJson::Embedded(lines)));
    }
    let near = if is_json { parse_near(content).map_err(|error| describe(&error))? } else { None };
    if let Some(near) = near {
        return Ok(Some(FoundJson::WholeNear(near, content)));
    }
    // Reasoning that begins with a bracket has not been skipped.
    let answer = skip_reasoning(text).map_err(|error| OutputError::new(error.to_string()))?;
    if answer.len() < text.len() {
        return find_json(answer, schema).map(Some);
    }
    let embedded = if content.len() < text.len() {
        embedded_in(content, content, schema)
    } else {
        find_with_fences(text, schema)?
    };
    Ok(embedded.map(FoundJson::Embedded))
}

/// Returns the values of a text at the places where `searched`, which has the same length, contains
/// them.
fn embedded_in<'t>(
    text: &'t str,
    searched: &str,
    schema: Option<&Schema>,
) -> Option<EmbeddedJson<'t>> {
    let ranges = find_embedded(searched, schema.is_none_or(Schema::may_be_list))?;
    let texts: Vec<&str> = ranges.into_iter().filter_map(|range| text.get(range)).collect();
    (!texts.is_empty()).then(|| EmbeddedJson { texts, ..EmbeddedJson::default() })
}

/// Finds the values within a text, which can be in fences. The content of a fence is a value
/// whatever brackets are outside of it.
fn find_with_fences<'t>(
    text: &'t str,
    schema: Option<&Schema>,
) -> Result<Option<EmbeddedJson<'t>>, OutputError> {
    let mut blocks = find_code_blocks(text).unwrap_or_default();
    blocks.retain(|block| may_be_json(block.language));
    let is_only = blocks.len() == 1;
    let mut found = EmbeddedJson::default();
    // The text in which the fences whose content is used are replaced.
    let mut outside = String::new();
    for block in &blocks {
        let content = trim(block.code);
        let is_used = match parse_unique(content) {
            Ok(value) => {
                let is_value = is_json(block.language) || value.is_object() || value.is_array();
                found.texts.extend(is_value.then_some(content));
                is_value
            }
            Err(error) if !error.is_syntax() => return Err(describe(&error)),
            Err(_) => is_only && read_fence(content, &mut found)?,
        };
        if is_used {
            outside.push_str(text.get(outside.len()..block.place.start).unwrap_or_default());
            // Values on both sides of a fence do not belong to the same JSON.
            outside.extend(std::iter::repeat_n('`', block.place.len()));
        }
    }
    if outside.is_empty() {
        return Ok(embedded_in(text, text, schema));
    }
    outside.push_str(text.get(outside.len()..).unwrap_or_default());
    if let Some(others) = embedded_in(text, &outside, schema) {
        found.are_lines = false;
        found.texts.extend(others.texts);
    }
    Ok(Some(found))
}

/// Reads the content of a fence that is not one JSON value. Returns whether it is JSON.
fn read_fence<'t>(content: &'t str, found: &mut EmbeddedJson<'t>) -> Result<bool, OutputError> {
    if let Some(texts) = split_objects(content)? {
        found.texts.extend(texts);
        found.are_lines = true;
        return Ok(true);
    }
    found.near = parse_near(content).map_err(|error| describe(&error))?.map(|near| (near, content));
    Ok(found.near.is_some())
}

/// Returns the objects of a text that consists of at least two lines, each of which is one object.
fn split_objects(text: &str) -> Result<Option<Vec<&str>>, OutputError> {
    let mut objects = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !line.starts_with('{') || !line.ends_with('}') {
            return Ok(None);
        }
        match parse_unique(line) {
            Ok(_) => objects.push(line),
            Err(error) if error.is_syntax() => return Ok(None),
            Err(error) => return Err(describe(&error)),
        }
    }
    Ok(Some(objects).filter(|objects| objects.len() > 1))
}

pub(super) fn describe(error: &JsonError) -> OutputError {
    OutputError::new(format!("the reply is {error}"))
}

fn trim(text: &str) -> &str {
    text.trim().trim_start_matches('\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::{FoundJson, find_json};

    /// Returns the kind of the found JSON and its texts.
    fn found(reply: &str) -> (&'static str, Vec<&str>) {
        match find_json(reply, None) {
            Ok(FoundJson::Whole(_, text)) => ("whole", vec![text]),
            Ok(FoundJson::WholeNear(_, text)) => ("near", vec![text]),
            Ok(FoundJson::Embedded(found)) => {
                let kind = if found.are_lines { "lines" } else { "embedded" };
                (kind, found.near.map(|(_, text)| text).into_iter().chain(found.texts).collect())
            }
            Err(_) => ("none", Vec::new()),
        }
    }

    #[test]
    fn whole_replies_are_found() {
        for (reply, kind, text) in [
            (" {\"a\":1} ", "whole", "{\"a\":1}"),
            ("```json\n[1,2]\n```", "whole", "[1,2]"),
            ("~~~\n7\n~~~\n", "whole", "7"),
            ("```python\n[1]\n```", "whole", "[1]"),
            ("{'a':1}", "near", "{'a':1}"),
            ("```\n{'a':1}\n```", "near", "{'a':1}"),
            ("```JSON\n{'a':1}\n```", "near", "{'a':1}"),
            ("[1] hm\n</think>\n[2]", "whole", "[2]"),
        ] {
            assert_eq!(found(reply), (kind, vec![text]), "{reply}");
        }
        assert_eq!(found("{\"a\":1}\n\n {} \r\n"), ("lines", vec!["{\"a\":1}", "{}"]));
        assert_eq!(found("```json\n{}\n{}\n```"), ("lines", vec!["{}", "{}"]));
    }

    #[test]
    fn fences_in_other_text_are_found() {
        for (reply, kind, texts) in [
            ("First:\n```json\n{\"a\":1}\n```\nDone.", "embedded", vec!["{\"a\":1}"]),
            ("Use [ in:\n```json\n{}\n```", "embedded", vec!["{}"]),
            ("{\"x\": 1 y}\n```json\n{}\n```", "embedded", vec!["{}"]),
            ("So:\n```json\n7\n```", "embedded", vec!["7"]),
            ("So:\n```json\n{}\n```\n or [1]", "embedded", vec!["{}", "[1]"]),
            ("So:\n```json\n[1]\n```\n```json\n[2]\n```", "embedded", vec!["[1]", "[2]"]),
            ("So:\n```\n{'a':1}\n```\nor {}", "embedded", vec!["{'a':1}", "{}"]),
            ("So:\n```json\n{}\n{}\n```\nDone.", "lines", vec!["{}", "{}"]),
            ("So:\n```json\n{}\n{}\n```\nor {}", "embedded", vec!["{}", "{}", "{}"]),
            ("```bash\necho {\"x\"}\n```\n```json\n{}\n```", "embedded", vec!["{}"]),
            ("```json{}```", "embedded", vec!["{}"]),
            ("```json\n{}", "embedded", vec!["{}"]),
        ] {
            assert_eq!(found(reply), (kind, texts), "{reply}");
        }
    }

    #[test]
    fn other_replies_are_rejected() {
        for reply in [
            "no json at all",
            "",
            "{\"a\": {\"b\":1}",
            "{\"a\":1,\"a\":1}",
            "{\"a\":1}\n{\"a\":1,\"a\":1}",
            "So:\n```json\n{\"a\":1,\"a\":1}\n```\n{}",
            "So: {'a':1}",
            "```python\n{'a':1}\n```",
            "So:\n```python\n{'a':1}\n```",
            "So:\n```json\n{'a':1}\n```\n```json\n{'a':2}\n```",
            "[2] hm\n</think>\nno",
        ] {
            assert_eq!(found(reply), ("none", Vec::new()), "{reply}");
        }
    }
}
