//! Types that all parsers share, such as the parser trait and the entries of the parser table.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::js_text;
use super::options::OutputOptions;
use crate::schema::Schema;

/// The error for a reply that can't be parsed as the requested `output`. The message is logged and
/// sent to both the caller and the model, so it must not quote the reply. Names, such as those of
/// JSON properties, are allowed.
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
    /// The parser ignores the schema, but templates can still use it.
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
    /// Renders a string as a template with the request's data. If this fails, returns an error
    /// message.
    pub render: &'a dyn Fn(&str) -> Result<String, String>,
}

/// A parser that converts the text of a reply to a JSON value. Its options are set on creation.
pub(super) trait ReplyParser: Send + Sync {
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError>;

    /// Describes the expected reply. The default `None` selects the description in the parser
    /// table.
    fn expected_form(&self) -> Option<String> {
        None
    }
}

/// A function that implements a parser without options.
pub(super) type ParseFn = fn(&str, &Context<'_>) -> Result<Value, OutputError>;

impl ReplyParser for ParseFn {
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
        self(text, context)
    }
}

/// An entry in the parser table. It describes one parser.
pub struct ParserRow {
    /// The name of the parser in the `output` field of requests.
    pub name: &'static str,
    /// Other names for the same parser.
    pub aliases: &'static [&'static str],
    /// Whether a truncated or invalid reply is an error, which the model may be asked to fix.
    pub strict: bool,
    /// Whether an empty reply is valid.
    pub accepts_empty: bool,
    /// How the parser uses the request's `schema`.
    pub schema: SchemaUse,
    /// The names of the options that `outputOptions` may contain besides `repairs`.
    pub options: &'static [&'static str],
    /// A description of the expected reply for error messages and for the model.
    pub(super) expected_form: &'static str,
    pub(super) with_options: fn(&mut OutputOptions) -> Arc<dyn ReplyParser>,
}

impl fmt::Debug for ParserRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParserRow").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ParserRow {
    /// Creates the parser from its options, which are removed from `options`. Invalid options are
    /// recorded there as problems.
    pub fn with_options(&'static self, options: &mut OutputOptions) -> Parser {
        Parser { row: self, reply_parser: (self.with_options)(options) }
    }
}

/// A parser with its options. Clones are cheap.
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
    /// Returns this parser's entry in the parser table.
    pub fn row(&self) -> &'static ParserRow {
        self.row
    }

    /// Returns a description of the expected reply. It is sent to the model if a reply can't be
    /// parsed.
    pub fn expected_form(&self) -> String {
        self.reply_parser.expected_form().unwrap_or_else(|| self.row.expected_form.to_owned())
    }

    /// Parses the text of a reply.
    ///
    /// # Errors
    /// Returns an error if the text is not a valid reply for this parser.
    pub fn parse(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
        if !self.row.accepts_empty && js_text::trim(text).is_empty() {
            // Errors are logged, and logs must not contain values from the request. A description
            // based on the options could contain such values, so the one in the table is used.
            let expected = self.row.expected_form;
            return Err(OutputError::new(format!("the reply is empty; expected {expected}")));
        }
        self.reply_parser.parse(text, context)
    }
}
