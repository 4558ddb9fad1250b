//! The types that all parsers share, such as the parser trait and the entries of the parser table.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::js_text;
use super::options::OutputOptions;
use crate::schema::Schema;

/// The error for a reply that can't be parsed as the requested `output`. The message is sent to the
/// caller and to the model and is logged, so it must not quote the reply, except for names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OutputError(pub String);

impl OutputError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        OutputError(message.into())
    }
}

/// How a parser uses the request's `schema`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaUse {
    /// The parser ignores the schema, but templates can use it.
    Unused,
    /// The schema is optional. The result must satisfy it, but it is not sent to the model.
    Checked,
    /// The schema is required. It is sent to the model, and the result must satisfy it.
    Required,
}

/// The data that a parser can use in addition to the reply.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The schema that the result must satisfy.
    pub schema: Option<&'a Schema>,
    /// Renders a string as a template with the request's data. If the string can't be rendered,
    /// returns a description of the problem.
    pub render: &'a dyn Fn(&str) -> Result<String, String>,
}

/// Parses the text of a reply into a value. The options of a parser are set when it is created.
pub(super) trait ReplyParser: Send + Sync {
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError>;

    /// Describes the expected reply, if the options allow a better description than the one in the
    /// parser table.
    fn expected_form(&self) -> Option<String> {
        None
    }
}

/// A parser without options.
pub(super) type ParseFn = fn(&str, &Context<'_>) -> Result<Value, OutputError>;

impl ReplyParser for ParseFn {
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
        self(text, context)
    }
}

/// An entry of the parser table, which describes one parser.
pub struct ParserRow {
    /// The name of the parser in the `output` field of requests.
    pub name: &'static str,
    /// Other names for the same parser.
    pub aliases: &'static [&'static str],
    /// Whether a truncated or unparsable reply is an error. The model may be asked to fix such a
    /// reply.
    pub strict: bool,
    /// Whether an empty reply is valid.
    pub accepts_empty: bool,
    /// How the parser uses the request's `schema`.
    pub schema: SchemaUse,
    /// The names of the options that `outputOptions` may contain in addition to `repairs`.
    pub options: &'static [&'static str],
    /// Describes the expected reply in error messages and in messages to the model.
    pub(super) expected_form: &'static str,
    pub(super) with_options: fn(&mut OutputOptions) -> Arc<dyn ReplyParser>,
}

impl fmt::Debug for ParserRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParserRow").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ParserRow {
    /// Creates the parser. The parser removes its options from `options` and records invalid
    /// options as problems there.
    pub fn with_options(&'static self, options: &mut OutputOptions) -> Parser {
        Parser { row: self, reply_parser: (self.with_options)(options) }
    }
}

/// A parser with its options. Cloning it is cheap.
#[derive(Clone)]
pub struct Parser {
    row: &'static ParserRow,
    reply_parser: Arc<dyn ReplyParser>,
}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser").field("name", &self.row.name).finish_non_exhaustive()
    }
}

impl Parser {
    /// Returns the entry of this parser in the parser table.
    pub fn row(&self) -> &'static ParserRow {
        self.row
    }

    /// Describes the expected reply. The model receives the description after a reply that can't be
    /// parsed.
    pub fn expected_form(&self) -> String {
        self.reply_parser.expected_form().unwrap_or_else(|| self.row.expected_form.to_owned())
    }

    /// Parses the text of a reply.
    ///
    /// # Errors
    /// Fails if the text is not a valid reply for this parser.
    pub fn parse(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
        if !self.row.accepts_empty && js_text::trim(text).is_empty() {
            // The description in the table is used, not the one based on the options: errors are
            // logged, and logs must not contain values from the request.
            let expected = self.row.expected_form;
            return Err(OutputError::new(format!("the reply is empty; expected {expected}")));
        }
        self.reply_parser.parse(text, context)
    }
}
