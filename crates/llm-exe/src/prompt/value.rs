//! The values a template works with: borrowed from the data wherever they can be.

use std::borrow::Cow;
use std::collections::HashSet;
use std::rc::Rc;

use serde_json::{Map, Value as Json};

use super::Scope;
use super::limits::{Budget, Fault};
use super::number::{self, Number};

/// A value while rendering. Cloning one copies a reference at most.
#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    Undefined,
    Null,
    Bool(bool),
    Number(Number<'a>),
    Text(&'a str),
    /// A text that a helper made.
    Made(Rc<str>),
    Array(&'a Vec<Json>),
    Object(&'a Map<String, Json>),
    /// A partial's context with the pairs given to the partial laid over it.
    Layer(Rc<Layer<'a>>),
    /// All there is: the data, and behind it what the caller added.
    Root(&'a Scope<'a>),
    /// What stands for a missing context in the blocks of helpers: an object without anything.
    Nothing,
}

/// What a name leads to, asked the short way.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found<'a> {
    Json(&'a Json),
    Missing,
    /// Nowhere in the data, or not as simply as that: `property` knows.
    Elsewhere,
}

impl<'a> From<Option<&'a Json>> for Found<'a> {
    fn from(found: Option<&'a Json>) -> Self {
        found.map_or(Found::Missing, Found::Json)
    }
}

/// A context with named values laid over it.
#[derive(Debug)]
pub(crate) struct Layer<'a> {
    pub(crate) base: Value<'a>,
    /// Of two values with one name, the first counts.
    pub(crate) over: Vec<(&'a str, Value<'a>)>,
}

impl<'a> From<&'a Json> for Value<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => Value::Number(Number::ParsedRequest(number.as_str())),
            Json::String(text) => Value::Text(text),
            Json::Array(items) => Value::Array(items),
            Json::Object(map) => Value::Object(map),
        }
    }
}

impl<'a> Value<'a> {
    /// A text that was made while rendering.
    pub(crate) fn made(text: impl Into<Rc<str>>) -> Self {
        Value::Made(text.into())
    }

    pub(crate) fn index(index: usize) -> Self {
        Value::Number(Number::Count(index))
    }

    /// JavaScript's `== null`.
    pub(crate) fn is_nullish(&self) -> bool {
        matches!(self, Value::Undefined | Value::Null)
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Made(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is an object in JavaScript's sense, lists included.
    pub(crate) fn is_object(&self) -> bool {
        !matches!(
            self,
            Value::Undefined
                | Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Text(_)
                | Value::Made(_)
        )
    }

    /// JavaScript's truthiness.
    pub(crate) fn is_truthy(&self) -> bool {
        match self {
            Value::Undefined | Value::Null => false,
            Value::Bool(value) => *value,
            Value::Number(number) => {
                let value = number.to_f64();
                value != 0.0 && !value.is_nan()
            }
            Value::Text(text) => !text.is_empty(),
            Value::Made(text) => !text.is_empty(),
            _ => true,
        }
    }

    /// What `if` and `with` take for nothing: falsy apart from 0, or an empty list.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Value::Array(items) => items.is_empty(),
            Value::Number(number) => number.to_f64().is_nan(),
            value => !value.is_truthy(),
        }
    }

    /// A member of an object of the data.
    pub(crate) fn own(&self, name: &str) -> Found<'a> {
        let found = match self {
            Value::Object(map) => member(map, name),
            Value::Root(scope) => scope.get(name),
            Value::Layer(layer) => return layer.own(name),
            _ => return Found::Elsewhere,
        };
        Found::from(found)
    }

    /// Whether it meets the condition of `if`: truthy and no empty list; `zero` lets 0 pass.
    pub(crate) fn is_met(&self, zero: bool) -> bool {
        (zero || self.is_truthy()) && !self.is_empty()
    }

    /// An own property, as JavaScript sees own properties; `Undefined` if there is none.
    pub(crate) fn property(&self, key: &str) -> Value<'a> {
        match self {
            Value::Object(map) => member(map, key).map_or(Value::Undefined, Value::from),
            Value::Array(items) if key == "length" => Value::index(items.len()),
            Value::Array(_) => self.element(key),
            Value::Root(scope) => scope.get(key).map_or(Value::Undefined, Value::from),
            Value::Layer(layer) => layer.property(key),
            Value::Text(text) if key == "length" => Value::index(utf16_len(text)),
            Value::Made(text) if key == "length" => Value::index(utf16_len(text)),
            Value::Text(_) | Value::Made(_) => self.element(key),
            _ => Value::Undefined,
        }
    }

    /// An element of a list or a unit of a text, by an index as JavaScript writes it.
    fn element(&self, key: &str) -> Value<'a> {
        let Some(index) = array_index(key) else {
            return Value::Undefined;
        };
        match self {
            Value::Array(items) => items.get(index).map_or(Value::Undefined, Value::from),
            value => value.as_text().map_or(Value::Undefined, |text| utf16_unit(text, index)),
        }
    }

    /// The names of the own enumerable properties, in JavaScript's order. The list that this
    /// takes counts as something made.
    pub(crate) fn keys(&self, budget: &mut Budget) -> Result<Vec<Cow<'a, str>>, Fault> {
        let count = match self {
            Value::Layer(layer) => layer.base.key_count() + layer.over.len(),
            value => value.key_count(),
        };
        budget.make(count.saturating_mul(size_of::<Cow<'a, str>>() * 2))?;
        Ok(self.own_keys())
    }

    fn key_count(&self) -> usize {
        match self {
            Value::Object(map) => map.len(),
            Value::Root(scope) => scope.data.len(),
            Value::Array(items) => items.len(),
            value => value.as_text().map_or(0, str::len),
        }
    }

    fn own_keys(&self) -> Vec<Cow<'a, str>> {
        let mut keys: Vec<Cow<'a, str>> = match self {
            Value::Object(map) => map.keys().map(|key| Cow::Borrowed(&**key)).collect(),
            Value::Root(scope) => scope.data.keys().map(|key| Cow::Borrowed(&**key)).collect(),
            Value::Array(items) => numbers(items.len()),
            Value::Text(text) => numbers(utf16_len(text)),
            Value::Made(text) => numbers(utf16_len(text)),
            Value::Layer(layer) => layer.keys(),
            _ => Vec::new(),
        };
        if keys.iter().any(|key| array_index(key).is_some()) {
            keys.sort_by_key(|key| array_index(key).unwrap_or(usize::MAX));
        }
        keys
    }

    /// JavaScript's `===`.
    pub(crate) fn same(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Value::Undefined, Value::Undefined) | (Value::Null, Value::Null) => true,
            (Value::Bool(one), Value::Bool(two)) => one == two,
            (Value::Number(one), Value::Number(two)) => one.to_f64() == two.to_f64(),
            (Value::Array(one), Value::Array(two)) => std::ptr::eq(*one, *two),
            (Value::Object(one), Value::Object(two)) => std::ptr::eq(*one, *two),
            (Value::Layer(one), Value::Layer(two)) => Rc::ptr_eq(one, two),
            (Value::Root(_), Value::Root(_)) | (Value::Nothing, Value::Nothing) => true,
            _ => match (self.as_text(), other.as_text()) {
                (Some(one), Some(two)) => one == two,
                _ => false,
            },
        }
    }

    /// What `Number(value)` gives, for values that are no objects.
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

