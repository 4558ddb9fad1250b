//! Validates values against JSON Schemas and rewrites schemas for the providers.
//!
//! A [`Schema`] coerces and validates values. [`strict`], [`closed`], [`open`] and [`tool_input`]
//! rewrite a schema to the subset of JSON Schema that a provider supports. Remote and file
//! references are never fetched, so compiling a schema that contains one fails.

mod closed;
mod draft_2020_12;
mod error;
mod form;
mod keywords;
mod merge;
mod open;
mod pattern;
mod reference;
mod size;
mod strict;
mod tool_input;
mod validate;

use std::sync::Arc;

use serde_json::{Map, Value};

pub use closed::closed;
pub(crate) use closed::fits_grammar;
pub use draft_2020_12::to_draft_2020_12;
pub use error::SchemaError;
pub use open::open;
pub use pattern::without_lookaround;
pub(crate) use reference::{referenced, with_pointers};
pub(crate) use size::SizeBudget;
pub use strict::strict;
pub use tool_input::tool_input;

use crate::json::quoted;
use validate::{Budget, Draft, TooMuchWork, Validator};

/// Maximum units of work to coerce and validate a value. A unit is about ten nanoseconds.
const MAX_WORK: u64 = 30_000_000;
/// Maximum number of values in a schema, such as objects and names of types. Several copies of a
/// schema are in memory at the same time.
const MAX_VALUES: usize = 100_000;
/// Maximum units of work to describe the errors of an invalid value.
const MAX_EXPLANATION_WORK: u64 = 5_000_000;

/// The supported values of `$schema`. Older spellings of these URIs are supported too.
const KNOWN_DRAFTS: &str = "https://json-schema.org/draft/2020-12/schema, \
    https://json-schema.org/draft/2019-09/schema, http://json-schema.org/draft-07/schema#, \
    http://json-schema.org/draft-06/schema#, http://json-schema.org/draft-04/schema#";

/// A compiled schema. Clones share the compiled data.
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
    /// Compiles a schema. The schema is read as draft 2020-12 if its `$schema` is missing or
    /// unknown. `format` is not validated.
    ///
    /// # Errors
    /// Returns an error with the position in the schema if the schema is invalid or if validation
    /// could take too much work.
    pub fn compile(schema: Map<String, Value>) -> Result<Schema, SchemaError> {
        let values = count_values(&mut schema.values());
        if values > MAX_VALUES {
            let text =
                format!("expected at most {MAX_VALUES} values, got {values}; use a smaller schema");
            return Err(SchemaError::new(text));
        }
        let validator = Validator::compile(&schema)?;
        Ok(Schema { written: Arc::new(Value::Object(schema)), validator: Arc::new(validator) })
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
        Draft::from_uri(name).is_none().then(|| {
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
    /// Returns an error if the value does not satisfy the schema, contains a number that would lose
    /// digits, or takes too much work to check.
    pub fn read(&self, mut value: Value) -> Result<Value, SchemaError> {
        let budget = Budget::new(MAX_WORK);
        match self.validator.coerce(&mut value, &budget) {
            Ok(None) => {}
            Ok(Some(lossy)) => return Err(SchemaError::new(lossy.to_string())),
            Err(error) => return Err(too_much_work(error)),
        }
        self.validate_within(&value, &budget)?;
        Ok(value)
    }

    /// Returns whether a value satisfies the schema without coercion. Returns false if the check
    /// takes too much work.
    pub fn is_valid(&self, value: &Value) -> bool {
        self.validator.is_valid(value, &Budget::new(MAX_WORK)).unwrap_or(false)
    }

    /// Validates a value without coercion.
    ///
    /// # Errors
    /// Returns an error with up to three positions where the value does not satisfy the schema, or
    /// an error if the check takes too much work.
    pub fn validate(&self, value: &Value) -> Result<(), SchemaError> {
        self.validate_within(value, &Budget::new(MAX_WORK))
    }

    fn validate_within(&self, value: &Value, budget: &Budget) -> Result<(), SchemaError> {
        if self.validator.is_valid(value, budget).map_err(too_much_work)? {
            return Ok(());
        }
        let budget = Budget::new(MAX_EXPLANATION_WORK);
        Err(SchemaError::new(self.validator.explain(value, &budget)))
    }
}

/// Returns the number of values in a schema.
fn count_values(values: &mut dyn Iterator<Item = &Value>) -> usize {
    let mut count = 0;
    for value in values {
        count += match value {
            Value::Array(items) => 1 + count_values(&mut items.iter()),
            Value::Object(fields) => 1 + count_values(&mut fields.values()),
            _ => 1,
        };
    }
    count
}

fn too_much_work(error: TooMuchWork) -> SchemaError {
    SchemaError::new(format!("{error}; return less data or simplify the schema"))
}
