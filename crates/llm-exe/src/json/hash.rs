//! Hashes a JSON value.

use ring::digest;
use serde_json::Value;

/// Adds a value to a hash. The hash does not depend on the order of keys or on how numbers are
/// written, which JSON writers change.
pub(crate) fn hash_value(value: &Value, hasher: &mut digest::Context) {
    match value {
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            hasher.update(b"{");
            for (name, value) in sorted {
                hasher.update(name.as_bytes());
                hasher.update(&[0]);
                hash_value(value, hasher);
            }
            hasher.update(b"}");
        }
        Value::Array(items) => {
            hasher.update(b"[");
            items.iter().for_each(|item| hash_value(item, hasher));
            hasher.update(b"]");
        }
        Value::Number(number) => {
            hasher.update(&number.as_f64().unwrap_or_default().to_bits().to_be_bytes());
        }
        other => {
            hasher.update(other.to_string().as_bytes());
            hasher.update(&[0]);
        }
    }
}
