//! What the lexer asks of characters: what a name is made of, what white space is, and how long
//! names, quoted texts and bracketed segments are.

/// The lengths of the name and of the whole of `{{{{/name}}}}` at the start of a text.
pub(crate) fn raw_close(text: &str) -> Option<(usize, usize)> {
    let name_on = text.strip_prefix("{{{{/")?;
    let name = id_len(name_on);
    if name == 0 || !name_on.get(name..)?.starts_with("}}}}") {
        return None;
    }
    Some((name, name + 9))
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

/// White space as JavaScript's `\s` has it.
pub(crate) fn is_js_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

pub(crate) fn trim_js_start(text: &str) -> &str {
    text.trim_start_matches(is_js_space)
}

/// The length of a quoted text at the start, quotes included. `\` hides a quote, but when no
/// other quote follows, the last hidden one closes.
pub(crate) fn quoted_len(text: &str) -> Option<usize> {
    closed_len(text, *text.as_bytes().first()?)
}

fn closed_len(text: &str, end: u8) -> Option<usize> {
    let mut hidden = None;
    let mut before = 0;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        if byte == end {
            if before != b'\\' {
                return Some(at + 1);
            }
            hidden = Some(at + 1);
            before = 0;
        } else {
            before = byte;
        }
    }
    hidden
}

/// The length of a segment in brackets at the start, brackets included.
pub(crate) fn bracketed_len(text: &str) -> Option<usize> {
    closed_len(text, b']')
}
