//! Splits a prompt into messages. A line that begins with `System:`, `User:` or `Assistant:` starts
//! a new message, unless the line is in a fenced code block or the marker is escaped with a
//! backslash.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::position::TextLine;

const MARKERS: &[(&str, &str)] =
    &[("system:", "system"), ("user:", "user"), ("assistant:", "assistant")];

/// A message while its lines are being collected.
struct Turn<'a> {
    /// The role, or `None` for the lines above the first role marker.
    role: Option<&'static str>,
    lines: Vec<Cow<'a, str>>,
    /// The document line on which the message begins.
    first_line: usize,
}

/// Parses a prompt. Returns the value of the field `message` and the document line on which each
/// message text begins, or `None` if the prompt is empty. `offset` is the number of document lines
/// above the prompt.
pub(super) fn parse(
    text: &str,
    offset: usize,
    warnings: &mut Vec<String>,
) -> Option<(Value, Vec<TextLine>)> {
    let lines: Vec<&str> = text.split('\n').collect();
    let in_fence = lines_in_fences(&lines);
    let mut turns = vec![Turn { role: None, lines: Vec::new(), first_line: offset + 1 }];
    for (index, line) in lines.iter().enumerate() {
        let is_code = in_fence.get(index) == Some(&true);
        match split_marker(line).filter(|_| !is_code) {
            Some((role, rest)) => {
                let lines = vec![Cow::Borrowed(rest.trim())];
                turns.push(Turn { role: Some(role), lines, first_line: offset + index + 1 });
            }
            None => {
                let line = if is_code { Cow::Borrowed(*line) } else { unescape_marker(line) };
                turns.last_mut()?.lines.push(line);
            }
        }
    }
    let has_markers = turns.len() > 1;
    let mut messages = Vec::new();
    let mut text_lines = Vec::new();
    for turn in turns {
        let blank_lines = turn.lines.iter().take_while(|line| line.trim().is_empty()).count();
        let text = turn.lines.get(blank_lines..).unwrap_or_default().join("\n");
        let text = text.trim_end();
        let line = if text.is_empty() { turn.first_line } else { turn.first_line + blank_lines };
        if !has_markers {
            let path = "message".to_owned();
            return (!text.is_empty()).then(|| (Value::from(text), vec![TextLine { path, line }]));
        }
        if turn.role.is_none() {
            if text.is_empty() {
                continue;
            }
            warnings.push(format!(
                "line {line}: the text above the first line with a role is sent as a system \
                 message; write `System:` before it, or remove it"
            ));
        }
        text_lines.push(TextLine { path: format!("message[{}]", messages.len()), line });
        messages.push(json!({ "role": turn.role.unwrap_or("system"), "content": text }));
    }
    Some((Value::Array(messages), text_lines))
}

/// Splits a line that begins with a role marker into the role and the text after the marker.
fn split_marker(line: &str) -> Option<(&'static str, &str)> {
    let line = line.trim_start();
    MARKERS.iter().find_map(|(marker, role)| {
        let matches = line.get(..marker.len())?.eq_ignore_ascii_case(marker);
        matches.then(|| (*role, line.get(marker.len()..).unwrap_or_default()))
    })
}

/// Removes the backslash before an escaped role marker, such as `\User:`.
fn unescape_marker(line: &str) -> Cow<'_, str> {
    let unindented = line.trim_start();
    match unindented.strip_prefix('\\') {
        Some(rest) if split_marker(rest).is_some() && !rest.starts_with(char::is_whitespace) => {
            let indent = line.get(..line.len() - unindented.len()).unwrap_or_default();
            Cow::Owned(format!("{indent}{rest}"))
        }
        _ => Cow::Borrowed(line),
    }
}

/// Returns for each line whether it is part of a fenced code block, including the fences. A fence
/// that is never closed is ignored, because it would hide all markers below it.
fn lines_in_fences(lines: &[&str]) -> Vec<bool> {
    let fences: Vec<Option<Fence>> = lines.iter().map(|line| Fence::parse(line)).collect();
    // For each line, the length of the longest closing fence on or below it, separately for
    // backticks and tildes. Looking up this length instead of searching for a closing fence keeps
    // the time linear.
    let mut max_closing_below = vec![[0_usize; 2]; lines.len() + 1];
    let mut max_lengths = [0_usize; 2];
    for (index, fence) in fences.iter().enumerate().rev() {
        if let Some(Fence { is_tilde, length, can_close: true }) = fence
            && let Some(max) = max_lengths.get_mut(usize::from(*is_tilde))
        {
            *max = (*max).max(*length);
        }
        if let Some(entry) = max_closing_below.get_mut(index) {
            *entry = max_lengths;
        }
    }
    let mut in_fence = Vec::with_capacity(lines.len());
    let mut open: Option<&Fence> = None;
    for (index, fence) in fences.iter().enumerate() {
        let Some(fence) = fence else {
            in_fence.push(open.is_some());
            continue;
        };
        if let Some(opening) = open {
            in_fence.push(true);
            if fence.closes(opening) {
                open = None;
            }
            continue;
        }
        let max_below = max_closing_below
            .get(index + 1)
            .and_then(|max_lengths| max_lengths.get(usize::from(fence.is_tilde)));
        let is_closed = max_below.is_some_and(|max| *max >= fence.length);
        in_fence.push(is_closed);
        open = is_closed.then_some(fence);
    }
    in_fence
}

/// A code fence, which is a line that begins with at least three backticks or tildes.
/// <https://spec.commonmark.org/0.31.2/#fenced-code-blocks>
struct Fence {
    is_tilde: bool,
    length: usize,
    /// Whether this fence can close a code block, which requires that no text follows it.
    can_close: bool,
}

impl Fence {
    fn parse(line: &str) -> Option<Fence> {
        let unindented = line.trim_start_matches(' ');
        if line.len() - unindented.len() > 3 {
            return None;
        }
        let mark = unindented.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let rest = unindented.trim_start_matches(mark);
        let length = unindented.len() - rest.len();
        let info = rest.trim();
        let is_fence = length >= 3 && (mark == '~' || !info.contains('`'));
        is_fence.then_some(Fence { is_tilde: mark == '~', length, can_close: info.is_empty() })
    }

    fn closes(&self, opening: &Fence) -> bool {
        self.can_close && self.is_tilde == opening.is_tilde && self.length >= opening.length
    }
}
