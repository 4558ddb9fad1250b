//! A deserializer that knows where it is: it collects the paths of unknown fields, and the path of
//! the value that causes an error. It adds less code to the program for each type than those of
//! serde_json, which also read structs from lists.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde_json::{Error, Map, Value, map};

use super::type_name;

/// Maximum number of unknown fields whose paths are collected.
const MAX_UNKNOWN: usize = 1_000;

/// A part of the path of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// The field of an object.
    Field(String),
    /// The item of a list, counted from 0.
    Item(usize),
}

/// The path of a value, such as `message[0].content`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ValuePath(Vec<Segment>);

impl ValuePath {
    /// Returns the parts of the path, from the root on.
    pub(crate) fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Returns the path of the object that contains the field at this path, and the name of the
    /// field.
    pub(crate) fn split_name(&self) -> (ValuePath, &str) {
        match self.0.split_last() {
            Some((Segment::Field(name), parent)) => (ValuePath(parent.to_vec()), name),
            _ => (self.clone(), ""),
        }
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Field(name) if index == 0 => f.write_str(name)?,
                Segment::Field(name) => write!(f, ".{name}")?,
                Segment::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}

/// What is found while a value is deserialized.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// The path of the value that caused the error.
    pub(crate) failed: Option<ValuePath>,
    /// The paths of the first unknown fields.
    pub(crate) unknown: Vec<ValuePath>,
    /// The number of further unknown fields.
    pub(crate) more_unknown: usize,
}

/// The place of a value. It is converted to a path only if something is found there.
#[derive(Clone, Copy)]
enum Place<'a> {
    Root,
    Field(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn path(&self) -> ValuePath {
        let mut segments = Vec::new();
        let mut place = self;
        loop {
            place = match place {
                Place::Root => break,
                Place::Field(parent, name) => {
                    segments.push(Segment::Field((*name).to_owned()));
                    parent
                }
                Place::Item(parent, index) => {
                    segments.push(Segment::Item(*index));
                    parent
                }
            };
        }
        segments.reverse();
        ValuePath(segments)
    }
}

/// A value and its place in the value that is read. Deserializes like `&Value`.
#[derive(Clone, Copy)]
pub(crate) struct LocatedValue<'a, 'de> {
    value: &'de Value,
    place: Place<'a>,
    findings: &'a RefCell<Findings>,
}

impl<'a, 'de> LocatedValue<'a, 'de> {
    /// Creates a deserializer. `findings` are complete when the value has been deserialized.
    pub(crate) fn new(value: &'de Value, findings: &'a RefCell<Findings>) -> Self {
        LocatedValue { value, place: Place::Root, findings }
    }

    /// Deserializes the value. An error belongs to the innermost value that fails.
    fn read<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self).inspect_err(|_| self.record_failure())
    }

    #[cold]
    fn record_failure(self) {
        self.findings.borrow_mut().failed.get_or_insert_with(|| self.place.path());
    }

    fn invalid_type(self, visitor: &impl Visitor<'de>) -> Error {
        Error::invalid_type(Unexpected::Other(type_name(self.value)), visitor)
    }

    /// Returns the fields of an object.
    fn fields(self, fields: &'de Map<String, Value>) -> Fields<'a, 'de> {
        Fields { object: self, fields: fields.iter(), current: None }
    }

    /// Returns the items of a list.
    fn items(self, items: &'de [Value]) -> Items<'a, 'de> {
        Items { list: self, items: items.iter().enumerate() }
    }
}

/// Deserializes a value. Unknown fields are ignored.
///
/// # Errors
/// The error of the first part of the value that `T` does not accept.
pub(crate) fn read<'de, T: Deserialize<'de>>(value: &'de Value) -> Result<T, Error> {
    T::deserialize(LocatedValue::new(value, &RefCell::default()))
}

/// The fields of an object.
struct Fields<'a, 'de> {
    object: LocatedValue<'a, 'de>,
    fields: map::Iter<'de>,
    /// The field whose name was read last.
    current: Option<(&'de str, &'de Value)>,
}

impl<'de> MapAccess<'de> for Fields<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.fields.next() else { return Ok(None) };
        self.current = Some((name, value));
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (name, value) = self.current.unwrap_or(("", &Value::Null));
        let place = Place::Field(&self.object.place, name);
        LocatedValue { value, place, findings: self.object.findings }.read(seed)
    }
}

/// The items of a list.
struct Items<'a, 'de> {
    list: LocatedValue<'a, 'de>,
    items: std::iter::Enumerate<std::slice::Iter<'de, Value>>,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some((index, value)) = self.items.next() else { return Ok(None) };
        let place = Place::Item(&self.list.place, index);
        LocatedValue { value, place, findings: self.list.findings }.read(seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// Deserializes types that contain no structs as `&Value` does. For others, that would add another
/// copy of the code that reads their fields.
macro_rules! delegate {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.value.$method(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for LocatedValue<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => number.deserialize_any(visitor),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(self.items(items)),
            Value::Object(fields) => visitor.visit_map(self.fields(fields)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Array(items) => visitor.visit_seq(self.items(items)),
            _ => Err(self.invalid_type(&visitor)),
        }
    }

    /// Unlike `&Value`, does not read the fields from the items of a list.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value {
            Value::Object(fields) => visitor.visit_map(self.fields(fields)),
            _ => Err(self.invalid_type(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value {
            Value::Object(fields) if fields.len() == 1 => {
                let fields = MapAccessDeserializer::new(self.fields(fields));
                fields.deserialize_enum(name, variants, visitor)
            }
            Value::String(text) => visitor.visit_enum(BorrowedStrDeserializer::new(text)),
            _ => Err(self.invalid_type(&visitor)),
        }
    }

    /// Derived code deserializes the value of an unknown field with this method.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut findings = self.findings.borrow_mut();
        if findings.unknown.len() < MAX_UNKNOWN {
            findings.unknown.push(self.place.path());
        } else {
            findings.more_unknown += 1;
        }
        visitor.visit_unit()
    }

    delegate! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32
        deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_unit deserialize_map deserialize_identifier
    }

    serde::forward_to_deserialize_any! {
        unit_struct newtype_struct tuple tuple_struct
    }
}
