//! Hashes JSON values.

use ring::digest;
use serde_json::{Map, Number, Value};

use crate::hex::hex;

/// Returns the SHA-256 hash of a value in hexadecimal digits. It does not depend on the order of
/// keys. Numbers with different digits have different hashes.
pub fn hash_json(value: &Value) -> String {
    hash_fields(value, &[])
}

/// The fields of a request that do not change its result. They can differ if a call is repeated.
const IGNORED_FIELDS: [&str; 3] = ["stream", "streamFormat", "traceparent"];

/// Returns the hash of a request as [`hash_json`] does, without the fields that do not change its
/// result.
pub fn hash_request(request: &Value) -> String {
    hash_fields(request, &IGNORED_FIELDS)
}

/// Returns the hash of a value. These fields of an object at its root are skipped.
fn hash_fields(value: &Value, skipped: &[&str]) -> String {
    let mut hasher = digest::Context::new(&digest::SHA256);
    let add_digits = |number: &Number, hasher: &mut digest::Context| {
        hasher.update(number.to_string().as_bytes());
    };
    match value.as_object() {
        Some(fields) => update_fields(fields, skipped, &mut hasher, &add_digits),
        None => update_hash(value, &mut hasher, &add_digits),
    }
    hex(hasher.finish().as_ref())
}

/// Adds a value to a hash that does not depend on the order of keys or on how numbers are written,
/// which JSON writers change.
pub(crate) fn update_tolerant_hash(value: &Value, hasher: &mut digest::Context) {
    let add_value = |number: &Number, hasher: &mut digest::Context| {
        hasher.update(&number.as_f64().unwrap_or_default().to_bits().to_be_bytes());
    };
    update_hash(value, hasher, &add_value);
}

fn update_hash(
    value: &Value,
    hasher: &mut digest::Context,
    add_number: &dyn Fn(&Number, &mut digest::Context),
) {
    match value {
        Value::Array(items) => {
            hasher.update(b"[");
            for item in items {
                update_hash(item, hasher, add_number);
                hasher.update(b",");
            }
            hasher.update(b"]");
        }
        Value::Object(fields) => update_fields(fields, &[], hasher, add_number),
        Value::Number(number) => add_number(number, hasher),
        other => hasher.update(other.to_string().as_bytes()),
    }
}

fn update_fields(
    fields: &Map<String, Value>,
    skipped: &[&str],
    hasher: &mut digest::Context,
    add_number: &dyn Fn(&Number, &mut digest::Context),
) {
    let fields = fields.iter().filter(|(name, _)| !skipped.contains(&name.as_str()));
    let mut sorted: Vec<(&String, &Value)> = fields.collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    hasher.update(b"{");
    for (name, value) in sorted {
        hasher.update(Value::from(name.as_str()).to_string().as_bytes());
        hasher.update(b":");
        update_hash(value, hasher, add_number);
        hasher.update(b",");
    }
    hasher.update(b"}");
}

#[cfg(test)]
mod tests {
    use ring::digest;
    use serde_json::{Value, json};

    use super::{hash_json, update_tolerant_hash};

    fn tolerant(value: &Value) -> Vec<u8> {
        let mut hasher = digest::Context::new(&digest::SHA256);
        update_tolerant_hash(value, &mut hasher);
        hasher.finish().as_ref().to_vec()
    }

    #[test]
    fn only_the_tolerant_hash_ignores_how_numbers_are_written() {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let (first, second) = (parse(r#"{"a": 1, "b": [2]}"#), parse(r#"{"b": [2], "a": 1}"#));
        assert_eq!(hash_json(&first), hash_json(&second));
        assert_eq!(tolerant(&first), tolerant(&second));
        let (first, second) = (json!(1), parse("1.0"));
        assert_ne!(hash_json(&first), hash_json(&second));
        assert_eq!(tolerant(&first), tolerant(&second));
        // As floats, these are the same number.
        let (first, second) = (parse("9007199254740993"), parse("9007199254740992"));
        assert_ne!(hash_json(&first), hash_json(&second));
        for (first, second) in [
            (json!(["a,b"]), json!(["a", "b"])),
            (json!([[1], 2]), json!([[1, 2]])),
            (json!({ "a": null }), json!({})),
            (json!("1"), json!(1)),
        ] {
            assert_ne!(hash_json(&first), hash_json(&second), "{first} {second}");
            assert_ne!(tolerant(&first), tolerant(&second), "{first} {second}");
        }
    }
}
