//! Resolves references within a schema.

use serde_json::Value;

/// Returns the subschema that a reference such as `#/$defs/a` refers to. Returns `None` for anchors
/// and for references to other documents.
pub(crate) fn referenced<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    match reference.strip_prefix('#')? {
        "" => Some(root),
        pointer => root.pointer(pointer),
    }
}
