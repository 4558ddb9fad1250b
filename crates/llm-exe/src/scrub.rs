//! Takes out of foreign text whatever looks like a key, before it reaches a message or a log.

use std::sync::OnceLock;

use regex_lite::Regex;

use crate::error::shorten;

/// The most characters of a provider's own text that are passed on.
const LIMIT: usize = 300;

/// The most bytes of a text that are looked at.
const MOST_READ: usize = 16 * 1024;

/// Known beginnings of keys, `Bearer` values, signed query parameters, and any long run that
/// mixes letters and digits and is no id of a request.
const LOOKS_LIKE_A_KEY: &str = concat!(
    r"(?i:bearer\s+)\S+",
    r"|\b(?:sk|pk|rk|xai|gsk|ghp|gho|xox[a-z]|hf|pplx|r8)[-_][A-Za-z0-9_\-*.…]{6,}",
    r"|\bA(?:KIA|SIA|Iza)[A-Za-z0-9_\-*]{8,}",
    r"|\beyJ[A-Za-z0-9_\-.]{10,}",
    r"|(?i:x-amz-(?:signature|credential|security-token)=)[^\s&]+",
);

fn key_like() -> Option<&'static Regex> {
    static PATTERN: OnceLock<Option<Regex>> = OnceLock::new();
    PATTERN.get_or_init(|| Regex::new(LOOKS_LIKE_A_KEY).ok()).as_ref()
}

/// A provider's text as it may be shown: one line, shortened, keys replaced by `[redacted]`.
///
/// `secrets` are the values in use; they are taken out whatever they look like.
pub fn scrub(text: &str, secrets: &[&str]) -> String {
    // Of a very long text the end can't be shown anyway.
    let text = text.get(..text.floor_char_boundary(MOST_READ)).unwrap_or(text);
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "[redacted]");
    }
    if let Some(pattern) = key_like() {
        text = pattern.replace_all(&text, "[redacted]").into_owned();
    }
    let words: Vec<&str> =
        text.split(' ').map(|word| if is_token(word) { "[redacted]" } else { word }).collect();
    shorten(&words.join(" "), LIMIT)
}

/// A long run of letters and digits mixed. Request and message ids are kept: support asks for
/// them.
fn is_token(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let kept = ["req_", "msg_", "chatcmpl-", "http://", "https://"];
    word.len() >= 32
        && !kept.iter().any(|beginning| word.starts_with(beginning))
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-+/=.".contains(&b))
        && word.bytes().filter(u8::is_ascii_digit).count() >= 4
        && word.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::scrub;

    #[test]
    fn takes_keys_out_and_leaves_the_rest() {
        for (text, expected) in [
            (
                "Incorrect API key provided: sk-abc***wxyz.",
                "Incorrect API key provided: [redacted]",
            ),
            ("sent Authorization: Bearer abc.def", "sent Authorization: [redacted]"),
            ("key AIzaSyA1234567890abc is bad", "key [redacted] is bad"),
            ("my own secret was plain-word", "my own secret was [redacted]"),
            ("token a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6!", "token [redacted]"),
            ("see req_011CSHoEeqs5C35K2UUqR7Fy1234567", "see req_011CSHoEeqs5C35K2UUqR7Fy1234567"),
            ("model `gpt-9`\n does not exist", "model `gpt-9` does not exist"),
        ] {
            assert_eq!(scrub(text, &["plain-word"]), expected);
        }
        assert!(scrub(&"word ".repeat(500), &[]).chars().count() <= 301);
    }
}
