//! The content of a message as its JSON, so that a turn of the model can be sent back unchanged.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The name of the dialect.
pub(super) const NAME: &str = "gemini";
/// The role of the model in `contents`.
pub(super) const MODEL_ROLE: &str = "model";

/// A content whose parts keep their bytes.
#[derive(Serialize, Deserialize)]
pub(super) struct RawContent {
    #[serde(default)]
    pub(super) role: String,
    #[serde(default)]
    pub(super) parts: Vec<Box<RawValue>>,
}
