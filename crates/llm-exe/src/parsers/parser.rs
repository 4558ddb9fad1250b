//! The types that all parsers share: the trait, its context and error, and a row of the table.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::js_text;
use super::options::OutputOptions;
use crate::schema::Schema;

/// Why a reply can't be parsed as its `output`. Callers and the model see the message, and logs
/// contain it, so it must not quote the reply except for names.
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
    /// The parser ignores the schema; templates can use it.
    Unused,
    /// The schema is optional. The result satisfies it, but it is not sent to the model.
    Checked,
    /// The schema is required. It is sent to the model, and the result satisfies it.
    Required,
}

/// Everything besides the reply that a parser can use.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The schema that the result must satisfy.
    pub schema: Option<&'a Schema>,
    /// Renders a text as a template with the request's data. Returns what is wrong with the
    /// template if it can't be rendered.
    pub render: &'a dyn Fn(&str) -> Result<String, String>,
}

/// Turns the text of a reply into a value, with the parser's options already applied.
pub(super) trait ReplyParser: Send + Sync {
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError>;

    /// The expected form of a reply, if the options describe it better than the parser's row.
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

/// A row of the table of parsers: the name in `output` and the parser's properties.
pub struct ParserRow {
    /// The name in requests.
    pub name: &'static str,
    /// Other names for the same parser.
    pub aliases: &'static [&'static str],
    /// Whether a truncated or unparsable reply is an error, which the model may be asked to fix.
    pub strict: bool,
    /// Whether an empty reply is valid.
    pub accepts_empty: bool,
    /// How the parser uses the request's `schema`.
    pub schema: SchemaUse,
    /// The names that `outputOptions` may contain besides `repairs`.
    pub options: &'static [&'static str],
    /// The expected form of a reply, for error messages and for the model.
    pub(super) expected_form: &'static str,
    pub(super) with_options: fn(&mut OutputOptions) -> Arc<dyn ReplyParser>,
}

impl fmt::Debug for ParserRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParserRow").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ParserRow {
    /// Creates the parser. It removes its options from `options` and records invalid ones there.
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
    /// The parser's row in the table.
    pub fn row(&self) -> &'static ParserRow {
        self.row
    }

    /// The expected form of a reply, which the model is sent after a reply that can't be parsed.
    pub fn expected_form(&self) -> String {
        self.reply_parser.expected_form().unwrap_or_else(|| self.row.expected_form.to_owned())
    }

    /// Parses the text of a reply.
    ///
    /// # Errors
    /// Fails if the text can't be parsed.
    pub fn parse(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
        if !self.row.accepts_empty && js_text::trim(text).is_empty() {
            // The row's text and not that of the options: errors are logged, and logs must not
            // contain values from the request.
            let expected = self.row.expected_form;
            return Err(OutputError::new(format!("the reply is empty; expected {expected}")));
        }
        self.reply_parser.parse(text, context)
    }
}
