//! Scanning functions of the lexer: character classes, and the lengths of names, quoted texts and
//! bracketed segments. Lengths are in bytes.

/// The lengths of the name and of the whole tag `{{{{/name}}}}` at the start of a text.
pub(crate) fn raw_close(text: &str) -> Option<(usize, usize)> {
    let rest = text.strip_prefix("{{{{/")?;
    let name_len = id_len(rest);
    if name_len == 0 || !rest.get(name_len..)?.starts_with("}}}}") {
        return None;
    }
    Some((name_len, name_len + "{{{{/}}}}".len()))
}

/// The length of the name at the start of a text.
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

/// Whether JavaScript's `\s` matches a character.
pub(crate) fn is_js_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

/// Removes JavaScript's white space from the start of a text.
pub(crate) fn trim_js_start(text: &str) -> &str {
    text.trim_start_matches(is_js_space)
}

/// The length of the quoted text at the start of `text`, including the quotes. `\` escapes a
/// quote, but if no unescaped quote follows, the last escaped one ends the text.
pub(crate) fn quoted_len(text: &str) -> Option<usize> {
    closed_len(text, *text.as_bytes().first()?)
}

/// The length of the bracketed segment at the start of `text`, including the brackets.
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
