//! The variables that a template can use, which come from the request's data and from the caller.

use serde_json::{Map, Value};

/// The variables that a template can use.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The data of the request. Its variables take precedence over all others.
    pub data: &'a Map<String, Value>,
    /// More variables of the request, none of which is in `data`. They are listed after those of
    /// `data`, for example by `{{json this}}`.
    pub more: &'a [(&'a str, &'a Value)],
    /// Additional variables that the caller provides, such as `schema`. They are not listed.
    pub extra: &'a [(&'a str, &'a Value)],
}

impl<'a> Scope<'a> {
    /// Returns the value of the variable with the given name.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        let others = || self.more.iter().chain(self.extra);
        let other = || others().find(|(name, _)| *name == key).map(|(_, value)| *value);
        member(self.data, key).or_else(other)
    }

    /// Returns the number of variables that are listed.
    pub(crate) fn count(&self) -> usize {
        self.data.len() + self.more.len()
    }

    /// Returns the names of the variables that are listed.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let more = self.more.iter().map(|(name, _)| *name);
        self.data.keys().map(String::as_str).chain(more)
    }
}

/// Maximum size of a map that is searched linearly, which is faster than hashing for small maps.
const MAX_LINEAR: usize = 16;

/// Returns the value of a key in a map.
pub(crate) fn member<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    if map.len() > MAX_LINEAR {
        return hashed_member(map, key);
    }
    let bytes = key.as_bytes();
    let found = match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) if bytes.len() <= 8 => map.iter().find(|(name, _)| {
            let name = name.as_bytes();
            name.len() == bytes.len()
                && name.first_chunk() == Some(first)
                && name.last_chunk() == Some(last)
        }),
        (Some(first), _) => map.iter().find(|(name, _)| {
            let same = name.len() == key.len() && name.as_bytes().first_chunk() == Some(first);
            same && *name == key
        }),
        _ => map.iter().find(|(name, _)| name.len() == key.len() && name.bytes().eq(key.bytes())),
    };
    found.map(|(_, value)| value)
}

/// Looks up a key by its hash. This is a separate function so that `member` stays small enough to
/// be inlined.
#[inline(never)]
fn hashed_member<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    map.get(key)
}
