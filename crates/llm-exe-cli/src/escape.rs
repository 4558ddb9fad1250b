//! Escapes control characters in messages. A message can quote a request, a provider, an argument
//! or a file name.

use std::borrow::Cow;

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

/// Escapes control characters and invisible characters, as JSON does, except for line breaks and
/// tabs. A quoted text could otherwise control the terminal or look different from what it is.
pub(crate) fn escape_controls(text: &str) -> Cow<'_, str> {
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Returns whether [`escape_controls`] escapes a character.
pub(crate) fn is_escaped(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    // Line breaks and tabs lay out messages. Joiners are parts of emoji and of words in some
    // scripts.
    let is_harmless = matches!(c, '\n' | '\t' | '\u{200c}' | '\u{200d}');
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    !is_harmless && matches!(category, Control | Format | LineSeparator | ParagraphSeparator)
}

/// Escapes a text as [`escape_controls`] does, and indents its lines except for the first one. A
/// quoted text could otherwise look like another message.
pub(crate) fn escape_and_indent(text: &str) -> String {
    escape_controls(text).replace('\n', "\n  ")
}

/// Escapes the name of a file, which can contain a line break.
pub(crate) fn escape_name(name: &str) -> String {
    escape_controls(name).replace('\n', "\\u000a").replace('\t', "\\u0009")
}

#[cfg(test)]
mod tests {
    use super::escape_controls;

    #[test]
    fn invisible_characters_are_escaped() {
        for (text, expected) in [
            ("a\u{1b}[31mb", r"a\u001b[31mb"),
            ("a\u{202e}b\u{2066}", r"a\u202eb\u2066"),
            ("a\u{200b}\u{200e}\u{61c}\u{feff}b", r"a\u200b\u200e\u061c\ufeffb"),
            ("a\u{2028}b", r"a\u2028b"),
            ("a\u{e0041}b", r"a\udb40\udc41b"),
        ] {
            assert_eq!(escape_controls(text), expected, "{text:?}");
        }
    }

    #[test]
    fn text_and_emoji_are_unchanged() {
        let text = "line\n\tcafé 👩\u{200d}🚀 می\u{200c}خواهم";
        assert_eq!(escape_controls(text), text);
    }
}
