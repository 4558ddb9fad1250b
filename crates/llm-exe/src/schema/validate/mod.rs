//! Validates values against JSON Schemas of the drafts 2020-12, 2019-09, 7, 6 and 4.
//!
//! [`Validator::compile`] turns a schema into an arena of nodes with typed keywords. Checks of a
//! value count their work, so that no value and no schema can keep the only thread busy.

mod applied;
mod budget;
mod builder;
mod check;
mod coerce;
mod compile;
mod decimal;
mod defaults;
mod describe;
mod draft;
mod equal;
mod errors;
mod evaluated;
mod meta_schemas;
mod node;
mod path;
mod pattern;
mod places;
mod resolver;
mod resources;
mod rules;
#[cfg(test)]
mod tests;
mod warnings;
mod work;

use serde_json::{Map, Value};

use super::error::SchemaError;
use crate::json::LossyNumber;
use check::{Checker, Scope};
use node::{Graph, ROOT};
use warnings::Warnings;

pub(crate) use budget::{Budget, TooMuchWork};
pub(crate) use coerce::Origin;
pub(crate) use draft::Draft;
pub(crate) use resources::{DEFAULT_BASE, join};

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Validator {
    graph: Graph,
    warnings: Vec<String>,
}

/// The outcome of coercing a value.
#[derive(Debug)]
pub(crate) enum Coerced {
    /// The value satisfies the schema.
    Valid {
        /// Whether it satisfied the schema before it was changed.
        as_written: bool,
        /// The changes, and a default that was not filled in.
        warnings: Vec<String>,
    },
    /// The value does not satisfy the schema, even after changes.
    Invalid,
    /// The value contains a string with a number that would have lost digits.
    Lossy(LossyNumber),
}

impl Validator {
    /// Compiles a schema. `format` is not validated.
    ///
    /// # Errors
    /// Returns an error with the position in the schema if the schema is invalid, refers to
    /// another document, or could cause too much work.
    pub(crate) fn compile(schema: &Map<String, Value>) -> Result<Validator, SchemaError> {
        let (graph, warnings) = compile::compile(schema)?;
        Ok(Validator { graph, warnings: warnings.into_texts() })
    }

    /// Returns the warnings about the schema.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
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

    /// Fills in defaults. A value that does not satisfy the schema is also changed where this is
    /// unambiguous.
    ///
    /// # Errors
    /// Returns an error if the budget is spent.
    pub(crate) fn coerce(
        &self,
        value: &mut Value,
        origin: Origin<'_>,
        budget: &Budget,
    ) -> Result<Coerced, TooMuchWork> {
        let mut warnings = Warnings::default();
        let as_written = self.is_valid(value, budget)?;
        if !as_written {
            let lossy = coerce::coerce(&self.graph, value, origin, budget, &mut warnings)?;
            if let Some(lossy) = lossy {
                return Ok(Coerced::Lossy(lossy));
            }
        }
        let filled = defaults::fill(&self.graph, ROOT, value, budget)?;
        let is_unchanged = filled.is_empty() && as_written;
        if is_unchanged || self.is_valid(value, budget)? {
            return Ok(Coerced::Valid { as_written, warnings: warnings.into_texts() });
        }
        if filled.is_empty() {
            return Ok(Coerced::Invalid);
        }
        defaults::remove(value, filled);
        if !as_written && !self.is_valid(value, budget)? {
            return Ok(Coerced::Invalid);
        }
        let mut warnings = warnings.into_texts();
        warnings.push(
            "the defaults of the schema were not filled in, because the value does not satisfy \
             the schema with them"
                .to_owned(),
        );
        Ok(Coerced::Valid { as_written, warnings })
    }
}
