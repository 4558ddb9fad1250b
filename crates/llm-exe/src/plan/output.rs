//! Validates `output`, `outputOptions` and `schema`, which define how the reply is parsed.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::problems::Problems;
use crate::error::shorten;
use crate::json;
use crate::parsers::{OutputOptions, Parser, Parsers, ResultType, SchemaUse};
use crate::request::{ignored_field_warning, suggestion};
use crate::schema::Schema;

/// Maximum value of the option `repairs`.
const MAX_REPAIRS: u32 = 3;

/// Maximum number of unknown options to report.
const MAX_UNKNOWN_OPTIONS: usize = 20;

/// How a reply is parsed and repaired.
#[derive(Debug, Clone)]
pub struct Output {
    /// The parser with its options.
    pub parser: Parser,
    /// The schema of the result, if the parser uses one.
    pub schema: Option<Schema>,
    /// Maximum number of times that the model may correct an unusable reply.
    pub repairs: u32,
    /// The Rust type of the result, if the program named one.
    pub(crate) result_type: Option<ResultType>,
}

impl Output {
    /// Returns the schema that is sent to the model, either in a field of the provider request or
    /// in the prompt.
    pub fn schema_for_model(&self) -> Option<&Schema> {
        self.schema.as_ref().filter(|_| self.parser.schema_use() == SchemaUse::Required)
    }
}

/// Validates the output and its options, and compiles the schema.
pub(super) fn check_output(
    parsers: &Parsers,
    name: &str,
    options: Map<String, Value>,
    schema: Option<Arc<Value>>,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> Option<Output> {
    let mut given = OutputOptions::new(options);
    let Some(parser) = parsers.create(name, &mut given) else {
        let known = parsers.names();
        let hint = suggestion(name, &known);
        let (name, known) = (json::quoted(name), known.join(", "));
        problems.add("output", format!("unknown output {name}{hint}; expected one of {known}"));
        return None;
    };
    let repairs = if parser.is_strict() { given.take_count("repairs", MAX_REPAIRS) } else { None };
    for (path, message) in given.problems() {
        problems.add(format!("outputOptions.{path}"), message);
    }
    let unknown = given.unknown().take(MAX_UNKNOWN_OPTIONS);
    warnings.extend(unknown.map(|name| unknown_option_warning(&parser, name)));
    let more = given.unknown().skip(MAX_UNKNOWN_OPTIONS).count();
    if more > 0 {
        warnings.push(format!("{more} more unknown fields of `outputOptions` were ignored"));
    }
    let schema = compile_schema(&parser, schema, problems)?;
    warnings.extend(schema.iter().flat_map(Schema::warnings).cloned());
    // Repairs are billed, so the default is one repair if there is a schema, and none otherwise.
    let repairs = repairs.unwrap_or(u32::from(schema.is_some()));
    Some(Output { parser, schema, repairs, result_type: None })
}

fn unknown_option_warning(parser: &Parser, name: &str) -> String {
    let common = parser.is_strict().then_some("repairs");
    let known: Vec<&str> = parser.options().iter().copied().chain(common).collect();
    let (option, hint, output) = (shorten(name, 60), suggestion(name, &known), parser.name());
    let hint = format!("{hint}: output {output} has no such option");
    ignored_field_warning(&format!("outputOptions.{option}"), &hint)
}

/// Compiles the schema if the parser uses one. Returns `None` if a problem was added, and
/// `Some(None)` if no schema is used.
fn compile_schema(
    parser: &Parser,
    schema: Option<Arc<Value>>,
    problems: &mut Problems,
) -> Option<Option<Schema>> {
    let schema = match (schema, parser.schema_use()) {
        (None, SchemaUse::Required) => {
            problems.add("schema", format!("missing; output {} requires a schema", parser.name()));
            return None;
        }
        (None, _) | (_, SchemaUse::Unused) => return Some(None),
        (Some(schema), _) => schema,
    };
    match Schema::compile_shared(schema) {
        Ok(schema) => Some(Some(schema)),
        Err(error) => {
            problems.add("schema", error.to_string());
            None
        }
    }
}
