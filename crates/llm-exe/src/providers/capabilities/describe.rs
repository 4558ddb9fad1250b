//! Describes the rows of the capability tables as text, for the documentation and the test that
//! checks it.

use super::FeatureSupport;
use crate::providers::anthropic::models::{ClaudeModel, Thinking};
use crate::providers::bedrock::models::{ConverseModel, ToolChoice, TopK};
use crate::providers::gemini::models::{GeminiJson, GeminiModel, GeminiThinking};
use crate::providers::ollama::models::{OllamaModel, Think};
use crate::providers::openai_chat::models::OpenAiModel;

/// A row of a capability table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// The provider whose table contains the row.
    pub provider: &'static str,
    /// A pattern for model names, in which `*` matches any string.
    pub pattern: &'static str,
    /// The values of `effort` that the model supports.
    pub effort: String,
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

pub(super) fn describe_openai(provider: &'static str, row: &OpenAiModel) -> Capability {
    let effort = match (row.reasons, row.efforts) {
        (true, []) => "no setting".to_owned(),
        (false, []) => "does not reason".to_owned(),
        (_, efforts) => efforts.join(", "),
    };
    let structured = match (row.json_schema, row.json_mode) {
        (true, _) => "JSON Schema",
        (false, true) => "JSON mode",
        (false, false) => "prompt",
    };
    let unsupported = join_features(&[
        (row.sampling == FeatureSupport::Never, "temperature, topP"),
        (
            row.sampling == FeatureSupport::WithoutReasoning,
            "temperature, topP unless effort is none",
        ),
        (row.penalties == FeatureSupport::Never, "penalties"),
        (row.penalties == FeatureSupport::WithoutReasoning, "penalties unless effort is none"),
        (!row.stop, "stopSequences"),
        (!row.images, "images"),
        (row.tools == FeatureSupport::Never, "tools"),
        (row.tools == FeatureSupport::WithoutReasoning, "tools unless effort is none"),
    ]);
    Capability { provider, pattern: row.pattern, effort, structured, unsupported }
}

pub(super) fn describe_claude(provider: &'static str, row: &ClaudeModel) -> Capability {
    let effort = match row.thinking {
        Thinking::No => "does not reason",
        Thinking::Budget => "a budget of tokens",
        Thinking::Adaptive => "low, medium, high, xhigh, max",
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
    let effort = effort.to_owned();
    Capability { provider, pattern: row.pattern, effort, structured, unsupported }
}

pub(super) fn describe_gemini(provider: &'static str, row: &GeminiModel) -> Capability {
    let effort = match row.thinking {
        GeminiThinking::No => "does not reason".to_owned(),
        GeminiThinking::Budget { min, max, can_be_off: true } => {
            format!("a budget of {min} to {max} tokens, or none")
        }
        GeminiThinking::Budget { min, max, can_be_off: false } => {
            format!("a budget of {min} to {max} tokens")
        }
        GeminiThinking::Levels(levels) => levels.join(", ").to_lowercase(),
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
    Capability { provider, pattern: row.pattern, effort, structured, unsupported }
}

pub(super) fn describe_ollama(provider: &'static str, row: &OllamaModel) -> Capability {
    let effort = match row.think {
        Think::No => "does not reason",
        Think::Switch => "none, or on",
        Think::Levels => "low, medium, high",
    };
    Capability {
        provider,
        pattern: row.pattern,
        effort: effort.to_owned(),
        structured: "JSON Schema",
        unsupported: join_features(&[(!row.tools, "tools")]),
    }
}

pub(super) fn describe_converse(provider: &'static str, row: &ConverseModel) -> Capability {
    let structured = match (row.json_schema, row.tool_choice) {
        (true, _) => "JSON Schema",
        (false, ToolChoice::Unsupported) => "prompt",
        (false, _) => "forced tool",
    };
    let effort = if row.effort { "low, medium, high" } else { "dropped" };
    let unsupported = join_features(&[
        (!row.system, "system message"),
        (!row.stop, "stopSequences"),
        (row.top_k == TopK::Unsupported, "topK"),
        (!row.images, "images"),
        (!row.tools, "tools"),
    ]);
    let effort = effort.to_owned();
    Capability { provider, pattern: row.pattern, effort, structured, unsupported }
}
