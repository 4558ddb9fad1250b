//! The signatures of thinking blocks, with which a service recognizes its own thinking.
//!
//! A signature contains a hash of the block's text and a hash of everything before the block.
//! Models with preserved thinking reject a block if anything before it has changed.
//! <https://platform.claude.com/docs/en/build-with-claude/preserved-thinking>

use serde_json::{Value, json};

use super::error::invalid_request;
use super::models::Model;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, hash_values, str_field};

/// The beginning of the simulator's own signatures, which is "simulated" in base64.
const PREFIX: &str = "c2ltdWxhdGVk";

/// Returns the signature of the thinking block with which the reply to a request begins.
pub(crate) fn sign(thinking: &str, body: &Value) -> String {
    let messages = array_field(body, "messages");
    format!("{PREFIX}{}{}", text_hash(thinking), position_hash(body, messages.len(), 0))
}

/// Returns whether a thinking block still has the text that was signed. Signatures that another
/// service created can't be checked, so that recorded conversations are accepted.
pub(super) fn is_unchanged(block: &Value) -> bool {
    let thinking = str_field(block, "thinking").unwrap_or_default();
    let Some(signature) = str_field(block, "signature") else { return false };
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let has_text = |hashes: &str| hashes.starts_with(&text_hash(thinking));
    !signature.is_empty()
        && signature.bytes().all(is_base64)
        && signature.strip_prefix(PREFIX).is_none_or(has_text)
}

/// Rejects thinking blocks if the conversation before them has changed, or if their turn has lost
/// an earlier block.
///
/// Some models with preserved thinking drop such a block without an error. The simulator rejects it
/// for all of them, because the model loses its reasoning in either case.
pub(super) fn validate_positions(body: &Value, model: Model) -> Result<(), Rejection> {
    if !model.preserves_thinking() {
        return Ok(());
    }
    for (index, message) in array_field(body, "messages").iter().enumerate() {
        for (at, block) in array_field(message, "content").iter().enumerate() {
            let is_thinking = str_field(block, "type") == Some("thinking");
            let signature = str_field(block, "signature").filter(|_| is_thinking);
            let Some(hashes) = signature.and_then(|signature| signature.strip_prefix(PREFIX))
            else {
                continue;
            };
            if !hashes.ends_with(&position_hash(body, index, at)) {
                return Err(invalid_request(&format!(
                    "messages.{index}.content.{at}: Invalid `signature` in `thinking` block. The \
                     block is bound to a different conversation: the system prompt, the tools or \
                     an earlier block has changed."
                )));
            }
        }
    }
    Ok(())
}

fn text_hash(thinking: &str) -> String {
    format!("{:016x}", hash_values([&json!(thinking)]))
}

/// Returns the hash of everything before a block: the system prompt, the tools, the earlier
/// messages, and the earlier blocks of its message.
fn position_hash(body: &Value, message: usize, block: usize) -> String {
    let messages = array_field(body, "messages");
    let current = messages.get(message).map_or(&[][..], |turn| array_field(turn, "content"));
    let before = ["system", "tools"].into_iter().filter_map(|name| field(body, name));
    let before = before.chain(messages.iter().take(message)).chain(current.iter().take(block));
    format!("{:016x}", hash_values(before))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{is_unchanged, sign, validate_positions};
    use crate::dialects::anthropic::models::model;

    #[test]
    fn changed_thinking_is_recognized() {
        let is_unchanged = |thinking: &str, signature: &str| {
            is_unchanged(&json!({"thinking": thinking, "signature": signature}))
        };
        let sign = |thinking: &str| sign(thinking, &json!({}));
        assert!(is_unchanged("a", &sign("a")));
        assert!(!is_unchanged("b", &sign("a")));
        assert!(!is_unchanged("a", &sign("a").replace("c2ltdWxhdGVk", "c2ltdWxhdGVk0")));
        assert!(!is_unchanged("a", ""));
        assert!(!is_unchanged("a", "not base64"));
        assert!(is_unchanged("a", "EqQBCg=="));
    }

    /// Returns a conversation of two turns, each of which begins with thinking.
    fn conversation() -> Value {
        let mut body = json!({"system": "s", "tools": [{"name": "f"}], "messages": [
            {"role": "user", "content": "hi"},
        ]});
        for id in ["t1", "t2"] {
            let thinking =
                json!({"type": "thinking", "thinking": "a", "signature": sign("a", &body)});
            let call = json!({"type": "tool_use", "id": id});
            let messages = body["messages"].as_array_mut().unwrap();
            messages.push(json!({"role": "assistant", "content": [thinking, call]}));
            let result = json!({"type": "tool_result", "tool_use_id": id});
            messages.push(json!({"role": "user", "content": [result]}));
        }
        body
    }

    #[test]
    fn change_before_a_block_is_recognized() {
        let validate = |body: &Value, name: &str| validate_positions(body, model(name)).is_ok();
        let unchanged = conversation();
        assert!(validate(&unchanged, "claude-opus-5-5"));
        let changes: [fn(&mut Value); 6] = [
            |body| body["system"] = json!("t"),
            |body| body["tools"] = json!([]),
            |body| body["messages"][0]["content"] = json!("ho"),
            |body| body["messages"][1]["content"][1]["id"] = json!("t9"),
            |body| drop(body["messages"][1]["content"].as_array_mut().unwrap().remove(0)),
            |body| body["messages"][3]["content"].as_array_mut().unwrap().swap(0, 1),
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let mut body = conversation();
            change(&mut body);
            assert!(!validate(&body, "claude-opus-5-5"), "{index}");
            assert!(validate(&body, "claude-opus-4-7"), "{index}");
        }
        // Marks for caching, and the end of the conversation, may change.
        let mut body = conversation();
        body["messages"][0]["cache_control"] = json!({"type": "ephemeral"});
        body["messages"].as_array_mut().unwrap().pop();
        assert!(validate(&body, "claude-opus-5-5"));
    }
}
