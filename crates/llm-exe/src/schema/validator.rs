//! Builds the validator of a schema.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use super::error::{SchemaError, one_line};

/// Maximum number of backtracking steps of a `pattern` on one value. A match that needs more fails.
const BACKTRACK_LIMIT: usize = 100_000;

/// Returns the draft that applies to a schema: 2020-12 unless `$schema` names a known one.
pub(super) fn detect_draft(schema: &Value) -> Draft {
    match Draft::default().detect(schema) {
        Draft::Unknown => Draft::default(),
        known => known,
    }
}

/// Builds a validator. It does not assert `format`, and it does not fetch anything: remote and file
/// references are errors.
///
/// # Errors
/// A schema that is not valid, with the place of the first error.
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
            SchemaError::new(format!("not a usable JSON Schema{at}: {message}"))
        })
}
