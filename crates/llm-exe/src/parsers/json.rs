//! `output: "json"`: a value that satisfies the schema, or a fault.

use serde_json::Value;

use super::find_json::{Found, find};
use super::{Context, OutputError};

/// Reads the one value of the text that satisfies the schema, mended where that is no guess.
pub(crate) fn parse(text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
    let read = |value: Value| match context.schema {
        Some(schema) => schema.read(value).map_err(|fault| fault.to_string()),
        None => Ok(value),
    };
    let candidates = match find(text) {
        Found::Whole(value) => {
            return read(value).map_err(|fault| {
                OutputError::new(format!("the reply does not satisfy the schema: {fault}"))
            });
        }
        Found::Broken(fault) => {
            return Err(OutputError::new(format!("the reply is {fault}")));
        }
        Found::Within(values) => values,
    };
    let count = candidates.len();
    let mut fitting: Option<Value> = None;
    let mut fault = String::new();
    for candidate in candidates {
        match (read(candidate), &fitting) {
            (Ok(value), None) => fitting = Some(value),
            (Ok(value), Some(first)) if value == *first => {}
            (Ok(_), Some(_)) => {
                let text = "the reply holds several different values that satisfy the schema";
                return Err(OutputError::new(text));
            }
            (Err(message), _) => fault = message,
        }
    }
    fitting.ok_or_else(|| {
        let which = match count {
            1 => "the reply does not satisfy the schema".to_owned(),
            _ => format!("none of the {count} JSON values in the reply satisfies the schema"),
        };
        OutputError::new(format!("{which}: {fault}"))
    })
}
