//! The parsers: a row each. In: the text of a reply. Out: the value that `output` promises, or
//! why the text is not it. An ambiguous reply is a fault, never a guess.

mod found;
mod json;
mod list;
mod string;

use serde_json::Value;

use crate::schema::Schema;

/// Why a reply is not what `output` promises, in words for the caller and for the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OutputFault(pub String);

impl OutputFault {
    fn new(message: impl Into<String>) -> Self {
        OutputFault(message.into())
    }
}

/// A parser: its name in `output`, and what it needs.
pub struct ParserRow {
    /// The name that requests use.
    pub name: &'static str,
    /// Other names for the same.
    pub also: &'static [&'static str],
    /// Whether a reply that was cut off or refused is a fault.
    pub strict: bool,
    /// Whether the request must have a `schema`.
    pub needs_schema: bool,
    /// The options that `outputOptions` may hold.
    pub options: &'static [&'static str],
    parse: fn(&str, Option<&Schema>) -> Result<Value, OutputFault>,
}

impl std::fmt::Debug for ParserRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParserRow").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ParserRow {
    /// Reads a reply's text.
    ///
    /// # Errors
    /// Why the text is not what this parser promises.
    pub fn parse(&self, text: &str, schema: Option<&Schema>) -> Result<Value, OutputFault> {
        (self.parse)(text, schema)
    }
}

/// Every parser.
pub const PARSERS: &[ParserRow] = &[
    ParserRow {
        name: "string",
        also: &[],
        strict: false,
        needs_schema: false,
        options: &[],
        parse: string::parse,
    },
    ParserRow {
        name: "json",
        also: &[],
        strict: true,
        needs_schema: true,
        options: &["repairs"],
        parse: json::parse,
    },
    ParserRow {
        name: "listToArray",
        also: &["list"],
        strict: true,
        needs_schema: false,
        options: &[],
        parse: list::parse,
    },
];

/// The parser of an `output`.
pub fn parser(output: &str) -> Option<&'static ParserRow> {
    PARSERS.iter().find(|row| row.name == output || row.also.contains(&output))
}

/// Every name that `output` may have.
pub fn output_names() -> Vec<&'static str> {
    PARSERS.iter().flat_map(|row| row.also.iter().copied().chain([row.name])).collect()
}
