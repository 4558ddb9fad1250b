//! Redacts secrets that are encoded, reversed, truncated, or written in another case or with gaps.

use std::ops::Range;

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// The text that replaces a key.
pub(super) const REDACTED: &str = "[redacted]";

/// Minimum length in bytes of a secret that is replaced within words. Ordinary words can contain a
/// shorter secret.
pub(super) const MIN_LENGTH_WITHIN_WORDS: usize = 16;

/// Minimum length in bytes of a secret whose other forms are searched for. Ordinary text could
/// contain the forms of a shorter secret.
const MIN_SECRET_LENGTH: usize = 8;

/// Number of characters at the beginning or end of a secret that are redacted like the whole
/// secret, because a message can be truncated.
const PART_LENGTH: usize = 12;

/// Maximum number of times that a text is decoded. Encodings can be nested.
const MAX_ROUNDS: usize = 3;

/// A character of a text after decoding, and the bytes of the text that it was decoded from.
#[derive(Clone)]
struct Decoded {
    c: char,
    source: Range<usize>,
}

/// Replaces all forms of a secret in a text.
pub(super) fn redact(text: &str, secret: &str) -> String {
    if secret.len() < MIN_SECRET_LENGTH {
        return text.to_owned();
    }
    let mut chars: Vec<Decoded> =
        text.char_indices().map(|(at, c)| Decoded { c, source: at..at + c.len_utf8() }).collect();
    let needle = lower_case(secret);
    let mut ranges = Vec::new();
    for _ in 0..MAX_ROUNDS {
        chars.retain(|decoded| !is_gap(decoded.c));
        let mut forms = Vec::new();
        find_forms(&chars, &needle, &mut forms);
        if secret.len() < MIN_LENGTH_WITHIN_WORDS {
            forms.retain(|range| is_word(text, range));
        }
        ranges.append(&mut forms);
        find_encoded(&chars, secret, &mut ranges);
        let decoded = decode(&chars);
        if decoded.len() == chars.len() {
            break;
        }
        chars = decoded;
    }
    redact_ranges(text, ranges)
}

/// Returns whether a part of a text is neither preceded nor followed by a letter or a digit.
pub(super) fn is_word(text: &str, range: &Range<usize>) -> bool {
    let before = text.get(..range.start).and_then(|text| text.chars().next_back());
    let after = text.get(range.end..).and_then(|text| text.chars().next());
    ![before, after].into_iter().flatten().any(char::is_alphanumeric)
}

/// Returns whether a text of letters, digits and punctuation contains a secret or a part of it, in
/// any case, forwards or backwards.
pub(crate) fn contains_part(text: &str, secret: &str) -> bool {
    let (text, secret) = (text.as_bytes(), secret.as_bytes());
    let length = secret.len().min(MIN_SECRET_LENGTH);
    if length == 0 || text.len() < length {
        return false;
    }
    let first = secret.get(..length).unwrap_or_default();
    let last = secret.get(secret.len() - length..).unwrap_or_default();
    // Most windows differ in their first byte.
    let in_lower_case = |byte: Option<&u8>| byte.map(u8::to_ascii_lowercase);
    let starts = [first.first(), first.last(), last.last()].map(in_lower_case);
    text.windows(length).any(|window| {
        let is_reversed =
            |part: &[u8]| window.iter().rev().zip(part).all(|(a, b)| a.eq_ignore_ascii_case(b));
        starts.contains(&in_lower_case(window.first()))
            && (window.eq_ignore_ascii_case(first) || is_reversed(first) || is_reversed(last))
    })
}

fn lower_case(text: &str) -> Vec<char> {
    text.chars().map(|c| c.to_ascii_lowercase()).collect()
}

