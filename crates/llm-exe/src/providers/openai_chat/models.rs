//! Looks up the capabilities of the models that OpenAI, xAI, DeepSeek and compatible servers offer
//! through the chat completions API.

use crate::providers::capabilities::is_match;
use crate::providers::capabilities::models::OPENAI;
pub(crate) use crate::providers::capabilities::rows::OpenAiModel;

const UNKNOWN: OpenAiModel = OPENAI[OPENAI.len() - 1];

/// Returns the row for a model in its provider's table. A fine-tuned model (`ft:BASE:…`) uses the
/// row of its base model.
pub(crate) fn find_model(table: &'static [OpenAiModel], model: &str) -> OpenAiModel {
    let base = match model.strip_prefix("ft:") {
        Some(rest) => rest.split(':').next().unwrap_or(rest),
        None => model,
    };
    table.iter().find(|row| is_match(row.models, base)).copied().unwrap_or(UNKNOWN)
}
