//! Prints the events of a run while it is in progress.

use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use indicatif::ProgressBar;
use llm_exe::ports::PortFuture;
use llm_exe::{Error, EventSink, RunEvent, StreamFormat};
use serde_json::Value;
use tokio::sync::Notify;

use crate::escape::escape_controls;
use crate::output;

/// A stream on standard output: the text itself, or a line of JSON for each event.
pub(crate) struct PrintedStream {
    as_json: bool,
    /// Hidden by the first event.
    spinner: ProgressBar,
    state: Mutex<State>,
    /// Notified when standard output can't be written any more.
    closed: Notify,
}

#[derive(Default)]
struct State {
    /// The text of the current turn that was printed.
    text: String,
    turn: u32,
    /// Whether the line of the text is not complete.
    is_in_line: bool,
    /// The exit code, if standard output can't be written any more.
    write_failure: Option<ExitCode>,
}

impl PrintedStream {
    pub(crate) fn new(as_json: bool, spinner: ProgressBar) -> Self {
        let (state, closed) = (Mutex::default(), Notify::new());
        PrintedStream { as_json, spinner, state, closed }
    }

    fn with_state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes to standard output. A broken pipe is not an error, because readers such as `head`
    /// close the pipe early; the run ends then.
    fn write(&self, text: &str) {
        if self.write_failure().is_some() {
            return;
        }
        let mut out = std::io::stdout().lock();
        let written = match out.is_terminal() {
            true => out.write_all(escape_controls(text).as_bytes()),
            false => out.write_all(text.as_bytes()),
        };
        if let Err(error) = written.and_then(|()| out.flush()) {
            let code = match error.kind() {
                ErrorKind::BrokenPipe => ExitCode::SUCCESS,
                _ => output::print_write_error(&error),
            };
            self.with_state(|state| state.write_failure = Some(code));
            self.closed.notify_one();
        }
    }

    fn print(&self, event: &RunEvent) {
        self.spinner.finish_and_clear();
        if self.as_json {
            self.write(&StreamFormat::Lines.encode(event.name(), event.to_json()));
            return;
        }
        match event {
            RunEvent::Text { delta, turn } => {
                if self.with_state(|state| state.turn != *turn) {
                    self.start_text();
                }
                self.write(delta);
                self.with_state(|state| {
                    state.turn = *turn;
                    state.text.push_str(delta);
                    state.is_in_line = !state.text.ends_with('\n');
                });
            }
            RunEvent::Reset { .. } => {
                self.start_text();
                output::print_warning(
                    "the text above is not the result; other text follows",
                    false,
                );
            }
            _ => {}
        }
    }

    /// Ends the line of the text, so that something else can be printed.
    fn end_text(&self) {
        if self.with_state(|state| std::mem::take(&mut state.is_in_line)) && !self.as_json {
            self.write("\n");
        }
    }

    /// Begins a text that does not continue the one before it.
    fn start_text(&self) {
        self.end_text();
        self.with_state(|state| state.text.clear());
    }

    /// Prints the result, unless it was printed already. Returns the exit code.
    pub(crate) fn print_result(&self, result: &Value) -> ExitCode {
        let is_printed = self.with_state(|state| result.as_str() == Some(&*state.text));
        if self.as_json {
            self.write(&StreamFormat::Lines.encode("result", result));
        } else if !is_printed {
            return output::print_result(result, false);
        }
        self.write_failure().unwrap_or(ExitCode::SUCCESS)
    }

    /// Prints an error as the last event, if events are lines of JSON.
    pub(crate) fn print_error(&self, error: &Error) {
        if self.as_json {
            let body = output::error_json(error);
            let error = body.get("error").unwrap_or(&body);
            self.write(&StreamFormat::Lines.encode("error", error));
        }
    }

    /// Ends the text. Returns the exit code if standard output can't be written any more.
    pub(crate) fn end(&self) -> Option<ExitCode> {
        self.end_text();
        self.write_failure()
    }

    /// Returns the exit code if standard output can't be written any more.
    fn write_failure(&self) -> Option<ExitCode> {
        self.with_state(|state| state.write_failure)
    }
}

impl EventSink for PrintedStream {
    fn send(&self, event: RunEvent) -> PortFuture<'_, ()> {
        self.print(&event);
        Box::pin(std::future::ready(()))
    }

    fn closed(&self) -> PortFuture<'_, ()> {
        Box::pin(self.closed.notified())
    }
}
