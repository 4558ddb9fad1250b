//! Helpers with which the provider tests locate their case files and check whether to update them.

use std::path::PathBuf;

use serde_json::{Map, Value};

/// Returns whether the tests rewrite their expected files (`UPDATE=1 cargo test …`).
pub(crate) fn update() -> bool {
    #[allow(clippy::disallowed_methods, reason = "tests have no settings to read this from")]
    std::env::var_os("UPDATE").is_some()
}

/// Returns the folder that contains the test cases.
pub(crate) fn cases() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases"))
}

/// Returns the path of a provider's wire cases. The colon in a provider's name is replaced, because
/// some systems do not allow colons in file names.
pub(crate) fn wire_file(provider: &str) -> PathBuf {
    cases().join("wire").join(format!("{}.json", provider.replace(':', "-")))
}

/// Returns a provider's wire cases by name. Each case contains a request and the wire request or
/// error that results from it.
pub(crate) fn wire_cases(provider: &str) -> Map<String, Value> {
    let path = wire_file(provider);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("{}: {error}", path.display());
    });
    serde_json::from_str(&text).unwrap()
}
