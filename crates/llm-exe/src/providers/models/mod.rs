//! What models refuse and offer, as data. The first pattern that matches decides; the last row of
//! a table is the family's newest behaviour, for models that no pattern knows.

mod bedrock;
mod claude;
mod openai;

pub(crate) use bedrock::{ConverseModel, Family, Force, TopK, claude_on_bedrock, converse};
pub(crate) use claude::{ClaudeModel, Thinking, claude};
pub(crate) use openai::{OpenAiModel, openai};

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

/// A name, or the beginning of one where the pattern ends with `*`.
fn matches(pattern: &str, model: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => model.starts_with(beginning),
        None => model == pattern,
    }
}
