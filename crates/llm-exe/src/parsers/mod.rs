//! The parsers: a row each. In: the text of a reply. Out: the value that `output` promises, or
//! why the text is not it. An ambiguous reply is a fault, never a guess.
//!
//! A row's `set_up` takes the parser's options out of what was given and answers what reads the
//! replies. Shared by several parsers: `words` (white space, words, what negates them), `lines`
//! (lists and pairs), `fences` (code blocks), `found` (JSON in a text).

mod boolean;
mod camel_case;
mod fences;
mod find_json;
mod js_text;
mod json;
mod lines;
mod list_to_array;
mod list_to_json;
mod list_to_key_value;
mod markdown_code_block;
mod markdown_code_blocks;
mod number;
mod options;
mod replace_string_template;
mod string;
mod string_extract;

use std::sync::Arc;

use serde_json::Value;

pub use options::GivenOptions;

use crate::schema::Schema;

/// Why a reply is not what `output` promises, in words for the caller and for the model. It
/// stands in logs too, so it quotes nothing of the reply but names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OutputError(pub String);

impl OutputError {
    fn new(message: impl Into<String>) -> Self {
        OutputError(message.into())
    }
}

/// What a parser does with the request's `schema`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaUse {
    /// Nothing; templates see it.
    Unused,
    /// The result satisfies it where there is one; the model is not told.
    Checked,
    /// It must be there, the model is told, and the result satisfies it.
    Told,
}

/// What a parser is given beside the text.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What the result must satisfy.
    pub schema: Option<&'a Schema>,
    /// Renders a text as a template with the request's data, or says why not.
    pub render: &'a dyn Fn(&str) -> Result<String, String>,
}

/// What reads replies: a parser with its options.
trait Reads: Send + Sync {
    fn read(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError>;

    /// What the model is asked for, where the options say it better than the row.
    fn wanted(&self) -> Option<String> {
        None
    }
}

/// A parser without options.
type Plain = fn(&str, &Context<'_>) -> Result<Value, OutputError>;

impl Reads for Plain {
    fn read(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
        self(text, context)
    }
}

/// A parser: its name in `output`, and what it needs.
pub struct ParserRow {
    /// The name that requests use.
    pub name: &'static str,
    /// Other names for the same.
    pub also: &'static [&'static str],
    /// Whether a reply that was cut off or does not fit is a fault, and may be asked for again.
    pub strict: bool,
    /// Whether an empty reply has a result.
    pub takes_empty: bool,
    /// What becomes of the request's `schema`.
    pub schema: SchemaUse,
    /// The options that `outputOptions` may hold, beside the common ones.
    pub options: &'static [&'static str],
    /// What the model is asked for after an answer that does not fit.
    wanted: &'static str,
    set_up: fn(&mut GivenOptions) -> Arc<dyn Reads>,
}

impl std::fmt::Debug for ParserRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParserRow").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ParserRow {
    /// The parser with its options, which are taken out of `given`; what is wrong with them is
    /// noted there.
    pub fn set_up(&'static self, given: &mut GivenOptions) -> Parser {
        Parser { row: self, reads: (self.set_up)(given) }
    }
}

/// A parser with its options. Cloning it is cheap.
#[derive(Clone)]
pub struct Parser {
    row: &'static ParserRow,
    reads: Arc<dyn Reads>,
}

impl std::fmt::Debug for Parser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parser").field("name", &self.row.name).finish_non_exhaustive()
    }
}

impl Parser {
    /// The parser's row.
    pub fn row(&self) -> &'static ParserRow {
        self.row
    }

    /// What the model is asked for after an answer that does not fit.
    pub fn wanted(&self) -> String {
        self.reads.wanted().unwrap_or_else(|| self.row.wanted.to_owned())
    }

    /// Reads a reply's text.
    ///
    /// # Errors
    /// Why the text is not what this parser promises.
    pub fn parse(&self, text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
        if !self.row.takes_empty && js_text::trim(text).is_empty() {
            // Of the row and not of the options: a fault is logged, what the request says is not.
            let wanted = self.row.wanted;
            return Err(OutputError::new(format!("the reply is empty; expected {wanted}")));
        }
        self.reads.read(text, context)
    }
}

/// What most rows say.
const USUAL: ParserRow = ParserRow {
    name: "",
    also: &[],
    strict: true,
    takes_empty: false,
    schema: SchemaUse::Unused,
    options: &[],
    wanted: "",
    set_up: |_| Arc::new(string::parse as Plain),
};

/// Every parser.
pub const PARSERS: &[ParserRow] = &[
    ParserRow { name: "string", strict: false, takes_empty: true, ..USUAL },
    ParserRow {
        name: "json",
        schema: SchemaUse::Told,
        wanted: "one JSON value that satisfies the schema",
        set_up: |_| Arc::new(json::parse as Plain),
        ..USUAL
    },
    ParserRow {
        name: "listToArray",
        also: &["list"],
        wanted: "a list of one item a line, each after a dash",
        set_up: |_| Arc::new(list_to_array::parse as Plain),
        ..USUAL
    },
    ParserRow {
        name: "listToJson",
        schema: SchemaUse::Checked,
        options: &["keyTransform"],
        wanted: "a list of one `key: value` a line, no key twice",
        set_up: list_to_json::set_up,
        ..USUAL
    },
    ParserRow {
        name: "listToKeyValue",
        options: &["keyTransform"],
        wanted: "a list of one `key: value` a line",
        set_up: list_to_key_value::set_up,
        ..USUAL
    },
    ParserRow {
        name: "boolean",
        options: &["match"],
        wanted: "true or false",
        set_up: boolean::set_up,
        ..USUAL
    },
    ParserRow {
        name: "number",
        options: &["match"],
        wanted: "one number in digits",
        set_up: number::set_up,
        ..USUAL
    },
    ParserRow {
        name: "stringExtract",
        options: &["enum", "ignoreCase", "match"],
        wanted: "one of the values of enum",
        set_up: string_extract::set_up,
        ..USUAL
    },
    ParserRow {
        name: "markdownCodeBlock",
        wanted: "one fenced code block",
        set_up: |_| Arc::new(markdown_code_block::parse as Plain),
        ..USUAL
    },
    ParserRow {
        name: "markdownCodeBlocks",
        takes_empty: true,
        wanted: "fenced code blocks, each of them closed",
        set_up: |_| Arc::new(markdown_code_blocks::parse as Plain),
        ..USUAL
    },
    ParserRow {
        name: "replaceStringTemplate",
        wanted: "a template that can be rendered",
        set_up: |_| Arc::new(replace_string_template::parse as Plain),
        ..USUAL
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
