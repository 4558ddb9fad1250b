//! Redacts everything that looks like an API key in a provider's message before the message is
//! returned or logged.

use std::sync::OnceLock;

use regex_lite::Regex;

use crate::error::shorten;

/// Maximum length of a scrubbed message in characters.
const MAX_LENGTH: usize = 300;

/// Maximum number of bytes to scan. A longer message is truncated first.
const MAX_SCANNED: usize = 16 * 1024;

/// Matches keys with a known prefix, `Bearer` values and query parameters of signed URLs.
const KEY_PATTERN: &str = concat!(
    r"(?i:bearer\s+)\S+",
    r"|\b(?:sk|pk|rk|xai|gsk|ghp|gho|xox[a-z]|hf|pplx|r8)[-_][A-Za-z0-9_\-*.…]{6,}",
    r"|\bA(?:KIA|SIA|Iza)[A-Za-z0-9_\-*]{8,}",
    r"|\beyJ[A-Za-z0-9_\-.]{10,}",
    r"|(?i:x-amz-(?:signature|credential|security-token)=)[^\s&]+",
);

fn key_pattern() -> Option<&'static Regex> {
    static PATTERN: OnceLock<Option<Regex>> = OnceLock::new();
    PATTERN.get_or_init(|| Regex::new(KEY_PATTERN).ok()).as_ref()
}

/// Prepares a provider's message for display. Joins its lines, replaces keys with `[redacted]`, and
/// shortens the message to 300 characters.
///
/// `secrets` are the keys that were sent to the provider. They are replaced even if they do not
/// look like keys.
pub fn scrub(text: &str, secrets: &[&str]) -> String {
    let text = text.get(..text.floor_char_boundary(MAX_SCANNED)).unwrap_or(text);
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "[redacted]");
    }
    if let Some(pattern) = key_pattern() {
        text = pattern.replace_all(&text, "[redacted]").into_owned();
    }
    let words: Vec<&str> =
        text.split(' ').map(|word| if is_token(word) { "[redacted]" } else { word }).collect();
    shorten(&words.join(" "), MAX_LENGTH)
}

/// Returns whether a word is a long mix of letters and digits, and therefore probably a key. URLs
/// and the ids of requests and messages are excluded, because they help to diagnose errors.
fn is_token(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let id_prefixes = ["req_", "msg_", "chatcmpl-", "http://", "https://"];
    word.len() >= 32
        && !id_prefixes.iter().any(|prefix| word.starts_with(prefix))
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-+/=.".contains(&b))
        && word.bytes().filter(u8::is_ascii_digit).count() >= 4
        && word.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::scrub;

    #[test]
    fn keys_are_redacted_and_ids_are_not() {
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
