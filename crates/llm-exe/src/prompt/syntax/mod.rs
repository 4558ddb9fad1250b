//! Parses the source of a template into a syntax tree.
//!
//! `lexer` and `token` split the source into tokens, and `parser` and `expression` build the
//! `tree`. `whitespace` removes white space around tags, and `analyze` resolves names to helpers,
//! block parameters and variables. `references` finds the variables to which a template refers.

pub(super) mod analyze;
mod expression;
mod lexer;
pub(super) mod parser;
pub(super) mod references;
pub(super) mod scan;
mod token;
pub(super) mod tree;
pub(super) mod whitespace;
