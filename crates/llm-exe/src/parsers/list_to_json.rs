//! The parser for `output: "listToJson"`, which converts a list of `key: value` lines to an object.
//! A schema is applied as for `json`: it coerces values, adds defaults, drops unknown properties of
//! closed objects, and validates the result.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::camel_case::KeyTransform;
use super::lines::{item_error, parse_key_value_pairs};
use super::options::OutputOptions;
use super::parser::{Context, OutputError, ReplyParser};
use crate::schema::Origin;

struct ListToJsonParser {
    key_transform: KeyTransform,
}

/// Creates the parser and removes its options from `options`.
pub(super) fn with_options(options: &mut OutputOptions) -> Arc<dyn ReplyParser> {
    let key_transform = KeyTransform::take_from(options, KeyTransform::CamelCase);
    Arc::new(ListToJsonParser { key_transform })
}

impl ReplyParser for ListToJsonParser {
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
        let mut fields = Map::new();
        for (index, (key, value)) in parse_key_value_pairs(text, context)?.into_iter().enumerate() {
            let Some(key) = self.key_transform.apply(&key) else {
                return Err(item_error(index, "has a key without ASCII letters or digits"));
            };
            if fields.insert(key, Value::from(value)).is_some() {
                return Err(item_error(index, "has the same key as an earlier item"));
            }
        }
        let value = Value::Object(fields);
        let Some(schema) = context.schema else { return Ok(value) };
        let read = schema.coerce_from(value, Origin::Text).map_err(|error| {
            OutputError::new(format!("the reply does not satisfy the schema: {error}"))
        })?;
        context.warn(read.warnings);
        Ok(read.value)
    }
}
