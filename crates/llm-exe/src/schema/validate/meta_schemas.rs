//! The meta-schemas of json-schema.org (BSD license), so that schemas can refer to them.

use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::draft::Draft;

/// The meta-schemas of all drafts, by their URIs.
static TEXT: &str = include_str!("meta_schemas.json");

/// Returns the meta-schema with a URI. The file is parsed when a schema first refers to one.
pub(super) fn find(uri: &str) -> Option<&'static Map<String, Value>> {
    static ALL: OnceLock<Map<String, Value>> = OnceLock::new();
    let is_published = uri
        .strip_prefix("https://json-schema.org/")
        .or(uri.strip_prefix("http://json-schema.org/"));
    is_published?;
    let all = ALL.get_or_init(|| serde_json::from_str(TEXT).unwrap_or_default());
    let name = match Draft::from_uri(uri) {
        Some(Draft::Draft4) => "http://json-schema.org/draft-04/schema",
        Some(Draft::Draft6) => "http://json-schema.org/draft-06/schema",
        Some(Draft::Draft7) => "http://json-schema.org/draft-07/schema",
        Some(Draft::Draft201909) => "https://json-schema.org/draft/2019-09/schema",
        Some(Draft::Draft202012) => "https://json-schema.org/draft/2020-12/schema",
        None => uri,
    };
    all.get(name)?.as_object()
}
