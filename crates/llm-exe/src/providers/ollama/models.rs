//! The capabilities of Ollama models. The models differ only in how they reason.

use crate::glob::matches;

/// The values that a model supports for the request field `think`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Think {
    /// No value is supported, because the model does not reason.
    No,
    /// `true` and `false`, which turn reasoning on and off.
    Switch,
    /// `low`, `medium` and `high`. Reasoning cannot be turned off.
    Levels,
}

/// The supported values of `think`, by model name pattern. The first match applies. Unknown models
/// are treated like newer model families, which reason. Source: the model pages of Ollama's
/// library.
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

/// Returns the table row for a model, ignoring the namespace and tag in its name.
pub(crate) fn find_model(model: &str) -> (&'static str, Think) {
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    let name = name.split(':').next().unwrap_or(&name);
    let row = OLLAMA.iter().find(|(pattern, _)| matches(pattern, name));
    row.copied().unwrap_or(("*", Think::Switch))
}