/// Returns whether a character can be inserted into a key without changing how the key looks.
fn is_gap(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Finds a secret in any case, forwards and backwards, or its beginning or end.
fn find_forms(chars: &[Decoded], needle: &[char], ranges: &mut Vec<Range<usize>>) {
    let text: Vec<char> = chars.iter().map(|decoded| decoded.c.to_ascii_lowercase()).collect();
    let reversed: Vec<char> = needle.iter().rev().copied().collect();
    let length = if needle.len() >= 2 * PART_LENGTH { PART_LENGTH } else { needle.len() };
    for needle in [needle, &reversed] {
        let parts = [
            (needle.get(..length), 0),
            (needle.get(needle.len() - length..), needle.len() - length),
        ];
        for (part, offset) in parts {
            let Some(part) = part else { continue };
            for (at, _) in text.windows(length).enumerate().filter(|(_, window)| *window == part) {
                // The part is extended in both directions as far as the secret matches.
                let before = text.get(..at).unwrap_or_default().iter().rev();
                let known_before = needle.get(..offset).unwrap_or_default().iter().rev();
                let back = before.zip(known_before).take_while(|(a, b)| a == b).count();
                let after = text.get(at + length..).unwrap_or_default().iter();
                let known_after = needle.get(offset + length..).unwrap_or_default().iter();
                let ahead = after.zip(known_after).take_while(|(a, b)| a == b).count();
                add_source_range(chars, at - back..at + length + ahead, ranges);
            }
        }
    }
}

/// Finds base64 and hexadecimal digits that decode to a secret.
fn find_encoded(chars: &[Decoded], secret: &str, ranges: &mut Vec<Range<usize>>) {
    let is_digit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
    let mut start = 0;
    while start < chars.len() {
        let rest = chars.get(start..).unwrap_or_default();
        let digits: String = rest
            .iter()
            .map_while(|decoded| match decoded.c {
                '-' => Some('+'),
                '_' => Some('/'),
                c => is_digit(c).then_some(c),
            })
            .collect();
        if digits.len() >= secret.len() {
            // The digits of the secret can begin at any position.
            let in_base64 = (0..4).filter_map(|skipped| find_base64(&digits, skipped, secret));
            let in_hexadecimal = (0..2).filter_map(|skipped| find_hex(&digits, skipped, secret));
            for range in in_base64.chain(in_hexadecimal) {
                add_source_range(chars, start + range.start..start + range.end, ranges);
            }
        }
        start += digits.len() + 1;
    }
}

/// Returns the base64 digits of a secret, if the digits from a position on encode it.
fn find_base64(digits: &str, skipped: usize, secret: &str) -> Option<Range<usize>> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
    let digits = digits.get(skipped..)?;
    let whole = digits.len() - usize::from(digits.len() % 4 == 1);
    let bytes = BASE64.decode(digits.get(..whole)?).ok()?;
    let at = position(&bytes, secret)?;
    let end = ((at + secret.len()) * 4).div_ceil(3).min(whole);
    Some(skipped + at * 4 / 3..skipped + end)
}

/// Returns the hexadecimal digits of a secret, if the digits from a position on encode it.
fn find_hex(digits: &str, skipped: usize, secret: &str) -> Option<Range<usize>> {
    let values: Vec<u32> =
        digits.chars().skip(skipped).map(|c| c.to_digit(16).unwrap_or(256)).collect();
    let byte = |pair: &[u32]| pair.iter().fold(0, |sum, digit| sum * 16 + digit);
    let bytes: Vec<u8> =
        values.chunks_exact(2).map(|pair| u8::try_from(byte(pair)).unwrap_or(0)).collect();
    let at = position(&bytes, secret)?;
    Some(skipped + at * 2..skipped + (at + secret.len()) * 2)
}

/// Returns the position of a secret in a text, in any case, forwards or backwards.
fn position(bytes: &[u8], secret: &str) -> Option<usize> {
    bytes.windows(secret.len()).position(|window| {
        let mut backwards = window.iter().rev().zip(secret.as_bytes());
        window.eq_ignore_ascii_case(secret.as_bytes())
            || backwards.all(|(a, b)| a.eq_ignore_ascii_case(b))
    })
}

/// Decodes percent-encoding, HTML entities and backslash escapes once.
fn decode(chars: &[Decoded]) -> Vec<Decoded> {
    let mut decoded = Vec::with_capacity(chars.len());
    let mut at = 0;
    while let Some(first) = chars.get(at) {
        let rest = chars.get(at + 1..).unwrap_or_default();
        let (c, length) = match first.c {
            '%' => decode_hex(rest, 2).map_or((None, 0), |c| (Some(c), 2)),
            '&' => decode_entity(rest),
            '\\' => match rest.first().map(|next| next.c) {
                Some('u') => decode_hex(rest.get(1..).unwrap_or_default(), 4)
                    .map_or((None, 0), |c| (Some(c), 5)),
                Some('x') => decode_hex(rest.get(1..).unwrap_or_default(), 2)
                    .map_or((None, 0), |c| (Some(c), 3)),
                next => (next, 1),
            },
            _ => (None, 0),
        };
        let last = chars.get(at + length).unwrap_or(first);
        let source = first.source.start..last.source.end;
        decoded.push(Decoded { c: c.unwrap_or(first.c), source });
        at += length + 1;
    }
    decoded
}

fn decode_hex(digits: &[Decoded], count: usize) -> Option<char> {
    let digits: String = digits.get(..count)?.iter().map(|digit| digit.c).collect();
    u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
}

