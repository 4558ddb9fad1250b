//! Functions for reading JSON bodies, shared by the dialects.

use serde_json::Value;

/// Returns a field, or `None` if the field is missing or null.
pub(crate) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|value| !value.is_null())
}

/// Returns the value of a field if it is a string.
pub(crate) fn str_field<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// Returns the elements of an array field, or an empty slice if the field is missing or not an
/// array.
pub(crate) fn array_field<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the tool that a request in one of OpenAI's formats forces the model to call.
/// `name_path` is the path of the name in a tool and in the choice.
pub(crate) fn forced_tool<'a>(body: &'a Value, name_path: &str) -> Option<&'a Value> {
    let tools = array_field(body, "tools");
    let choice = body.get("tool_choice")?;
    if choice == "required" {
        return tools.first();
    }
    let name = choice.pointer(name_path)?;
    tools.iter().find(|tool| tool.pointer(name_path) == Some(name))
}

/// Returns a hash of JSON values (FNV-1a). Marks for caching may be added and removed at any time,
/// so they do not count.
pub(crate) fn hash_values<'a>(values: impl IntoIterator<Item = &'a Value>) -> u64 {
    let texts = values.into_iter().map(|value| without_cache_marks(value).to_string());
    texts.flat_map(String::into_bytes).fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn without_cache_marks(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| *name != "cache_control");
            kept.map(|(name, value)| (name.clone(), without_cache_marks(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_cache_marks).collect(),
        value => value.clone(),
    }
}

/// Returns the first key of an object that is not in `known`.
pub(crate) fn unknown_key<'a>(value: &'a Value, known: &[&str]) -> Option<&'a str> {
    let mut keys = value.as_object()?.keys().map(String::as_str);
    keys.find(|key| !known.contains(key))
}

/// Whether a name consists of 1 to `max_length` ASCII letters, digits, `_` and `-`.
pub(crate) fn is_name(name: &str, max_length: usize) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=max_length).contains(&name.len()) && name.bytes().all(allowed)
}

/// Whether the `type` of a schema node is this type or an array that contains this type.
pub(crate) fn has_type(schema: &Value, wanted: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(|name| name == wanted),
        Some(name) => name == wanted,
        None => false,
    }
}

/// Returns the name of a value's type as the services write it in error messages.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "an integer",
        Value::Number(_) => "a decimal",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Returns the text of a message's content, which is a string or an array of parts. The texts of
/// parts are joined with line breaks.
pub(crate) fn content_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let part_text = |part: &Value| match part.get("text").and_then(Value::as_str) {
                Some(text) => text.to_owned(),
                None => part.get("content").map(content_text).unwrap_or_default(),
            };
            let texts = parts.iter().map(part_text).filter(|text| !text.is_empty());
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}
