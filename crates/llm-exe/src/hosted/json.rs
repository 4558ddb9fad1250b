//! Parses a JSON document. Duplicate names in an object are an error, because otherwise one of the
//! two values would be dropped silently.

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::error::ConfigError;
use crate::json;

/// Parses a document that consists of one JSON value.
pub(super) fn parse(text: &str) -> Result<Value, ConfigError> {
    let value = json::parse(text.as_bytes()).map_err(|error| {
        ConfigError::at(error.line, error.column, format!("{}: {}", error.summary(), error.message))
    })?;
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str::<WithoutDuplicates>(text).map_err(|error| {
        ConfigError::at(error.line(), error.column().max(1), json::describe_error(&error))
    })?;
    Ok(value)
}

/// A marker that deserializes from any JSON value, but fails if an object contains a duplicate
/// name.
struct WithoutDuplicates;

impl<'de> Deserialize<'de> for WithoutDuplicates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WithoutDuplicatesVisitor)
    }
}

struct WithoutDuplicatesVisitor;

impl<'de> Visitor<'de> for WithoutDuplicatesVisitor {
    type Value = WithoutDuplicates;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<WithoutDuplicates, E> {
        Ok(WithoutDuplicates)
    }

    fn visit_bool<E>(self, _: bool) -> Result<WithoutDuplicates, E> {
        Ok(WithoutDuplicates)
    }

    fn visit_i64<E>(self, _: i64) -> Result<WithoutDuplicates, E> {
        Ok(WithoutDuplicates)
    }

    fn visit_u64<E>(self, _: u64) -> Result<WithoutDuplicates, E> {
        Ok(WithoutDuplicates)
    }

    fn visit_f64<E>(self, _: f64) -> Result<WithoutDuplicates, E> {
        Ok(WithoutDuplicates)
    }

    fn visit_str<E>(self, _: &str) -> Result<WithoutDuplicates, E> {
        Ok(WithoutDuplicates)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<WithoutDuplicates, A::Error> {
        while list.next_element::<WithoutDuplicates>()?.is_some() {}
        Ok(WithoutDuplicates)
    }

    // With the feature `arbitrary_precision`, serde_json also passes numbers to this method, as
    // objects with a single entry.
    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<WithoutDuplicates, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = object.next_key::<String>()? {
            if names.contains(&name) {
                let name = json::quoted(&name);
                return Err(de::Error::custom(format!(
                    "the name {name} appears twice in one object"
                )));
            }
            names.insert(name);
            object.next_value::<WithoutDuplicates>()?;
        }
        Ok(WithoutDuplicates)
    }
}