/// Decodes the entity after an ampersand. Returns its character and its length in characters.
fn decode_entity(rest: &[Decoded]) -> (Option<char>, usize) {
    const NAMED: &[(&str, char)] = &[
        ("amp", '&'),
        ("apos", '\''),
        ("colon", ':'),
        ("dash", '-'),
        ("equals", '='),
        ("gt", '>'),
        ("hyphen", '-'),
        ("lowbar", '_'),
        ("lt", '<'),
        ("period", '.'),
        ("plus", '+'),
        ("quot", '"'),
        ("sol", '/'),
    ];
    const MAX_ENTITY_LENGTH: usize = 10;
    let name: String = rest
        .iter()
        .take(MAX_ENTITY_LENGTH)
        .map(|decoded| decoded.c.to_ascii_lowercase())
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '#')
        .collect();
    let number = match name.strip_prefix('#') {
        Some(digits) => match digits.strip_prefix('x') {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => digits.parse().ok(),
        },
        None => None,
    };
    let named = || NAMED.iter().find(|(known, _)| *known == name).map(|(_, c)| *c);
    let c = number.and_then(char::from_u32).or_else(named);
    let length = name.chars().count();
    let has_end = rest.get(length).is_some_and(|next| next.c == ';');
    match c {
        Some(c) => (Some(c), length + usize::from(has_end)),
        None => (None, 0),
    }
}

/// Adds the range of bytes from which a range of characters was decoded.
fn add_source_range(chars: &[Decoded], range: Range<usize>, ranges: &mut Vec<Range<usize>>) {
    if let (Some(first), Some(last)) = (chars.get(range.start), chars.get(range.end - 1)) {
        ranges.push(first.source.start..last.source.end);
    }
}

/// Replaces ranges of a text, which may overlap, with [`REDACTED`].
fn redact_ranges(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for range in ranges {
        if range.start >= end {
            out.push_str(text.get(end..range.start).unwrap_or_default());
            out.push_str(REDACTED);
        }
        end = end.max(range.end);
    }
    out.push_str(text.get(end..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::redact;

    const SECRET: &str = "sk-test-openai";

    fn forms() -> Vec<String> {
        let percent: String = SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let entities: String = SECRET.bytes().map(|byte| format!("&#{byte};")).collect();
        let entities_in_hex: String = SECRET.bytes().map(|byte| format!("&#x{byte:x}")).collect();
        let escapes: String = SECRET.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
        vec![
            SECRET.to_owned(),
            SECRET.to_uppercase(),
            SECRET.chars().rev().collect(),
            SECRET.replace('-', "%2D"),
            SECRET.replace('-', "%252d"),
            SECRET.replace('-', "&#45;"),
            SECRET.replace('-', "&amp;#x2d;"),
            SECRET.replace('-', "\\-"),
            SECRET.replace("test", "te st"),
            SECRET.replace("test", "te\u{200b}st"),
            percent,
            entities,
            entities_in_hex,
            escapes,
            hex,
            STANDARD.encode(SECRET),
            STANDARD.encode(format!("Bearer {SECRET}")),
            STANDARD.encode(format!("a:{SECRET}")),
            STANDARD.encode(format!("user:{SECRET}\n")).replace('=', "%3D"),
            URL_SAFE_NO_PAD.encode(format!("??>{SECRET}")),
            format!("abc{}", STANDARD.encode(SECRET)),
            STANDARD.encode(format!("Authorization: Bearer {SECRET}")).replace("Q", "Q "),
        ]
    }

    #[test]
    fn encoded_secrets_are_redacted() {
        for form in forms() {
            let text = format!("got {form}, which is wrong");
            let redacted = redact(&text, SECRET);
            assert!(redacted.contains("[redacted]"), "{form}: {redacted}");
            assert!(!redacted.contains(&form), "{form}: {redacted}");
            assert!(!redact(&redacted, SECRET).contains("[redacted][redacted]"), "{redacted}");
            assert!(redacted.starts_with("got "), "{redacted}");
            assert!(redacted.ends_with(" is wrong"), "{redacted}");
        }
    }

    #[test]
    fn parts_of_a_long_secret_are_redacted() {
        let secret = "Tr0ub4dor-correct-horse-battery-staple";
        for part in ["Tr0ub4dor-correct-ho", "rse-battery-staple", "Tr0ub4dor-co"] {
            let redacted = redact(&format!("key {part}… is wrong"), secret);
            assert_eq!(redacted, "key [redacted]… is wrong", "{part}");
        }
    }

    #[test]
    fn other_texts_do_not_change() {
        for text in [
            "The model `gpt-9` does not exist; use 50% less & try again \\ now",
            "sk-test is not a key, and openai is not one either",
            "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ= is base64",
            "%zz &unknown; &#xffffff; \\u12 é",
        ] {
            assert_eq!(redact(text, SECRET), text);
        }
        assert_eq!(redact("x marks x", "x"), "x marks x");
    }
}
