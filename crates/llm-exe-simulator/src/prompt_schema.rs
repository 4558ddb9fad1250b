//! Finds a JSON Schema in the text of a prompt, where clients put it if the model does not support
//! structured output.

use serde_json::Value;

/// The maximum number of opening braces to try as the start of a schema. A prompt that contains
/// code can have many more braces.
const MAX_TRIES: usize = 500;
const TYPES: &[&str] = &["object", "array", "string", "number", "integer", "boolean", "null"];

/// Returns the first JSON object in the text that looks like a schema.
pub(crate) fn find(text: &str) -> Option<Value> {
    text.match_indices('{').take(MAX_TRIES).find_map(|(at, _)| {
        let mut values = serde_json::Deserializer::from_str(text.get(at..)?).into_iter::<Value>();
        values.next()?.ok().filter(is_schema)
    })
}

fn is_schema(value: &Value) -> bool {
    let is_type = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
    let has_type = match value.get("type") {
        Some(Value::Array(names)) => !names.is_empty() && names.iter().all(is_type),
        Some(name) => is_type(name),
        None => false,
    };
    let has = |key: &str, is_valid: fn(&Value) -> bool| value.get(key).is_some_and(is_valid);
    has_type
        || has("properties", Value::is_object)
        || has("$ref", Value::is_string)
        || has("anyOf", Value::is_array)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_schema_is_found() {
        let text = "Data: {\"type\":\"cat\"} {broken {\"a\":{\"type\":\"string\"}} tail {";
        assert_eq!(find(text), Some(serde_json::json!({"type": "string"})));
        assert_eq!(find("no braces"), None);
        assert_eq!(find("{\"properties\": 1}"), None);
    }
}
