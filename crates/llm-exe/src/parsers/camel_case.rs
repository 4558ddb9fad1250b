//! The option `keyTransform`, which preserves keys or converts them to camelCase as in the npm
//! package `llm-exe`.

use super::options::OutputOptions;

/// How a parser transforms the keys in a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyTransform {
    CamelCase,
    Preserve,
}

impl KeyTransform {
    /// Removes the option `keyTransform` and returns its value, or `default` if it is absent or
    /// invalid.
    pub(super) fn take_from(options: &mut OutputOptions, default: KeyTransform) -> KeyTransform {
        let choices =
            [("camelCase", KeyTransform::CamelCase), ("preserve", KeyTransform::Preserve)];
        options.take_choice("keyTransform", &choices, default)
    }

    /// Transforms a key. Returns `None` if the result is empty.
    pub(super) fn apply(self, key: &str) -> Option<String> {
        let key = match self {
            KeyTransform::Preserve => key.to_owned(),
            KeyTransform::CamelCase => to_camel_case(key),
        };
        (!key.is_empty()).then_some(key)
    }
}

/// Converts a key to camelCase. All characters except ASCII letters and digits separate words.
fn to_camel_case(key: &str) -> String {
    let is_kept = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = key.trim_matches(|c| !is_kept(c)).split(|c: char| !c.is_ascii_alphanumeric());
    let mut camel = String::new();
    for (index, word) in words.enumerate() {
        let mut letters = word.chars();
        let first = letters.next().filter(|_| index > 0);
        match first {
            Some(first) => {
                camel.push(first.to_ascii_uppercase());
                camel.push_str(&letters.as_str().to_ascii_lowercase());
            }
            None => camel.push_str(&word.to_ascii_lowercase()),
        }
    }
    camel
}
