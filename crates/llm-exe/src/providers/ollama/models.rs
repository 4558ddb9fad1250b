//! Looks up the capabilities of Ollama models. The models differ in how they reason and whether
//! they call tools.

use crate::providers::capabilities::is_match;
use crate::providers::capabilities::models::OLLAMA;
pub(crate) use crate::providers::capabilities::rows::{OllamaModel, Think};

const UNKNOWN: OllamaModel = OLLAMA[OLLAMA.len() - 1];

/// Returns the table row for a model, ignoring the namespace and tag in its name. A model in a
/// namespace may have a template of its own, so it is assumed to have tools.
pub(crate) fn find_model(name: &str) -> OllamaModel {
    let lower = name.to_ascii_lowercase();
    let (namespace, base) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let base = base.split(':').next().unwrap_or(base);
    let row = OLLAMA.iter().find(|row| is_match(row.models, base)).copied().unwrap_or(UNKNOWN);
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
