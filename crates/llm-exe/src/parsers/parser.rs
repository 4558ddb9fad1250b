//! Types that all parsers share, such as the parser trait and the entries of the parser table.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::js_text;
use super::options::OutputOptions;
use super::reasoning::skip_reasoning;
use crate::schema::{Budget, CoercedValue, Origin, Schema};

/// The error for a reply that can't be parsed as the requested `output`. The message is logged and
/// sent to both the caller and the model, so it must not quote the reply. Names, such as those of
/// JSON properties, are allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OutputError(pub String);

impl OutputError {
    /// Creates an error with the reason why the text of a reply is not valid.
    pub fn new(message: impl Into<String>) -> Self {
        OutputError(message.into())
    }
}

impl From<String> for OutputError {
    fn from(message: String) -> Self {
        OutputError(message)
    }
}

impl From<&str> for OutputError {
    fn from(message: &str) -> Self {
        OutputError(message.to_owned())
    }
}

/// Maximum number of items in a list, and of code blocks.
pub(super) const MAX_ITEMS: usize = 100_000;

/// Creates the error about a reply with more than [`MAX_ITEMS`] items.
pub(super) fn too_many_items(name: &str) -> OutputError {
    OutputError(format!("the reply has more than {MAX_ITEMS} {name}"))
}

/// How a parser uses the request's `schema`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct Context<'a> {
    /// The schema that the result must satisfy.
    pub schema: Option<&'a Schema>,
    /// Renders a string as a template with the request's data.
    pub render: &'a dyn Fn(&str) -> Result<String, OutputError>,
    /// The only field of the object in which the model was asked to send the result.
    pub(crate) wrapper: Option<&'static str>,
    /// The warnings of the response.
    pub(crate) warnings: Option<&'a RefCell<Vec<String>>>,
}

impl<'a> Context<'a> {
    /// Creates the data for a parser, for example in a test of one.
    pub fn new(
        schema: Option<&'a Schema>,
        render: &'a dyn Fn(&str) -> Result<String, OutputError>,
    ) -> Self {
        Context { schema, render, wrapper: None, warnings: None }
    }

    /// Checks a JSON value in a reply and coerces it to the schema. The text is the JSON of the
    /// value. The wrapper is optional, because models without structured output may omit it.
    ///
    /// The caller adds the warnings of the value that it uses with [`Context::warn`].
    pub(super) fn read(&self, value: Value, text: Option<&str>) -> Result<CoercedValue, String> {
        let value = self.unwrap(value);
        match self.schema {
            Some(schema) => {
                schema.coerce_from(value, Origin::Json(text)).map_err(|error| error.to_string())
            }
            None => Ok(CoercedValue { value, as_written: true, warnings: Vec::new() }),
        }
    }

    /// Checks one of several JSON values like [`Context::read`]. Returns `None` if it does not
    /// satisfy the schema.
    pub(super) fn read_within(
        &self,
        value: Value,
        text: Option<&str>,
        budget: &Budget,
    ) -> Result<Option<CoercedValue>, String> {
        let value = self.unwrap(value);
        match self.schema {
            Some(schema) => schema
                .coerce_within(value, Origin::Json(text), budget)
                .map_err(|error| error.to_string()),
            None => Ok(Some(CoercedValue { value, as_written: true, warnings: Vec::new() })),
        }
    }

    fn unwrap(&self, mut value: Value) -> Value {
        if let (Some(name), Value::Object(fields)) = (self.wrapper, &mut value)
            && fields.len() == 1
            && let Some(inner) = fields.get_mut(name)
        {
            value = inner.take();
        }
        value
    }

    /// Adds warnings to the response. They must not quote the reply.
    pub(super) fn warn(&self, warnings: impl IntoIterator<Item = String>) {
        if let Some(all) = self.warnings {
            all.borrow_mut().extend(warnings);
        }
    }
}

/// The Rust type that a result must deserialize to, and how replies with it are read.
#[derive(Debug, Clone)]
pub(crate) struct ResultType {
    /// The schema of the type, if replies are checked against it. It accepts more values than the
    /// schema that is sent.
    pub(crate) schema: Option<Schema>,
    /// The field that contains the result in the schema that is sent.
    pub(crate) wrapper: Option<&'static str>,
    /// Checks that a value deserializes. The error is the reason why it does not.
    pub(crate) check: fn(&Value) -> Result<(), String>,
}

