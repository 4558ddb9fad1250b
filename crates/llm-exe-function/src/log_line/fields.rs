//! Writes the fields of a log line.

use serde::Serialize;

/// Writes a JSON object field by field. The names are copied as they are, without a search for
/// characters to escape, because half of the strings in a line are names.
pub(super) struct Fields {
    json: Vec<u8>,
}

impl Fields {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Fields { json: Vec::with_capacity(bytes) }
    }

    /// Adds a field. `name` must not contain characters that JSON escapes.
    pub(super) fn add<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> serde_json::Result<()> {
        self.add_name(name);
        serde_json::to_writer(&mut self.json, value)
    }

    /// Adds a field whose value is written in these parts. Together they must be valid JSON.
    pub(super) fn add_json(&mut self, name: &'static str, parts: &[&str]) {
        self.add_name(name);
        for part in parts {
            self.json.extend_from_slice(part.as_bytes());
        }
    }

    /// Adds a field whose value a function writes, which must be valid JSON.
    pub(super) fn add_with(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>)) {
        self.add_name(name);
        write(&mut self.json);
    }

    /// Adds a field whose name is written in parts, which must not contain characters that JSON
    /// escapes.
    pub(super) fn add_json_named(&mut self, name: &[&str], value: &[&str]) {
        self.start_name();
        for part in name {
            self.json.extend_from_slice(part.as_bytes());
        }
        self.json.extend_from_slice(b"\":");
        for part in value {
            self.json.extend_from_slice(part.as_bytes());
        }
    }

    /// Adds a field with a string. `text` must not contain characters that JSON escapes.
    pub(super) fn add_word(&mut self, name: &'static str, text: &'static str) {
        self.add_json(name, &["\"", text, "\""]);
    }

    fn start_name(&mut self) {
        let start = if self.json.is_empty() { b"{\"" } else { b",\"" };
        self.json.extend_from_slice(start);
    }

    fn add_name(&mut self, name: &'static str) {
        self.start_name();
        self.json.extend_from_slice(name.as_bytes());
        self.json.extend_from_slice(b"\":");
    }

    /// Adds a field, unless its value is missing.
    pub(super) fn add_some<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: Option<&T>,
    ) -> serde_json::Result<()> {
        value.map_or(Ok(()), |value| self.add(name, value))
    }

    /// Returns the object.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let end: &[u8] = if self.json.is_empty() { b"{}" } else { b"}" };
        self.json.extend_from_slice(end);
        self.json
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn fields_are_separated_and_missing_values_are_omitted() {
        let mut fields = Fields::with_capacity(8);
        fields.add("a", "x\"y").unwrap();
        fields.add_some("b", None::<&u8>).unwrap();
        fields.add_some("c", Some(&[1, 2])).unwrap();
        fields.add_json("d", &["[", "3", "]"]);
        fields.add_word("e", "f");
        assert_eq!(fields.finish(), br#"{"a":"x\"y","c":[1,2],"d":[3],"e":"f"}"#);
        assert_eq!(Fields::with_capacity(0).finish(), b"{}");
    }
}
