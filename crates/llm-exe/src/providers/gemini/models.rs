//! Looks up the capabilities of Google's models.

use crate::providers::capabilities::is_match;
use crate::providers::capabilities::models::GEMINI;
pub(crate) use crate::providers::capabilities::rows::{GeminiJson, GeminiModel, GeminiThinking};

const UNKNOWN: GeminiModel = GEMINI[GEMINI.len() - 1];

/// Returns the table row for a Google model. A prefix such as `models/` is ignored.
pub(crate) fn find_model(model: &str) -> GeminiModel {
    let name = model.rsplit('/').next().unwrap_or(model);
    GEMINI.iter().find(|row| is_match(row.models, name)).copied().unwrap_or(UNKNOWN)
}
