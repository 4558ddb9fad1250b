//! Showing results and failures: to people on a terminal, to machines as JSON.

use std::io::Write;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use llm_exe::{Error, ErrorKind};
use serde_json::{Value, json};

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// Prints a line to standard output; answers the exit code. A reader that is gone (`| head`) is no
/// fault of ours; an answer that could not be written is no success.
pub(crate) fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            anstream::eprintln!("{RED}error:{RED:#} the answer can't be written: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Prints a result: text as it is, anything else as JSON; answers the exit code.
pub(crate) fn result(value: &Value, compact: bool) -> ExitCode {
    match value {
        _ if compact => print(&value.to_string()),
        Value::String(text) => print(text),
        other => print(&format!("{other:#}")),
    }
}

/// Prints a remark to standard error.
pub(crate) fn warning(text: &str) {
    anstream::eprintln!("{YELLOW}warning:{YELLOW:#} {text}");
}

/// Prints a failure to standard error; answers its exit code.
pub(crate) fn failure(error: &Error, as_json: bool) -> ExitCode {
    let kind = error.kind();
    if as_json {
        anstream::eprintln!("{}", failure_json(error));
    } else if error.problems().len() > 1 {
        anstream::eprintln!("{RED}error:{RED:#} {kind}: {} problems", error.problems().len());
        for problem in error.problems() {
            anstream::eprintln!("  {problem}");
        }
    } else {
        anstream::eprintln!("{RED}error:{RED:#} {kind}: {}", error.message());
        if kind == ErrorKind::SecretNotFound {
            // Of settings, as the region is one, nothing is read from there.
            let file = !error.message().contains("AWS_REGION");
            let file = if file { "put it into .env here, or " } else { "" };
            anstream::eprintln!("  or {file}try --simulate, which needs none");
        }
    }
    ExitCode::from(kind.exit_code())
}

/// A failure as machines get it, with every problem of a request.
pub(crate) fn failure_json(error: &Error) -> Value {
    let problems: Vec<Value> = error
        .problems()
        .iter()
        .map(|problem| json!({ "path": problem.path, "message": problem.message }))
        .collect();
    json!({
        "error": {
            "type": error.kind().name(),
            "message": error.message(),
            "retryable": error.kind().retryable(),
            "problems": problems
        }
    })
}

/// Prints a failure that is no request's; answers the exit code for what can't be used.
pub(crate) fn unusable(message: &str) -> ExitCode {
    anstream::eprintln!("{RED}error:{RED:#} {message}");
    ExitCode::from(ErrorKind::InvalidRequest.exit_code())
}
