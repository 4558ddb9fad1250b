//! Implements `cut`, which removes the matches of a regular expression from a string.
//!
//! Patterns use JavaScript's syntax, but look-around and back-references are not supported. Without
//! them, matching takes time linear in the length of the string.

use std::time::Instant;

use regex_lite::RegexBuilder;

use super::args::Args;
use crate::prompt::render::error::RenderError;
use crate::prompt::render::limits::Budget;
use crate::prompt::render::value::Value;
use crate::prompt::render::write;

/// Maximum size in bytes of a string that is searched with a regular expression. The limit does not
/// apply to patterns without special characters, which are searched for literally.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// Maximum size of a pattern in bytes. Compiling a longer pattern would take too long.
const MAX_PATTERN_BYTES: usize = 1 << 12;

/// Maximum size of a compiled pattern in bytes.
const MAX_COMPILED_BYTES: usize = 1 << 16;

/// Maximum size in bytes of a string whose search does not count against the time limit of all
/// searches.
const MAX_UNTIMED_BYTES: usize = 1 << 12;

/// Maximum product of the string size and the compiled pattern size, both in bytes. The search time
/// is proportional to this product, and a search can't be interrupted. The maximum takes about a
/// third of a second.
const MAX_WORK: usize = 1 << 30;

/// Implements `{{cut text "[0-9]+"}}`, which returns the string without the matches of the pattern.
pub(super) fn cut<'a>(args: &Args<'_, 'a>, budget: &mut Budget) -> Result<Value<'a>, RenderError> {
    let (value, pattern) = (args.get(0), args.get(1));
    if value.is_nullish() {
        return Err(RenderError::helper(
            "expects a string, but its first argument is missing or null",
        ));
    }
    let text = write::to_string(&value, budget)?;
    let pattern = match &pattern {
        Value::Undefined => "".into(),
        pattern => write::to_string(pattern, budget)?,
    };
    if pattern.is_empty() {
        return Ok(Value::owned_text(&*text));
    }
    if !pattern.contains(|c: char| r"\^$.|?*+()[]{}".contains(c)) {
        return Ok(Value::owned_text(text.replace(&*pattern, "")));
    }
    let started = Instant::now();
    let out = remove_matches(&text, &pattern, budget)?;
    // The limit is checked after the search, because a search can't be interrupted.
    if text.len() > MAX_UNTIMED_BYTES {
        budget.count_search_time(started.elapsed())?;
    }
    Ok(Value::owned_text(out))
}

fn remove_matches(text: &str, pattern: &str, budget: &mut Budget) -> Result<String, RenderError> {
    if text.len() > MAX_TEXT_BYTES {
        let len = text.len();
        return Err(RenderError::helper(format!(
            "expects a string of at most {MAX_TEXT_BYTES} bytes for this pattern, got {len} bytes"
        )));
    }
    if pattern.len() > MAX_PATTERN_BYTES {
        let len = pattern.len();
        return Err(RenderError::helper(format!(
            "expects a pattern of at most {MAX_PATTERN_BYTES} bytes, got {len} bytes"
        )));
    }
    let size_limit = MAX_COMPILED_BYTES.min(MAX_WORK / text.len().max(1));
    let mut builder = RegexBuilder::new(&translate(pattern));
    let regex = builder.size_limit(size_limit).build().map_err(|error| {
        let excerpt: String = pattern.chars().take(60).collect();
        RenderError::helper(format!("can't compile the pattern `{excerpt}`: {error}"))
    })?;
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for matched in regex.find_iter(text) {
        // Finding a single match can require a scan of the whole string, so the clock is checked
        // after each match.
        budget.check_clock()?;
        out.push_str(text.get(end..matched.start()).unwrap_or_default());
        end = matched.end();
    }
    budget.check_clock()?;
    out.push_str(text.get(end..).unwrap_or_default());
    Ok(out)
}

/// The characters that JavaScript's `\s` matches, for use inside a character class.
const SPACE: &str = r"\t\n\x0b\x0c\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff";

/// Translates a JavaScript pattern into the syntax of `regex_lite`.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '\\' => rest = translate_escape(&mut out, rest, in_class),
            '[' if in_class => out.push_str(r"\["),
            '[' if rest.starts_with("^]") => {
                out.push_str("(?s:.)");
                rest = rest.get(2..).unwrap_or_default();
            }
            ']' if !in_class => out.push_str(r"\]"),
            '[' | ']' => {
                in_class = c == '[';
                out.push(c);
                if in_class && rest.starts_with('^') {
                    out.push('^');
                    rest = rest.get(1..).unwrap_or_default();
                }
            }
            '.' if !in_class => out.push_str(r"[^\n\r\u2028\u2029]"),
            '{' if !in_class && !is_quantifier(rest) => out.push_str(r"\{"),
            '}' if !in_class && !ends_with_open_brace(&out) => out.push_str(r"\}"),
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// Translates the escape sequence that follows a backslash. Returns the rest of the pattern.
fn translate_escape<'p>(out: &mut String, rest: &'p str, in_class: bool) -> &'p str {
    let Some(c) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    match (c, in_class) {
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

/// Returns whether the characters after an opening brace form a quantifier, as in `{2,3}`.
fn is_quantifier(rest: &str) -> bool {
    let Some((inside, _)) = rest.split_once('}') else {
        return false;
    };
    let (from, to) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !from.is_empty() && digits(from) && digits(to)
}

/// Returns whether the output ends with an opening brace followed by digits or commas. A closing
/// brace then completes a quantifier or a Unicode escape.
fn ends_with_open_brace(out: &str) -> bool {
    let inside = out.rsplit('{').next().unwrap_or_default();
    let is_number = !inside.is_empty() && inside.bytes().all(|b| b.is_ascii_digit() || b == b',');
    is_number && out.contains('{')
}
