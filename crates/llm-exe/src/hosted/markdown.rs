//! A Markdown document to its fields: YAML front matter, then the prompt.

use serde_json::{Map, Value};

use super::config::Lines;
use super::dialogue;
use super::error::ConfigError;
use super::yaml;
use crate::json;

/// Reads a document. Line ends become `\n`, as in YAML.
pub(super) fn read(text: &str) -> Result<(Value, Lines), ConfigError> {
    let text = text.replace("\r\n", "\n");
    let (front, body, above) = split(&text)?;
    let (mut fields, mut lines) = match front {
        Some(front) => front_matter(front)?,
        None => (Map::new(), Lines::new()),
    };
    let (prompt, cut) = cut_out(body).map_err(|fault| fault.below(above))?;
    let talk = dialogue::read(prompt, above + cut);
    if let Some((message, places)) = talk {
        if fields.get("message").is_some_and(|there| !there.is_null()) {
            let line = places.first().map_or(1, |(_, line)| *line);
            let text = "the prompt stands here, and in the front matter as `message`; say it once";
            return Err(ConfigError::at(line, 1, text));
        }
        fields.insert("message".to_owned(), message);
        lines = places;
    }
    Ok((Value::Object(fields), lines))
}

/// Front matter, body, and how many lines are above the body.
fn split(text: &str) -> Result<(Option<&str>, &str, usize), ConfigError> {
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else {
        return Ok((None, text, 0));
    };
    let mut end = first.len();
    for (count, line) in lines.enumerate() {
        if matches!(line.trim_end(), "---" | "...") {
            let front = text.get(first.len()..end);
            let body = text.get(end + line.len()..).unwrap_or_default();
            return Ok((front, body, count + 2));
        }
        end += line.len();
    }
    let text = "the front matter that begins here has no end; expected a line of ---";
    Err(ConfigError::at(1, 1, text))
}

fn front_matter(text: &str) -> Result<(Map<String, Value>, Lines), ConfigError> {
    // It begins below the first line of dashes.
    let (value, lines) = yaml::read(text).map_err(|fault| fault.below(1))?;
    let lines = lines.into_iter().map(|(path, line)| (path, line + 1)).collect();
    match value {
        Value::Null => Ok((Map::new(), lines)),
        Value::Object(fields) => Ok((fields, lines)),
        other => {
            let came = json::shown(&other);
            let text = format!("the front matter must be fields with values, got {came}");
            Err(ConfigError::at(2, 1, text))
        }
    }
}

/// The part that is the prompt, and how many lines are above it.
fn cut_out(body: &str) -> Result<(&str, usize), ConfigError> {
    let start = only(body, "prompt start")?;
    let end = only(body, "prompt end")?;
    let from = start.map_or(0, |(_, after)| after);
    let to = end.map_or(body.len(), |(before, _)| before);
    let above = body.get(..from).unwrap_or_default().matches('\n').count();
    match body.get(from..to) {
        Some(prompt) => Ok((prompt, above)),
        None => {
            let line = body.get(..to).unwrap_or_default().matches('\n').count() + 1;
            Err(ConfigError::at(line, 1, "<!-- prompt end --> stands before the start"))
        }
    }
}

/// Where a comment with these words begins and ends, if there is one.
fn only(body: &str, words: &str) -> Result<Option<(usize, usize)>, ConfigError> {
    let mut found = None;
    let mut from = 0;
    while let Some(at) = body.get(from..).and_then(|rest| rest.find("<!--")).map(|at| from + at) {
        let inside = body.get(at + 4..).unwrap_or_default();
        let Some(length) = inside.find("-->") else {
            break;
        };
        from = at + 4 + length + 3;
        let comment = inside.get(..length).unwrap_or_default();
        if !comment.split_whitespace().eq(words.split(' ')) {
            continue;
        }
        if found.is_some() {
            let line = body.get(..at).unwrap_or_default().matches('\n').count() + 1;
            return Err(ConfigError::at(line, 1, format!("<!-- {words} --> stands twice")));
        }
        found = Some((at, from));
    }
    Ok(found)
}
