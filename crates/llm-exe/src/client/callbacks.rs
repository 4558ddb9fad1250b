//! The closures of a request that observe its run.

use std::sync::Arc;

use crate::run::{Observer, ToolRunReport, Turn};

/// The closures of a request, in the order in which they were added.
#[derive(Clone, Default)]
pub(super) struct Callbacks {
    pub(super) turn: Vec<Arc<OnTurn>>,
    pub(super) tool_run: Vec<Arc<OnToolRun>>,
}

type OnTurn = dyn Fn(&Turn<'_>) + Send + Sync;
type OnToolRun = dyn Fn(&ToolRunReport) + Send + Sync;

impl std::fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Callbacks")
    }
}

impl Callbacks {
    /// Returns the observer that calls the closures, or `None` if there are none.
    pub(super) fn into_observer(self) -> Option<Arc<dyn Observer>> {
        let is_empty = self.turn.is_empty() && self.tool_run.is_empty();
        (!is_empty).then(|| Arc::new(self) as Arc<dyn Observer>)
    }
}

impl Observer for Callbacks {
    fn on_turn(&self, turn: &Turn<'_>) {
        self.turn.iter().for_each(|callback| callback(turn));
    }

    fn on_tool_run(&self, run: &ToolRunReport) {
        self.tool_run.iter().for_each(|callback| callback(run));
    }
}
