//! The values that templates work with. Where possible, they are borrowed from the data.

use std::borrow::Cow;
use std::collections::HashSet;
use std::rc::Rc;

use serde_json::{Map, Value as Json};

use super::error::RenderError;
use super::limits::Budget;
use crate::prompt::number::{self, Number};
use crate::prompt::scope::{Scope, member};

/// A value with the semantics of JavaScript. Clones are cheap because they share their contents.
#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    Undefined,
    Null,
    Bool(bool),
    Number(Number<'a>),
    Text(&'a str),
    /// A string that was created during rendering.
    OwnedText(Rc<str>),
    Array(&'a Vec<Json>),
    Object(&'a Map<String, Json>),
    /// The context of a partial, extended with the named arguments of the tag that includes it.
    Overlay(Rc<Overlay<'a>>),
    /// All variables that the template can use.
    Root(&'a Scope<'a>),
    /// An empty object, which replaces a missing context in blocks that call helpers.
    EmptyObject,
}

/// The result of a fast lookup, which supports only plain objects in the data.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lookup<'a> {
    Json(&'a Json),
    Missing,
    /// The fast lookup does not support this value. The caller must use [`Value::property`].
    Unsupported,
}

impl<'a> From<Option<&'a Json>> for Lookup<'a> {
    fn from(json: Option<&'a Json>) -> Self {
        json.map_or(Lookup::Missing, Lookup::Json)
    }
}

/// A context with additional named values, which take precedence over its properties.
#[derive(Debug)]
pub(crate) struct Overlay<'a> {
    pub(crate) base: Value<'a>,
    /// The named values. If a name occurs several times, the first value is used.
    pub(crate) named: Vec<(&'a str, Value<'a>)>,
}

impl<'a> From<&'a Json> for Value<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => Value::Number(Number::Literal(number)),
            Json::String(text) => Value::Text(text),
            Json::Array(items) => Value::Array(items),
            Json::Object(map) => Value::Object(map),
        }
    }
}

impl<'a> Value<'a> {
    /// Creates an owned string value.
    pub(crate) fn owned_text(text: impl Into<Rc<str>>) -> Self {
        Value::OwnedText(text.into())
    }

    pub(crate) fn index(index: usize) -> Self {
        Value::Number(Number::Count(index))
    }

    /// Returns whether the value is missing or null, like JavaScript's `value == null`.
    pub(crate) fn is_nullish(&self) -> bool {
        matches!(self, Value::Undefined | Value::Null)
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::OwnedText(text) => Some(text),
            _ => None,
        }
    }

    /// Returns whether the value is an object in JavaScript's sense, which includes arrays.
    pub(crate) fn is_object(&self) -> bool {
        !matches!(
            self,
            Value::Undefined
                | Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Text(_)
                | Value::OwnedText(_)
        )
    }

    /// Returns whether the value is truthy, as defined by JavaScript.
    pub(crate) fn is_truthy(&self) -> bool {
        match self {
            Value::Undefined | Value::Null => false,
            Value::Bool(value) => *value,
            Value::Number(number) => {
                let value = number.to_f64();
                value != 0.0 && !value.is_nan()
            }
            Value::Text(text) => !text.is_empty(),
            Value::OwnedText(text) => !text.is_empty(),
            _ => true,
        }
    }

    /// Returns whether `if` and `with` treat the value as empty. This is the case for empty arrays
    /// and for all falsy values except 0.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Value::Array(items) => items.is_empty(),
            Value::Number(number) => number.to_f64().is_nan(),
            value => !value.is_truthy(),
        }
    }

    /// Looks up a key of a plain object in the data.
    pub(crate) fn fast_lookup(&self, name: &str) -> Lookup<'a> {
        let found = match self {
            Value::Object(map) => member(map, name),
            Value::Root(scope) => scope.get(name),
            Value::Overlay(overlay) => return overlay.fast_lookup(name),
            _ => return Lookup::Unsupported,
        };
        Lookup::from(found)
    }

    /// Returns whether the value meets the condition of `if`, which requires a truthy value that is
    /// not an empty array. With `include_zero`, 0 also meets the condition.
    pub(crate) fn is_met(&self, include_zero: bool) -> bool {
        (include_zero || self.is_truthy()) && !self.is_empty()
    }

    /// Returns the value's own property with the given key, as in JavaScript, or `Undefined` if the
    /// value does not have the property.
    pub(crate) fn property(&self, key: &str) -> Value<'a> {
        match self {
            Value::Object(map) => member(map, key).map_or(Value::Undefined, Value::from),
            Value::Array(items) if key == "length" => Value::index(items.len()),
            Value::Array(_) => self.element(key),
            Value::Root(scope) => scope.get(key).map_or(Value::Undefined, Value::from),
            Value::Overlay(overlay) => overlay.property(key),
            Value::Text(text) if key == "length" => Value::index(utf16_len(text)),
            Value::OwnedText(text) if key == "length" => Value::index(utf16_len(text)),
            Value::Text(_) | Value::OwnedText(_) => self.element(key),
            _ => Value::Undefined,
        }
    }

    /// Returns the element of an array, or the UTF-16 code unit of a string, at a JavaScript array
    /// index.
    fn element(&self, key: &str) -> Value<'a> {
        let Some(index) = array_index(key) else {
            return Value::Undefined;
        };
        match self {
            Value::Array(items) => items.get(index).map_or(Value::Undefined, Value::from),
            value => value.as_text().map_or(Value::Undefined, |text| utf16_unit(text, index)),
        }
    }

    /// Returns the keys of the value's own enumerable properties in JavaScript's order. The memory
    /// for the keys counts toward the limit on helper output.
    pub(crate) fn keys(&self, budget: &mut Budget) -> Result<Vec<Cow<'a, str>>, RenderError> {
        let count = match self {
            Value::Overlay(overlay) => overlay.base.key_count() + overlay.named.len(),
            value => value.key_count(),
        };
        budget.count_helper_bytes(count.saturating_mul(size_of::<Cow<'a, str>>() * 2))?;
        Ok(self.own_keys())
    }

    fn key_count(&self) -> usize {
        match self {
            Value::Object(map) => map.len(),
            Value::Root(scope) => scope.count(),
            Value::Array(items) => items.len(),
            value => value.as_text().map_or(0, str::len),
        }
    }

    fn own_keys(&self) -> Vec<Cow<'a, str>> {
        let mut keys: Vec<Cow<'a, str>> = match self {
            Value::Object(map) => map.keys().map(|key| Cow::Borrowed(&**key)).collect(),
            Value::Root(scope) => scope.names().map(Cow::Borrowed).collect(),
            Value::Array(items) => index_keys(items.len()),
            Value::Text(text) => index_keys(utf16_len(text)),
            Value::OwnedText(text) => index_keys(utf16_len(text)),
            Value::Overlay(overlay) => overlay.keys(),
            _ => Vec::new(),
        };
        if keys.iter().any(|key| array_index(key).is_some()) {
            keys.sort_by_key(|key| array_index(key).unwrap_or(usize::MAX));
        }
        keys
    }

    /// Compares two values as JavaScript's `===` does.
    pub(crate) fn strictly_equals(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Value::Undefined, Value::Undefined) | (Value::Null, Value::Null) => true,
            (Value::Bool(left), Value::Bool(right)) => left == right,
            (Value::Number(left), Value::Number(right)) => left.to_f64() == right.to_f64(),
            (Value::Array(left), Value::Array(right)) => std::ptr::eq(*left, *right),
            (Value::Object(left), Value::Object(right)) => std::ptr::eq(*left, *right),
            (Value::Overlay(left), Value::Overlay(right)) => Rc::ptr_eq(left, right),
            (Value::Root(_), Value::Root(_)) | (Value::EmptyObject, Value::EmptyObject) => true,
            _ => match (self.as_text(), other.as_text()) {
                (Some(left), Some(right)) => left == right,
                _ => false,
            },
        }
    }

    /// Converts the value to a number as JavaScript's `Number(value)` does. The value must not be
    /// an object.
    pub(crate) fn to_number(&self) -> f64 {
        match self {
            Value::Undefined => f64::NAN,
            Value::Null => 0.0,
            Value::Bool(value) => f64::from(u8::from(*value)),
            Value::Number(number) => number.to_f64(),
            value => value.as_text().map_or(f64::NAN, number::from_text),
        }
    }
}

