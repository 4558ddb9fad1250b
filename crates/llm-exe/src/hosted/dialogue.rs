//! A prompt's text to messages: a line that begins with `System:`, `User:` or `Assistant:` begins
//! a message; within code fences it is text, and so it is behind a backslash.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::config::Lines;

const MARKERS: &[(&str, &str)] =
    &[("system:", "system"), ("user:", "user"), ("assistant:", "assistant")];

/// A message that is being gathered.
struct Turn<'a> {
    /// `None` above the first marker.
    role: Option<&'static str>,
    lines: Vec<Cow<'a, str>>,
    /// The document's line on which it begins.
    first: usize,
}

/// The value of `message` and where its texts begin; `None` of an empty text. `above` is how many
/// lines of the document are above the text.
pub(super) fn read(text: &str, above: usize) -> Option<(Value, Lines)> {
    let lines: Vec<&str> = text.split('\n').collect();
    let fenced = fenced(&lines);
    let mut turns = vec![Turn { role: None, lines: Vec::new(), first: above + 1 }];
    for (index, line) in lines.iter().enumerate() {
        let marked = fenced.get(index).is_some_and(|inside| !inside).then(|| marker(line));
        match marked.flatten() {
            Some((role, rest)) => {
                let lines = vec![Cow::Borrowed(rest.trim_start())];
                turns.push(Turn { role: Some(role), lines, first: above + index + 1 });
            }
            None => {
                let is_code = fenced.get(index) == Some(&true);
                let plain = if is_code { Cow::Borrowed(*line) } else { unescaped(line) };
                turns.last_mut()?.lines.push(plain);
            }
        }
    }
    let is_dialogue = turns.len() > 1;
    let mut messages = Vec::new();
    let mut places = Lines::new();
    for turn in turns {
        let blank = turn.lines.iter().take_while(|line| line.trim().is_empty()).count();
        let text = turn.lines.get(blank..).unwrap_or_default().join("\n");
        let text = text.trim_end();
        let line = if text.is_empty() { turn.first } else { turn.first + blank };
        if !is_dialogue {
            return (!text.is_empty())
                .then(|| (Value::from(text), vec![("message".to_owned(), line)]));
        }
        if turn.role.is_none() && text.is_empty() {
            continue;
        }
        places.push((format!("message[{}]", messages.len()), line));
        messages.push(json!({ "role": turn.role.unwrap_or("system"), "content": text }));
    }
    Some((Value::Array(messages), places))
}

/// The role that a line begins, and what stands behind the marker.
fn marker(line: &str) -> Option<(&'static str, &str)> {
    let line = line.trim_start();
    MARKERS.iter().find_map(|(word, role)| {
        let begins = line.get(..word.len())?.eq_ignore_ascii_case(word);
        begins.then(|| (*role, line.get(word.len()..).unwrap_or_default()))
    })
}

/// The line without the backslash that makes a marker text.
fn unescaped(line: &str) -> Cow<'_, str> {
    let behind = line.trim_start();
    match behind.strip_prefix('\\') {
        Some(rest) if marker(rest).is_some() && !rest.starts_with(char::is_whitespace) => {
            let indent = line.get(..line.len() - behind.len()).unwrap_or_default();
            Cow::Owned(format!("{indent}{rest}"))
        }
        _ => Cow::Borrowed(line),
    }
}

/// Which lines are of code fences, the fences themselves counted in. A fence that nothing closes is
/// none: what stands below it was meant as the prompt.
fn fenced(lines: &[&str]) -> Vec<bool> {
    let fences: Vec<Option<Fence>> = lines.iter().map(|line| fence(line)).collect();
    // The longest closing fence from each line on, so that no opening one is looked up in vain.
    let mut longest = vec![[0_usize; 2]; lines.len() + 1];
    let mut below = [0_usize; 2];
    for (index, found) in fences.iter().enumerate().rev() {
        if let Some(Fence { tilde, length, bare: true }) = found
            && let Some(most) = below.get_mut(usize::from(*tilde))
        {
            *most = (*most).max(*length);
        }
        if let Some(place) = longest.get_mut(index) {
            *place = below;
        }
    }
    let mut inside = Vec::with_capacity(lines.len());
    let mut open: Option<&Fence> = None;
    for (index, found) in fences.iter().enumerate() {
        let Some(found) = found else {
            inside.push(open.is_some());
            continue;
        };
        if let Some(opened) = open {
            inside.push(true);
            if found.bare && found.tilde == opened.tilde && found.length >= opened.length {
                open = None;
            }
            continue;
        }
        let closing = longest.get(index + 1).and_then(|most| most.get(usize::from(found.tilde)));
        let closes = closing.is_some_and(|most| *most >= found.length);
        inside.push(closes);
        open = closes.then_some(found);
    }
    inside
}

/// A line of at least three backticks or tildes. <https://spec.commonmark.org/0.31.2/#fenced-code-blocks>
struct Fence {
    tilde: bool,
    length: usize,
    /// Nothing stands behind it: it can close.
    bare: bool,
}

fn fence(line: &str) -> Option<Fence> {
    let unindented = line.trim_start_matches(' ');
    if line.len() - unindented.len() > 3 {
        return None;
    }
    let sign = unindented.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
    let rest = unindented.trim_start_matches(sign);
    let length = unindented.len() - rest.len();
    let info = rest.trim();
    let is_fence = length >= 3 && (sign == '~' || !info.contains('`'));
    is_fence.then_some(Fence { tilde: sign == '~', length, bare: info.is_empty() })
}
