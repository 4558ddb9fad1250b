//! Creates objects from values, and finds fields of objects with few fields.

use serde_json::{Map, Value};

/// Creates an object with these fields. The macro `json!` would copy the values.
pub(crate) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let mut object = Map::with_capacity(N);
    for (name, value) in fields {
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
}

/// Returns a field of a value that is an object, like a request. Comparing the few names of a
/// request is faster than hashing the name of each field that is searched for.
pub(crate) fn find_field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.as_object()?.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// Returns a field as [`find_field`] does.
pub(crate) fn find_field_mut<'v>(value: &'v mut Value, name: &str) -> Option<&'v mut Value> {
    value.as_object_mut()?.iter_mut().find(|(known, _)| *known == name).map(|(_, value)| value)
}
