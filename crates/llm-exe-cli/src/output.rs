//! Prints results and errors, either as text for people or as JSON for programs.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use llm_exe::{Error, ErrorKind, Report};
use serde_json::{Value, json};

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// Prints a line to standard output and returns the exit code. A broken pipe is not an error,
/// because readers such as `head` close the pipe early.
pub(crate) fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let text = if out.is_terminal() { escape_controls(text) } else { Cow::Borrowed(text) };
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            anstream::eprintln!("{RED}error:{RED:#} can't write to standard output: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Prints a result and returns the exit code. A string is printed without quotes unless `compact`
/// is set.
pub(crate) fn print_result(value: &Value, compact: bool) -> ExitCode {
    match value {
        _ if compact => print(&value.to_string()),
        Value::String(text) => print(text),
        other => print(&format!("{other:#}")),
    }
}

/// Prints a warning to standard error.
pub(crate) fn print_warning(text: &str) {
    let text = escape_controls(text);
    anstream::eprintln!("{YELLOW}warning:{YELLOW:#} {text}");
}

/// Escapes control characters and invisible characters, as JSON does, except for line breaks and
/// tabs. A message can quote a provider, a request or an argument, which could otherwise control
/// the terminal or look different from what it is.
pub(crate) fn escape_controls(text: &str) -> Cow<'_, str> {
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn is_escaped(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    // Line breaks and tabs lay out messages. Joiners are parts of emoji and of words in some
    // scripts.
    let is_harmless = matches!(c, '\n' | '\t' | '\u{200c}' | '\u{200d}');
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    !is_harmless && matches!(category, Control | Format | LineSeparator | ParagraphSeparator)
}

/// Prints an error to standard error and returns the exit code for its kind.
pub(crate) fn print_error(error: &Error, as_json: bool) -> ExitCode {
    print_run_error(error, &Report::default(), as_json)
}

/// Prints the error of a run. If a provider was called, the JSON object also contains what the run
/// used.
pub(crate) fn print_run_error(error: &Error, report: &Report, as_json: bool) -> ExitCode {
    let kind = error.kind();
    if as_json {
        anstream::eprintln!("{}", escape_controls(&error_json(error, report).to_string()));
    } else if error.problems().len() > 1 {
        anstream::eprintln!("{RED}error:{RED:#} {kind}: {} problems", error.problems().len());
        for problem in error.problems() {
            anstream::eprintln!("  {}", escape_controls(&problem.to_string()));
        }
    } else {
        anstream::eprintln!("{RED}error:{RED:#} {kind}: {}", escape_controls(error.message()));
    }
    ExitCode::from(kind.exit_code())
}

/// Prints what to do about a missing key, for a command with the option `--simulate`.
pub(crate) fn print_key_advice(error: &Error) {
    if error.kind() == ErrorKind::SecretNotFound {
        // Do not suggest .env for a value that is set but can't be used.
        let env_file = if error.not_set().is_some() { "set it in .env or " } else { "" };
        anstream::eprintln!("  alternatively, {env_file}use --simulate to run without keys");
    }
}

fn error_json(error: &Error, report: &Report) -> Value {
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
    if let Some(fields) = fields.as_object_mut().filter(|_| report.attempts > 0) {
        fields.insert("provider".to_owned(), json!(report.provider));
        fields.insert("model".to_owned(), json!(report.model));
        fields.insert("attempts".to_owned(), json!(report.attempts));
        fields.insert("usage".to_owned(), json!(report.usage));
    }
    json!({ "error": fields })
}

/// Prints the reason why a command can't start, such as an invalid setting, and returns the exit
/// code.
pub(crate) fn print_startup_error(message: &str) -> ExitCode {
    anstream::eprintln!("{RED}error:{RED:#} {}", escape_controls(message));
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

#[cfg(test)]
mod tests {
    use super::escape_controls;

    #[test]
    fn invisible_characters_are_escaped() {
        for (text, expected) in [
            ("a\u{1b}[31mb", r"a\u001b[31mb"),
            ("a\u{202e}b\u{2066}", r"a\u202eb\u2066"),
            ("a\u{200b}\u{200e}\u{61c}\u{feff}b", r"a\u200b\u200e\u061c\ufeffb"),
            ("a\u{2028}b", r"a\u2028b"),
            ("a\u{e0041}b", r"a\udb40\udc41b"),
        ] {
            assert_eq!(escape_controls(text), expected, "{text:?}");
        }
    }

    #[test]
    fn text_and_emoji_are_unchanged() {
        let text = "line\n\tcafé 👩\u{200d}🚀 می\u{200c}خواهم";
        assert_eq!(escape_controls(text), text);
    }
}