/// A parser of replies that a program registers. Requests select it by its name with `output`.
///
/// A closure that takes the text of the reply is a parser too.
///
/// ```
/// use llm_exe::parsers::{Context, OutputError, OutputParser};
/// use serde_json::{Value, json};
///
/// /// Returns the numbers of the sources that the reply cites, such as `[2]`.
/// struct Citations;
///
/// impl OutputParser for Citations {
///     fn parse(&self, text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
///         let parts = text.split('[').skip(1).filter_map(|part| part.split_once(']'));
///         let numbers: Vec<u32> = parts.filter_map(|(number, _)| number.parse().ok()).collect();
///         if numbers.is_empty() {
///             return Err(OutputError::new("the reply cites no source"));
///         }
///         Ok(json!(numbers))
///     }
///
///     fn expected_form(&self) -> String {
///         "a text that cites its sources by number, such as [2]".to_owned()
///     }
/// }
/// ```
pub trait OutputParser: Send + Sync {
    /// Converts the text of a reply to the result.
    ///
    /// # Errors
    /// Returns the reason if the text is not a valid reply. The model can then be asked to correct
    /// its reply, if the request sets `outputOptions.repairs`.
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError>;

    /// Describes the expected reply, for error messages and for the model.
    fn expected_form(&self) -> String {
        "a reply in the requested form".to_owned()
    }

    /// Returns how the parser uses the request's `schema`. By default, it ignores the schema. The
    /// parser checks the result against the schema itself, with [`Context::schema`].
    fn schema_use(&self) -> SchemaUse {
        SchemaUse::Unused
    }

    /// Returns whether any text is a valid reply, as for the output `string`. If so, an incomplete
    /// reply causes a warning instead of an error.
    fn accepts_any_text(&self) -> bool {
        false
    }
}

impl<F> OutputParser for F
where
    F: Fn(&str) -> Result<Value, OutputError> + Send + Sync,
{
    fn parse(&self, text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
        self(text)
    }
}

/// A built-in parser. Its options are set on creation.
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
        Parser(Source::BuiltIn(self, (self.with_options)(options)))
    }
}

/// A parser with its options. Clones are cheap.
#[derive(Clone)]
pub struct Parser(Source);

#[derive(Clone)]
enum Source {
    BuiltIn(&'static ParserRow, Arc<dyn ReplyParser>),
    Registered(Arc<str>, Arc<dyn OutputParser>),
}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl Parser {
    pub(super) fn registered(name: Arc<str>, parser: Arc<dyn OutputParser>) -> Self {
        Parser(Source::Registered(name, parser))
    }

    /// Returns the name of the parser in the `output` field of requests.
    pub fn name(&self) -> &str {
        match &self.0 {
            Source::BuiltIn(row, _) => row.name,
            Source::Registered(name, _) => name,
        }
    }

    /// Returns the names of the options that `outputOptions` may contain besides `repairs`.
    pub fn options(&self) -> &'static [&'static str] {
        match &self.0 {
            Source::BuiltIn(row, _) => row.options,
            Source::Registered(..) => &[],
        }
    }

    /// Returns whether a truncated or invalid reply is an error, which the model may be asked to
    /// fix.
    pub fn is_strict(&self) -> bool {
        match &self.0 {
            Source::BuiltIn(row, _) => row.strict,
            Source::Registered(_, parser) => !parser.accepts_any_text(),
        }
    }

    /// Returns whether an empty reply is valid.
    pub fn accepts_empty(&self) -> bool {
        match &self.0 {
            Source::BuiltIn(row, _) => row.accepts_empty,
            Source::Registered(_, parser) => parser.accepts_any_text(),
        }
    }

    /// Returns how the parser uses the request's `schema`.
    pub fn schema_use(&self) -> SchemaUse {
        match &self.0 {
            Source::BuiltIn(row, _) => row.schema,
            Source::Registered(_, parser) => parser.schema_use(),
        }
    }

    /// Returns a description of the expected reply. It is sent to the model if a reply can't be
    /// parsed.
    pub fn expected_form(&self) -> String {
        match &self.0 {
            Source::BuiltIn(row, parser) => {
                parser.expected_form().unwrap_or_else(|| row.expected_form.to_owned())
            }
            Source::Registered(_, parser) => parser.expected_form(),
        }
    }

    /// Parses the text of a reply. Reasoning at its start is skipped, unless the parser accepts any
    /// text.
    ///
    /// # Errors
    /// Returns an error if the text is not a valid reply for this parser.
    pub fn parse(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
        // Most JSON replies begin with a bracket, and so does one mark of reasoning.
        let is_json = text.starts_with(['{', '[']) && !text.starts_with("[THINK]");
        let text = match self.is_strict() && !is_json {
            true => skip_reasoning(text).map_err(|error| OutputError::new(error.to_string()))?,
            false => text,
        };
        let is_empty = !self.accepts_empty() && js_text::trim(text).is_empty();
        match &self.0 {
            Source::BuiltIn(row, _) if is_empty => {
                // Errors are logged, and logs must not contain values from the request. A
                // description based on the options could contain such values, so the one in the
                // table is used.
                let expected = row.expected_form;
                Err(OutputError::new(format!("the reply is empty; expected {expected}")))
            }
            Source::Registered(_, parser) if is_empty => {
                let expected = parser.expected_form();
                Err(OutputError::new(format!("the reply is empty; expected {expected}")))
            }
            Source::BuiltIn(_, parser) => parser.parse(text, context),
            Source::Registered(_, parser) => parser.parse(text, context),
        }
    }
}
