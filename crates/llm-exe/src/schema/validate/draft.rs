//! The supported drafts of JSON Schema.

use serde_json::{Map, Value};

/// The supported values of `$schema`. Older spellings of these URIs are supported too.
pub(super) const KNOWN_DRAFTS: &str = "https://json-schema.org/draft/2020-12/schema, \
    https://json-schema.org/draft/2019-09/schema, http://json-schema.org/draft-07/schema#, \
    http://json-schema.org/draft-06/schema#, http://json-schema.org/draft-04/schema#";

/// A draft of JSON Schema. Later drafts are greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Draft {
    Draft4,
    Draft6,
    Draft7,
    Draft201909,
    #[default]
    Draft202012,
}

impl Draft {
    /// Returns the draft that a value of `$schema` names, or `None` if it is not a known draft. The
    /// URIs are accepted with `http` and `https`, and with or without an empty fragment.
    pub(crate) fn from_uri(uri: &str) -> Option<Draft> {
        let uri = uri.trim_end_matches('#');
        let name = uri.strip_prefix("https://").or(uri.strip_prefix("http://"))?;
        match name.strip_prefix("json-schema.org/")? {
            "draft/2020-12/schema" | "schema" => Some(Draft::Draft202012),
            "draft/2019-09/schema" => Some(Draft::Draft201909),
            "draft-07/schema" => Some(Draft::Draft7),
            "draft-06/schema" => Some(Draft::Draft6),
            "draft-04/schema" => Some(Draft::Draft4),
            _ => None,
        }
    }

    /// Returns the draft of a schema, which is 2020-12 unless `$schema` names another known draft.
    pub(crate) fn detect(schema: &Value) -> Draft {
        schema.as_object().map_or(Draft::default(), |rules| Draft::default().within(rules))
    }

    /// Returns the draft of a subschema of a schema of this draft, which can have its own
    /// `$schema`.
    pub(crate) fn within(self, rules: &Map<String, Value>) -> Draft {
        match rules.get("$schema").and_then(Value::as_str) {
            Some(uri) => Draft::from_uri(uri).unwrap_or_default(),
            None => self,
        }
    }

    /// Returns whether the keywords next to a `$ref` are ignored.
    pub(crate) fn ignores_ref_siblings(self) -> bool {
        self <= Draft::Draft7
    }

    /// Returns the `$id` of a schema, which sets the base URI of the references below it. Up to
    /// draft-07, an `$id` with only a fragment is an anchor instead.
    pub(crate) fn id(self, rules: &Map<String, Value>) -> Option<&str> {
        let keyword = if self == Draft::Draft4 { "id" } else { "$id" };
        let id = rules.get(keyword)?.as_str()?;
        let is_ignored =
            self.ignores_ref_siblings() && (id.starts_with('#') || rules.contains_key("$ref"));
        (!is_ignored).then(|| id.trim_end_matches('#'))
    }

    /// Returns the name that `$anchor`, or an `$id` with only a fragment, gives to a schema.
    pub(crate) fn anchor(self, rules: &Map<String, Value>) -> Option<&str> {
        match self {
            Draft::Draft4 => rules.get("id")?.as_str()?.strip_prefix('#'),
            Draft::Draft6 | Draft::Draft7 => rules.get("$id")?.as_str()?.strip_prefix('#'),
            Draft::Draft201909 | Draft::Draft202012 => rules.get("$anchor")?.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Draft;

    #[test]
    fn drafts_are_detected_by_every_spelling_of_their_uri() {
        for (uri, draft) in [
            ("https://json-schema.org/draft/2020-12/schema", Some(Draft::Draft202012)),
            ("http://json-schema.org/draft/2019-09/schema#", Some(Draft::Draft201909)),
            ("http://json-schema.org/draft-07/schema#", Some(Draft::Draft7)),
            ("https://json-schema.org/draft-06/schema", Some(Draft::Draft6)),
            ("http://json-schema.org/draft-04/schema", Some(Draft::Draft4)),
            ("https://json-schema.org/schema", Some(Draft::Draft202012)),
            ("https://spec.openapis.org/oas/3.1/dialect/base", None),
            ("json-schema.org/draft-07/schema", None),
        ] {
            assert_eq!(Draft::from_uri(uri), draft, "{uri}");
            assert_eq!(Draft::detect(&json!({ "$schema": uri })), draft.unwrap_or_default());
        }
    }
}
