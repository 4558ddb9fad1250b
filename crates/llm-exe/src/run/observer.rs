//! The events of a run, which a program can observe while the run is in progress.

use std::time::Duration;

use super::report::ToolRunReport;
use crate::chat::Reply;

/// A turn of the model, which the provider has completed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Turn<'a> {
    /// The number of the turn, counted from 1. Turns before a hand-back count as well.
    pub number: u32,
    /// Whether the turn repairs the reply of the turn before it, which has the same number.
    pub is_repair: bool,
    /// The duration of the call of the provider, including its retries.
    pub duration: Duration,
    /// The reply of the model, with its text, its tool calls and its token counts. It is not
    /// checked yet.
    pub reply: &'a Reply,
}

/// Receives the events of a run while it is in progress, in their order. A run waits until a method
/// returns, so the methods must not block. A panic in a method ends the run with that panic.
pub trait Observer: Send + Sync {
    /// The model completed a turn. The tools that it calls have not run yet.
    fn on_turn(&self, turn: &Turn<'_>) {
        let _ = turn;
    }

    /// A tool finished a run. The runs of one turn are reported in the order of their calls, after
    /// all of them finished, because the secrets of each are removed from the results of all.
    /// Calls that are invalid or are handed back do not run.
    fn on_tool_run(&self, run: &ToolRunReport) {
        let _ = run;
    }
}
