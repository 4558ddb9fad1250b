//! Anthropic's models.

use super::{Tuning, matches};

/// How a Claude model reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// It doesn't.
    No,
    /// With a budget of tokens.
    Budget,
    /// As much as it sees fit, steered by effort.
    Adaptive,
}

/// A Claude model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClaudeModel {
    pub(crate) pattern: &'static str,
    pub(crate) thinking: Thinking,
    pub(crate) tuning: Tuning,
    /// `output_config.format`.
    pub(crate) json_schema: bool,
    /// May be forced to call a tool.
    pub(crate) forced_tool: bool,
    /// Continues an assistant message that the request ends with.
    pub(crate) prefill: bool,
}

const fn older(pattern: &'static str, thinking: Thinking, tuning: Tuning) -> ClaudeModel {
    ClaudeModel { pattern, thinking, tuning, json_schema: false, forced_tool: true, prefill: true }
}

const fn newer(pattern: &'static str, tuning: Tuning, forced_tool: bool) -> ClaudeModel {
    let thinking = Thinking::Adaptive;
    ClaudeModel { pattern, thinking, tuning, json_schema: true, forced_tool, prefill: false }
}

const fn four_five(pattern: &'static str) -> ClaudeModel {
    ClaudeModel { json_schema: true, ..older(pattern, Thinking::Budget, Tuning::OneOf) }
}

/// From the model pages and `@anthropic-ai/sdk` 1.12's types.
pub(crate) const CLAUDE: &[ClaudeModel] = &[
    ClaudeModel { forced_tool: false, ..older("claude-2*", Thinking::No, Tuning::Free) },
    ClaudeModel { forced_tool: false, ..older("claude-instant*", Thinking::No, Tuning::Free) },
    older("claude-3-7*", Thinking::Budget, Tuning::Free),
    older("claude-3*", Thinking::No, Tuning::Free),
    older("claude-opus-4-1*", Thinking::Budget, Tuning::OneOf),
    four_five("claude-opus-4-5*"),
    four_five("claude-sonnet-4-5*"),
    four_five("claude-haiku-4-5*"),
    newer("claude-opus-4-6*", Tuning::OneOf, true),
    newer("claude-sonnet-4-6*", Tuning::OneOf, true),
    newer("claude-opus-4-7*", Tuning::No, true),
    newer("claude-opus-4-8*", Tuning::No, true),
    older("claude-opus-4", Thinking::Budget, Tuning::Free),
    older("claude-opus-4-0*", Thinking::Budget, Tuning::Free),
    older("claude-opus-4-2*", Thinking::Budget, Tuning::Free),
    older("claude-sonnet-4", Thinking::Budget, Tuning::Free),
    older("claude-sonnet-4-0*", Thinking::Budget, Tuning::Free),
    older("claude-sonnet-4-2*", Thinking::Budget, Tuning::Free),
    // Models that accept a forced tool are listed; newer ones and names without a version reject it
    // ("tool_choice: type \"tool\" and \"any\" are not supported for this model").
    newer("claude-opus-5", Tuning::No, true),
    newer("claude-opus-5-20*", Tuning::No, true),
    newer("claude-sonnet-5", Tuning::No, true),
    newer("claude-sonnet-5-20*", Tuning::No, true),
    newer("claude-haiku-5-5*", Tuning::No, true),
    newer("claude-fable-5", Tuning::No, true),
    newer("claude-fable-5-20*", Tuning::No, true),
    newer("claude-mythos-5", Tuning::No, true),
    newer("claude-mythos-5-20*", Tuning::No, true),
    NEWEST,
];

const NEWEST: ClaudeModel = newer("*", Tuning::No, false);

/// The row for a Claude model.
pub(crate) fn claude(model: &str) -> ClaudeModel {
    CLAUDE.iter().find(|row| matches(row.pattern, model)).copied().unwrap_or(NEWEST)
}
