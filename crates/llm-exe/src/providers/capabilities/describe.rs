//! Describes the capability tables as text, for the documentation and the test that checks it.

use crate::providers::anthropic::models::{self as anthropic, CLAUDE, ClaudeModel, Thinking};
use crate::providers::bedrock::models::{
    self as bedrock, CONVERSE, ConverseModel, Family, ToolChoice, TopK,
};
use crate::providers::gemini::models::{
    self as gemini, GEMINI, GeminiJson, GeminiModel, GeminiThinking,
};
use crate::providers::ollama::models::{self as ollama, OLLAMA, Think};
use crate::providers::openai_chat::models::{
    self as openai_chat, DEEPSEEK, OPENAI, OpenAiModel, XAI,
};

use super::SamplingSupport;

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

/// Returns the rows of all capability tables.
pub fn capabilities() -> Vec<Capability> {
    let mut rows = Vec::new();
    for (provider, table) in [("openai", OPENAI), ("xai", XAI), ("deepseek", DEEPSEEK)] {
        rows.extend(table.iter().map(|row| describe_openai(provider, row)));
    }
    rows.extend(CLAUDE.iter().map(describe_claude));
    rows.extend(GEMINI.iter().map(describe_gemini));
    rows.extend(OLLAMA.iter().map(|(pattern, think)| describe_ollama(pattern, *think)));
    rows.extend(CONVERSE.iter().map(describe_converse));
    rows
}

/// Returns the table that contains a model and the pattern of the matching row, or `None` if the
/// provider is unknown.
pub fn capability_of(provider: &str, model: &str) -> Option<(&'static str, &'static str)> {
    Some(match provider {
        "openai" => ("openai", openai_chat::find_model(OPENAI, model).pattern),
        "xai" => ("xai", openai_chat::find_model(XAI, model).pattern),
        "deepseek" => ("deepseek", openai_chat::find_model(DEEPSEEK, model).pattern),
        "anthropic" => ("anthropic", anthropic::find_model(model).pattern),
        "amazon:anthropic" => ("anthropic", bedrock::find_claude(model).pattern),
        "google" => ("google", gemini::find_model(model).pattern),
        "ollama" => ("ollama", ollama::find_model(model).0),
        _ if provider.starts_with("amazon") => match bedrock::find_model(model, "") {
            Family::Claude(row) => ("anthropic", row.pattern),
            Family::Other(row) => ("amazon", row.pattern),
        },
        _ => return None,
    })
}

/// Joins the names of the features whose flag is true.
fn join_features(features: &[(bool, &str)]) -> String {
    let names: Vec<&str> =
        features.iter().filter(|(holds, _)| *holds).map(|(_, name)| *name).collect();
    names.join("; ")
}

fn describe_openai(provider: &'static str, row: &OpenAiModel) -> Capability {
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
        (row.sampling == SamplingSupport::Never, "temperature, topP"),
        (
            row.sampling == SamplingSupport::WithoutReasoning,
            "temperature, topP unless effort is none",
        ),
        (row.penalties == SamplingSupport::Never, "penalties"),
        (row.penalties == SamplingSupport::WithoutReasoning, "penalties unless effort is none"),
        (!row.stop, "stopSequences"),
        (!row.images, "images"),
    ]);
    Capability { provider, pattern: row.pattern, effort, structured, unsupported }
}

fn describe_claude(row: &ClaudeModel) -> Capability {
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
        (row.sampling == SamplingSupport::Never, "temperature, topP, topK"),
        (row.sampling == SamplingSupport::OneOf, "topP with temperature"),
        (
            row.sampling != SamplingSupport::Never && row.thinking != Thinking::No,
            "temperature, topP, topK with effort",
        ),
        (!row.forced_tool, "forced tool"),
        (!row.prefill, "assistant message at the end"),
    ]);
    let (provider, effort) = ("anthropic", effort.to_owned());
    Capability { provider, pattern: row.pattern, effort, structured, unsupported }
}

fn describe_gemini(row: &GeminiModel) -> Capability {
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
    ]);
    Capability { provider: "google", pattern: row.pattern, effort, structured, unsupported }
}

fn describe_ollama(pattern: &'static str, think: Think) -> Capability {
    let effort = match think {
        Think::No => "does not reason",
        Think::Switch => "none, or on",
        Think::Levels => "low, medium, high",
    };
    Capability {
        provider: "ollama",
        pattern,
        effort: effort.to_owned(),
        structured: "JSON Schema",
        unsupported: String::new(),
    }
}

fn describe_converse(row: &ConverseModel) -> Capability {
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
    ]);
    let (provider, effort) = ("amazon", effort.to_owned());
    Capability { provider, pattern: row.pattern, effort, structured, unsupported }
}