impl<'a> Overlay<'a> {
    fn fast_lookup(&self, name: &str) -> Lookup<'a> {
        match &self.base {
            Value::Object(map) if self.named.iter().all(|(key, _)| *key != name) => {
                Lookup::from(member(map, name))
            }
            _ => Lookup::Unsupported,
        }
    }

    fn property(&self, key: &str) -> Value<'a> {
        let named = self.named.iter().find(|(name, _)| *name == key);
        match (named, &self.base) {
            (Some((_, value)), _) => value.clone(),
            // handlebars.js copies only the enumerable properties, which do not include `length`.
            (None, Value::Array(_) | Value::Text(_) | Value::OwnedText(_)) => {
                self.base.element(key)
            }
            (None, base) => base.property(key),
        }
    }

    fn keys(&self) -> Vec<Cow<'a, str>> {
        let mut keys = self.base.own_keys();
        let mut seen: HashSet<Cow<'a, str>> = keys.iter().cloned().collect();
        // handlebars.js evaluates the named arguments from the last to the first.
        let named = self.named.iter().rev().map(|(name, _)| Cow::Borrowed(*name));
        keys.extend(named.filter(|name| seen.insert(name.clone())));
        keys
    }
}

fn index_keys<'a>(len: usize) -> Vec<Cow<'a, str>> {
    (0..len).map(|index| Cow::Owned(index.to_string())).collect()
}

/// Parses a JavaScript array index, which is below 2^32 - 1 and has no sign and no leading zeros.
pub(crate) fn array_index(key: &str) -> Option<usize> {
    let first = key.bytes().next()?;
    if !first.is_ascii_digit() || (first == b'0' && key.len() > 1) || key.len() > 10 {
        return None;
    }
    key.parse::<u32>().ok().filter(|index| *index != u32::MAX).map(|index| index as usize)
}

/// Returns the length of a string in UTF-16 code units, as JavaScript's `length` does.
pub(crate) fn utf16_len(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Returns one UTF-16 code unit of a string. Half of a surrogate pair is converted to U+FFFD.
fn utf16_unit<'a>(text: &str, index: usize) -> Value<'a> {
    let unit = if text.is_ascii() {
        text.as_bytes().get(index).map(|byte| u16::from(*byte))
    } else {
        text.encode_utf16().nth(index)
    };
    match unit {
        Some(unit) => Value::owned_text(String::from_utf16_lossy(&[unit])),
        None => Value::Undefined,
    }
}
