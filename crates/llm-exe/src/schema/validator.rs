//! Builds JSON Schema validators with the options that this crate needs.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use super::error::{SchemaError, one_line};

/// Maximum number of backtracking steps when a `pattern` is matched against a value. A match that
/// needs more steps fails.
const BACKTRACK_LIMIT: usize = 100_000;

/// Returns the draft of a schema, which is 2020-12 unless `$schema` names another known draft.
pub(super) fn detect_draft(schema: &Value) -> Draft {
    match Draft::default().detect(schema) {
        Draft::Unknown => Draft::default(),
        known => known,
    }
}

/// Builds a validator for a schema. The validator does not validate `format`. Remote and file
/// references are errors because nothing is ever fetched.
///
/// # Errors
/// Returns the first error and its position if the schema is invalid.
pub(super) fn build(schema: &Value) -> Result<Validator, SchemaError> {
    jsonschema::options()
        .with_draft(detect_draft(schema))
        .should_validate_formats(false)
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACK_LIMIT))
        .offline()
        .build(schema)
        .map_err(|error| {
            let place = error.instance_path().as_str().to_owned();
            let at = if place.is_empty() { String::new() } else { format!(" at {place}") };
            let message = one_line(&error.to_string());
            SchemaError::new(format!("invalid JSON Schema{at}: {message}"))
        })
}
