//! The capabilities of Anthropic's models.

use crate::glob::matches;
use crate::providers::capabilities::FeatureSupport;

/// How a Claude model reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// The model does not reason.
    No,
    /// The model reasons within a token budget.
    Budget,
    /// The model decides how much to reason, based on an effort level.
    Adaptive,
}

/// The capabilities of a Claude model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClaudeModel {
    /// The pattern for model names, in which `*` matches any string.
    pub(crate) pattern: &'static str,
    /// Whether the model accepts images.
    pub(crate) images: bool,
    /// Whether the model can call tools.
    pub(crate) tools: bool,
    /// How the model reasons.
    pub(crate) thinking: Thinking,
    /// When the model accepts `temperature`, `top_p` and `top_k`.
    pub(crate) sampling: FeatureSupport,
    /// Whether the model supports `output_config.format`.
    pub(crate) json_schema: bool,
    /// Whether the model can be forced to call a tool.
    pub(crate) forced_tool: bool,
    /// Whether the conversation may end with an assistant message, which the model continues.
    pub(crate) prefill: bool,
}

const fn older(pattern: &'static str, thinking: Thinking, sampling: FeatureSupport) -> ClaudeModel {
    ClaudeModel {
        pattern,
        images: true,
        tools: true,
        thinking,
        sampling,
        json_schema: false,
        forced_tool: true,
        prefill: true,
    }
}

/// Creates a row for the models before Claude 3, which accept only text and can't call tools.
const fn oldest(pattern: &'static str) -> ClaudeModel {
    let model = older(pattern, Thinking::No, FeatureSupport::Always);
    ClaudeModel { images: false, tools: false, forced_tool: false, ..model }
}

const fn newer(pattern: &'static str, sampling: FeatureSupport, forced_tool: bool) -> ClaudeModel {
    let model = older(pattern, Thinking::Adaptive, sampling);
    ClaudeModel { json_schema: true, forced_tool, prefill: false, ..model }
}

const fn claude_4_5(pattern: &'static str) -> ClaudeModel {
    ClaudeModel { json_schema: true, ..older(pattern, Thinking::Budget, FeatureSupport::OneOf) }
}

/// The capabilities of Anthropic's models. Source: the model pages and the type definitions of the
/// npm package `@anthropic-ai/sdk` 1.12.
pub(crate) const CLAUDE: &[ClaudeModel] = &[
    oldest("claude-2*"),
    oldest("claude-instant*"),
    older("claude-3-7*", Thinking::Budget, FeatureSupport::Always),
    older("claude-3*", Thinking::No, FeatureSupport::Always),
    older("claude-opus-4-1*", Thinking::Budget, FeatureSupport::OneOf),
    claude_4_5("claude-opus-4-5*"),
    claude_4_5("claude-sonnet-4-5*"),
    claude_4_5("claude-haiku-4-5*"),
    newer("claude-opus-4-6*", FeatureSupport::OneOf, true),
    newer("claude-sonnet-4-6*", FeatureSupport::OneOf, true),
    newer("claude-opus-4-7*", FeatureSupport::Never, true),
    newer("claude-opus-4-8*", FeatureSupport::Never, true),
    older("claude-opus-4", Thinking::Budget, FeatureSupport::Always),
    older("claude-opus-4-0*", Thinking::Budget, FeatureSupport::Always),
    older("claude-opus-4-2*", Thinking::Budget, FeatureSupport::Always),
    older("claude-sonnet-4", Thinking::Budget, FeatureSupport::Always),
    older("claude-sonnet-4-0*", Thinking::Budget, FeatureSupport::Always),
    older("claude-sonnet-4-2*", Thinking::Budget, FeatureSupport::Always),
    // In the Claude 5 family, only these models accept a forced tool. Newer models, and names
    // without a version, reject it with the message `tool_choice: type "tool" and "any" are not
    // supported for this model`.
    newer("claude-opus-5", FeatureSupport::Never, true),
    newer("claude-opus-5-20*", FeatureSupport::Never, true),
    newer("claude-sonnet-5", FeatureSupport::Never, true),
    newer("claude-sonnet-5-20*", FeatureSupport::Never, true),
    newer("claude-haiku-5-5*", FeatureSupport::Never, true),
    newer("claude-fable-5", FeatureSupport::Never, true),
    newer("claude-fable-5-20*", FeatureSupport::Never, true),
    newer("claude-mythos-5", FeatureSupport::Never, true),
    newer("claude-mythos-5-20*", FeatureSupport::Never, true),
    NEWEST,
];

const NEWEST: ClaudeModel = newer("*", FeatureSupport::Never, false);

/// Returns the table row for a Claude model.
pub(crate) fn find_model(model: &str) -> ClaudeModel {
    CLAUDE.iter().find(|row| matches(row.pattern, model)).copied().unwrap_or(NEWEST)
}
