//! Describes the rows of the capability tables as text, for the documentation and the test that
//! checks it.

use super::rows::{
    ClaudeModel, ConverseModel, EffortField, FeatureSupport, GeminiJson, GeminiModel,
    GeminiThinking, OllamaModel, OpenAiModel, Think, Thinking, ThinkingOff, ToolChoice,
};

/// A row of a capability table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// The provider whose table contains the row.
    pub provider: &'static str,
    /// The patterns for model names, separated by spaces. `*` matches any string.
    pub models: &'static str,
    /// The values of `effort` that the model supports.
    pub effort: String,
    /// The maximum number of output tokens, if it is known.
    pub max_output: Option<u32>,
    /// The strongest method that the model supports for making its reply match a schema.
    pub structured: &'static str,
    /// Features that the model does not support, or supports only under a condition.
    pub unsupported: String,
}

/// Joins the names of the features whose flag is true.
fn join_features(features: &[(bool, &str)]) -> String {
    let names: Vec<&str> =
        features.iter().filter(|(holds, _)| *holds).map(|(_, name)| *name).collect();
    names.join("; ")
}

pub(super) fn describe_openai(
    provider: &'static str,
    models: &'static str,
    row: &OpenAiModel,
) -> Capability {
    let effort = match (row.reasons, row.efforts.is_empty()) {
        (true, true) => "no setting".to_owned(),
        (false, true) => "does not reason".to_owned(),
        (_, false) if row.responses_max => format!("{}, max", row.efforts.join()),
        (_, false) => row.efforts.join(),
    };
    let structured = match (row.json_schema, row.json_mode) {
        (true, _) => "JSON Schema",
        (false, true) => "JSON mode",
        (false, false) => "prompt",
    };
    let unsupported = join_features(&[
        (!row.chat, "chat completions"),
        (row.sampling == FeatureSupport::Never, "temperature, topP"),
        (
            row.sampling == FeatureSupport::WithoutReasoning,
            "temperature, topP unless effort is none",
        ),
        (!row.penalties, "penalties"),
        (!row.stop, "stopSequences"),
        (!row.images, "images"),
        (row.responses_max, "effort max in chat completions"),
        (row.tools == FeatureSupport::Never && !row.responses, "tools"),
        (row.tools == FeatureSupport::Never && row.responses, "tools in chat completions"),
        (
            row.tools == FeatureSupport::WithoutReasoning,
            "tools in chat completions unless effort is none",
        ),
        (
            row.tools == FeatureSupport::WithoutEffort,
            "tools in chat completions with an effort other than none",
        ),
    ]);
    let max_output = known(row.max_output);
    Capability { provider, models, effort, max_output, structured, unsupported }
}

/// Returns a maximum, or `None` if it is not known.
fn known(maximum: u32) -> Option<u32> {
    (maximum > 0).then_some(maximum)
}

pub(super) fn describe_claude(
    provider: &'static str,
    models: &'static str,
    row: &ClaudeModel,
) -> Capability {
    let can_be_off = row.off != ThinkingOff::Never;
    let effort = match row.thinking {
        Thinking::No => "does not reason".to_owned(),
        Thinking::Budget => "none, or a budget of tokens".to_owned(),
        Thinking::Adaptive if can_be_off => format!("none, {}", row.efforts.join()),
        Thinking::Adaptive => row.efforts.join(),
    };
    let structured = match (row.json_schema, row.forced_tool) {
        (true, _) => "JSON Schema",
        (false, true) => "forced tool",
        (false, false) => "prompt",
    };
    let unsupported = join_features(&[
        (row.sampling == FeatureSupport::Never, "temperature, topP, topK"),
        (row.sampling == FeatureSupport::OneOf, "topP with temperature"),
        (
            row.sampling != FeatureSupport::Never && row.thinking != Thinking::No,
            "temperature, topP, topK with effort",
        ),
        (row.tools && !row.forced_tool, "forced tool"),
        (!row.prefill, "assistant message at the end"),
        (!row.images, "images"),
        (!row.tools, "tools"),
    ]);
    let max_output = known(row.max_output);
    Capability { provider, models, effort, max_output, structured, unsupported }
}

pub(super) fn describe_gemini(
    provider: &'static str,
    models: &'static str,
    row: &GeminiModel,
) -> Capability {
    let effort = match row.thinking {
        GeminiThinking::No => "does not reason".to_owned(),
        GeminiThinking::Budget { min, max, can_be_off: true } => {
            format!("none, or a budget of {min} to {max} tokens")
        }
        GeminiThinking::Budget { min, max, can_be_off: false } => {
            format!("a budget of {min} to {max} tokens")
        }
        GeminiThinking::Levels(levels) => levels.join(),
    };
    let structured = match row.json {
        GeminiJson::Schema => "JSON Schema",
        GeminiJson::Mode => "JSON mode",
        GeminiJson::No => "prompt",
    };
    let unsupported = join_features(&[
        (!row.system, "system instruction"),
        (!row.penalties, "penalties"),
        (!row.sampling, "temperature, topP, topK"),
        (!row.tools, "tools"),
    ]);
    let max_output = known(row.max_output);
    Capability { provider, models, effort, max_output, structured, unsupported }
}

pub(super) fn describe_ollama(
    provider: &'static str,
    models: &'static str,
    row: &OllamaModel,
) -> Capability {
    let effort = match row.think {
        Think::No => "does not reason".to_owned(),
        Think::Switch => "none, or on".to_owned(),
        Think::Levels(levels) => levels.join(),
    };
    Capability {
        provider,
        models,
        effort,
        max_output: None,
        structured: "JSON Schema",
        unsupported: join_features(&[(!row.tools, "tools")]),
    }
}

pub(super) fn describe_converse(
    provider: &'static str,
    models: &'static str,
    row: &ConverseModel,
) -> Capability {
    let structured = match (row.json_schema, row.tool_choice) {
        (true, _) => "JSON Schema",
        (false, ToolChoice::Unsupported) => "prompt",
        (false, _) => "forced tool",
    };
    let effort = match row.effort_field {
        EffortField::None => "dropped".to_owned(),
        EffortField::ReasoningConfig => format!("none, {}", row.efforts.join()),
        EffortField::ReasoningEffort | EffortField::Reasoning => row.efforts.join(),
    };
    let unsupported = join_features(&[
        (!row.converse, "Converse"),
        (!row.system, "system message"),
        (!row.sampling, "temperature, topP"),
        (!row.stop, "stopSequences"),
        (!row.top_k, "topK"),
        (!row.images, "images"),
        (!row.tools, "tools"),
    ]);
    let max_output = known(row.max_output);
    Capability { provider, models, effort, max_output, structured, unsupported }
}
