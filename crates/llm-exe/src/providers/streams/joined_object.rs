//! A JSON object that a stream sends in pieces.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::providers::lenient::{list_items, read_text};

/// The memory that a value takes in addition to its text, in bytes.
const VALUE_BYTES: usize = 64;

/// Maximum number of fields that are stored. Replies have at most a few dozen, and finding one
/// takes time in proportion to their number.
const MAX_FIELDS: usize = 500;

/// The fields that arrived so far.
#[derive(Debug, Default)]
pub(in crate::providers) struct JoinedObject {
    fields: Vec<(String, JoinedValue)>,
    size: usize,
}

#[derive(Debug)]
enum JoinedValue {
    Text(String),
    List(Vec<Box<RawValue>>),
    Other(Box<RawValue>),
}

impl JoinedObject {
    /// Adds a piece of a field: texts and lists are appended, other values replace the earlier one.
    /// A null is only a placeholder.
    pub(in crate::providers) fn add(&mut self, name: &str, piece: &RawValue) {
        if piece.get().starts_with('"')
            && let Some(text) = read_text(piece).ok()
        {
            self.add_text(name, &text);
        } else if piece.get().starts_with('[')
            && let Some(items) = list_items(Some(piece))
        {
            self.add_items(name, items.into_iter().map(ToOwned::to_owned).collect());
        } else {
            self.set(name, piece);
        }
    }

    /// Appends to a text.
    pub(in crate::providers) fn add_text(&mut self, name: &str, text: &str) {
        match self.find(name) {
            Some(JoinedValue::Text(known)) => {
                known.push_str(text);
                self.size += text.len();
            }
            _ => self.set_text(name, text),
        }
    }

    /// Appends to a list.
    pub(in crate::providers) fn add_items(&mut self, name: &str, items: Vec<Box<RawValue>>) {
        let size = size_of_items(&items);
        match self.find(name) {
            Some(JoinedValue::List(known)) => {
                known.extend(items);
                self.size += size;
            }
            _ => self.set_items(name, items),
        }
    }

    /// Replaces a field, unless the new value is null.
    pub(in crate::providers) fn set(&mut self, name: &str, value: &RawValue) {
        match self.find(name) {
            Some(_) if value.get() == "null" => {}
            // Most events repeat fields such as the model.
            Some(JoinedValue::Other(known)) if known.get() == value.get() => {}
            _ => self.replace(name, JoinedValue::Other(value.to_owned())),
        }
    }

    /// Replaces a field with a text.
    pub(in crate::providers) fn set_text(&mut self, name: &str, text: &str) {
        self.replace(name, JoinedValue::Text(text.to_owned()));
    }

    /// Replaces a field with a list.
    pub(in crate::providers) fn set_items(&mut self, name: &str, items: Vec<Box<RawValue>>) {
        self.replace(name, JoinedValue::List(items));
    }

    /// Removes a field.
    pub(in crate::providers) fn remove(&mut self, name: &str) {
        if let Some(at) = self.fields.iter().position(|(known, _)| known == name) {
            let (name, value) = self.fields.remove(at);
            self.size -= name.len() + VALUE_BYTES + value.size();
        }
    }

