//! Renders a syntax tree with data, within limits.
//!
//! [`eval::Renderer`] walks the tree. `eval` renders statements, `block` renders blocks, `include`
//! renders partials, and `resolve` evaluates paths, arguments and helper calls. `frame` defines the
//! environment of variables that are visible to a statement. Values are compared and printed as in
//! JavaScript.

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
