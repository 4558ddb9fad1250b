//! The data files of the event sources, `crates/llm-exe-events/tests/cases/<name>.json`. The tests
//! of several crates run their cases and examples, and the documentation is generated from them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::generated::root;

/// The folder of the data files, relative to the root of the repository.
pub const CASES: &str = "crates/llm-exe-events/tests/cases";

/// The folder of the example events, relative to the root of the repository.
pub const EXAMPLES: &str = "examples/events";

/// The data file of an event source.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceFile {
    /// The name in lists, such as "SNS". Only `unsupported` has none.
    pub service: Option<String>,
    /// What sends the events, for the table in docs/events.md.
    pub description: Option<String>,
    /// The fields that identify an event, for the same table.
    pub detected_by: String,
    /// The part of an event that contains the request, for the same table.
    pub records: String,
    /// The response, for the same table.
    pub response: String,
    /// Rows for the table of ids in docs/events.md.
    #[serde(default)]
    pub ids: BTreeMap<String, String>,
    /// Whether the caller receives the results. If not, results are stored by record id.
    pub returns_results: bool,
    /// The files in `examples/events/`, by name without the extension.
    #[serde(default)]
    pub examples: BTreeMap<String, Example>,
    /// The test cases, which `tests/it/sources.rs` of the events crate describes.
    pub cases: Vec<Value>,
}

/// An example event.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The number of requests in the event.
    pub requests: usize,
    /// The response of the function. The actual response may have more fields.
    pub response: Value,
    /// The setting `ENDPOINT_AUTH` with which the event is authorized, `AWS_IAM` by default.
    #[serde(default = "default_auth")]
    pub auth: String,
}

fn default_auth() -> String {
    "AWS_IAM".to_owned()
}

impl Example {
    /// Checks the response of the function to the example.
    ///
    /// # Errors
    /// Fails if the response does not contain the expected one.
    pub fn check(&self, response: &Value) -> Result<(), String> {
        if includes(response, &self.response) {
            return Ok(());
        }
        Err(format!("expected the response {}, got {response}", self.response))
    }
}

/// Returns true if a value contains all fields of the expected value.
fn includes(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => expected
            .iter()
            .all(|(name, value)| actual.get(name).is_some_and(|field| includes(field, value))),
        (Value::Array(actual), Value::Array(expected)) => {
            actual.len() == expected.len()
                && actual.iter().zip(expected).all(|(item, value)| includes(item, value))
        }
        _ => actual == expected,
    }
}

/// Returns the data files by the name of the source.
///
/// # Errors
/// Fails if a file can't be read or is invalid.
pub fn source_files() -> Result<BTreeMap<String, SourceFile>, String> {
    let mut files = BTreeMap::new();
    let folder = root().join(CASES);
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{CASES}: {error}"))?;
    for entry in entries {
        let path = entry.map_err(|error| format!("{CASES}: {error}"))?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read(&path).map_err(|error| format!("{CASES}/{name}.json: {error}"))?;
        let file = serde_json::from_slice(&text)
            .map_err(|error| format!("{CASES}/{name}.json: {error}"))?;
        files.insert(name, file);
    }
    Ok(files)
}

/// An example event with the data file of its source.
#[derive(Debug, Clone)]
pub struct ExampleEvent {
    /// The file name without the extension.
    pub name: String,
    /// The name of the source.
    pub source: String,
    /// The path of the event.
    pub path: PathBuf,
    /// The event.
    pub event: Value,
    /// Whether the caller receives the results.
    pub returns_results: bool,
    /// What the function does with the event.
    pub example: Example,
}

/// Returns the example events of all sources.
///
/// # Errors
/// Fails if a file can't be read or is invalid, or if no data file lists an event.
pub fn example_events() -> Result<Vec<ExampleEvent>, String> {
    let mut events = Vec::new();
    for (source, file) in source_files()? {
        for (name, example) in file.examples {
            let path = root().join(EXAMPLES).join(format!("{name}.json"));
            let event = std::fs::read(&path)
                .map_err(|error| error.to_string())
                .and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string()))
                .map_err(|error| {
                    format!("{EXAMPLES}/{name}.json, which {CASES}/{source}.json lists: {error}")
                })?;
            let (source, returns_results) = (source.clone(), file.returns_results);
            events.push(ExampleEvent { name, source, path, event, returns_results, example });
        }
    }
    let folder = std::fs::read_dir(root().join(EXAMPLES));
    for entry in folder.map_err(|error| format!("{EXAMPLES}: {error}"))? {
        let path = entry.map_err(|error| format!("{EXAMPLES}: {error}"))?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !events.iter().any(|event| event.name == name) {
            return Err(format!(
                "{EXAMPLES}/{name}.json: add it to the examples of its source in {CASES}"
            ));
        }
    }
    Ok(events)
}
