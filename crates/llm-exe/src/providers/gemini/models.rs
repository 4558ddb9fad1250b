//! Looks up the capabilities of Google's models.

use crate::providers::capabilities::models::GEMINI;
pub(crate) use crate::providers::capabilities::rows::{GeminiJson, GeminiModel, GeminiThinking};

const UNKNOWN: GeminiModel = GEMINI.rows[GEMINI.rows.len() - 1];

/// Returns the table row for a Google model. A prefix such as `models/` is ignored.
pub(crate) fn find_model(model: &str) -> GeminiModel {
    GEMINI.find(base_name(model)).unwrap_or(UNKNOWN)
}

/// Returns the name without a prefix such as `models/`.
pub(crate) fn base_name(model: &str) -> &str {
    model.rsplit('/').next().unwrap_or(model)
}