impl<'a> Layer<'a> {
    fn own(&self, name: &str) -> Found<'a> {
        match &self.base {
            Value::Object(map) if self.over.iter().all(|(over, _)| *over != name) => {
                Found::from(member(map, name))
            }
            _ => Found::Elsewhere,
        }
    }

    fn property(&self, key: &str) -> Value<'a> {
        let over = self.over.iter().find(|(name, _)| *name == key);
        match (over, &self.base) {
            (Some((_, value)), _) => value.clone(),
            // Only what can be enumerated was copied, and a length cannot.
            (None, Value::Array(_) | Value::Text(_) | Value::Made(_)) => self.base.element(key),
            (None, base) => base.property(key),
        }
    }

    fn keys(&self) -> Vec<Cow<'a, str>> {
        let mut keys = self.base.own_keys();
        let mut seen: HashSet<Cow<'a, str>> = keys.iter().cloned().collect();
        // handlebars.js builds the pairs from the last to the first.
        let over = self.over.iter().rev().map(|(name, _)| Cow::Borrowed(*name));
        keys.extend(over.filter(|name| seen.insert(name.clone())));
        keys
    }
}

/// Up to this many members, a map is faster searched from the start than hashed.
const FEW: usize = 16;

/// A member of a map.
pub(crate) fn member<'a>(map: &'a Map<String, Json>, key: &str) -> Option<&'a Json> {
    if map.len() > FEW {
        return hashed(map, key);
    }
    let bytes = key.as_bytes();
    let found = match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) if bytes.len() <= 8 => map.iter().find(|(name, _)| {
            let name = name.as_bytes();
            name.len() == bytes.len()
                && name.first_chunk() == Some(first)
                && name.last_chunk() == Some(last)
        }),
        (Some(first), _) => map.iter().find(|(name, _)| {
            let same = name.len() == key.len() && name.as_bytes().first_chunk() == Some(first);
            same && *name == key
        }),
        _ => map.iter().find(|(name, _)| name.len() == key.len() && name.bytes().eq(key.bytes())),
    };
    found.map(|(_, value)| value)
}

/// Kept apart, so that the usual case stays short.
#[inline(never)]
fn hashed<'a>(map: &'a Map<String, Json>, key: &str) -> Option<&'a Json> {
    map.get(key)
}

fn numbers<'a>(len: usize) -> Vec<Cow<'a, str>> {
    (0..len).map(|index| Cow::Owned(index.to_string())).collect()
}

/// An index as JavaScript writes it: no sign, no leading zero, below 2^32 - 1.
pub(crate) fn array_index(key: &str) -> Option<usize> {
    let first = key.bytes().next()?;
    if !first.is_ascii_digit() || (first == b'0' && key.len() > 1) || key.len() > 10 {
        return None;
    }
    key.parse::<u32>().ok().filter(|index| *index != u32::MAX).map(|index| index as usize)
}

/// The length of a text in UTF-16 units, which is what JavaScript counts.
pub(crate) fn utf16_len(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// One UTF-16 unit of a text; half of a pair is no text and shows as `U+FFFD`.
fn utf16_unit<'a>(text: &str, index: usize) -> Value<'a> {
    let unit = if text.is_ascii() {
        text.as_bytes().get(index).map(|byte| u16::from(*byte))
    } else {
        text.encode_utf16().nth(index)
    };
    match unit {
        Some(unit) => Value::made(String::from_utf16_lossy(&[unit])),
        None => Value::Undefined,
    }
}