    /// Returns the text of a field so far.
    pub(in crate::providers) fn text(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).and_then(|(_, value)| match value {
            JoinedValue::Text(text) => Some(&**text),
            JoinedValue::List(_) | JoinedValue::Other(_) => None,
        })
    }

    /// Returns the items of a list so far.
    pub(in crate::providers) fn items(&self, name: &str) -> &[Box<RawValue>] {
        match self.fields.iter().find(|(known, _)| known == name) {
            Some((_, JoinedValue::List(items))) => items,
            _ => &[],
        }
    }

    /// Returns whether a field has a value other than null.
    pub(in crate::providers) fn has_value(&self, name: &str) -> bool {
        let field = self.fields.iter().find(|(known, _)| known == name);
        field.is_some_and(|(_, value)| match value {
            JoinedValue::Other(value) => value.get() != "null",
            JoinedValue::Text(_) | JoinedValue::List(_) => true,
        })
    }

    /// Returns whether a field other than the role has a text, an item or a value.
    pub(in crate::providers) fn has_content(&self) -> bool {
        self.fields.iter().filter(|(name, _)| name != "role").any(|(_, value)| match value {
            JoinedValue::Text(text) => !text.is_empty(),
            JoinedValue::List(items) => !items.is_empty(),
            JoinedValue::Other(value) => value.get() != "null",
        })
    }

    /// Returns whether there are no fields.
    pub(in crate::providers) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Returns the size of the values in bytes.
    pub(in crate::providers) fn size(&self) -> usize {
        self.size
    }

    /// Returns the object. Serializing it does not fail.
    pub(in crate::providers) fn to_json(&self) -> Option<Box<RawValue>> {
        to_raw_value(self).ok()
    }

    fn find(&mut self, name: &str) -> Option<&mut JoinedValue> {
        self.fields.iter_mut().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn replace(&mut self, name: &str, value: JoinedValue) {
        let size = value.size();
        let is_full = self.fields.len() >= MAX_FIELDS;
        self.size += size;
        match self.find(name) {
            Some(known) => {
                let replaced = std::mem::replace(known, value);
                self.size -= replaced.size();
            }
            None if is_full => self.size -= size,
            None => {
                self.size += name.len() + VALUE_BYTES;
                self.fields.push((name.to_owned(), value));
            }
        }
    }
}

impl JoinedValue {
    fn size(&self) -> usize {
        match self {
            JoinedValue::Text(text) => text.len(),
            JoinedValue::List(items) => size_of_items(items),
            JoinedValue::Other(value) => value.get().len(),
        }
    }
}

fn size_of_items(items: &[Box<RawValue>]) -> usize {
    items.iter().map(|item| item.get().len() + VALUE_BYTES).sum()
}

impl Serialize for JoinedObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, value) in &self.fields {
            match value {
                JoinedValue::Text(text) => map.serialize_entry(name, text)?,
                JoinedValue::List(items) => map.serialize_entry(name, items)?,
                JoinedValue::Other(value) => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::{JoinedObject, MAX_FIELDS, VALUE_BYTES};

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn texts_and_lists_are_appended_and_other_values_replaced() {
        let mut object = JoinedObject::default();
        for (name, piece) in [
            ("text", "null"),
            ("text", r#""a\ud83d""#),
            ("text", r#""b\n""#),
            ("text", "null"),
            ("list", "[1, 2.0]"),
            ("list", "[{ }]"),
            ("n", "1"),
            ("n", "2"),
            ("none", "null"),
        ] {
            object.add(name, &raw(piece));
        }
        let expected = "{\"text\":\"a\u{fffd}b\\n\",\"list\":[1,2.0,{ }],\"n\":2,\"none\":null}";
        assert_eq!(object.to_json().unwrap().get(), expected);
        let has = ["text", "list", "n", "none", "other"].map(|name| object.has_value(name));
        assert_eq!(has, [true, true, true, false, false]);
    }

    #[test]
    fn fields_beyond_the_maximum_are_dropped() {
        let mut object = JoinedObject::default();
        for index in 0..2 * MAX_FIELDS {
            object.set(&format!("f{index}"), &raw("1"));
        }
        assert_eq!(object.fields.len(), MAX_FIELDS);
        let size = object.size();
        object.set_text("g", "dropped");
        assert_eq!((object.text("g"), object.size()), (None, size));
        object.set_text("f0", "12");
        assert_eq!(object.size(), size + 1);
    }

    #[test]
    fn size_is_that_of_the_stored_values() {
        let mut object = JoinedObject::default();
        for _ in 0..1_000 {
            object.set("model", &raw(r#""a long name""#));
            object.set("n", &raw("1"));
            object.set("n", &raw("22"));
        }
        let names = "model".len() + "n".len() + 2 * VALUE_BYTES;
        assert_eq!(object.size(), names + r#""a long name""#.len() + "22".len());
        object.add_text("text", "12345");
        assert_eq!(object.size(), names + VALUE_BYTES + 4 + 13 + 2 + 5);
        for name in ["model", "text", "n", "n"] {
            object.remove(name);
        }
        assert_eq!((object.size(), object.is_empty()), (0, true));
    }
}
