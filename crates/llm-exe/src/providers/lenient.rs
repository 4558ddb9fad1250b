//! Reads parts of a response whose form may differ from the documentation. The reply is paid for,
//! so one unreadable part must not make the rest unusable.

use std::fmt;

use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, Visitor};
use serde_json::value::RawValue;

use crate::chat::{ReplyBuilder, ReplyEvent, Usage};
use crate::error::{Error, ErrorKind};

/// A field that may be missing, null or of an unexpected type. It can be read only from borrowed
/// JSON.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Lenient<T> {
    #[default]
    Missing,
    Value(T),
    Unreadable,
}

impl<T> Lenient<T> {
    /// Returns the value, or `None` if it is missing or unreadable.
    pub(super) fn ok(self) -> Option<T> {
        match self {
            Lenient::Value(value) => Some(value),
            Lenient::Missing | Lenient::Unreadable => None,
        }
    }

    /// Converts the value.
    pub(super) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Lenient<U> {
        match self {
            Lenient::Missing => Lenient::Missing,
            Lenient::Value(value) => Lenient::Value(convert(value)),
            Lenient::Unreadable => Lenient::Unreadable,
        }
    }
}

impl Lenient<String> {
    /// Returns the text, or `None` if it is missing or unreadable.
    pub(super) fn as_deref(&self) -> Option<&str> {
        match self {
            Lenient::Value(text) => Some(text),
            Lenient::Missing | Lenient::Unreadable => None,
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?;
        Ok(match serde_json::from_str::<Option<T>>(json.get()) {
            Ok(Some(value)) => Lenient::Value(value),
            Ok(None) => Lenient::Missing,
            Err(_) => Lenient::Unreadable,
        })
    }
}

/// Reads a text from borrowed JSON. Replaces half of a surrogate pair with U+FFFD, because a reply
/// that was cut off within an emoji ends with one.
pub(super) fn text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Lenient<String>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(read_text)
}

/// Reads a text like [`text`].
pub(super) fn read_text(json: &RawValue) -> Lenient<String> {
    match serde_json::from_str::<Option<String>>(json.get()) {
        Ok(Some(text)) => Lenient::Value(text),
        Ok(None) => Lenient::Missing,
        Err(_) => match serde_json::from_str::<LossyText>(json.get()) {
            Ok(LossyText(text)) => Lenient::Value(text),
            Err(_) => Lenient::Unreadable,
        },
    }
}

/// A JSON string in which halves of surrogate pairs are replaced.
struct LossyText(String);

impl<'de> Deserialize<'de> for LossyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // serde_json accepts halves of surrogate pairs in a byte string, and encodes them like
        // characters.
        deserializer.deserialize_bytes(LossyTextVisitor)
    }
}

struct LossyTextVisitor;

impl Visitor<'_> for LossyTextVisitor {
    type Value = LossyText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<LossyText, E> {
        let mut text = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            // Each half has three invalid bytes, of which only the first is 0xED.
            if chunk.invalid().first() == Some(&0xED) {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        Ok(LossyText(text))
    }
}

/// Reads a token count from borrowed JSON. A count that is not a whole number from 0 on, such as
/// null, is zero.
pub(super) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    optional_count(deserializer).map(Option::unwrap_or_default)
}

/// Reads a token count from borrowed JSON. A count that is not a whole number from 0 on is `None`.
pub(super) fn optional_count<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    let json = <&RawValue>::deserialize(deserializer)?;
    // Some servers send a float.
    let (whole, fraction) = json.get().split_once('.').unwrap_or((json.get(), ""));
    let is_whole = fraction.bytes().all(|digit| digit == b'0');
    Ok(whole.parse().ok().filter(|_| is_whole))
}

/// Returns the items of a list, which is empty if it is missing or null. Returns `None` for any
/// other value.
pub(super) fn list_items(json: Option<&RawValue>) -> Option<Vec<&RawValue>> {
    let Some(json) = json else { return Some(Vec::new()) };
    serde_json::from_str::<Option<Vec<&RawValue>>>(json.get()).ok().map(Option::unwrap_or_default)
}

/// Creates the error for a successful response without a part that every reply has.
pub(super) fn incomplete(expected: &str, part: &str) -> Error {
    let message = format!("the response body is not {expected}: {part} is missing or unreadable");
    Error::new(ErrorKind::ProviderUnavailable, message)
}

/// Adds the token counts of a reply, or a warning if they are unreadable.
pub(super) fn push_usage(builder: &mut ReplyBuilder, usage: Lenient<Usage>) -> Result<(), Error> {
    match usage {
        Lenient::Value(usage) => builder.push(ReplyEvent::Usage(usage)),
        Lenient::Missing => Ok(()),
        Lenient::Unreadable => {
            let warning = "the token counts of the reply are unreadable".to_owned();
            builder.push(ReplyEvent::Warning(warning))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::value::RawValue;

    use super::{Lenient, count, list_items, read_text};

    #[derive(Deserialize)]
    struct Fields {
        #[serde(default)]
        text: Lenient<String>,
        #[serde(default, deserialize_with = "count")]
        tokens: u64,
    }

    #[test]
    fn unexpected_types_are_not_an_error() {
        for (json, text, tokens) in [
            ("{}", Lenient::Missing, 0),
            (r#"{"text":null,"tokens":null}"#, Lenient::Missing, 0),
            (r#"{"text":"a","tokens":7}"#, Lenient::Value("a".to_owned()), 7),
            (r#"{"text":[1],"tokens":"7"}"#, Lenient::Unreadable, 0),
            (r#"{"text":1,"tokens":7.0}"#, Lenient::Unreadable, 7),
            (r#"{"text":{},"tokens":-7}"#, Lenient::Unreadable, 0),
            (r#"{"text":null,"tokens":7.5}"#, Lenient::Missing, 0),
        ] {
            let fields: Fields = serde_json::from_str(json).unwrap();
            assert_eq!((fields.text, fields.tokens), (text, tokens), "{json}");
        }
    }

    #[test]
    fn halves_of_surrogate_pairs_are_replaced() {
        for (json, expected) in [
            (r#""Meow \ud83d""#, Lenient::Value("Meow \u{fffd}")),
            (r#""\ude00\ud83d\ud83d\ude00é""#, Lenient::Value("\u{fffd}\u{fffd}\u{1f600}é")),
            (r#""\n\"é""#, Lenient::Value("\n\"é")),
            ("null", Lenient::Missing),
            ("[104, 105]", Lenient::Unreadable),
            ("7", Lenient::Unreadable),
        ] {
            let raw = RawValue::from_string(json.to_owned()).unwrap();
            assert_eq!(read_text(&raw), expected.map(str::to_owned), "{json}");
        }
    }

    #[test]
    fn only_other_values_are_not_a_list() {
        assert_eq!(list_items(None).unwrap().len(), 0);
        for (json, count) in [("null", Some(0)), ("[1,[2]]", Some(2)), ("{}", None), ("1", None)] {
            let raw = RawValue::from_string(json.to_owned()).unwrap();
            assert_eq!(list_items(Some(&raw)).map(|items| items.len()), count, "{json}");
        }
    }
}
