//! Reads keys, AWS credentials and the AWS region from a `.env` file.
//!
//! All other variables in the file are skipped, whatever their values are: the file can belong to
//! another program. A base URL in a stray `.env` file could also send the user's keys to another
//! server.

use std::collections::HashMap;
use std::path::Path;

use llm_exe::hosted::decode_text;
use llm_exe_events::MAX_BODY_BYTES;

/// The variables of a `.env` file. Their values are parsed when they are used.
#[derive(Debug, Default)]
pub(crate) struct EnvFile {
    name: String,
    entries: Vec<Entry>,
}

/// A variable in the file.
#[derive(Debug)]
struct Entry {
    name: String,
    /// The value as it is written, with quotes, comments and line breaks, or `None` if the line
    /// begins with the name but does not set the variable.
    raw_value: Option<String>,
    line: usize,
}

/// A value from the file.
#[derive(Debug, Clone)]
pub(crate) struct EnvValue {
    pub(crate) text: String,
    /// The number of the line on which the variable is set.
    pub(crate) line: usize,
}

impl EnvFile {
    /// Reads a file. The result is empty if the file does not exist.
    pub(crate) fn read(path: &Path) -> Result<EnvFile, String> {
        if !path.exists() {
            return Ok(EnvFile::default());
        }
        let name = path.display().to_string();
        let content = std::fs::read(path).map_err(|error| format!("can't read {name}: {error}"))?;
        let is_encoded = [&[0xff, 0xfe], &[0xfe, 0xff], &[0x1f, 0x8b]]
            .iter()
            .any(|start| content.starts_with(*start));
        let text = match decode_text(&content, MAX_BODY_BYTES) {
            Ok(text) => text,
            Err(error) if is_encoded => return Err(format!("can't read {name}: {error}")),
            // Only the values that are used must be valid UTF-8.
            Err(_) => String::from_utf8_lossy(&content),
        };
        Ok(EnvFile { entries: entries(&text), name })
    }

    /// Returns the values of the variables that `is_used` selects, by name.
    ///
    /// # Errors
    /// Fails if a value can't be parsed. The message names the line and the variable, but does not
    /// quote the value, which can be a key.
    pub(crate) fn values(
        &self,
        is_used: impl Fn(&str) -> bool,
    ) -> Result<HashMap<String, EnvValue>, String> {
        let mut values = HashMap::new();
        for entry in self.entries.iter().filter(|entry| is_used(&entry.name)) {
            let text = entry.parse().map_err(|problem| {
                let Entry { name, line, .. } = entry;
                format!("{}, line {line}: the value of {name} {problem}", self.name)
            })?;
            values.insert(entry.name.clone(), EnvValue { text, line: entry.line });
        }
        Ok(values)
    }
}

impl Entry {
    /// Parses the value, without its quotes.
    fn parse(&self) -> Result<String, &'static str> {
        // `dotenvy` would replace `$NAME` with the value of the variable `NAME`, which could be the
        // key for another provider.
        let raw_value = self.raw_value.as_ref().ok_or("does not have the form NAME=value")?;
        if raw_value.contains('$') && !raw_value.starts_with('\'') {
            return Err("contains a $ and must be in single quotes");
        }
        if raw_value.contains(char::REPLACEMENT_CHARACTER) {
            return Err("is not valid UTF-8");
        }
        let line = format!("{}={raw_value}\n", self.name);
        match dotenvy::from_read_iter(line.as_bytes()).next() {
            Some(Ok((_, value))) => Ok(value),
            // The error from `dotenvy` quotes the line.
            Some(Err(_)) | None => Err("can't be parsed; put it in single quotes"),
        }
    }
}

/// Splits a text into its variables.
fn entries(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while !rest.is_empty() {
        let line_length = rest.find('\n').map_or(rest.len(), |end| end + 1);
        let (first_line, _) = rest.split_at(line_length);
        let mut length = line_length;
        if let Some((name, value)) = variable(first_line) {
            let value_start = first_line.len() - value.len();
            let after_name = rest.get(value_start..).unwrap_or_default();
            if let Some(quoted) = quoted_length(after_name) {
                length = value_start + quoted;
            }
            let raw_value = rest.get(value_start..length).unwrap_or_default().trim().to_owned();
            entries.push(Entry { name: name.to_owned(), raw_value: Some(raw_value), line });
        } else if let Some(name) = first_name(first_line) {
            entries.push(Entry { name: name.to_owned(), raw_value: None, line });
        }
        line += rest.get(..length).unwrap_or_default().matches('\n').count();
        rest = rest.get(length..).unwrap_or_default();
    }
    entries
}

