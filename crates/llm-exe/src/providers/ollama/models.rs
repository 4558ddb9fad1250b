//! Looks up the capabilities of Ollama models. The models differ in how they reason and whether
//! they call tools.

use crate::providers::capabilities::models::OLLAMA;
pub(crate) use crate::providers::capabilities::rows::{OllamaModel, Think};

const UNKNOWN: OllamaModel = OLLAMA.rows[OLLAMA.rows.len() - 1];

/// Returns the table row for a model, ignoring the namespace and tag in its name. A model in a
/// namespace may have a template of its own, so it is assumed to have tools.
pub(crate) fn find_model(name: &str) -> OllamaModel {
    let lower = name.to_ascii_lowercase();
    let (namespace, base) = split_name(&lower);
    let row = OLLAMA.find(base).unwrap_or(UNKNOWN);
    OllamaModel { tools: row.tools || !matches!(namespace, "" | "library"), ..row }
}

/// Returns the patterns of the table row for a model.
pub(crate) fn find_patterns(name: &str) -> &'static str {
    OLLAMA.patterns_of(OLLAMA.index(split_name(&name.to_ascii_lowercase()).1))
}

/// Returns the namespace of a model and its name without the tag.
fn split_name(name: &str) -> (&str, &str) {
    let (namespace, base) = name.rsplit_once('/').unwrap_or(("", name));
    (namespace, base.split(':').next().unwrap_or(base))
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
