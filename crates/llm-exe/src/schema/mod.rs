//! JSON Schema: validates results, and rewrites schemas for the dialects of providers.
//!
//! A [`Schema`] coerces and validates values. [`strict`], [`closed`] and [`open`] rewrite a schema
//! for a dialect. Remote and file references are never fetched; compiling such a schema fails.

mod closed;
mod coerce;
mod error;
mod explain;
mod form;
mod keywords;
mod open;
mod pattern;
mod reference;
mod strict;
mod validator;
mod work;

use std::sync::Arc;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value};

pub use closed::closed;
pub use error::SchemaError;
pub use open::open;
pub use pattern::without_lookaround;
pub(crate) use reference::referenced;
pub use strict::strict;

use crate::json::quoted;
use validator::{build, detect_draft};

/// The supported values of `$schema`. Their older spellings are supported too.
const KNOWN_DRAFTS: &str = "https://json-schema.org/draft/2020-12/schema, \
    https://json-schema.org/draft/2019-09/schema, http://json-schema.org/draft-07/schema#, \
    http://json-schema.org/draft-06/schema#, http://json-schema.org/draft-04/schema#";

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
    /// Compiles a schema, as draft 2020-12 if its `$schema` is missing or unknown. `format` is not
    /// asserted.
    ///
    /// # Errors
    /// A schema that is not valid or would cause too much work, with the place in the schema.
    pub fn compile(schema: Map<String, Value>) -> Result<Schema, SchemaError> {
        let written = Value::Object(schema);
        let graph = work::Graph::read(&written, detect_draft(&written))?;
        let validator = build(&written)?;
        Ok(Schema {
            written: Arc::new(written),
            validator: Arc::new(validator),
            graph: Arc::new(graph),
        })
    }

    /// Returns the schema as the caller wrote it.
    pub fn written(&self) -> &Value {
        &self.written
    }

    /// Whether the root has `"type": "object"`, which some dialects require.
    pub fn is_object(&self) -> bool {
        self.written.get("type").and_then(Value::as_str) == Some("object")
    }

    /// Returns a warning if `$schema` is not a known draft.
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

    /// Coerces a value to the schema where this is unambiguous, then validates it. Numbers and
    /// booleans written as strings are converted, defaults are filled in, and unknown properties of
    /// closed objects are removed.
    ///
    /// # Errors
    /// The places where the value does not satisfy the schema.
    pub fn read(&self, mut value: Value) -> Result<Value, SchemaError> {
        coerce::coerce(&self.written, &mut value);
        self.validate(&value)?;
        Ok(value)
    }

    /// Whether a value satisfies the schema without coercion.
    pub fn is_valid(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// Validates a value without coercion.
    ///
    /// # Errors
    /// The places where the value does not satisfy the schema: up to three, or one for a large
    /// value.
    pub fn validate(&self, value: &Value) -> Result<(), SchemaError> {
        if self.is_valid(value) {
            return Ok(());
        }
        Err(explain::explain(&self.written, &self.validator, &self.graph, value))
    }
}
