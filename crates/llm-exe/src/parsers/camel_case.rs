//! `keyTransform`: keys as written, or in camelCase as npm `llm-exe` makes it.

use super::options::GivenOptions;

/// What becomes of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyTransform {
    CamelCase,
    Preserve,
}

impl KeyTransform {
    /// Takes the option out.
    pub(crate) fn of(given: &mut GivenOptions, usual: KeyTransform) -> KeyTransform {
        let known = [("camelCase", KeyTransform::CamelCase), ("preserve", KeyTransform::Preserve)];
        given.choice("keyTransform", &known, usual)
    }

    /// The key as it shall be; `None` where nothing would be left of it.
    pub(crate) fn apply(self, key: &str) -> Option<String> {
        let key = match self {
            KeyTransform::Preserve => key.to_owned(),
            KeyTransform::CamelCase => camel_case(key),
        };
        (!key.is_empty()).then_some(key)
    }
}

/// The words of a key run together, each but the first with a capital. ASCII letters and digits
/// make words, everything else parts them.
fn camel_case(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = key.trim_matches(|c| !plain(c)).split(|c: char| !c.is_ascii_alphanumeric());
    let mut out = String::new();
    for (at, word) in words.enumerate() {
        let mut letters = word.chars();
        let first = letters.next().filter(|_| at > 0);
        match first {
            Some(first) => {
                out.push(first.to_ascii_uppercase());
                out.push_str(&letters.as_str().to_ascii_lowercase());
            }
            None => out.push_str(&word.to_ascii_lowercase()),
        }
    }
    out
}
