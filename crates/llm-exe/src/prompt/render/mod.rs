//! The evaluator: renders the syntax tree with data, within limits.
//!
//! [`eval::Renderer`] walks the tree: `eval` renders statements, `block` blocks, `include`
//! partials, and `resolve` evaluates paths, arguments and helper calls. A `frame` holds the
//! variables that are visible to a statement. Values, comparisons and printing follow JavaScript.

mod block;
pub(super) mod compare;
pub(super) mod error;
pub(super) mod eval;
mod frame;
mod include;
pub(super) mod json;
pub(super) mod limits;
pub(super) mod missing;
mod resolve;
pub(super) mod value;
pub(super) mod write;
