//! What models refuse and offer, as data. The first pattern that matches decides; the last row of
//! a table is the family's newest behaviour, for models that no pattern knows.

/// Whether and when a model takes temperature and its kin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tuning {
    /// Always.
    Free,
    /// Temperature or top_p, not both.
    OneOf,
    /// Only without reasoning, so with `effort: "none"`.
    WithoutEffort,
    /// Never.
    No,
}

/// An OpenAI model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenAiModel {
    pub(crate) pattern: &'static str,
    /// Takes `reasoning_effort`; its system messages are `developer` ones.
    pub(crate) reasons: bool,
    pub(crate) tuning: Tuning,
    pub(crate) stop: bool,
    /// `response_format` of type `json_schema`.
    pub(crate) json_schema: bool,
    /// `response_format` of type `json_object`.
    pub(crate) json_mode: bool,
}

const fn chat(pattern: &'static str, json_schema: bool, json_mode: bool) -> OpenAiModel {
    let tuning = Tuning::Free;
    OpenAiModel { pattern, reasons: false, tuning, stop: true, json_schema, json_mode }
}

const fn reasoning(pattern: &'static str, tuning: Tuning, stop: bool) -> OpenAiModel {
    OpenAiModel { pattern, reasons: true, tuning, stop, json_schema: true, json_mode: true }
}

/// From the model pages and `openai` 6.49's types.
pub(crate) const OPENAI: &[OpenAiModel] = &[
    chat("gpt-3.5-turbo-instruct*", false, false),
    chat("gpt-3.5-turbo-0613", false, false),
    chat("gpt-3.5*", false, true),
    chat("gpt-4", false, false),
    chat("gpt-4-0*", false, false),
    chat("gpt-4-32k*", false, false),
    chat("gpt-4-*", false, true),
    chat("gpt-4o-2024-05-13", false, true),
    chat("chatgpt-4o*", false, false),
    chat("gpt-4*", true, true),
    chat("gpt-5-chat*", true, true),
    reasoning("gpt-5", Tuning::No, true),
    reasoning("gpt-5-*", Tuning::No, true),
    reasoning("o1*", Tuning::No, true),
    reasoning("o3*", Tuning::No, false),
    reasoning("o4*", Tuning::No, false),
    reasoning("*", Tuning::WithoutEffort, true),
];

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
    newer("claude-fable*", Tuning::No, false),
    newer("*", Tuning::No, true),
];

/// The row for an OpenAI model; a fine-tuned one (`ft:base:…`) is its base.
pub(crate) fn openai(model: &str) -> OpenAiModel {
    let base = model.strip_prefix("ft:").unwrap_or(model);
    let base = base.split(':').next().unwrap_or(base);
    let newest = reasoning("*", Tuning::WithoutEffort, true);
    OPENAI.iter().find(|row| matches(row.pattern, base)).copied().unwrap_or(newest)
}

/// The row for a Claude model.
pub(crate) fn claude(model: &str) -> ClaudeModel {
    let newest = newer("*", Tuning::No, true);
    CLAUDE.iter().find(|row| matches(row.pattern, model)).copied().unwrap_or(newest)
}

/// A name, or the beginning of one where the pattern ends with `*`.
fn matches(pattern: &str, model: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => model.starts_with(beginning),
        None => model == pattern,
    }
}
