//! `cut`: a text without what a pattern matches.
//!
//! Patterns are JavaScript's, as far as they can be matched in linear time: no look-around and
//! no back-references, so that no pattern and no text can make a prompt hang.

use regex_lite::RegexBuilder;

use super::Args;
use crate::prompt::limits::{Budget, Fault};
use crate::prompt::value::Value;
use crate::prompt::write;

/// The longest text that a pattern is matched with, in bytes; a plain text has no such limit.
const LONGEST: usize = 1 << 20;

/// How large a compiled pattern may be, in bytes.
const LARGEST: usize = 1 << 16;

/// The longest pattern, in bytes: reading a longer one takes more than a moment.
const LONGEST_PATTERN: usize = 1 << 12;

/// A search takes as long as the text times the pattern, so that the longer the text is, the
/// smaller the pattern must be.
const MOST_WORK: usize = 1 << 33;

/// `{{cut text "[0-9]+"}}`
pub(super) fn cut<'a>(args: &Args<'_, 'a>, budget: &mut Budget) -> Result<Value<'a>, Fault> {
    args.exactly(2)?;
    let (value, pattern) = (args.get(0), args.get(1));
    if value.is_nullish() {
        return Err(Fault::failed("takes a text, but its first argument is missing"));
    }
    let text = write::to_string(&value, budget)?;
    let pattern = match &pattern {
        Value::Undefined => "".into(),
        pattern => write::to_string(pattern, budget)?,
    };
    if pattern.is_empty() {
        return Ok(Value::made(&*text));
    }
    if !pattern.contains(|c: char| r"\^$.|?*+()[]{}".contains(c)) {
        return Ok(Value::made(text.replace(&*pattern, "")));
    }
    let out = without(&text, &pattern, budget)?;
    Ok(Value::made(out))
}

fn without(text: &str, pattern: &str, budget: &mut Budget) -> Result<String, Fault> {
    if text.len() > LONGEST {
        return Err(Fault::failed(format!("matches patterns in texts of {LONGEST} bytes at most")));
    }
    if pattern.len() > LONGEST_PATTERN {
        return Err(Fault::failed(format!("takes patterns of {LONGEST_PATTERN} bytes at most")));
    }
    let largest = LARGEST.min(MOST_WORK / text.len().max(1));
    let mut builder = RegexBuilder::new(&translate(pattern));
    let regex = builder.size_limit(largest).build().map_err(|error| {
        let shown: String = pattern.chars().take(60).collect();
        Fault::failed(format!("cannot use the pattern `{shown}`: {error}"))
    })?;
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    for found in regex.find_iter(text) {
        // Each match may have been looked for through the whole text.
        budget.look()?;
        out.push_str(text.get(kept..found.start()).unwrap_or_default());
        kept = found.end();
    }
    budget.look()?;
    out.push_str(text.get(kept..).unwrap_or_default());
    Ok(out)
}

/// JavaScript's `\s`, inside of a class.
const SPACE: &str = r"\t\n\x0b\x0c\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff";

/// Says in the pattern language of `regex_lite` what JavaScript's pattern says.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    let mut class = false;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '\\' => rest = escape(&mut out, rest, class),
            '[' if class => out.push_str(r"\["),
            '[' if rest.starts_with("^]") => {
                out.push_str("(?s:.)");
                rest = rest.get(2..).unwrap_or_default();
            }
            ']' if !class => out.push_str(r"\]"),
            '[' | ']' => {
                class = c == '[';
                out.push(c);
                if class && rest.starts_with('^') {
                    out.push('^');
                    rest = rest.get(1..).unwrap_or_default();
                }
            }
            '.' if !class => out.push_str(r"[^\n\r\u2028\u2029]"),
            '{' if !class && !is_count(rest) => out.push_str(r"\{"),
            '}' if !class && !out_counts(&out) => out.push_str(r"\}"),
            '&' | '~' if class => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// Copies what follows a backslash; gives what is left.
fn escape<'p>(out: &mut String, rest: &'p str, class: bool) -> &'p str {
    let Some(c) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    match (c, class) {
        ('s', true) => out.push_str(SPACE),
        ('s', false) => out.extend(["[", SPACE, "]"]),
        ('b', true) => out.push_str(r"\x08"),
        ('S', false) => out.extend(["[^", SPACE, "]"]),
        ('d' | 'D' | 'w' | 'W' | 'b' | 'B' | 't' | 'n' | 'r' | 'f' | 'v' | 'x' | 'u', _)
        | ('S' | '0'..='9', _) => {
            out.push('\\');
            out.push(c);
        }
        ('c', _) => {
            let letter = rest.get(1..).and_then(|rest| rest.bytes().next());
            let Some(letter) = letter.filter(u8::is_ascii_alphabetic) else {
                out.push_str(r"\\c");
                return rest.get(1..).unwrap_or_default();
            };
            out.push_str(&format!(r"\x{:02x}", letter % 32));
            return rest.get(2..).unwrap_or_default();
        }
        (c, _) => {
            if r"\.+*?()|[]{}^$#&-~".contains(c) {
                out.push('\\');
            }
            out.push(c);
        }
    }
    rest.get(c.len_utf8()..).unwrap_or_default()
}

/// Whether an opening brace starts a count, as in `{2,3}`.
fn is_count(rest: &str) -> bool {
    let Some((inside, _)) = rest.split_once('}') else {
        return false;
    };
    let (from, to) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !from.is_empty() && digits(from) && digits(to)
}

/// Whether a closing brace ends a count or a Unicode escape that has been copied.
fn out_counts(out: &str) -> bool {
    let inside = out.rsplit('{').next().unwrap_or_default();
    let counts = !inside.is_empty() && inside.bytes().all(|b| b.is_ascii_digit() || b == b',');
    counts && out.contains('{')
}
