//! JSON Schema: what a result must satisfy, and the forms of it that dialects accept.
//!
//! In: the schema as the caller wrote it. Out: a [`Schema`] that mends and validates values, and
//! [`strict`], [`closed`] and [`open`] forms to send. Nothing is ever fetched: remote and file
//! references are refused when the schema is compiled.

mod closed;
mod form;
mod mend;
mod open;
mod strict;

use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value};

pub use closed::closed;
pub use open::open;
pub use strict::strict;

use crate::error::shorten;

/// How often a schema's `pattern` may step back on one value before it counts as no match.
const BACKTRACK_LIMIT: usize = 100_000;

/// Why a value does not satisfy a schema: the first three faults, each with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaFault(String);

/// A compiled schema.
#[derive(Clone)]
pub struct Schema {
    written: Arc<Value>,
    validator: Arc<Validator>,
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Schema").field(&self.written).finish()
    }
}

impl Schema {
    /// Compiles a schema. Without `$schema` it is read as draft 2020-12; `format` is not asserted.
    ///
    /// # Errors
    /// What is wrong with the schema, with the place in it.
    pub fn compile(schema: Map<String, Value>) -> Result<Schema, SchemaFault> {
        let written = Value::Object(schema);
        let validator = jsonschema::options()
            .with_draft(Draft::default().detect(&written))
            .should_validate_formats(false)
            .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACK_LIMIT))
            .offline()
            .build(&written)
            .map_err(|error| {
                let place = error.instance_path().as_str().to_owned();
                let at = if place.is_empty() { String::new() } else { format!(" at {place}") };
                SchemaFault(format!("not a usable JSON Schema{at}: {}", plain(&error.to_string())))
            })?;
        Ok(Schema { written: Arc::new(written), validator: Arc::new(validator) })
    }

    /// The schema as the caller wrote it.
    pub fn written(&self) -> &Value {
        &self.written
    }

    /// Whether the root says `"type": "object"`, which some dialects ask for.
    pub fn is_object(&self) -> bool {
        self.written.get("type").and_then(Value::as_str) == Some("object")
    }

    /// A value made to fit where that is no guess (numbers and booleans written as strings,
    /// defaults, unknown properties of closed objects), then validated.
    ///
    /// # Errors
    /// Where the value breaks the schema.
    pub fn read(&self, mut value: Value) -> Result<Value, SchemaFault> {
        mend::mend(&self.written, &mut value);
        self.validate(&value)?;
        Ok(value)
    }

    /// Validates a value as it is.
    ///
    /// # Errors
    /// Where the value breaks the schema: three faults at most.
    pub fn validate(&self, value: &Value) -> Result<(), SchemaFault> {
        let mut faults = Vec::new();
        for error in self.validator.iter_errors(value).take(3) {
            let place = error.instance_path().as_str();
            let place = if place.is_empty() { "the value" } else { place };
            let message = shorten(&plain(&error.masked_with("it").to_string()), 200);
            faults.push(format!("{place}: {message}"));
        }
        if faults.is_empty() { Ok(()) } else { Err(SchemaFault(faults.join("; "))) }
    }
}

/// A library's message in the way of ours: one line.
fn plain(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The node that a `$ref` into the same document names; `None` for any other.
pub(crate) fn referenced<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    match reference.strip_prefix('#')? {
        "" => Some(root),
        pointer => root.pointer(pointer),
    }
}
