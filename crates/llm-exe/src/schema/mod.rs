//! Validates values against JSON Schemas and rewrites schemas for the providers.
//!
//! A [`Schema`] coerces and validates values. [`strict`], [`closed`] and [`open`] rewrite a schema
//! to the subset of JSON Schema that a provider supports. Remote and file references are never
//! fetched, so compiling a schema that contains one fails.

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
mod validate;
mod validator;
mod work;

use std::sync::{Arc, OnceLock};

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
use work::Graph;

/// The supported values of `$schema`. Older spellings of these URIs are supported too.
const KNOWN_DRAFTS: &str = "https://json-schema.org/draft/2020-12/schema, \
    https://json-schema.org/draft/2019-09/schema, http://json-schema.org/draft-07/schema#, \
    http://json-schema.org/draft-06/schema#, http://json-schema.org/draft-04/schema#";

/// A compiled schema. Clones share the compiled data.
#[derive(Clone)]
pub struct Schema {
    written: Arc<Value>,
    validator: Arc<Validator>,
    /// The graph of the subschemas. If the schema needed no check, it is built when a value turns
    /// out to be invalid.
    graph: Arc<OnceLock<Graph>>,
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Schema").field(&self.written).finish()
    }
}

impl Schema {
    /// Compiles a schema. The schema is read as draft 2020-12 if its `$schema` is missing or
    /// unknown. `format` is not validated.
    ///
    /// # Errors
    /// Returns an error with the position in the schema if the schema is invalid or if validation
    /// could take too much work.
    pub fn compile(schema: Map<String, Value>) -> Result<Schema, SchemaError> {
        let written = Value::Object(schema);
        let graph = OnceLock::new();
        if work::needs_check(&written) {
            let _ = graph.set(Graph::from_schema(&written, detect_draft(&written))?);
        }
        let validator = build(&written)?;
        Ok(Schema {
            written: Arc::new(written),
            validator: Arc::new(validator),
            graph: Arc::new(graph),
        })
    }

    /// Returns the schema that was passed to [`Schema::compile`].
    pub fn written(&self) -> &Value {
        &self.written
    }

    /// Returns whether the root has `"type": "object"`, which some providers require.
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

    /// Coerces a value to the schema where this is unambiguous, then validates it. Coercion
    /// converts strings that contain a number or boolean, fills in defaults, and removes unknown
    /// properties of closed objects.
    ///
    /// # Errors
    /// Returns an error with the positions where the value does not satisfy the schema, or with a
    /// number that would lose digits.
    pub fn read(&self, mut value: Value) -> Result<Value, SchemaError> {
        let coerced = coerce::coerce(&self.written, &mut value);
        coerced.map_err(|error| SchemaError::new(error.to_string()))?;
        self.validate(&value)?;
        Ok(value)
    }

    /// Returns whether a value satisfies the schema without coercion.
    pub fn is_valid(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// Validates a value without coercion.
    ///
    /// # Errors
    /// Returns an error with up to three positions where the value does not satisfy the schema, or
    /// only one position if the value is large.
    pub fn validate(&self, value: &Value) -> Result<(), SchemaError> {
        if self.is_valid(value) {
            return Ok(());
        }
        // `compile` has already checked every schema whose graph can be rejected.
        let build = || Graph::from_schema(&self.written, detect_draft(&self.written));
        let graph = self.graph.get_or_init(|| build().unwrap_or_default());
        Err(explain::explain(&self.written, &self.validator, graph, value))
    }
}
