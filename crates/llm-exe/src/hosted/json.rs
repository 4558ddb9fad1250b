//! Parses a JSON document. Duplicate names in an object are an error, because otherwise one of the
//! two values would be dropped silently.

use serde_json::Value;

use super::error::ConfigError;
use crate::json;

/// Parses a document that consists of one JSON value.
pub(super) fn parse(text: &str) -> Result<Value, ConfigError> {
    json::parse_unique(text).map_err(|error| {
        ConfigError::at(error.line, error.column, format!("{}: {}", error.summary(), error.message))
    })
}
