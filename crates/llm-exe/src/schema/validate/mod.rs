//! Checks values against JSON Schemas.

#![expect(dead_code, reason = "the evaluator that uses these modules is not built yet")]

mod budget;
mod decimal;
mod pattern;
