//! Reads a JSON value. Unlike the reader of serde_json, it can reject a name that occurs twice in
//! an object, it checks the text of each number if serde_json does not store it, and it stores the
//! values of a large text without spare capacity.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::describe::quoted;
use super::number::{self, NumberTexts, parse_float};

/// Whether a name may occur more than once in an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// The last value of a name is used.
    MayRepeat,
    /// A second value of a name is an error.
    Unique,
}

/// Minimum size of a text whose lists and objects are stored without spare capacity, in bytes. A
/// list or an object with one value has a capacity for three or more.
pub(super) const COMPACT_BYTES: usize = 256 * 1024;

/// The reason why a value can't be read.
pub(super) struct ReadError {
    pub(super) error: serde_json::Error,
    /// Whether a name occurs twice in an object.
    pub(super) is_repeated_name: bool,
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        ReadError { error, is_repeated_name: false }
    }
}

/// Reads a text that contains exactly one JSON value.
///
/// # Errors
/// Returns an error if the text is not valid JSON, if a number would lose digits, or if a name
/// occurs twice that must be unique.
pub(super) fn read(text: &[u8], names: Names) -> Result<Value, ReadError> {
    let numbers = (!number::stores_text()).then(|| NumberTexts::new(text));
    let is_compact = text.len() >= COMPACT_BYTES;
    let mut state = State { numbers, names, is_compact, has_repeated_name: false };
    let value = match str::from_utf8(text) {
        // Checking the encoding once is faster than checking it for each string.
        Ok(text) => read_from(serde_json::Deserializer::from_str(text), &mut state),
        Err(_) => read_from(serde_json::Deserializer::from_slice(text), &mut state),
    };
    let is_repeated_name = state.has_repeated_name;
    value.map_err(|error| ReadError { error, is_repeated_name })
}

fn read_from<'de, R: serde_json::de::Read<'de>>(
    mut deserializer: serde_json::Deserializer<R>,
    state: &mut State<'_>,
) -> Result<Value, serde_json::Error> {
    let value = ValueSeed(state).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

struct State<'t> {
    /// The texts of the numbers, unless serde_json stores them. It visits the numbers in the order
    /// of the document.
    numbers: Option<NumberTexts<'t>>,
    names: Names,
    /// Whether lists and objects are stored without spare capacity.
    is_compact: bool,
    has_repeated_name: bool,
}

impl State<'_> {
    /// Skips the text of an integer, which is stored exactly.
    fn skip_number(&mut self) {
        if let Some(numbers) = &mut self.numbers {
            numbers.next();
        }
    }
}

struct ValueSeed<'s, 't>(&'s mut State<'t>);

impl<'de> DeserializeSeed<'de> for ValueSeed<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        self.0.skip_number();
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        self.0.skip_number();
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
        let text = self.0.numbers.as_mut().and_then(Iterator::next).unwrap_or_default();
        parse_float(text).map(Value::Number).map_err(E::custom)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(ValueSeed(self.0))? {
            items.push(item);
        }
        if self.0.is_compact {
            items.shrink_to_fit();
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        let mut next = match object.next_key_seed(FirstKey { state: self.0 })? {
            Some(Key::Number) => {
                let text: String = object.next_value()?;
                return text.parse().map(Value::Number).map_err(A::Error::custom);
            }
            Some(Key::Name(name)) => Some(name),
            None => return Ok(Value::Object(fields)),
        };
        while let Some(name) = next {
            match fields.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(object.next_value_seed(ValueSeed(self.0))?);
                }
                Entry::Occupied(entry) if self.0.names == Names::Unique => {
                    self.0.has_repeated_name = true;
                    let name = quoted(entry.key());
                    let message = format!("the name {name} appears twice in one object");
                    return Err(A::Error::custom(message));
                }
                Entry::Occupied(mut entry) => {
                    entry.insert(object.next_value_seed(ValueSeed(self.0))?);
                }
            }
            next = object.next_key()?;
        }
        // A map can't be shrunk, but collecting its fields allocates only what they need.
        Ok(Value::Object(if self.0.is_compact { fields.into_iter().collect() } else { fields }))
    }
}

/// The name of the only entry of the object as which serde_json passes a number whose text it
/// stores.
const NUMBER_KEY: &str = "$serde_json::private::Number";

/// The first key of an object.
enum Key {
    Name(String),
    /// The object is a number.
    Number,
}

struct FirstKey<'s, 't> {
    state: &'s State<'t>,
}

impl<'de> DeserializeSeed<'de> for FirstKey<'_, '_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for FirstKey<'_, '_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
        let is_number = self.state.numbers.is_none() && name == NUMBER_KEY;
        Ok(if is_number { Key::Number } else { Key::Name(name.to_owned()) })
    }
}
