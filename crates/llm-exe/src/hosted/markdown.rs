//! Parses a Markdown document, which consists of optional YAML front matter and a prompt.

use serde_json::{Map, Value};

use super::dialogue;
use super::error::ConfigError;
use super::position::TextLine;
use super::yaml;
use crate::json;

/// Parses a document, and adds warnings about the prompt. CRLF line endings are converted to `\n`,
/// as in YAML.
pub(super) fn parse(
    text: &str,
    warnings: &mut Vec<String>,
) -> Result<(Value, Vec<TextLine>), ConfigError> {
    let text = text.replace("\r\n", "\n");
    let Sections { front_matter, body, body_offset } = split_front_matter(&text)?;
    let (mut fields, mut text_lines) = match front_matter {
        Some(front_matter) => parse_front_matter(front_matter)?,
        None => (Map::new(), Vec::new()),
    };
    let (prompt, prompt_offset) =
        prompt_section(body).map_err(|error| error.shifted_down(body_offset))?;
    let offset = body_offset + prompt_offset;
    if let Some((message, prompt_lines)) = dialogue::parse(prompt, offset, warnings) {
        if fields.get("message").is_some_and(|message| !message.is_null()) {
            let line = prompt_lines.first().map_or(1, |first| first.line);
            let message = "the prompt begins here, but the front matter also has a `message`; \
                           remove one of them";
            return Err(ConfigError::at(line, 1, message));
        }
        fields.insert("message".to_owned(), message);
        text_lines = prompt_lines;
    }
    Ok((Value::Object(fields), text_lines))
}

struct Sections<'a> {
    front_matter: Option<&'a str>,
    body: &'a str,
    /// The number of document lines above the body.
    body_offset: usize,
}

/// The lines that open and close front matter. Npm `front-matter`, which the TypeScript Lambda
/// uses, accepts both.
const FENCES: [&str; 2] = ["---", "= yaml ="];

fn split_front_matter(text: &str) -> Result<Sections<'_>, ConfigError> {
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().unwrap_or_default();
    let fence = first.trim_end();
    if !FENCES.contains(&fence) {
        return Ok(Sections { front_matter: None, body: text, body_offset: 0 });
    }
    let mut end = first.len();
    for (index, line) in lines.enumerate() {
        if [fence, "..."].contains(&line.trim_end()) {
            let front_matter = text.get(first.len()..end);
            let body = text.get(end + line.len()..).unwrap_or_default();
            return Ok(Sections { front_matter, body, body_offset: index + 2 });
        }
        end += line.len();
    }
    let message = format!(
        "the front matter that begins here is not closed; expected a line that contains only \
         {fence}"
    );
    Err(ConfigError::at(1, 1, message))
}

fn parse_front_matter(text: &str) -> Result<(Map<String, Value>, Vec<TextLine>), ConfigError> {
    // The front matter begins on the second line of the document, below `---`, so its line numbers
    // are shifted by one.
    let (value, text_lines) = yaml::parse(text).map_err(|error| error.shifted_down(1))?;
    let text_lines =
        text_lines.into_iter().map(|text| TextLine { line: text.line + 1, ..text }).collect();
    match value {
        Value::Null => Ok((Map::new(), text_lines)),
        Value::Object(fields) => Ok((fields, text_lines)),
        other => {
            let received = json::shown(&other);
            let message = format!("the front matter must be a mapping of fields, got {received}");
            Err(ConfigError::at(2, 1, message))
        }
    }
}

/// Returns the prompt and the number of body lines above it. The prompt is the text between the
/// comments `<!-- prompt start -->` and `<!-- prompt end -->`, both of which are optional.
fn prompt_section(body: &str) -> Result<(&str, usize), ConfigError> {
    let start_comment = find_comment(body, "prompt start")?;
    let end_comment = find_comment(body, "prompt end")?;
    let start = start_comment.map_or(0, |comment| comment.end);
    let end = end_comment.map_or(body.len(), |comment| comment.start);
    match body.get(start..end) {
        Some(prompt) => Ok((prompt, line_breaks(body, start))),
        None => {
            let message = "<!-- prompt end --> must be below <!-- prompt start -->";
            Err(ConfigError::at(line_breaks(body, end) + 1, 1, message))
        }
    }
}

/// Counts the line breaks before a byte offset.
fn line_breaks(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or_default().matches('\n').count()
}

/// Finds the HTML comment that consists of `words`. Fails if the comment appears twice.
fn find_comment(body: &str, words: &str) -> Result<Option<std::ops::Range<usize>>, ConfigError> {
    let mut range = None;
    let mut from = 0;
    while let Some(start) = body.get(from..).and_then(|rest| rest.find("<!--")).map(|at| from + at)
    {
        let content = body.get(start + 4..).unwrap_or_default();
        let Some(length) = content.find("-->") else {
            break;
        };
        from = start + 4 + length + 3;
        let comment = content.get(..length).unwrap_or_default();
        if !comment.split_whitespace().eq(words.split(' ')) {
            continue;
        }
        if range.is_some() {
            let line = line_breaks(body, start) + 1;
            return Err(ConfigError::at(line, 1, format!("<!-- {words} --> appears twice")));
        }
        range = Some(start..from);
    }
    Ok(range)
}
