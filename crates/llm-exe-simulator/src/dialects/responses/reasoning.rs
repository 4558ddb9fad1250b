//! The reasoning of models, which the service encrypts and a request sends back.

use serde_json::{Value, json};

use crate::dialects::json::{hash_values, str_field};
use crate::dialects::openai::models::{self, Model};

/// The beginning of the encrypted content that the simulator writes.
pub(super) const ENCRYPTED: &str = "gAAAAsim";

/// Returns the capabilities of a model, whose id on Bedrock has a prefix.
pub(super) fn model(name: &str) -> Model {
    models::model(name.split_once("openai.").map_or(name, |(_, name)| name))
}

/// Returns whether a model is one of xAI's.
pub(super) fn is_xai(name: &str) -> bool {
    name.contains("grok")
}

/// Returns whether the model thinks before it replies.
pub(super) fn reasons(body: &Value) -> bool {
    let name = str_field(body, "model").unwrap_or_default();
    let is_off = body.pointer("/reasoning/effort").is_some_and(|effort| effort == "none");
    let is_grok = name.contains("grok-4") && !name.contains("non-reasoning");
    (model(name).is_reasoning || is_grok) && !is_off
}

/// Returns whether the encrypted content of a reasoning item may be that of the service. Content
/// that the simulator has not written is not checked.
pub(super) fn is_genuine(body: &Value, item: &Value) -> bool {
    let id = str_field(item, "id").unwrap_or_default();
    let content = str_field(item, "encrypted_content").unwrap_or_default();
    !content.starts_with(ENCRYPTED) || content == encrypted_content(body, id)
}

/// Returns the encrypted content of a reasoning item, which is valid for one model only.
pub(super) fn encrypted_content(body: &Value, id: &str) -> String {
    let model = body.get("model").cloned().unwrap_or_default();
    format!("{ENCRYPTED}{:016x}", hash_values([&model, &json!(id)]))
}
