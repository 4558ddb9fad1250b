//! `output: "listToKeyValue"`: the pairs of a list of `key: value` lines, in order, a key as
//! often as it comes.

use std::sync::Arc;

use serde_json::{Value, json};

use super::camel_case::KeyTransform;
use super::lines::{of_item, pairs};
use super::options::GivenOptions;
use super::{Context, OutputError, Reads};

struct ListToKeyValue {
    keys: KeyTransform,
}

/// The parser with its options.
pub(crate) fn set_up(given: &mut GivenOptions) -> Arc<dyn Reads> {
    Arc::new(ListToKeyValue { keys: KeyTransform::of(given, KeyTransform::Preserve) })
}

impl Reads for ListToKeyValue {
    fn read(&self, text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
        let pairs = pairs(text)?.into_iter().enumerate();
        let read = pairs.map(|(at, (key, value))| match self.keys.apply(key) {
            Some(key) => Ok(json!({ "key": key, "value": value })),
            None => Err(of_item(at, "has a key of which camelCase leaves nothing")),
        });
        read.collect()
    }
}
