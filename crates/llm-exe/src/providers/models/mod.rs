//! What models refuse and offer, as data. The first pattern that matches decides; the last row of
//! a table is the family's newest behaviour, for models that no pattern knows.

mod bedrock;
mod claude;
mod describe;
mod gemini;
mod ollama;
mod openai;

pub(crate) use bedrock::{
    ConverseModel, Family, Force, TopK, claude_on_bedrock, converse, may_be_of,
};
pub(crate) use claude::{ClaudeModel, Thinking, claude};
pub use describe::{Capability, capabilities, capability_of};
pub(crate) use gemini::{GeminiJson, GeminiModel, GeminiThinking, gemini};
pub(crate) use ollama::{Think, ollama};

pub(crate) use openai::{
    ANY_JSON, ANY_SCHEMA, ANY_TEXT, DEEPSEEK, OPENAI, OpenAiModel, XAI, openai,
};

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

/// The words of `effort` that some model takes, from none to the most.
pub(crate) const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// The word of `taken` that is meant by another: the next one up, else the highest. `None` where
/// reasoning was to be left out and can't be.
pub(crate) fn nearest_effort(asked: &str, taken: &[&'static str]) -> Option<&'static str> {
    let rank = |word: &str| EFFORTS.iter().position(|known| *known == word);
    if asked == "none" {
        return taken.iter().find(|word| **word == "none").copied();
    }
    let up = taken.iter().find(|word| rank(word) >= rank(asked));
    up.or(taken.last()).copied().filter(|word| *word != "none")
}

/// A name, or the beginning of one where the pattern ends with `*`.
fn matches(pattern: &str, model: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => model.starts_with(beginning),
        None => model == pattern,
    }
}
