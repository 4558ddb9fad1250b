//! Limits the size of rewritten schemas.
//!
//! Replacing references with their definitions, and merging schemas, copies the same text several
//! times. A few kilobytes could become gigabytes, so each copy is counted before it is made.

use std::cell::Cell;

use serde_json::{Map, Value};

/// Maximum number of subschemas in a rewritten schema.
const MAX_NODES: usize = 20_000;
/// Maximum number of bytes that are copied to rewrite a schema.
const MAX_BYTES: usize = 4_000_000;
/// The bytes that a value counts in addition to its text.
const VALUE_BYTES: usize = 16;

/// The subschemas and bytes that may still be copied. A method returns `None` if the copy would
/// exceed the limit.
#[derive(Debug)]
pub(crate) struct SizeBudget {
    nodes: Cell<usize>,
    bytes: Cell<usize>,
}

impl SizeBudget {
    /// Creates the budget of a rewritten schema.
    pub(crate) fn new() -> Self {
        SizeBudget::with_bytes(MAX_BYTES)
    }

    /// Creates a budget with another maximum number of bytes.
    pub(crate) fn with_bytes(bytes: usize) -> Self {
        SizeBudget { nodes: Cell::new(MAX_NODES), bytes: Cell::new(bytes) }
    }

    /// Counts a subschema.
    pub(super) fn charge_node(&self) -> Option<()> {
        self.nodes.set(self.nodes.get().checked_sub(1)?);
        Some(())
    }

    /// Counts bytes of text.
    pub(crate) fn charge_bytes(&self, count: usize) -> Option<()> {
        self.bytes.set(self.bytes.get().checked_sub(count)?);
        Some(())
    }

    /// Counts a value with everything in it.
    pub(crate) fn charge(&self, value: &Value) -> Option<()> {
        let text = match value {
            Value::String(text) => text.len(),
            Value::Array(items) => {
                items.iter().try_for_each(|item| self.charge(item))?;
                0
            }
            Value::Object(fields) => {
                self.charge_fields(fields)?;
                0
            }
            _ => 0,
        };
        self.charge_bytes(VALUE_BYTES + text)
    }

    /// Counts the names and values of an object.
    pub(super) fn charge_fields(&self, fields: &Map<String, Value>) -> Option<()> {
        fields.iter().try_for_each(|(name, value)| self.charge_field(name, value))
    }

    /// Counts a field of an object.
    pub(super) fn charge_field(&self, name: &str, value: &Value) -> Option<()> {
        self.charge_bytes(name.len())?;
        self.charge(value)
    }

    /// Counts and copies a value.
    pub(crate) fn copy(&self, value: &Value) -> Option<Value> {
        self.charge(value)?;
        Some(value.clone())
    }

    /// Counts a constraint and writes it as a note for the description of its schema.
    pub(super) fn note(&self, keyword: &str, value: &Value) -> Option<String> {
        self.charge_field(keyword, value)?;
        let note = format!("{keyword}: {value}");
        self.charge_bytes(note.len())?;
        Some(note)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::SizeBudget;

    #[test]
    fn names_and_texts_are_counted_at_every_level() {
        let value = json!({ "abc": ["de", { "f": "ghij" }, 1] });
        let size = 10 + 6 * super::VALUE_BYTES;
        assert_eq!(SizeBudget::with_bytes(size).copy(&value), Some(value.clone()));
        assert_eq!(SizeBudget::with_bytes(size - 1).copy(&value), None);
    }

    #[test]
    fn notes_count_their_escapes() {
        let value = json!("\u{1}".repeat(10));
        let size = super::VALUE_BYTES + "k".len() + 10 + "k: \"\"".len() + 10 * "\\u0001".len();
        assert!(SizeBudget::with_bytes(size).note("k", &value).is_some());
        assert_eq!(SizeBudget::with_bytes(size - 1).note("k", &value), None);
    }
}
