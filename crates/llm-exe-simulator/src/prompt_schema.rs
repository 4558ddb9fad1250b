//! Finds a JSON Schema that stands in a prompt's text, as prompts for models without a native
//! schema have it.
//!
//! In: the prompt's text. Out: the first JSON object in it that looks like a schema.

use serde_json::Value;

/// How many opening braces are tried: a prompt full of code is not worth more.
const TRIES: usize = 500;
const TYPES: &[&str] = &["object", "array", "string", "number", "integer", "boolean", "null"];

/// The first schema in the text.
pub(crate) fn find(text: &str) -> Option<Value> {
    text.match_indices('{').take(TRIES).find_map(|(at, _)| {
        let mut values = serde_json::Deserializer::from_str(text.get(at..)?).into_iter::<Value>();
        values.next()?.ok().filter(is_schema)
    })
}

fn is_schema(value: &Value) -> bool {
    let known = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
    let of_type = match value.get("type") {
        Some(Value::Array(names)) => !names.is_empty() && names.iter().all(known),
        Some(name) => known(name),
        None => false,
    };
    let is = |key: &str, right: fn(&Value) -> bool| value.get(key).is_some_and(right);
    of_type
        || is("properties", Value::is_object)
        || is("$ref", Value::is_string)
        || is("anyOf", Value::is_array)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_schema() {
        let text = "Data: {\"type\":\"cat\"} {broken {\"a\":{\"type\":\"string\"}} tail {";
        assert_eq!(find(text), Some(serde_json::json!({"type": "string"})));
        assert_eq!(find("no braces"), None);
        assert_eq!(find("{\"properties\": 1}"), None);
    }
}
