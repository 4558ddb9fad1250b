//! The capability tables in words, for the documentation and the tests that hold it.

use super::bedrock::{CONVERSE, ConverseModel, Family, Force, TopK, converse};
use super::claude::{CLAUDE, ClaudeModel, Thinking, claude};
use super::gemini::{GEMINI, GeminiJson, GeminiModel, GeminiThinking, gemini};
use super::ollama::{OLLAMA, Think, ollama_row};
use super::openai::{DEEPSEEK, OPENAI, OpenAiModel, XAI, openai};
use super::{Tuning, bedrock};

/// A row of a capability table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// The provider whose table it is in.
    pub provider: &'static str,
    /// A model's name, or the beginning of one where it ends with `*`.
    pub pattern: &'static str,
    /// What `effort` may be.
    pub effort: String,
    /// How it is held to a schema, at best.
    pub structured: &'static str,
    /// What else it does not take, or takes only so.
    pub not: String,
}

/// Every row of every table.
pub fn capabilities() -> Vec<Capability> {
    let mut rows = Vec::new();
    for (provider, table) in [("openai", OPENAI), ("xai", XAI), ("deepseek", DEEPSEEK)] {
        rows.extend(table.iter().map(|row| of_openai(provider, row)));
    }
    rows.extend(CLAUDE.iter().map(of_claude));
    rows.extend(GEMINI.iter().map(of_gemini));
    rows.extend(OLLAMA.iter().map(|(pattern, think)| of_ollama(pattern, *think)));
    rows.extend(CONVERSE.iter().map(of_converse));
    rows
}

/// The table and the pattern that decide for a provider's model; `None` where no table does.
pub fn capability_of(provider: &str, model: &str) -> Option<(&'static str, &'static str)> {
    Some(match provider {
        "openai" => ("openai", openai(OPENAI, model).pattern),
        "xai" => ("xai", openai(XAI, model).pattern),
        "deepseek" => ("deepseek", openai(DEEPSEEK, model).pattern),
        "anthropic" => ("anthropic", claude(model).pattern),
        "amazon:anthropic" => ("anthropic", bedrock::claude_on_bedrock(model).pattern),
        "google" => ("google", gemini(model).pattern),
        "ollama" => ("ollama", ollama_row(model).0),
        _ if provider.starts_with("amazon") => match converse(model, "") {
            Family::Claude(row) => ("anthropic", row.pattern),
            Family::Other(row) => ("amazon", row.pattern),
        },
        _ => return None,
    })
}

fn list(parts: &[(bool, &str)]) -> String {
    let said: Vec<&str> = parts.iter().filter(|(so, _)| *so).map(|(_, word)| *word).collect();
    said.join("; ")
}

fn of_openai(provider: &'static str, row: &OpenAiModel) -> Capability {
    let effort = match (row.reasons, row.efforts) {
        (true, []) => "can't be told".to_owned(),
        (false, []) => "does not reason".to_owned(),
        (_, words) => words.join(", "),
    };
    let structured = match (row.json_schema, row.json_mode) {
        (true, _) => "JSON Schema",
        (false, true) => "JSON mode",
        (false, false) => "prompt",
    };
    let sampling_no = row.tuning == Tuning::No;
    let no = list(&[
        (sampling_no, "temperature, topP"),
        (row.tuning == Tuning::WithoutEffort, "temperature, topP but with effort none"),
        (row.penalties == Tuning::No, "penalties"),
        (row.penalties == Tuning::WithoutEffort, "penalties but with effort none"),
        (!row.stop, "stopSequences"),
        (!row.images, "images"),
    ]);
    Capability { provider, pattern: row.pattern, effort, structured, not: no }
}

fn of_claude(row: &ClaudeModel) -> Capability {
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
    let not = list(&[
        (row.tuning == Tuning::No, "temperature, topP, topK"),
        (row.tuning == Tuning::OneOf, "topP beside temperature"),
        (
            row.tuning != Tuning::No && row.thinking != Thinking::No,
            "temperature, topP, topK with effort",
        ),
        (!row.forced_tool, "a forced tool"),
        (!row.prefill, "an assistant message at the end"),
    ]);
    let (provider, pattern, effort) = ("anthropic", row.pattern, effort.to_owned());
    Capability { provider, pattern, effort, structured, not }
}

fn of_gemini(row: &GeminiModel) -> Capability {
    let effort = match row.thinking {
        GeminiThinking::No => "does not reason".to_owned(),
        GeminiThinking::Budget { least, most, off: true } => {
            format!("a budget of {least} to {most} tokens, or none")
        }
        GeminiThinking::Budget { least, most, off: false } => {
            format!("a budget of {least} to {most} tokens")
        }
        GeminiThinking::Levels(levels) => levels.join(", ").to_lowercase(),
    };
    let structured = match row.json {
        GeminiJson::Schema => "JSON Schema",
        GeminiJson::Mode => "JSON mode",
        GeminiJson::No => "prompt",
    };
    let not = list(&[
        (!row.system, "a system instruction"),
        (!row.penalties, "penalties"),
        (!row.sampling, "temperature, topP, topK"),
    ]);
    Capability { provider: "google", pattern: row.pattern, effort, structured, not }
}

fn of_ollama(pattern: &'static str, think: Think) -> Capability {
    let effort = match think {
        Think::No => "does not reason",
        Think::Switch => "none, or on",
        Think::Levels => "low, medium, high",
    };
    let (provider, structured, not) = ("ollama", "JSON Schema", String::new());
    Capability { provider, pattern, effort: effort.to_owned(), structured, not }
}

fn of_converse(row: &ConverseModel) -> Capability {
    let structured = match (row.json_schema, row.force) {
        (true, _) => "JSON Schema",
        (false, Force::No) => "prompt",
        (false, _) => "forced tool",
    };
    let effort = if row.effort { "low, medium, high" } else { "left out" };
    let not = list(&[
        (!row.system, "a system message"),
        (!row.stop, "stopSequences"),
        (row.top_k == TopK::No, "topK"),
    ]);
    let (provider, pattern, effort) = ("amazon", row.pattern, effort.to_owned());
    Capability { provider, pattern, effort, structured, not }
}
