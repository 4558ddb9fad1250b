//! The signatures of function calls, which a client must send back in the part that it received.
//! <https://ai.google.dev/gemini-api/docs/thought-signatures>

use serde_json::{Value, json};

use super::error::invalid_request;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{field, hash_values, str_field};

/// The beginning of the simulator's own signatures, which is "simulated thought" in base64.
const PREFIX: &str = "c2ltdWxhdGVkIHRob3VnaHQg";

/// Returns the signature of a function call.
pub(super) fn sign(call: &Value) -> String {
    let data = ["name", "args"].map(|name| field(call, name).cloned().unwrap_or(json!({})));
    format!("{PREFIX}{:016x}", hash_values(&data))
}

/// Rejects a part with a signature of the simulator that belongs to another function call.
/// Signatures that another service created can't be checked, so that recorded conversations are
/// accepted.
pub(super) fn validate(part: &Value) -> Result<(), Rejection> {
    let signature = str_field(part, "thoughtSignature").unwrap_or_default();
    let call = field(part, "functionCall");
    let is_foreign = !signature.starts_with(PREFIX);
    if is_foreign || call.is_some_and(|call| sign(call) == signature) {
        return Ok(());
    }
    Err(invalid_request("Corrupted thought signature."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{sign, validate};

    #[test]
    fn signature_belongs_to_its_part() {
        let call = json!({"id": "a", "name": "f", "args": {"n": 1.0}});
        let signature = sign(&call);
        let other = json!({"id": "a", "name": "f", "args": {"n": 1.5}});
        let cut = signature.get(..signature.len() - 1).unwrap();
        for (part, is_valid) in [
            (json!({"functionCall": call, "thoughtSignature": signature}), true),
            (json!({"functionCall": call}), true),
            (json!({"functionCall": call, "thoughtSignature": "CoMBAA=="}), true),
            (json!({"functionCall": other, "thoughtSignature": signature}), false),
            (json!({"functionCall": call, "thoughtSignature": cut}), false),
            (json!({"text": "a", "thoughtSignature": signature}), false),
        ] {
            assert_eq!(validate(&part).is_ok(), is_valid, "{part}");
        }
    }
}
