//! Looks up the capabilities of the models that OpenAI, xAI, DeepSeek and compatible servers offer
//! through the chat completions API.

use crate::providers::capabilities::ModelRows;
use crate::providers::capabilities::models::OPENAI;
pub(crate) use crate::providers::capabilities::rows::OpenAiModel;

const UNKNOWN: OpenAiModel = OPENAI.rows[OPENAI.rows.len() - 1];

/// Returns the row for a model in its provider's table, or the last row of `others`.
pub(crate) fn find_model(
    table: &ModelRows<[OpenAiModel]>,
    others: &ModelRows<[OpenAiModel]>,
    model: &str,
) -> OpenAiModel {
    let listed = table.find(base_model(model));
    listed.or_else(|| others.rows.last().copied()).unwrap_or(UNKNOWN)
}

/// Returns the name of the model whose row describes a model: a fine-tuned model (`ft:BASE:…`) uses
/// the row of its base model.
pub(crate) fn base_model(model: &str) -> &str {
    match model.strip_prefix("ft:") {
        Some(rest) => rest.split(':').next().unwrap_or(rest),
        None => model,
    }
}
