//! The capabilities of models that Ollama serves. They differ only in how they reason.

use crate::glob::matches;

/// The values that a model supports for `think`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Think {
    /// None: the model does not reason.
    No,
    /// `true` and `false`.
    Switch,
    /// `low`, `medium` and `high`; reasoning can't be turned off.
    Levels,
}

/// Models by a pattern of their name. Source: the pages of Ollama's library. Models that no other
/// row matches are treated like the newer families, which reason.
pub(crate) const OLLAMA: &[(&str, Think)] = &[
    ("gpt-oss*", Think::Levels),
    ("qwen3-coder*", Think::No),
    ("qwen2*", Think::No),
    ("qwen", Think::No),
    ("llama*", Think::No),
    ("codellama*", Think::No),
    ("tinyllama*", Think::No),
    ("llava*", Think::No),
    ("bakllava*", Think::No),
    ("mistral*", Think::No),
    ("mixtral*", Think::No),
    ("ministral*", Think::No),
    ("codestral*", Think::No),
    ("devstral*", Think::No),
    ("gemma4*", Think::Switch),
    ("gemma*", Think::No),
    ("codegemma*", Think::No),
    ("phi4-reasoning*", Think::Switch),
    ("phi4-mini-reasoning*", Think::Switch),
    ("phi*", Think::No),
    ("command-r*", Think::No),
    ("deepseek-coder*", Think::No),
    ("deepseek-v2*", Think::No),
    ("starcoder*", Think::No),
    ("*", Think::Switch),
];

/// Returns a model's row, which depends on its name without namespace and tag.
pub(crate) fn find_model(model: &str) -> (&'static str, Think) {
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    let name = name.split(':').next().unwrap_or(&name);
    let row = OLLAMA.iter().find(|(pattern, _)| matches(pattern, name));
    row.copied().unwrap_or(("*", Think::Switch))
}
