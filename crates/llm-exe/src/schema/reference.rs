//! Resolves references within a schema.

use serde_json::Value;

/// Returns the subschema that a `$ref` into the same document refers to. Returns `None` for any
/// other reference.
pub(crate) fn referenced<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    match reference.strip_prefix('#')? {
        "" => Some(root),
        pointer => root.pointer(pointer),
    }
}
