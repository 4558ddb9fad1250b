//! What Ollama serves: anybody's models, of which only the way of thinking differs in its API.

use super::matches;

/// What a model's `think` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Think {
    /// Nothing that asks for it.
    No,
    /// True and false.
    Switch,
    /// `low`, `medium`, `high`; it can't be turned off.
    Levels,
}

/// From the library's pages; a name that no row matches is taken for one of the newer families,
/// which think.
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

/// How a model thinks.
pub(crate) fn ollama(model: &str) -> Think {
    ollama_row(model).1
}

/// A model's row, by its name without namespace and tag.
pub(crate) fn ollama_row(model: &str) -> (&'static str, Think) {
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    let name = name.split(':').next().unwrap_or(&name);
    let row = OLLAMA.iter().find(|(pattern, _)| matches(pattern, name));
    row.copied().unwrap_or(("*", Think::Switch))
}
