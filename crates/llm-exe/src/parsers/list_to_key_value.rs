//! The parser for `output: "listToKeyValue"`, which converts a list of `key: value` lines to an
//! array of pairs. Keys may repeat.

use std::sync::Arc;

use serde_json::{Value, json};

use super::camel_case::KeyTransform;
use super::lines::{item_error, parse_key_value_pairs};
use super::options::OutputOptions;
use super::parser::{Context, OutputError, ReplyParser};

struct ListToKeyValueParser {
    key_transform: KeyTransform,
}

/// Creates the parser and removes its options from `options`.
pub(super) fn with_options(options: &mut OutputOptions) -> Arc<dyn ReplyParser> {
    let key_transform = KeyTransform::take_from(options, KeyTransform::Preserve);
    Arc::new(ListToKeyValueParser { key_transform })
}

impl ReplyParser for ListToKeyValueParser {
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
        let pairs = parse_key_value_pairs(text, context)?.into_iter().enumerate();
        pairs
            .map(|(index, (key, value))| match self.key_transform.apply(&key) {
                Some(key) => Ok(json!({ "key": key, "value": value })),
                None => Err(item_error(index, "has a key without ASCII letters or digits")),
            })
            .collect()
    }
}
