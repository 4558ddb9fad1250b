//! `llm-exe validate`: every problem of every file, nothing asked, for CI.

use std::path::Path;
use std::process::ExitCode;

use llm_exe::{Error, ErrorKind, Job, Problem, Rules};
use serde_json::{Value, json};

use crate::args::Validate;
use crate::{input, output};

struct Checked {
    file: String,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(args: &Validate) -> ExitCode {
    let checked: Vec<Checked> = args.files.iter().map(|file| check(file)).collect();
    if args.json {
        let all: Vec<Value> = checked.iter().map(Checked::to_json).collect();
        println!("{}", Value::Array(all));
    } else {
        checked.iter().for_each(Checked::print);
    }
    if checked.iter().all(|one| one.problems.is_empty()) {
        return ExitCode::SUCCESS;
    }
    ExitCode::from(ErrorKind::InvalidRequest.exit_code())
}

fn check(path: &Path) -> Checked {
    let file = input::shown(path);
    let read = input::value(path).and_then(|value| Job::read(value, Rules::default()));
    match read {
        Ok(job) => Checked { file, problems: Vec::new(), warnings: job.warnings },
        Err(error) => Checked { file, problems: problems(&error), warnings: Vec::new() },
    }
}

fn problems(error: &Error) -> Vec<Problem> {
    error.problems().to_vec()
}

impl Checked {
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

    fn print(&self) {
        for warning in &self.warnings {
            output::warning(&format!("{}: {warning}", self.file));
        }
        if self.problems.is_empty() {
            println!("{}: ok", self.file);
        }
        for problem in &self.problems {
            // A fault of the file itself carries the file's name already.
            if problem.path == self.file {
                println!("{problem}");
            } else {
                println!("{}: {problem}", self.file);
            }
        }
    }
}
