//! The parser for `output: "json"`, which returns a JSON value that satisfies the schema.

use serde_json::Value;

use super::find_json::{FoundJson, find_json};
use super::parser::{Context, OutputError};

/// Returns the one JSON value in the reply that satisfies the schema. Values are first coerced to
/// the types in the schema where this is unambiguous.
pub(super) fn parse(text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
    let check = |value: Value| context.read(value);
    let candidates = match find_json(text) {
        FoundJson::Whole(value) => {
            return check(value).map_err(|error| {
                OutputError::new(format!("the reply does not satisfy the schema: {error}"))
            });
        }
        FoundJson::Invalid(error) => {
            return Err(OutputError::new(format!("the reply is {error}")));
        }
        FoundJson::Embedded(values) => values,
    };
    let count = candidates.len();
    let mut valid: Option<Value> = None;
    let mut last_error = String::new();
    for candidate in candidates {
        match (check(candidate), &valid) {
            (Ok(value), None) => valid = Some(value),
            (Ok(value), Some(earlier)) if value == *earlier => {}
            (Ok(_), Some(_)) => {
                let message = "the reply contains several different JSON values that satisfy the \
                               schema; expected one";
                return Err(OutputError::new(message));
            }
            (Err(error), _) => last_error = error,
        }
    }
    valid.ok_or_else(|| {
        let summary = match count {
            1 => "the reply does not satisfy the schema".to_owned(),
            _ => format!("none of the {count} JSON values in the reply satisfies the schema"),
        };
        OutputError::new(format!("{summary}: {last_error}"))
    })
}
