//! The calls of an assistant turn while their results are collected, for APIs that pair results
//! with calls by their order.

use crate::chat::{Message, ToolResult};

/// The calls of the latest assistant message.
#[derive(Default)]
pub(super) struct OpenCalls<'a> {
    /// The ids, in order.
    ids: Vec<&'a str>,
    /// Whether the request contains the calls without ids, as a model sent them.
    lacks_ids: bool,
}

impl<'a> OpenCalls<'a> {
    /// Returns the calls of a message.
    pub(super) fn new(message: &'a Message, lacks_ids: bool) -> Self {
        OpenCalls { ids: message.tool_calls().map(|call| call.id.as_str()).collect(), lacks_ids }
    }

    /// Returns the position of the call that a result belongs to.
    pub(super) fn position(&self, result: &ToolResult) -> usize {
        let position = self.ids.iter().position(|id| *id == result.call_id);
        position.unwrap_or(self.ids.len())
    }

    /// Returns the id to send with a result, or `None` if its call is sent without one.
    pub(super) fn result_id<'r>(&self, result: &'r ToolResult) -> Option<&'r str> {
        (!self.lacks_ids).then_some(result.call_id.as_str())
    }
}
