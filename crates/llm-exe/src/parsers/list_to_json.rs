//! `output: "listToJson"`: the object that a list of `key: value` lines is. With a schema the
//! rules of `json` hold: coerced, defaults filled in, unknown properties of closed objects
//! dropped, validated.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::camel_case::KeyTransform;
use super::lines::{of_item, pairs};
use super::options::GivenOptions;
use super::{Context, OutputError, Reads};

struct ListToJson {
    keys: KeyTransform,
}

/// The parser with its options.
pub(crate) fn set_up(given: &mut GivenOptions) -> Arc<dyn Reads> {
    Arc::new(ListToJson { keys: KeyTransform::of(given, KeyTransform::CamelCase) })
}

impl Reads for ListToJson {
    fn read(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
        let mut fields = Map::new();
        for (at, (key, value)) in pairs(text)?.into_iter().enumerate() {
            let Some(key) = self.keys.apply(key) else {
                return Err(of_item(at, "has a key of which camelCase leaves nothing"));
            };
            if fields.insert(key, Value::from(value)).is_some() {
                return Err(of_item(at, "has a key that another item has too"));
            }
        }
        let value = Value::Object(fields);
        match context.schema {
            None => Ok(value),
            Some(schema) => schema.read(value).map_err(|fault| {
                OutputError::new(format!("the reply does not satisfy the schema: {fault}"))
            }),
        }
    }
}
