//! The command `llm-exe validate`, which reports all problems in requests without calling a
//! provider. It is intended for CI.
//!
//! Validation is a dry run: it renders the templates with the request's own data and builds the
//! HTTP request for the provider.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use llm_exe::{Deadline, Error, ErrorKind, Problem, Run, json, matches_glob};
use serde_json::{Value, json};

use crate::args::Validate;
use crate::environment::{Environment, KeySource};
use crate::escape::{escape_and_indent, escape_name};
use crate::input::Input;
use crate::input_error::InputError;
use crate::input_name::display_name;
use crate::{files, input, output};

/// The result of validating a file, or a line of a JSONL file.
#[derive(Default)]
struct Validation {
    file: String,
    problems: Vec<Problem>,
    warnings: Vec<String>,
    /// Why the file is not checked, for example because it is an event. Only files in folders are
    /// skipped.
    skipped: Option<String>,
}

/// Runs the command and returns its exit code.
pub(crate) async fn run(args: &Validate) -> ExitCode {
    let environment = match Environment::read(KeySource::None).await {
        Ok(environment) => environment,
        Err(message) => return output::print_startup_error(&message, args.json),
    };
    environment.print_warnings(args.json);
    let mut validations = Vec::new();
    for path in &args.files {
        match files::expand(path) {
            Ok(files) => {
                let is_named = !path.is_dir();
                for file in files.iter().filter(|file| is_named || !is_excluded(file, args)) {
                    let validator = Validator { environment: &environment, is_named };
                    validator.validate_file(file, &mut validations).await;
                }
            }
            Err(error) => validations.push(Validation::from_error(path, &error)),
        }
    }
    if validations.is_empty() {
        let message = "nothing was checked: all files are excluded or contain no requests";
        let error = Error::invalid("", message);
        return output::print_error(&error, args.json);
    }
    let text = if args.json {
        let to_json = |validation: &Validation| validation.to_json(args.strict);
        Value::Array(validations.iter().map(to_json).collect()).to_string()
    } else {
        for validation in &validations {
            validation.print_warnings();
        }
        let lines = validations.iter().flat_map(|validation| validation.lines(args.strict));
        lines.collect::<Vec<_>>().join("\n")
    };
    let print_code = output::print(&text);
    if validations.iter().all(|validation| validation.is_valid(args.strict)) {
        return print_code;
    }
    ExitCode::from(ErrorKind::InvalidRequest.exit_code())
}

/// Returns whether a pattern of `--exclude` matches the path of a file, or the end of the path that
/// follows a slash.
fn is_excluded(file: &Path, args: &Validate) -> bool {
    let path = file.display().to_string();
    let ends = path.match_indices('/').filter_map(|(at, _)| path.get(at + 1..));
    let ends: Vec<&str> = std::iter::once(path.as_str()).chain(ends).collect();
    args.exclude.iter().any(|pattern| ends.iter().any(|end| matches_glob(pattern, end)))
}

/// Checks the requests in files.
struct Validator<'a> {
    environment: &'a Environment,
    /// Whether the user named the file, so that it must contain requests.
    is_named: bool,
}

impl Validator<'_> {
    /// Checks the request in a file, or the requests in the lines of a JSONL file.
    async fn validate_file(&self, path: &Path, validations: &mut Vec<Validation>) {
        let text = match input::read_text_or_url(path) {
            Ok(text) => text,
            Err(error) => return validations.push(Validation::from_error(path, &error)),
        };
        let text = match text {
            Some(text) if input::is_jsonl(path, &text) => text,
            text => {
                let validation = match input::parse(path, text) {
                    Ok(input) => self.validate(path, display_name(path), input).await,
                    Err(error) => Validation::from_error(path, &error),
                };
                return validations.push(validation);
            }
        };
        let lines = text.split('\n').enumerate();
        for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let file = format!("{}:{}", display_name(path), index + 1);
            let validation = match json::parse(line.as_bytes()) {
                Ok(request) => self.validate(path, file, Input::from(request)).await,
                Err(error) => {
                    let problem = Problem::request("", error.to_string());
                    Validation { file, problems: vec![problem], ..Validation::default() }
                }
            };
            validations.push(validation);
        }
    }

    async fn validate(&self, path: &Path, file: String, mut input: Input) -> Validation {
        if let Some(reason) = input::reason_not_a_request(&input.request) {
            if !self.is_named {
                return Validation { file, skipped: Some(reason), ..Validation::default() };
            }
            let problems = vec![Problem::request("", reason)];
            return Validation { file, problems, ..Validation::default() };
        }
        let deadline = Deadline::after(Duration::from_secs(60));
        let runner = self.environment.runner_for(path);
        let Run { outcome, report } = runner.dry_run(deadline, input.take_request()).await;
        let error = outcome.err().map(|error| input.label(error));
        let problems = error.as_ref().map(problems).unwrap_or_default();
        let warnings = [input.warnings, report.warnings].concat();
        Validation { file, problems, warnings, skipped: None }
    }
}

/// Returns the problems that an error lists. If it lists none, returns the error itself as the only
/// problem.
fn problems(error: &Error) -> Vec<Problem> {
    if error.problems().is_empty() {
        return vec![Problem::new(error.kind(), "", error.message())];
    }
    error.problems().to_vec()
}

impl Validation {
    fn from_error(path: &Path, error: &InputError) -> Validation {
        let file = error.file.clone().unwrap_or_else(|| display_name(path));
        Validation { file, problems: problems(&error.error), ..Validation::default() }
    }

    fn is_valid(&self, strict: bool) -> bool {
        self.problems.is_empty() && (!strict || self.warnings.is_empty())
    }

    fn to_json(&self, strict: bool) -> Value {
        let problems: Vec<Value> = self
            .problems
            .iter()
            .map(|problem| {
                let Problem { kind, path, message, .. } = problem;
                json!({ "type": kind.name(), "path": path, "message": message })
            })
            .collect();
        let mut fields = json!({
            "file": self.file,
            "ok": self.is_valid(strict),
            "problems": problems,
            "warnings": self.warnings
        });
        if let (Some(reason), Some(fields)) = (&self.skipped, fields.as_object_mut()) {
            fields.insert("skipped".to_owned(), json!(reason));
        }
        fields
    }

    fn print_warnings(&self) {
        for warning in &self.warnings {
            let text = format!("{}: {warning}", escape_name(&self.file));
            output::print_warning(&text, false);
        }
    }

    /// Returns the lines that describe the result. Each begins with the name of the file.
    fn lines(&self, strict: bool) -> Vec<String> {
        let line = |text: &str| format!("{}: {}", escape_name(&self.file), escape_and_indent(text));
        if let Some(reason) = &self.skipped {
            return vec![line(&format!("skipped, because {reason}"))];
        }
        if self.problems.is_empty() {
            return vec![line(if self.is_valid(strict) {
                "ok"
            } else {
                "has warnings (--strict)"
            })];
        }
        self.problems.iter().map(|problem| line(&problem.to_string())).collect()
    }
}
