//! Validates the labels of a request.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::problems::Problems;
use crate::chat::Tags;
use crate::json;

/// Maximum number of tags of a request.
const MAX_TAGS: usize = 10;
/// Maximum length of a name or a value.
const MAX_LENGTH: usize = 64;

/// Returns whether a text can be the name or the value of a tag.
pub fn is_tag(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// Returns the tags of a request, or `None` if it has none.
pub(super) fn check_tags(
    tags: Option<&Map<String, Value>>,
    problems: &mut Problems,
) -> Option<Tags> {
    let tags = tags.filter(|tags| !tags.is_empty())?;
    const EXPECTED: &str = "1 to 64 letters, digits, _, . and -";
    if tags.len() > MAX_TAGS {
        problems.add("tags", format!("expected at most {MAX_TAGS}, got {}", tags.len()));
        return None;
    }
    for (name, value) in tags {
        if !is_tag(name) {
            let name = json::quoted(name);
            problems.add("tags", format!("expected names with {EXPECTED}, got {name}"));
        } else if !value.as_str().is_some_and(is_tag) {
            let received = json::shown(value);
            problems.add(format!("tags.{name}"), format!("expected {EXPECTED}, got {received}"));
        }
    }
    let tags =
        tags.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    Some(Arc::new(tags.collect()))
}
