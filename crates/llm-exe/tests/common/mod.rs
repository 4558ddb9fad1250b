//! Helpers with which the provider tests read their data files and check whether to update them.

#![allow(dead_code, reason = "each test binary uses only some of the helpers")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

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

/// Returns the path of a provider's data file. The colon in a provider's name is replaced, because
/// some systems do not allow colons in file names.
pub(crate) fn wire_file(provider: &str) -> PathBuf {
    cases().join("wire").join(format!("{}.json", provider.replace(':', "-")))
}

/// Returns the contents of a provider's data file, which CONTRIBUTING.md describes.
pub(crate) fn provider_data(provider: &str) -> Map<String, Value> {
    let path = wire_file(provider);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; add the data file of {provider}", path.display());
    });
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns a text field of a provider's data file.
pub(crate) fn provider_field(provider: &str, field: &str) -> String {
    let data = provider_data(provider);
    let text = data.get(field).and_then(Value::as_str);
    let missing = || panic!("{}: the field {field} is missing", wire_file(provider).display());
    text.unwrap_or_else(missing).to_owned()
}

/// Returns a provider's wire cases by name. Each case contains a request and the wire request or
/// error that results from it.
pub(crate) fn wire_cases(provider: &str) -> Map<String, Value> {
    let cases = provider_data(provider).shift_remove("cases");
    let missing = || panic!("{}: the field cases is missing", wire_file(provider).display());
    cases.unwrap_or_else(missing).as_object().unwrap().clone()
}
