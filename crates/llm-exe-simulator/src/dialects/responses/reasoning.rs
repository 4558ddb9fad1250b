//! The reasoning of models, which the service encrypts and a request sends back.

use serde_json::{Value, json};

use crate::dialects::dialect::Rejection;
use crate::dialects::json::{hash_values, str_field};
use crate::dialects::openai::error::rejection;
use crate::dialects::openai::models::{self, Model};

/// The beginning of the encrypted content that the simulator writes.
pub(super) const ENCRYPTED: &str = "gAAAAsim";

/// The beginning of the ids of the simulator's reasoning items. The number of the reply follows.
const REASONING_ID: &str = "rs_sim";
/// The beginning of the number in the ids of other items of a reply that began with reasoning.
const AFTER_REASONING: &str = "_simr";

/// Returns the id of the reasoning item of a reply.
pub(super) fn reasoning_id(number: u64) -> String {
    format!("{REASONING_ID}{number:06}")
}

/// Returns the id of another item of a reply, which begins with `kind`. The id contains whether
/// the reply began with reasoning, because no state is stored.
pub(super) fn item_id(kind: &str, number: u64, reasons: bool) -> String {
    let mark = if reasons { AFTER_REASONING } else { "_sim" };
    format!("{kind}{mark}{number:06}")
}

/// Rejects an item of a reply if the reasoning item with which the reply began is not before it.
/// Items that another service created can't be checked.
pub(super) fn validate_required(before: &[Value], item: &Value) -> Result<(), Rejection> {
    let id = str_field(item, "id").unwrap_or_default();
    let Some((_, rest)) = id.split_once(AFTER_REASONING) else {
        return Ok(());
    };
    let number = rest.split('_').next().unwrap_or_default();
    let required = format!("{REASONING_ID}{number}");
    if before.iter().any(|item| str_field(item, "id") == Some(&required)) {
        return Ok(());
    }
    let kind = str_field(item, "type").unwrap_or_default();
    let message = format!(
        "Item '{id}' of type '{kind}' was provided without its required 'reasoning' item: \
         '{required}'."
    );
    Err(rejection(400, &message, Some("input"), None))
}

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
