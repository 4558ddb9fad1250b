//! Creates objects from values.

use serde_json::{Map, Value};

/// Creates an object with these fields. The macro `json!` would copy the values.
pub(crate) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let mut object = Map::with_capacity(N);
    for (name, value) in fields {
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
}
