//! The continuation of replies that exceed the number of tokens of one request. A reply that ends
//! with the reason `CONTINUATION` contains a token, and the same request with this token continues
//! it. The npm package does not contain the field, so it is checked by hand.
//!
//! Source: the page on long outputs of Gemini 4 at <https://ai.google.dev/gemini-api/docs>.

use serde_json::{Value, json};

use super::error::{invalid_request, unknown_field, wrong_type};
use super::models;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::hash_values;

/// The name of the field in requests and in replies.
const FIELD: &str = "continuationToken";
/// The reason with which a reply ends that can be continued.
const REASON: &str = "CONTINUATION";
/// The beginning of the tokens, which is "simulated continuation " in base64.
const PREFIX: &str = "c2ltdWxhdGVkIGNvbnRpbnVhdGlvbiAg";

/// Returns the body without the token.
pub(super) fn without_token(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.shift_remove(FIELD);
    }
    body
}

/// Returns the token of the part with this number, which belongs to the request.
fn token(body: &Value, part: u64) -> String {
    format!("{PREFIX}{part:04x}{:016x}", hash_values(&[without_token(body)]))
}

/// Returns the number of the part that a request asks for, counted from 0.
fn part_number(body: &Value) -> Option<u64> {
    let digits = body.get(FIELD)?.as_str()?.strip_prefix(PREFIX)?.get(..4)?;
    u64::from_str_radix(digits, 16).ok()
}

/// Adds the token to a candidate that can be continued.
pub(super) fn add_token(body: &Value, candidate: &mut Value) {
    if candidate.get("finishReason").is_some_and(|reason| reason == REASON) {
        let part = part_number(body).unwrap_or_default() + 1;
        candidate[FIELD] = json!(token(body, part));
    }
}

/// Rejects a token that does not belong to the rest of the request.
pub(super) fn validate(body: &Value, model: &str) -> Result<(), Rejection> {
    let received = match body.get(FIELD) {
        None | Some(Value::Null) => return Ok(()),
        Some(received) => received,
    };
    if !models::model(model).continues {
        return Err(unknown_field("", FIELD));
    }
    let Some(received) = received.as_str() else {
        return Err(wrong_type("continuation_token", "TYPE_STRING", received));
    };
    let part = part_number(body).unwrap_or_default();
    match part > 0 && received == token(body, part) {
        true => Ok(()),
        false => Err(invalid_request(
            "The continuation token is invalid, or belongs to a request with another body.",
        )),
    }
}
