//! `output`, `outputOptions` and `schema`: how the reply is read, validated and typed; and the
//! reading itself, with what the parsers need of the plan.

use std::cell::RefCell;

use serde_json::{Map, Value};

use super::{Plan, Problems};
use crate::error::shorten;
use crate::json;
use crate::parsers::{self, Context, OutputError, OutputOptions, Parser, ParserRow, SchemaUse};
use crate::prompt::{Limits, Partials, Scope, Template, TemplateProblem};
use crate::request::nearest;
use crate::schema::Schema;

/// The most re-asks after an answer that does not fit.
const MOST_REPAIRS: u32 = 3;

/// How the reply is read.
#[derive(Debug, Clone)]
pub struct Output {
    /// The parser with its options.
    pub parser: Parser,
    /// The schema that the result must satisfy, for the parsers that use one.
    pub schema: Option<Schema>,
    /// How often an answer that does not fit is asked for again.
    pub repairs: u32,
}

impl Output {
    /// The schema that the model is told, by whatever way its provider has.
    pub fn told_schema(&self) -> Option<&Schema> {
        self.schema.as_ref().filter(|_| self.parser.row().schema == SchemaUse::Required)
    }
}

/// Validates what the request says about its output.
pub(super) fn read(
    name: &str,
    options: Map<String, Value>,
    schema: Option<Map<String, Value>>,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> Option<Output> {
    let Some(row) = parsers::parser(name) else {
        let known = parsers::output_names();
        let near = nearest(name, &known);
        let hint = near.map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
        let (name, known) = (json::quoted(name), known.join(", "));
        problems.add("output", format!("unknown output {name}; expected one of {known}{hint}"));
        return None;
    };
    let mut given = OutputOptions::new(options);
    let parser = row.with_options(&mut given);
    let repairs = if row.strict { given.take_count("repairs", MOST_REPAIRS) } else { None };
    for (path, message) in given.problems() {
        problems.add(format!("outputOptions.{path}"), message);
    }
    warnings.extend(given.unknown().map(|name| unknown_option(row, name)));
    let schema = compiled(row, schema, problems)?;
    warnings.extend(schema.as_ref().and_then(Schema::warning));
    // A re-ask is paid for: it is the default only where there is a schema to satisfy.
    let repairs = repairs.unwrap_or(u32::from(schema.is_some()));
    Some(Output { parser, schema, repairs })
}

fn unknown_option(row: &ParserRow, name: &str) -> String {
    let common = row.strict.then_some("repairs");
    let known: Vec<&str> = row.options.iter().copied().chain(common).collect();
    let near = nearest(name, &known);
    let hint = near.map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
    let (name, parser) = (shorten(name, 60), row.name);
    format!("unknown field `outputOptions.{name}` was ignored: {parser} has no such option{hint}")
}

/// The schema as this parser uses it; `None` after a problem.
fn compiled(
    row: &ParserRow,
    schema: Option<Map<String, Value>>,
    problems: &mut Problems,
) -> Option<Option<Schema>> {
    let schema = match (schema, row.schema) {
        (None, SchemaUse::Required) => {
            problems.add("schema", format!("missing; output {} needs one", row.name));
            return None;
        }
        (None, _) | (_, SchemaUse::Unused) => return Some(None),
        (Some(schema), _) => schema,
    };
    match Schema::compile(schema) {
        Ok(schema) => Some(Some(schema)),
        Err(fault) => {
            problems.add("schema", fault.to_string());
            None
        }
    }
}

impl Plan {
    /// What the reply's text is as the output that was asked for, and what was odd about it.
    ///
    /// # Errors
    /// Why the text is not what the output promises.
    pub fn read_output(&self, text: &str) -> Result<(Value, Vec<String>), OutputError> {
        let warnings = RefCell::new(Vec::new());
        let render = |source: &str| {
            let (text, odd) = self.render_reply(source)?;
            warnings.borrow_mut().extend(odd);
            Ok(text)
        };
        let context = Context { schema: self.output.schema.as_ref(), render: &render };
        let value = self.output.parser.parse(text, &context)?;
        Ok((value, warnings.into_inner()))
    }

    /// A reply as a template: no partials, the data alone, the limits of prompts.
    fn render_reply(&self, source: &str) -> Result<(String, Vec<String>), String> {
        // Without the line that the problem shows: what goes wrong here is logged.
        let place = |problem: &TemplateProblem| {
            let TemplateProblem { line, column, message, .. } = problem;
            format!("line {line}, column {column}: {message}")
        };
        let template =
            Template::compile_with(source, &Partials::default()).map_err(|problems| {
                problems.iter().take(3).map(place).collect::<Vec<_>>().join("; ")
            })?;
        let scope = Scope { data: &self.data, extra: &[] };
        let rendered = template.render(&scope, &Limits::default()).map_err(|p| place(&p))?;
        let missing = rendered.missing.iter();
        let missing: Vec<String> = missing
            .map(|missing| {
                let (name, line, column) = (&missing.path, missing.line, missing.column);
                format!("`{name}` is not in data (line {line}, column {column} of the reply)")
            })
            .collect();
        if self.strict_variables && !missing.is_empty() {
            return Err(missing.join("; "));
        }
        Ok((rendered.text, missing))
    }
}
