//! The signatures of thinking blocks, with which a service recognizes its own thinking.

use serde_json::Value;

use crate::dialects::json::str_field;

/// The beginning of the simulator's own signatures, which is "simulated" in base64.
const PREFIX: &str = "c2ltdWxhdGVk";

/// Returns the signature of a thinking block. It depends on the block's text.
pub(crate) fn sign(thinking: &str) -> String {
    // FNV-1a, because the signature only has to differ between texts.
    let hash = thinking.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{PREFIX}{hash:016x}")
}

/// Returns whether a service accepts a signature. Those that another service created can't be
/// checked, so that recorded conversations are accepted.
fn is_valid(thinking: &str, signature: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let is_foreign = !signature.starts_with(PREFIX);
    !signature.is_empty()
        && signature.bytes().all(is_base64)
        && (is_foreign || signature == sign(thinking))
}

/// Returns whether a thinking block still has the text that was signed.
pub(super) fn is_unchanged(block: &Value) -> bool {
    let thinking = str_field(block, "thinking").unwrap_or_default();
    str_field(block, "signature").is_some_and(|signature| is_valid(thinking, signature))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_unchanged, sign};

    #[test]
    fn changed_thinking_is_recognized() {
        let is_unchanged = |thinking: &str, signature: &str| {
            is_unchanged(&json!({"thinking": thinking, "signature": signature}))
        };
        assert!(is_unchanged("a", &sign("a")));
        assert!(!is_unchanged("b", &sign("a")));
        assert!(!is_unchanged("a", ""));
        assert!(!is_unchanged("a", "not base64"));
        assert!(is_unchanged("a", "EqQBCg=="));
    }
}
