//! Scanning functions for the lexer. They classify characters and measure names, quoted strings and
//! bracketed segments. All lengths are in bytes.

/// Returns the lengths of the name and of the whole tag if `text` starts with a closing tag
/// `{{{{/name}}}}`.
pub(crate) fn raw_close(text: &str) -> Option<(usize, usize)> {
    let rest = text.strip_prefix("{{{{/")?;
    let name_len = id_len(rest);
    if name_len == 0 || !rest.get(name_len..)?.starts_with("}}}}") {
        return None;
    }
    Some((name_len, name_len + "{{{{/}}}}".len()))
}

/// Returns the length of the name at the start of `text`.
pub(crate) fn id_len(text: &str) -> usize {
    text.find(|c: char| !is_id_char(c)).unwrap_or(text.len())
}

fn is_id_char(c: char) -> bool {
    match c {
        '!' | '"' | '#' | '%'..=',' | '.' | '/' | ';'..='>' | '@' | '['..='^' | '`' => false,
        '{'..='~' => false,
        _ => !is_js_space(c),
    }
}

/// Returns whether JavaScript's `\s` matches a character.
pub(crate) fn is_js_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

/// Removes the characters that JavaScript treats as white space from the start of a string.
pub(crate) fn trim_js_start(text: &str) -> &str {
    text.trim_start_matches(is_js_space)
}

/// Returns the length of the quoted string at the start of `text`, including the quotes. A
/// backslash escapes a quote. If no unescaped quote follows, the last escaped quote ends the
/// string.
pub(crate) fn quoted_len(text: &str) -> Option<usize> {
    closed_len(text, *text.as_bytes().first()?)
}

/// Returns the length of the bracketed segment at the start of `text`, including the brackets.
pub(crate) fn bracketed_len(text: &str) -> Option<usize> {
    closed_len(text, b']')
}

fn closed_len(text: &str, end: u8) -> Option<usize> {
    let mut last_escaped = None;
    let mut previous = 0;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        if byte == end {
            if previous != b'\\' {
                return Some(at + 1);
            }
            last_escaped = Some(at + 1);
            previous = 0;
        } else {
            previous = byte;
        }
    }
    last_escaped
}
