//! `llm-exe validate`: every problem of every file, nobody asked, for CI.
//!
//! A request is validated as it would be run: read, its templates rendered with its own data, and
//! its wire request written for the provider that it names.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use llm_exe::{Deadline, Error, ErrorKind, Problem, Run};
use serde_json::{Value, json};

use crate::args::Validate;
use crate::environment::{Environment, KeySource};
use crate::{files, input, output};

struct Checked {
    file: String,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

/// Runs the command.
pub(crate) async fn run(args: &Validate) -> ExitCode {
    let environment = match Environment::read(KeySource::Nowhere, &[]).await {
        Ok(environment) => environment,
        Err(message) => return output::unusable(&message),
    };
    let mut checked = Vec::new();
    for path in &args.files {
        match files::of(path) {
            Ok(files) => {
                for file in files {
                    checked.push(check(&environment, &file).await);
                }
            }
            Err(error) => checked.push(Checked::failed(path, &error)),
        }
    }
    let told = if args.json {
        Value::Array(checked.iter().map(Checked::to_json).collect()).to_string()
    } else {
        checked.iter().flat_map(Checked::lines).collect::<Vec<_>>().join("\n")
    };
    let written = output::print(&told);
    if checked.iter().all(|one| one.problems.is_empty()) {
        return written;
    }
    ExitCode::from(ErrorKind::InvalidRequest.exit_code())
}

async fn check(environment: &Environment, path: &Path) -> Checked {
    let file = input::shown(path);
    let input = match input::read(path) {
        Ok(input) => input,
        Err(error) => return Checked::failed(path, &error),
    };
    let deadline = Deadline::after(Duration::from_secs(60));
    let executor = environment.executor_for(path);
    let Run { outcome, report } = executor.dry_run(deadline, input.request.clone()).await;
    let failed = outcome.err().map(|error| input.label(error));
    let problems = failed.as_ref().map(problems).unwrap_or_default();
    Checked { file, problems, warnings: report.warnings }
}

/// The problems of a failure; a failure without any is one itself.
fn problems(error: &Error) -> Vec<Problem> {
    if error.problems().is_empty() {
        let (path, message) = (String::new(), error.message().to_owned());
        return vec![Problem { kind: error.kind(), path, message }];
    }
    error.problems().to_vec()
}

impl Checked {
    fn failed(path: &Path, error: &Error) -> Checked {
        let (file, problems) = (input::shown(path), problems(error));
        Checked { file, problems, warnings: Vec::new() }
    }

    fn to_json(&self) -> Value {
        let problems: Vec<Value> = self
            .problems
            .iter()
            .map(|one| json!({ "type": one.kind.name(), "path": one.path, "message": one.message }))
            .collect();
        json!({
            "file": self.file,
            "ok": self.problems.is_empty(),
            "problems": problems,
            "warnings": self.warnings
        })
    }

    /// What people get to read; warnings go to standard error at once.
    fn lines(&self) -> Vec<String> {
        for warning in &self.warnings {
            output::warning(&format!("{}: {warning}", self.file));
        }
        if self.problems.is_empty() {
            return vec![format!("{}: ok", self.file)];
        }
        let problems = self.problems.iter().map(|problem| {
            // A fault of the file itself carries the file's name already.
            if problem.path == self.file {
                return problem.to_string();
            }
            format!("{}: {problem}", self.file)
        });
        problems.collect()
    }
}
