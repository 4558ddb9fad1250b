//! A JSON object whose values keep the bytes with which they were received.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// The fields of a JSON object in their order. Dialects use it to drop or replace fields of an
/// assistant turn without changing the others.
#[derive(Debug)]
pub(crate) struct RawObject<'a> {
    fields: Vec<(String, Cow<'a, RawValue>)>,
}

impl<'a> RawObject<'a> {
    /// Returns the fields of an object, or `None` for any other value.
    pub(crate) fn parse(json: &'a RawValue) -> Option<Self> {
        serde_json::from_str(json.get()).ok()
    }

    /// Returns the text of a field's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.get())
    }

    /// Returns the value of a field, unless it was replaced.
    pub(crate) fn value(&self, name: &str) -> Option<&'a RawValue> {
        self.values().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Returns the fields that were not replaced.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.fields.iter().filter_map(|(name, value)| match value {
            Cow::Borrowed(value) => Some((&**name, *value)),
            Cow::Owned(_) => None,
        })
    }

    /// Drops the fields for which `is_kept` returns false. It receives the name and the text of the
    /// value. Returns whether a field was dropped.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(&str, &str) -> bool) -> bool {
        let count = self.fields.len();
        self.fields.retain(|(name, value)| is_kept(name, value.get()));
        self.fields.len() < count
    }

    /// Replaces the value of a field, or adds the field at the end.
    pub(crate) fn set(&mut self, name: &str, value: Box<RawValue>) {
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, field)) => *field = Cow::Owned(value),
            None => self.fields.push((name.to_owned(), Cow::Owned(value))),
        }
    }

    /// Returns the object as JSON without white space between the fields.
    ///
    /// # Errors
    /// The same as of serde_json, which does not fail for values that it has parsed.
    pub(crate) fn to_json(&self) -> Result<Box<RawValue>, serde_json::Error> {
        to_raw_value(self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = RawObject<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    fields.push((name, Cow::Borrowed(value)));
                }
                Ok(RawObject { fields })
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

impl Serialize for RawObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value.as_ref())?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::{RawValue, to_raw_value};

    use super::RawObject;

    #[test]
    fn other_fields_keep_their_bytes() {
        let json = r#"{ "b" : { "x":1.0,  "y":1e2 }, "drop":null, "a":"caf\u00e9 \/", "id": "" }"#;
        let raw = RawValue::from_string(json.to_owned()).unwrap();
        let mut object = RawObject::parse(&raw).unwrap();
        assert!(object.retain(|_, value| value != "null"));
        assert!(!object.retain(|_, value| value != "null"));
        object.set("id", to_raw_value("i").unwrap());
        object.set("new", to_raw_value("").unwrap());
        assert_eq!(object.get("a"), Some(r#""caf\u00e9 \/""#));
        let expected = r#"{"b":{ "x":1.0,  "y":1e2 },"a":"caf\u00e9 \/","id":"i","new":""}"#;
        assert_eq!(object.to_json().unwrap().get(), expected);
    }

    #[test]
    fn other_values_have_no_fields() {
        for json in ["[]", "null", "\"{}\""] {
            let raw = RawValue::from_string(json.to_owned()).unwrap();
            assert!(RawObject::parse(&raw).is_none(), "{json}");
        }
    }
}