/// Splits a line into the name of a variable and the text of its value, or returns `None` if the
/// line does not set a variable.
fn variable(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = without_export(name).trim();
    let is_name = !name.is_empty() && name.chars().all(is_name_character);
    is_name.then(|| (name, value.trim_start_matches([' ', '\t'])))
}

/// Returns the name with which a line begins.
fn first_name(line: &str) -> Option<&str> {
    let line = without_export(line);
    let name = line.split(|c| !is_name_character(c)).next()?;
    (!name.is_empty()).then_some(name)
}

fn without_export(line: &str) -> &str {
    let line = line.trim_start();
    let rest = line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
    rest.unwrap_or(line).trim_start()
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
}

/// Returns the length of a value in quotes, with the rest of its last line. The value can contain
/// line breaks. A quote that is not closed, or has text after its end, is a part of a plain value:
/// otherwise one apostrophe would hide all variables below it.
fn quoted_length(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut is_escaped = false;
    let inner = text.get(1..)?;
    let (at, _) = inner.char_indices().find(|(_, c)| {
        let is_end = *c == quote && !is_escaped;
        is_escaped = quote == '"' && *c == '\\' && !is_escaped;
        is_end
    })?;
    let end = at + 2;
    let rest = text.get(end..)?;
    let line_length = rest.find('\n').map_or(rest.len(), |end| end + 1);
    let behind = rest.get(..line_length)?.trim();
    (behind.is_empty() || behind.starts_with('#')).then_some(end + line_length)
}

#[cfg(test)]
mod tests {
    use super::{EnvFile, entries};

    fn values(text: &str) -> Result<Vec<(String, String, usize)>, String> {
        let file = EnvFile { name: ".env".to_owned(), entries: entries(text) };
        let values = file.values(|name| name.starts_with("USED"))?;
        let mut values: Vec<_> =
            values.into_iter().map(|(name, value)| (name, value.text, value.line)).collect();
        values.sort();
        Ok(values)
    }

    #[test]
    fn lines_of_other_programs_are_skipped() {
        for other in [
            "GREETING=hello world",
            "GREETING=it's $HOME",
            "NAME='O'Brien'",
            "QUOTE=\"not closed",
            "QUOTE='not closed",
            "KEY=\"-----BEGIN KEY-----\nUSED=no\n-----END KEY-----\"",
            "KEY='a\n\nUSED=no\n' # a comment",
            "KEY=\"a \\\" b\nc\"",
            "not a variable",
            "two words=x",
            "=x",
            "a-b=c d",
            "  # USED=no",
            "JSON={\"a\": \"b\n\"}",
            "",
        ] {
            let text = format!("{other}\nUSED=yes\r\n");
            let line = other.matches('\n').count() + 2;
            let expected = vec![("USED".to_owned(), "yes".to_owned(), line)];
            assert_eq!(values(&text), Ok(expected), "{other}");
        }
    }

    #[test]
    fn values_are_parsed() {
        for (text, expected) in [
            ("USED=a#b", "a#b"),
            ("USED=a # b", "a"),
            ("USED = 'a b'", "a b"),
            ("export\tUSED=\"a\\\"b\"", "a\"b"),
            ("USED='$a'", "$a"),
            ("USED=\"a\nb\"", "a\nb"),
            ("USED=", ""),
            ("USED=a\nUSED=b", "b"),
        ] {
            assert_eq!(values(text).unwrap()[0].1, expected, "{text}");
        }
    }

    #[test]
    fn malformed_value_is_named_but_not_quoted() {
        for (text, expected) in [
            ("A=1\n\nUSED=my secret", ".env, line 3: the value of USED can't be parsed"),
            ("A=1\nUSED: secret", ".env, line 2: the value of USED does not have the form"),
            ("export USED secret=", ".env, line 1: the value of USED does not have the form"),
            ("USED", ".env, line 1: the value of USED does not have the form"),
            ("USED=secret\u{fffd}", ".env, line 1: the value of USED is not valid UTF-8"),
            ("USED=\"my secret", ".env, line 1: the value of USED can't be parsed"),
            ("K=\"a\nb\"\nUSED=my$secret", ".env, line 3: the value of USED contains a $"),
        ] {
            let error = values(text).unwrap_err();
            assert!(error.starts_with(expected) && !error.contains("secret"), "{text}: {error}");
        }
    }
}
