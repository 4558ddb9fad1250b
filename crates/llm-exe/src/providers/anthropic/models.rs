//! Looks up the capabilities of Anthropic's models.

use crate::providers::capabilities::models::CLAUDE;
pub(crate) use crate::providers::capabilities::rows::{
    BedrockJson, ClaudeModel, Thinking, ThinkingOff,
};

/// The models of unknown families.
const UNKNOWN: ClaudeModel = CLAUDE.rows[CLAUDE.rows.len() - 1];

/// Returns the table row for a Claude model.
pub(crate) fn find_model(model: &str) -> ClaudeModel {
    CLAUDE.find(model).unwrap_or(UNKNOWN)
}
