//! Validates values against JSON Schemas and rewrites schemas for the providers.
//!
//! A [`Schema`] coerces and validates values. [`strict`], [`closed`], [`open`] and [`tool_input`]
//! rewrite a schema to the subset of JSON Schema that a provider supports. Remote and file
//! references are never fetched, so compiling a schema that contains one fails.

mod closed;
mod declared;
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

use std::collections::HashSet;
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

pub(crate) use validate::{Budget, Origin};
use validate::{Coerced, TooMuchWork, Validator};

/// Maximum units of work to coerce and validate a value. A unit is about ten nanoseconds.
const MAX_WORK: u64 = 30_000_000;
/// Maximum number of values in a schema, such as objects and names of types. Several copies of a
/// schema are in memory at the same time.
const MAX_VALUES: usize = 100_000;
/// Maximum units of work to describe the errors of an invalid value.
const MAX_EXPLANATION_WORK: u64 = 5_000_000;

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
        Schema::compile_shared(Arc::new(Value::Object(schema)))
    }

    /// Compiles a schema that the caller shares.
    pub(crate) fn compile_shared(written: Arc<Value>) -> Result<Schema, SchemaError> {
        let schema = written.as_object().ok_or_else(|| SchemaError::new("is not an object"))?;
        let values = count_values(&mut schema.values());
        if values > MAX_VALUES {
            let text =
                format!("expected at most {MAX_VALUES} values, got {values}; use a smaller schema");
            return Err(SchemaError::new(text));
        }
        let validator = Arc::new(Validator::compile(schema)?);
        Ok(Schema { written, validator })
    }

    /// Returns the schema that was passed to [`Schema::compile`].
    pub fn written(&self) -> &Value {
        &self.written
    }

    /// Returns whether the root has `"type": "object"`, which some providers require.
    pub fn is_object(&self) -> bool {
        self.written.get("type").and_then(Value::as_str) == Some("object")
    }

    /// Returns whether a list can satisfy the schema, as far as the types of the root and of the
    /// schemas that it refers to show.
    pub(crate) fn may_be_list(&self) -> bool {
        let mut node = &*self.written;
        for _ in 0..16 {
            match node.get("type") {
                Some(Value::String(name)) => return name == "array",
                Some(Value::Array(names)) => return names.iter().any(|name| name == "array"),
                _ => {}
            }
            let reference = node.get("$ref").and_then(Value::as_str);
            match reference.and_then(|reference| referenced(&self.written, reference)) {
                Some(target) => node = target,
                None => break,
            }
        }
        true
    }

    /// Returns the names of the properties that the schema declares for an object: those of the
    /// root and of all schemas that apply to the same value, whether always or under a condition.
    pub(crate) fn declared_properties(&self) -> HashSet<String> {
        declared::declared_properties(&self.written)
    }

    /// Returns warnings about a schema that is valid but may not mean what its author intends: an
    /// unknown `$schema`, a subschema without any keyword, or a default that its schema rejects.
    pub fn warnings(&self) -> &[String] {
        self.validator.warnings()
    }

    /// Returns the value of [`Schema::coerce`].
    ///
    /// # Errors
    /// Returns the errors of [`Schema::coerce`].
    pub fn read(&self, value: Value) -> Result<Value, SchemaError> {
        self.coerce(value).map(|coerced| coerced.value)
    }

    /// Fills in defaults, and validates the value. A value that does not satisfy the schema is
    /// changed where value and schema together allow one reading: for example, unknown properties
    /// of closed objects are removed, and strings that contain a number become numbers. The
    /// warnings of the result name each change.
    ///
    /// # Errors
    /// Returns an error if the value does not satisfy the schema, contains a number that would lose
    /// digits, or takes too much work to check.
    pub fn coerce(&self, value: Value) -> Result<CoercedValue, SchemaError> {
        self.coerce_from(value, Origin::Json(None))
    }

    /// Coerces a value as [`Schema::coerce`] does. If it was made from text, numbers and booleans
    /// in strings cause no warning.
    pub(crate) fn coerce_from(
        &self,
        mut value: Value,
        origin: Origin<'_>,
    ) -> Result<CoercedValue, SchemaError> {
        let budget = Budget::new(MAX_WORK);
        match self.validator.coerce(&mut value, origin, &budget).map_err(too_much_work)? {
            Coerced::Valid { as_written, warnings } => {
                Ok(CoercedValue { value, as_written, warnings })
            }
            Coerced::Lossy(lossy) => Err(SchemaError::new(lossy.to_string())),
            Coerced::Invalid => Err(self.explain(&value)),
        }
    }

    /// Coerces one of several values, which share a budget. Returns `None` if the value does not
    /// satisfy the schema.
    ///
    /// # Errors
    /// Returns an error if the budget is spent.
    pub(crate) fn coerce_within(
        &self,
        mut value: Value,
        origin: Origin<'_>,
        budget: &Budget,
    ) -> Result<Option<CoercedValue>, SchemaError> {
        let coerced = self.validator.coerce(&mut value, origin, budget);
        Ok(match coerced.map_err(too_much_work)? {
            Coerced::Valid { as_written, warnings } => {
                Some(CoercedValue { value, as_written, warnings })
            }
            Coerced::Lossy(_) | Coerced::Invalid => None,
        })
    }

    /// Creates the budget for [`Schema::coerce_within`].
    pub(crate) fn new_budget() -> Budget {
        Budget::new(MAX_WORK)
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
        match self.validator.is_valid(value, &Budget::new(MAX_WORK)).map_err(too_much_work)? {
            true => Ok(()),
            false => Err(self.explain(value)),
        }
    }

    /// Creates the error of an invalid value.
    fn explain(&self, value: &Value) -> SchemaError {
        let budget = Budget::new(MAX_EXPLANATION_WORK);
        SchemaError::new(self.validator.explain(value, &budget))
    }
}

/// A value that satisfies a schema.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CoercedValue {
    /// The value, with defaults.
    pub value: Value,
    /// Whether the value satisfied the schema before it was changed.
    pub as_written: bool,
    /// Each change, and each default that was not filled in, with the JSON pointer of its place.
    /// The texts do not quote the value.
    pub warnings: Vec<String>,
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
