//! Prints results and errors, either as text for people or as JSON for programs.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use llm_exe::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::escape::{escape_and_indent, escape_controls, is_escaped};
use crate::input_error::InputError;

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// Prints a line to standard output and returns the exit code. A broken pipe is not an error,
/// because readers such as `head` close the pipe early.
pub(crate) fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let text = if out.is_terminal() { escape_controls(text) } else { Cow::Borrowed(text) };
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => print_write_error(&error),
        _ => ExitCode::SUCCESS,
    }
}

/// Prints why standard output can't be written, and returns the exit code.
pub(crate) fn print_write_error(error: &std::io::Error) -> ExitCode {
    anstream::eprintln!("{RED}error:{RED:#} can't write to standard output: {error}");
    ExitCode::FAILURE
}

/// Prints a result and returns the exit code. A string is printed without quotes unless `compact`
/// is set.
pub(crate) fn print_result(value: &Value, compact: bool) -> ExitCode {
    match value {
        _ if compact => print(&value.to_string()),
        Value::String(text) => print(text),
        other => print(&format_result(other)),
    }
}

/// Formats a result for reading. A string has no quotes.
pub(crate) fn format_result(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => format!("{other:#}"),
    }
}

/// Formats the rows of a table with aligned columns.
pub(crate) fn align_columns<S: AsRef<str>, const N: usize>(rows: &[[S; N]]) -> String {
    let length = |cell: &S| cell.as_ref().chars().count();
    let width = |column| rows.iter().filter_map(|row| row.get(column)).map(length).max();
    let widths: Vec<usize> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    let lines = rows.iter().map(|row| {
        let cells =
            row.iter().zip(&widths).map(|(cell, width)| format!("{:width$}", cell.as_ref()));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Prints a warning to standard error, as text or as a JSON object.
pub(crate) fn print_warning(text: &str, as_json: bool) {
    if as_json {
        anstream::eprintln!("{}", escape_controls(&json!({ "warning": text }).to_string()));
    } else {
        anstream::eprintln!("{YELLOW}warning:{YELLOW:#} {}", escape_and_indent(text));
    }
}

/// Prints an error to standard error and returns the exit code for its kind. If a provider was
/// called, the JSON object also contains what the run used.
pub(crate) fn print_error(error: &Error, as_json: bool) -> ExitCode {
    let kind = error.kind();
    if as_json {
        anstream::eprintln!("{}", escape_controls(&error_json(error).to_string()));
    } else if error.problems().len() > 1 {
        anstream::eprintln!("{RED}error:{RED:#} {kind}: {} problems", error.problems().len());
        for problem in error.problems() {
            anstream::eprintln!("  {}", escape_and_indent(&problem.to_string()));
        }
    } else {
        anstream::eprintln!("{RED}error:{RED:#} {kind}: {}", escape_and_indent(error.message()));
    }
    ExitCode::from(kind.exit_code())
}

/// Prints an error about a file or an argument and returns the exit code for its kind.
pub(crate) fn print_input_error(error: &InputError, as_json: bool) -> ExitCode {
    if !as_json {
        return print_error(&error.error, as_json);
    }
    let mut fields = error_json(&error.error);
    let problems = fields.pointer_mut("/error/problems").and_then(Value::as_array_mut);
    for problem in problems.into_iter().flatten().filter_map(Value::as_object_mut) {
        for (name, place) in [("file", &error.file), ("argument", &error.argument)] {
            if let Some(place) = place {
                problem.insert(name.to_owned(), json!(place));
            }
        }
    }
    anstream::eprintln!("{}", escape_controls(&fields.to_string()));
    ExitCode::from(error.error.kind().exit_code())
}

/// Prints what to do about a missing key, for a command with the option `--simulate`.
pub(crate) fn print_key_advice(error: &Error) {
    if error.kind() == ErrorKind::SecretNotFound {
        // Do not suggest .env for a value that is set but can't be used.
        let env_file = if error.not_set().is_some() { "set it in .env or " } else { "" };
        anstream::eprintln!("  alternatively, {env_file}use --simulate to run without keys");
    }
}

/// Returns an error as JSON.
pub(crate) fn error_json(error: &Error) -> Value {
    let problems: Vec<Value> = error
        .problems()
        .iter()
        .map(|problem| json!({ "path": problem.path, "message": problem.message }))
        .collect();
    let mut fields = json!({
        "type": error.kind().name(),
        "message": error.message(),
        "retryable": error.kind().retryable(),
        "problems": problems
    });
    if let (Some(fields), Some(details)) = (fields.as_object_mut(), error.run_details()) {
        fields.extend(details.clone());
    }
    json!({ "error": fields })
}

/// Prints the reason why a command can't start, such as an invalid setting, and returns the exit
/// code.
pub(crate) fn print_startup_error(message: &str, as_json: bool) -> ExitCode {
    if as_json {
        return print_error(&Error::new(ErrorKind::InvalidRequest, message), as_json);
    }
    anstream::eprintln!("{RED}error:{RED:#} {}", escape_and_indent(message));
    ExitCode::from(ErrorKind::InvalidRequest.exit_code())
}

/// Prints an error or a help text of the argument parser and returns the exit code. The text can
/// quote the arguments.
pub(crate) fn print_usage(error: &clap::Error) -> ExitCode {
    let is_plain = |argument: OsString| !argument.to_string_lossy().contains(is_escaped);
    // A broken pipe is not an error, because readers such as `head` close the pipe early.
    let _ = if std::env::args_os().all(is_plain) {
        error.print()
    } else {
        // Without colors, because their control characters would be escaped too.
        let text = error.render().to_string();
        std::io::stderr().write_all(escape_controls(&text).as_bytes())
    };
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
}
