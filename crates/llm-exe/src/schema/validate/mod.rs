//! Validates values against JSON Schemas of the drafts 2020-12, 2019-09, 7, 6 and 4.
//!
//! [`Validator::compile`] turns a schema into an arena of nodes with typed keywords. Checks of a
//! value count their work, so that no value and no schema can keep the only thread busy.

mod budget;
mod builder;
mod check;
mod coerce;
mod coercible;
mod compile;
mod decimal;
mod describe;
mod draft;
mod equal;
mod errors;
mod evaluated;
mod meta_schemas;
mod node;
mod pattern;
mod places;
mod resolver;
mod resources;
mod rules;
#[cfg(test)]
mod tests;
mod work;

use serde_json::{Map, Value};

use super::error::SchemaError;
use crate::json::LossyNumber;
use check::{Checker, Scope};
use node::{Graph, ROOT};

pub(crate) use budget::{Budget, TooMuchWork};
pub(crate) use draft::Draft;
pub(crate) use resources::{DEFAULT_BASE, join};

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Validator {
    graph: Graph,
}

impl Validator {
    /// Compiles a schema. `format` is not validated.
    ///
    /// # Errors
    /// Returns an error with the position in the schema if the schema is invalid, refers to
    /// another document, or could cause too much work.
    pub(crate) fn compile(schema: &Map<String, Value>) -> Result<Validator, SchemaError> {
        Ok(Validator { graph: compile::compile(schema)? })
    }

    /// Returns whether a value satisfies the schema.
    ///
    /// # Errors
    /// Returns an error if the budget is spent before the result is known.
    pub(crate) fn is_valid(&self, value: &Value, budget: &Budget) -> Result<bool, TooMuchWork> {
        let scope = Scope { resource: self.graph.node(ROOT).resource, outer: None };
        Checker::new(&self.graph, budget).check(ROOT, value, &scope, None)
    }

    /// Describes up to three errors of an invalid value.
    pub(crate) fn explain(&self, value: &Value, budget: &Budget) -> String {
        errors::explain(&Checker::new(&self.graph, budget), ROOT, value)
    }

    /// Coerces a value to the schema where this is unambiguous. Returns the last number in a string
    /// that would have lost digits, if any.
    ///
    /// # Errors
    /// Returns an error if the budget is spent.
    pub(crate) fn coerce(
        &self,
        value: &mut Value,
        budget: &Budget,
    ) -> Result<Option<LossyNumber>, TooMuchWork> {
        coerce::coerce(&self.graph, ROOT, value, budget)
    }
}
