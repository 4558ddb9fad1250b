//! Parsers that convert the text of a reply to the type that the request's `output` field names.
//!
//! If a reply is ambiguous, a parser returns an error instead of guessing. Every built-in parser
//! has an entry in [`PARSERS`], and a program can register more ([`OutputParser`]). Several parsers
//! share `js_text` (white space, words and negation), `lines` (lists and `key: value` pairs, with
//! the markers in `list_markers`) and `camel_case` (the option `keyTransform`).

mod boolean;
mod bracket_scan;
mod camel_case;
mod embedded_json;
mod fences;
mod find_json;
mod js_text;
mod json;
mod lines;
mod list_markers;
mod list_to_json;
mod list_to_key_value;
mod number;
mod number_words;
mod options;
mod parser;
mod reasoning;
mod registry;
mod string_extract;
mod text;
mod text_tokens;

use std::sync::Arc;

pub use options::OutputOptions;
use parser::ParseFn;
pub(crate) use parser::ResultType;
pub use parser::{Context, OutputError, OutputParser, Parser, ParserRow, SchemaUse};
pub use registry::{InvalidParser, Parsers};

/// The default field values of an entry in [`PARSERS`].
const DEFAULTS: ParserRow = ParserRow {
    name: "",
    aliases: &[],
    strict: true,
    accepts_empty: false,
    schema: SchemaUse::Unused,
    options: &[],
    expected_form: "",
    with_options: |_| Arc::new(text::string as ParseFn),
};

/// The built-in parsers that a request can select with its `output` field.
pub const PARSERS: &[ParserRow] = &[
    ParserRow { name: "string", strict: false, accepts_empty: true, ..DEFAULTS },
    ParserRow {
        name: "json",
        schema: SchemaUse::Required,
        expected_form: "one JSON value that satisfies the schema",
        with_options: |_| Arc::new(json::parse as ParseFn),
        ..DEFAULTS
    },
    ParserRow {
        name: "listToArray",
        aliases: &["list"],
        expected_form: "a list with one item per line, each after a dash",
        with_options: |_| Arc::new(lines::list_to_array as ParseFn),
        ..DEFAULTS
    },
    ParserRow {
        name: "listToJson",
        schema: SchemaUse::Checked,
        options: &["keyTransform"],
        expected_form: "a list with one `key: value` per line and no repeated key",
        with_options: list_to_json::with_options,
        ..DEFAULTS
    },
    ParserRow {
        name: "listToKeyValue",
        options: &["keyTransform"],
        expected_form: "a list with one `key: value` per line",
        with_options: list_to_key_value::with_options,
        ..DEFAULTS
    },
    ParserRow {
        name: "boolean",
        options: &["match"],
        expected_form: "true or false",
        with_options: boolean::with_options,
        ..DEFAULTS
    },
    ParserRow {
        name: "number",
        options: &["match"],
        expected_form: "one number written in digits",
        with_options: number::with_options,
        ..DEFAULTS
    },
    ParserRow {
        name: "stringExtract",
        options: &["enum", "ignoreCase", "match"],
        expected_form: "one of the `enum` values",
        with_options: string_extract::with_options,
        ..DEFAULTS
    },
    ParserRow {
        name: "markdownCodeBlock",
        expected_form: "one fenced code block",
        with_options: |_| Arc::new(fences::markdown_code_block as ParseFn),
        ..DEFAULTS
    },
    ParserRow {
        name: "markdownCodeBlocks",
        accepts_empty: true,
        expected_form: "fenced code blocks that are all closed",
        with_options: |_| Arc::new(fences::markdown_code_blocks as ParseFn),
        ..DEFAULTS
    },
    ParserRow {
        name: "replaceStringTemplate",
        expected_form: "a valid template",
        with_options: |_| Arc::new(text::replace_string_template as ParseFn),
        ..DEFAULTS
    },
];

/// Returns the built-in parser with the given name or alias.
pub fn parser(output: &str) -> Option<&'static ParserRow> {
    PARSERS.iter().find(|row| row.name == output || row.aliases.contains(&output))
}

/// Returns the names and aliases of the built-in parsers.
pub fn output_names() -> Vec<&'static str> {
    PARSERS.iter().flat_map(|row| row.aliases.iter().copied().chain([row.name])).collect()
}
