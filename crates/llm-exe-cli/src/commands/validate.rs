//! The command `llm-exe validate`, which reports all problems in requests without calling a
//! provider. It is intended for CI.
//!
//! Validation is a dry run: it renders the templates with the request's own data and builds the
//! HTTP request for the provider.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use llm_exe::{Deadline, Error, ErrorKind, Problem, Run};
use serde_json::{Value, json};

use crate::args::Validate;
use crate::environment::{Environment, KeySource};
use crate::{files, input, output};

/// The result of validating a file.
struct Validation {
    file: String,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

/// Runs the command and returns its exit code.
pub(crate) async fn run(args: &Validate) -> ExitCode {
    let environment = match Environment::read(KeySource::None, &[]).await {
        Ok(environment) => environment,
        Err(message) => return output::print_startup_error(&message),
    };
    environment.print_warnings(args.json);
    let mut validations = Vec::new();
    for path in &args.files {
        match files::expand(path) {
            Ok(files) => {
                for file in files {
                    validations.push(validate(&environment, &file).await);
                }
            }
            Err(error) => validations.push(Validation::from_error(path, &error)),
        }
    }
    let text = if args.json {
        Value::Array(validations.iter().map(Validation::to_json).collect()).to_string()
    } else {
        for validation in &validations {
            validation.print_warnings();
        }
        validations.iter().flat_map(Validation::lines).collect::<Vec<_>>().join("\n")
    };
    let print_code = output::print(&text);
    if validations.iter().all(|validation| validation.problems.is_empty()) {
        return print_code;
    }
    ExitCode::from(ErrorKind::InvalidRequest.exit_code())
}

async fn validate(environment: &Environment, path: &Path) -> Validation {
    let file = input::display_name(path);
    let mut input = match input::read(path) {
        Ok(input) => input,
        Err(error) => return Validation::from_error(path, &error),
    };
    let deadline = Deadline::after(Duration::from_secs(60));
    let runner = environment.runner_for(path);
    let Run { outcome, report } = runner.dry_run(deadline, input.take_request()).await;
    let error = outcome.err().map(|error| input.label(error));
    let problems = error.as_ref().map(problems).unwrap_or_default();
    let warnings = [input.warnings, report.warnings].concat();
    Validation { file, problems, warnings }
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
    fn from_error(path: &Path, error: &Error) -> Validation {
        let (file, problems) = (input::display_name(path), problems(error));
        Validation { file, problems, warnings: Vec::new() }
    }

    fn to_json(&self) -> Value {
        let problems: Vec<Value> = self
            .problems
            .iter()
            .map(|problem| {
                let Problem { kind, path, message, .. } = problem;
                json!({ "type": kind.name(), "path": path, "message": message })
            })
            .collect();
        json!({
            "file": self.file,
            "ok": self.problems.is_empty(),
            "problems": problems,
            "warnings": self.warnings
        })
    }

    fn print_warnings(&self) {
        for warning in &self.warnings {
            output::print_warning(&format!("{}: {warning}", self.file));
        }
    }

    fn lines(&self) -> Vec<String> {
        if self.problems.is_empty() {
            return vec![format!("{}: ok", self.file)];
        }
        let lines = self.problems.iter().map(|problem| {
            // The path of a problem with the file itself is the file name, so do not print it
            // twice.
            if problem.path == self.file {
                return problem.to_string();
            }
            format!("{}: {problem}", self.file)
        });
        lines.collect()
    }
}
