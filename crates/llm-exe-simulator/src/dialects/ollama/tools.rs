//! Validates the tools of an Ollama request. Ollama does not check whether calls and results
//! belong together.

use serde_json::Value;

use super::error::bad_request;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::array_field;

/// Name prefixes of model families whose templates have no tools.
const WITHOUT_TOOLS: &[&str] =
    &["codellama", "deepseek-r1", "gemma2", "gemma3", "llama2", "llava", "phi3"];

/// Rejects `tools` for a model that does not support them.
pub(super) fn validate(body: &Value, model: &str) -> Result<(), Rejection> {
    let family = model.rsplit('/').next().unwrap_or(model);
    let rejects_tools = WITHOUT_TOOLS.iter().any(|prefix| family.starts_with(prefix));
    if rejects_tools && !array_field(body, "tools").is_empty() {
        let message = format!("registry.ollama.ai/library/{model} does not support tools");
        return Err(bad_request(&message));
    }
    Ok(())
}
