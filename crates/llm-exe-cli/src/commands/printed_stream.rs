//! Prints the events of a run while it is in progress.

use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use llm_exe::ports::PortFuture;
use llm_exe::{Deadline, Error, ErrorKind as Kind, EventSink, RunEvent, StreamFormat};
use serde_json::Value;
use tokio::sync::Notify;

use crate::escape::escape_controls;
use crate::output;

/// How long the reader of standard output may take for the error after the deadline.
const LAST_WRITE_TIME: Duration = Duration::from_secs(1);

/// A stream on standard output: the text itself, or a line of JSON for each event.
pub(crate) struct PrintedStream {
    as_json: bool,
    /// Hidden by the first event.
    spinner: ProgressBar,
    /// When the command ends, even if standard output is not read.
    deadline: Deadline,
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
    /// Whether standard output was not read until the deadline. A thread still waits to write to
    /// it, so nothing more may be written.
    is_blocked: bool,
}

impl PrintedStream {
    pub(crate) fn new(as_json: bool, spinner: ProgressBar, deadline: Deadline) -> Self {
        let (state, closed) = (Mutex::default(), Notify::new());
        PrintedStream { as_json, spinner, deadline, state, closed }
    }

    fn with_state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes to standard output. Waits for its reader at most until the deadline. A broken pipe is
    /// not an error, because readers such as `head` close the pipe early; the run ends then.
    async fn write(&self, text: String) {
        if self.with_state(|state| state.is_blocked || state.write_failure.is_some()) {
            return;
        }
        // A thread of its own writes, because this one must notice the deadline while a reader lets
        // it wait.
        let written = tokio::task::spawn_blocking(move || write_text(&text));
        let end = self.deadline.instant().max(Instant::now() + LAST_WRITE_TIME);
        let Ok(written) = tokio::time::timeout_at(end.into(), written).await else {
            self.with_state(|state| state.is_blocked = true);
            return;
        };
        if let Ok(Err(error)) = written {
            let code = match error.kind() {
                ErrorKind::BrokenPipe => ExitCode::SUCCESS,
                _ => output::print_write_error(&error),
            };
            self.with_state(|state| state.write_failure = Some(code));
            self.closed.notify_one();
        }
    }

    async fn print(&self, event: &RunEvent) {
        self.spinner.finish_and_clear();
        if self.as_json {
            self.write(StreamFormat::Lines.encode(event.name(), event.to_json())).await;
            return;
        }
        match event {
            RunEvent::Text { delta, turn } => {
                if self.with_state(|state| state.turn != *turn) {
                    self.start_text().await;
                }
                self.write(delta.clone()).await;
                self.with_state(|state| {
                    state.turn = *turn;
                    state.text.push_str(delta);
                    state.is_in_line = !state.text.ends_with('\n');
                });
            }
            RunEvent::Reset { .. } => {
                self.start_text().await;
                output::print_warning(
                    "the text above is not the result; other text follows",
                    false,
                );
            }
            _ => {}
        }
    }

    /// Ends the line of the text, so that something else can be printed.
    async fn end_text(&self) {
        if self.with_state(|state| std::mem::take(&mut state.is_in_line)) && !self.as_json {
            self.write("\n".to_owned()).await;
        }
    }

    /// Begins a text that does not continue the one before it.
    async fn start_text(&self) {
        self.end_text().await;
        self.with_state(|state| state.text.clear());
    }

    /// Prints the result, unless it was printed already. Returns the exit code, unless standard
    /// output was not read ([`PrintedStream::blocked_error`]).
    pub(crate) async fn print_result(&self, result: &Value) -> ExitCode {
        let is_printed = self.with_state(|state| result.as_str() == Some(&*state.text));
        if self.as_json {
            self.write(StreamFormat::Lines.encode("result", result)).await;
        } else if !is_printed {
            self.write(output::format_result(result) + "\n").await;
        }
        self.write_failure().unwrap_or(ExitCode::SUCCESS)
    }

    /// Prints an error as the last event, if events are lines of JSON.
    pub(crate) async fn print_error(&self, error: &Error) {
        if self.as_json {
            let body = output::error_json(error);
            let error = body.get("error").unwrap_or(&body);
            self.write(StreamFormat::Lines.encode("error", error)).await;
        }
    }

    /// Ends the text. Returns the exit code if standard output can't be written any more.
    pub(crate) async fn end(&self) -> Option<ExitCode> {
        self.end_text().await;
        // The run can have dropped a write that still waits.
        self.write(String::new()).await;
        self.write_failure()
    }

    /// Returns the error if standard output was not read until the deadline.
    pub(crate) fn blocked_error(&self) -> Option<Error> {
        let is_blocked = self.with_state(|state| state.is_blocked);
        is_blocked.then(|| {
            let text = "standard output was not read in time";
            Error::new(Kind::Timeout, text)
        })
    }

    /// Returns the exit code if standard output can't be written any more.
    fn write_failure(&self) -> Option<ExitCode> {
        self.with_state(|state| state.write_failure)
    }
}

/// Writes a text, with escaped control characters if standard output is a terminal.
fn write_text(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.is_terminal() {
        true => out.write_all(escape_controls(text).as_bytes())?,
        false => out.write_all(text.as_bytes())?,
    }
    out.flush()
}

impl EventSink for PrintedStream {
    fn send(&self, event: RunEvent) -> PortFuture<'_, ()> {
        Box::pin(async move { self.print(&event).await })
    }

    fn closed(&self) -> PortFuture<'_, ()> {
        Box::pin(self.closed.notified())
    }
}
