//! The parser for `output: "json"`, which returns a JSON value that satisfies the schema.

use serde_json::Value;

use super::find_json::{FoundJson, find_json};
use super::parser::{Context, OutputError};
use crate::schema::CoercedValue;

/// Returns the one JSON value in the reply that satisfies the schema. Values are first coerced to
/// the schema where this is unambiguous. Values that satisfy it as written have priority.
pub(super) fn parse(text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
    let candidates = match find_json(text) {
        FoundJson::Whole(value) => {
            let read = context.read(value).map_err(|error| {
                OutputError::new(format!("the reply does not satisfy the schema: {error}"))
            })?;
            context.warn(read.warnings);
            return Ok(read.value);
        }
        FoundJson::Invalid(error) => {
            return Err(OutputError::new(format!("the reply is {error}")));
        }
        FoundJson::Embedded(values) => values,
    };
    let count = candidates.len();
    let mut last_error = String::new();
    let (mut as_written, mut after_changes) = (OneValue::default(), OneValue::default());
    for candidate in candidates {
        match context.read(candidate) {
            Ok(read) if read.as_written => as_written.add(read),
            Ok(read) => after_changes.add(read),
            Err(error) => last_error = error,
        }
    }
    let valid = if as_written.value.is_some() { as_written } else { after_changes };
    match valid.value {
        Some(_) if valid.has_others => Err(OutputError::new(
            "the reply contains several different JSON values that satisfy the schema; expected \
             one",
        )),
        Some(read) => {
            context.warn(read.warnings);
            Ok(read.value)
        }
        None => {
            let summary = match count {
                1 => "the reply does not satisfy the schema".to_owned(),
                _ => format!("none of the {count} JSON values in the reply satisfies the schema"),
            };
            Err(OutputError::new(format!("{summary}: {last_error}")))
        }
    }
}

/// The first of several values, and whether one of the others is different.
#[derive(Default)]
struct OneValue {
    value: Option<CoercedValue>,
    has_others: bool,
}

impl OneValue {
    fn add(&mut self, read: CoercedValue) {
        match &self.value {
            None => self.value = Some(read),
            Some(first) => self.has_others |= first.value != read.value,
        }
    }
}
