//! A JSON document to its fields. A name that stands twice in an object is a fault: of two values
//! one would be lost in silence.

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::error::ConfigError;
use crate::json;

/// Reads a document that is one JSON value.
pub(super) fn read(text: &str) -> Result<Value, ConfigError> {
    let value = json::parse(text.as_bytes()).map_err(|fault| {
        let message = format!("not JSON: {}", fault.message);
        ConfigError::at(fault.line, fault.column, message)
    })?;
    serde_json::from_str::<Distinct>(text.trim_start_matches('\u{feff}')).map_err(|error| {
        ConfigError::at(error.line(), error.column().max(1), json::strip_position(&error))
    })?;
    Ok(value)
}

/// Any value whose objects have no name twice.
struct Distinct;

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DistinctVisitor)
    }
}

struct DistinctVisitor;

impl<'de> Visitor<'de> for DistinctVisitor {
    type Value = Distinct;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Distinct, E> {
        Ok(Distinct)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Distinct, E> {
        Ok(Distinct)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Distinct, E> {
        Ok(Distinct)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Distinct, E> {
        Ok(Distinct)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Distinct, E> {
        Ok(Distinct)
    }

    fn visit_str<E>(self, _: &str) -> Result<Distinct, E> {
        Ok(Distinct)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Distinct, A::Error> {
        while list.next_element::<Distinct>()?.is_some() {}
        Ok(Distinct)
    }

    // A number of any size comes as an object of one name, which can't be there twice.
    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Distinct, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = object.next_key::<String>()? {
            if names.contains(&name) {
                let name = json::quoted(&name);
                return Err(de::Error::custom(format!("{name} stands twice in one object")));
            }
            names.insert(name);
            object.next_value::<Distinct>()?;
        }
        Ok(Distinct)
    }
}
