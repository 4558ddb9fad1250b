//! The capabilities of Ollama models. The models differ in how they reason and whether they call
//! tools.

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

/// The capabilities of an Ollama model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OllamaModel {
    /// The pattern for model names, in which `*` matches any string.
    pub(crate) pattern: &'static str,
    /// The supported values of `think`.
    pub(crate) think: Think,
    /// Whether the model's template has a place for tools. Without it, the server rejects a request
    /// with tools.
    pub(crate) tools: bool,
}

const fn model(pattern: &'static str, think: Think) -> OllamaModel {
    OllamaModel { pattern, think, tools: true }
}

const fn without_tools(pattern: &'static str, think: Think) -> OllamaModel {
    OllamaModel { pattern, think, tools: false }
}

/// The capabilities by model name pattern. The first match applies. Unknown models are treated like
/// newer model families, which reason and call tools. Source: the model pages of Ollama's library,
/// and "does not support tools" errors that users reported (ollama/ollama#15023, #12719 and #9647,
/// tinyhumansai/openhuman#2787).
pub(crate) const OLLAMA: &[OllamaModel] = &[
    model("gpt-oss*", Think::Levels),
    model("qwen3-coder*", Think::No),
    model("qwen2*", Think::No),
    model("qwen", Think::No),
    without_tools("llama2*", Think::No),
    model("llama*", Think::No),
    without_tools("codellama*", Think::No),
    without_tools("tinyllama*", Think::No),
    without_tools("llava*", Think::No),
    without_tools("bakllava*", Think::No),
    model("mistral*", Think::No),
    model("mixtral*", Think::No),
    model("ministral*", Think::No),
    model("codestral*", Think::No),
    model("devstral*", Think::No),
    model("gemma4*", Think::Switch),
    without_tools("gemma2", Think::No),
    without_tools("gemma3", Think::No),
    model("gemma*", Think::No),
    without_tools("codegemma*", Think::No),
    model("phi4-reasoning*", Think::Switch),
    model("phi4-mini-reasoning*", Think::Switch),
    without_tools("phi3*", Think::No),
    without_tools("phi4", Think::No),
    model("phi*", Think::No),
    model("command-r*", Think::No),
    without_tools("deepseek-coder*", Think::No),
    without_tools("deepseek-v2*", Think::No),
    without_tools("starcoder*", Think::No),
    without_tools("deepseek-r1", Think::Switch),
    model("*", Think::Switch),
];

/// Returns the table row for a model, ignoring the namespace and tag in its name. A model in a
/// namespace may have a template of its own, so it is assumed to have tools.
pub(crate) fn find_model(name: &str) -> OllamaModel {
    let lower = name.to_ascii_lowercase();
    let (namespace, base) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let base = base.split(':').next().unwrap_or(base);
    let row = OLLAMA.iter().find(|row| matches(row.pattern, base)).copied();
    let row = row.unwrap_or(model("*", Think::Switch));
    OllamaModel { tools: row.tools || !matches!(namespace, "" | "library"), ..row }
}

#[cfg(test)]
mod tests {
    use super::find_model;

    #[test]
    fn tools_depend_on_the_model_of_the_library() {
        for (model, tools) in [
            ("gemma3:1b-it-qat", false),
            ("library/gemma3", false),
            ("example/gemma3:12b", true),
            ("hf.co/example/codellama:7b", true),
            ("gemma3n", true),
            ("deepseek-r1:14b", false),
            ("phi4-mini", true),
            ("Llama2:13b", false),
            ("llama3.1", true),
            ("a-new-model", true),
        ] {
            assert_eq!(find_model(model).tools, tools, "{model}");
        }
    }
}
