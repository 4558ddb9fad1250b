//! JSON Schema: what a result must satisfy, and the forms of it that dialects accept.
//!
//! In: the schema as the caller wrote it. Out: a [`Schema`] that mends and validates values, and
//! [`strict`], [`closed`] and [`open`] forms to send. Nothing is ever fetched: remote and file
//! references are refused when the schema is compiled.

mod closed;
mod coerce;
mod errors;
mod form;
mod keywords;
mod open;
mod pattern;
mod strict;
mod work;

use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value};

pub use closed::closed;
pub use open::open;
pub use pattern::without_lookaround;
pub use strict::strict;

use crate::json::quoted;
use errors::one_line;

/// How often a schema's `pattern` may step back on one value before it counts as no match.
const BACKTRACK_LIMIT: usize = 100_000;
/// The values of `$schema` that are known, besides their older spellings.
const KNOWN_DRAFTS: &str = "https://json-schema.org/draft/2020-12/schema, \
    https://json-schema.org/draft/2019-09/schema, http://json-schema.org/draft-07/schema#, \
    http://json-schema.org/draft-06/schema#, http://json-schema.org/draft-04/schema#";

/// Why a value does not satisfy a schema: up to three errors, each with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(String);

/// A compiled schema.
#[derive(Clone)]
pub struct Schema {
    written: Arc<Value>,
    validator: Arc<Validator>,
    graph: Arc<work::Graph>,
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Schema").field(&self.written).finish()
    }
}

impl Schema {
    /// Compiles a schema. It is read as draft 2020-12 if its `$schema` is missing or not known;
    /// `format` is not asserted.
    ///
    /// # Errors
    /// What is wrong with the schema, with the place in it.
    pub fn compile(schema: Map<String, Value>) -> Result<Schema, SchemaError> {
        let written = Value::Object(schema);
        let graph = work::Graph::read(&written, draft_of(&written))?;
        let validator = build(&written)?;
        Ok(Schema {
            written: Arc::new(written),
            validator: Arc::new(validator),
            graph: Arc::new(graph),
        })
    }

    /// The schema as the caller wrote it.
    pub fn written(&self) -> &Value {
        &self.written
    }

    /// Whether the root says `"type": "object"`, which some dialects ask for.
    pub fn is_object(&self) -> bool {
        self.written.get("type").and_then(Value::as_str) == Some("object")
    }

    /// What the caller should know about how the schema is read: a `$schema` that is not known.
    pub fn warning(&self) -> Option<String> {
        let name = self.written.get("$schema").and_then(Value::as_str)?;
        (Draft::from_schema_uri(name) == Draft::Unknown).then(|| {
            format!(
                "schema.$schema: {} is not a known draft of JSON Schema; the schema is read as \
                 draft 2020-12 (known: {KNOWN_DRAFTS})",
                quoted(name)
            )
        })
    }

    /// A value made to fit where that is no guess (numbers and booleans written as strings,
    /// defaults, unknown properties of closed objects), then validated.
    ///
    /// # Errors
    /// Where the value breaks the schema.
    pub fn read(&self, mut value: Value) -> Result<Value, SchemaError> {
        coerce::coerce(&self.written, &mut value);
        self.validate(&value)?;
        Ok(value)
    }

    /// Whether a value satisfies the schema as it is.
    pub fn is_valid(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// Validates a value as it is.
    ///
    /// # Errors
    /// Where the value breaks the schema: up to three errors, or the first one of a large value.
    pub fn validate(&self, value: &Value) -> Result<(), SchemaError> {
        if self.is_valid(value) { Ok(()) } else { Err(errors::describe(self, value)) }
    }
}

/// The draft that a schema is read as.
fn draft_of(schema: &Value) -> Draft {
    match Draft::default().detect(schema) {
        Draft::Unknown => Draft::default(),
        known => known,
    }
}

fn build(schema: &Value) -> Result<Validator, SchemaError> {
    jsonschema::options()
        .with_draft(draft_of(schema))
        .should_validate_formats(false)
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACK_LIMIT))
        .offline()
        .build(schema)
        .map_err(|error| {
            let place = error.instance_path().as_str().to_owned();
            let at = if place.is_empty() { String::new() } else { format!(" at {place}") };
            SchemaError(format!("not a usable JSON Schema{at}: {}", one_line(&error.to_string())))
        })
}

/// The node that a `$ref` into the same document names; `None` for any other.
pub(crate) fn referenced<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    match reference.strip_prefix('#')? {
        "" => Some(root),
        pointer => root.pointer(pointer),
    }
}
