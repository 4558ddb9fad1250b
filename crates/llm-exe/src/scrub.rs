//! Redacts secrets in a provider's text before the text is returned or logged: the secrets that
//! were sent to the provider, and everything that looks like an API key.

mod encoded;

use std::borrow::Cow;
use std::sync::OnceLock;

use regex_lite::Regex;

pub(crate) use encoded::contains_part;

use crate::error::shorten;
use encoded::{MIN_LENGTH_WITHIN_WORDS, REDACTED, is_word};

/// Maximum length of a scrubbed text in characters.
const MAX_LENGTH: usize = 300;

/// Maximum number of bytes to scan. A longer text is truncated first.
const MAX_SCANNED_BYTES: usize = 16 * 1024;

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
/// look like keys, are encoded, or are written in another case, with gaps or backwards.
pub fn scrub(text: &str, secrets: &[&str]) -> String {
    shorten(&redact(text, secrets), MAX_LENGTH)
}

/// Joins the lines of a text and replaces keys as [`scrub`] does. The text is shortened only if it
/// is longer than [`MAX_SCANNED_BYTES`].
pub(crate) fn redact(text: &str, secrets: &[&str]) -> String {
    let text = text.get(..text.floor_char_boundary(MAX_SCANNED_BYTES)).unwrap_or(text);
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = replace(&text, secret);
        text = encoded::redact(&text, secret);
    }
    if let Some(pattern) = key_pattern() {
        text = pattern.replace_all(&text, REDACTED).into_owned();
    }
    text.split(' ').map(redact_tokens).collect::<Vec<_>>().join(" ")
}

/// Replaces the secrets in a text of any length, which stays as it is otherwise.
pub(crate) fn remove_secrets(text: String, secrets: &[&str]) -> String {
    let long = secrets.iter().filter(|secret| secret.len() >= MIN_LENGTH_WITHIN_WORDS);
    // Some JSON writers escape the slashes of AWS credentials.
    let forms = long.flat_map(|secret| {
        let escaped = secret.contains('/').then(|| Cow::Owned(secret.replace('/', "\\/")));
        [Some(Cow::Borrowed(*secret)), escaped].into_iter().flatten()
    });
    forms.fold(text, |text, secret| match text.contains(&*secret) {
        true => text.replace(&*secret, REDACTED),
        false => text,
    })
}

/// Replaces everything that looks like an API key in a text of any length, which stays as it is
/// otherwise.
pub(crate) fn remove_keys(text: &str) -> Cow<'_, str> {
    key_pattern().map_or(Cow::Borrowed(text), |pattern| pattern.replace_all(text, REDACTED))
}

/// Replaces a secret in a text.
fn replace(text: &str, secret: &str) -> String {
    if secret.len() >= MIN_LENGTH_WITHIN_WORDS {
        return text.replace(secret, REDACTED);
    }
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (at, _) in text.match_indices(secret) {
        if is_word(text, &(at..at + secret.len())) {
            out.push_str(text.get(end..at).unwrap_or_default());
            out.push_str(REDACTED);
            end = at + secret.len();
        }
    }
    out.push_str(text.get(end..).unwrap_or_default());
    out
}

/// Replaces the parts of a word that look like keys. URLs are not changed, because they help to
/// diagnose errors.
fn redact_tokens(word: &str) -> String {
    let start = word.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    if start.starts_with("http://") || start.starts_with("https://") {
        return word.to_owned();
    }
    let mut out = String::with_capacity(word.len());
    for part in word.split_inclusive(|c| ":\"'=,{}".contains(c)) {
        let token = part.trim_end_matches(|c| ":\"'=,{}".contains(c));
        let separator = part.get(token.len()..).unwrap_or_default();
        out.push_str(if is_token(token) { REDACTED } else { token });
        out.push_str(separator);
    }
    out
}

/// Returns whether a part of a word is a long mix of letters and digits, and therefore probably a
/// key. The ids of requests and messages are excluded, because they help to diagnose errors.
fn is_token(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let id_prefixes = ["req_", "msg_", "chatcmpl-"];
    word.len() >= 32
        && !id_prefixes.iter().any(|prefix| word.starts_with(prefix))
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-+/=.".contains(&b))
        && word.bytes().filter(u8::is_ascii_digit).count() >= 4
        && word.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Returns whether a short text, such as a stop reason or the name of a model, can be shown without
/// [`scrub`]. This is a fast check for ordinary texts; `false` does not mean that the text contains
/// a key.
pub(crate) fn is_plain(text: &str, secret: Option<&str>) -> bool {
    let mut run = 0;
    let mut longest_run = 0;
    for byte in text.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() => run += 1,
            b'_' | b'-' | b'.' | b':' | b'/' | b'@' | b' ' => run = 0,
            _ => return false,
        }
        longest_run = longest_run.max(run);
    }
    text.len() <= MAX_PLAIN_LENGTH
        && longest_run < MIN_KEY_RUN
        && secret.is_none_or(|secret| !encoded::contains_part(text, secret))
}

/// Maximum length of a text that [`is_plain`] accepts, in bytes.
const MAX_PLAIN_LENGTH: usize = 64;

/// A key has at least this many letters and digits in a row.
const MIN_KEY_RUN: usize = 16;

#[cfg(test)]
mod tests {
    use super::{is_plain, scrub};

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

    #[test]
    fn short_secret_is_redacted_as_a_word_only() {
        let text = "too many messages for your company plan";
        for secret in ["any", "e", "messages for y", "company p"] {
            assert_eq!(scrub(text, &[secret]), text, "{secret}");
        }
        for (text, expected) in [
            ("the key any is wrong", "the key [redacted] is wrong"),
            ("key=\"any\", any", "key=\"[redacted]\", [redacted]"),
            ("any", "[redacted]"),
            ("anyany many", "anyany many"),
            ("Password12 or password123", "[redacted] or password123"),
        ] {
            assert_eq!(scrub(text, &["any", "password12"]), expected);
        }
        let long = "sixteen-letters.";
        assert_eq!(scrub(&format!("x{long}x"), &[long]), "x[redacted]x");
    }

    #[test]
    fn tokens_within_json_and_assignments_are_redacted() {
        let token = "a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6";
        for text in [
            format!("x-amz-security-token:{token}"),
            format!("{{\"token\":\"{token}\",\"id\":\"req_{token}\"}}"),
            format!("token={token},next"),
            format!("'{token}'"),
        ] {
            let scrubbed = scrub(&text, &[]);
            assert_eq!(scrubbed.replace(&format!("req_{token}"), "").find(token), None, "{text}");
            assert!(scrubbed.contains("[redacted]"), "{scrubbed}");
        }
        let url = format!("see https://example.com/{token}");
        assert_eq!(scrub(&url, &[]), url);
    }

    #[test]
    fn plain_texts_are_recognized() {
        let secret = Some("sk-test-openai");
        for text in ["stop", "MAX_TOKENS", "gpt-4o-mini-2024-07-18", "content_filter", "sk-other"] {
            assert!(is_plain(text, secret), "{text}");
        }
        for text in [
            "sk-test-openai",
            "SK-Test-OpenAI",
            "ianepo-tset-ks",
            "sk-test-op",
            "abcdefgh12345678",
            "a%2Db",
            "a\u{200b}b",
            &"a-".repeat(40),
        ] {
            assert!(!is_plain(text, secret), "{text}");
        }
    }
}
