//! Runs every file in `examples/` with `invoke`, `serve`, `render` and `validate`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Folder, Server};

const EXPECTED: &str = include_str!("../cases/examples.json");
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

/// Sets the duration to zero, because it differs between runs.
fn without_durations(mut result: Value) -> Value {
    if let Some(duration) = result.get_mut("durationMs") {
        assert!(duration.is_u64(), "{duration}");
        *duration = json!(0);
    }
    // New data about prices changes the date.
    if let Some(date) = result.pointer_mut("/cost/priceDate") {
        assert!(date.is_string(), "{date}");
        *date = Value::Null;
    }
    result
}

fn expected() -> BTreeMap<String, Value> {
    serde_json::from_str(EXPECTED).unwrap()
}

/// Returns the path and the expected outcome of each example.
fn examples() -> Vec<(PathBuf, Value)> {
    let expected = expected();
    let mut examples = Vec::new();
    for entry in std::fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "json") {
            let name = path.file_name().unwrap().to_str().unwrap();
            let expected = expected.get(name);
            let expected =
                expected.unwrap_or_else(|| panic!("{name} has no entry in cases/examples.json"));
            examples.push((path, expected.clone()));
        }
    }
    assert_eq!(examples.len(), expected.len(), "an entry in cases/examples.json has no example");
    examples
}

#[tokio::test]
async fn invoke_returns_expected_results() {
    let folder = Folder::new();
    for (path, expected) in examples() {
        let path = path.to_str().unwrap();
        let output = folder.run(&["invoke", "--simulate", "--json", path]).await;
        if let Some(error) = expected.get("fails") {
            assert_eq!(output.error()["type"], *error, "{path}");
            continue;
        }
        assert_eq!(output.code, Some(0), "{path}: {output:?}");
        assert_eq!(output.stderr, "", "{path}");
        let result = without_durations(output.json());
        assert_eq!(result, expected["result"], "{path}");

        // Without --json, the program prints a string result without quotes and adds a note about
        // the simulator.
        let output = folder.run(&["invoke", "--simulate", path]).await;
        assert_eq!(output.code, Some(0), "{path}: {output:?}");
        assert!(output.stderr.contains("simulated"), "{path}: {output:?}");
        match &expected["result"] {
            Value::String(text) => assert_eq!(output.stdout, format!("{text}\n"), "{path}"),
            result => assert_eq!(without_durations(output.json()), *result, "{path}"),
        }

        let output = folder.run(&["invoke", "--simulate", "--json", "--full", path]).await;
        let full = output.json();
        let result = full["result"].clone();
        let is_full = expected["result"].get("usage").is_some();
        let expected_result =
            if is_full { &expected["result"]["result"] } else { &expected["result"] };
        assert_eq!(result, *expected_result, "{path}");
        let names = ["usage", "provider", "model", "stopReason", "attempts", "warnings", "config"];
        assert!(names.iter().all(|name| !full[name].is_null()), "{path}: {full}");
    }
}

#[tokio::test]
async fn serve_returns_expected_results() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    for (path, expected) in examples() {
        let response = server.post("/invoke", std::fs::read(&path).unwrap()).await;
        match expected.get("result") {
            None => assert_eq!(response.error_type(), expected["fails"], "{path:?}"),
            Some(Value::String(text)) => {
                assert_eq!((response.status, &response.body), (200, text), "{path:?}");
                assert_eq!(response.headers["content-type"], "text/plain; charset=utf-8");
            }
            Some(result) => {
                assert_eq!(without_durations(response.json()), *result, "{path:?}");
                assert_eq!(response.headers["content-type"], "application/json");
            }
        }
        // The server also accepts the form content type, which `curl -d` sends by default.
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let body = std::fs::read(&path).unwrap();
        let again = server.send("POST", "/", &form, &body).await;
        assert_eq!(again.status, response.status, "{path:?}: {again:?}");
    }
    assert_eq!(server.stop().await.code, Some(0));
}

#[tokio::test]
async fn render_and_validate_accept_examples() {
    let folder = Folder::new();
    for (path, _) in examples() {
        let path = path.to_str().unwrap();
        let output = folder.run(&["render", "--json", path]).await;
        assert_eq!(output.code, Some(0), "{path}: {output:?}");
        let wire = output.json();
        assert_eq!(wire["method"], json!("POST"));
        assert!(wire["url"].as_str().unwrap().starts_with("https://api."), "{wire}");
        assert!(wire["body"]["model"].is_string(), "{wire}");
    }
    let paths: Vec<String> =
        examples().iter().map(|(path, _)| path.to_str().unwrap().to_owned()).collect();
    let mut arguments = vec!["validate"];
    arguments.extend(paths.iter().map(String::as_str));
    let output = folder.run(&arguments).await;
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(output.stdout.lines().count(), paths.len(), "{output:?}");
    assert_eq!(output.stderr, "");
}

#[tokio::test]
async fn every_provider_returns_the_same_result() {
    let text = std::fs::read_to_string(format!("{FOLDER}/research.json")).unwrap();
    let folder = Folder::new();
    let mut results = BTreeMap::new();
    for provider in llm_exe::providers::PROVIDERS.iter().map(|row| row.name) {
        let model = model_of(provider);
        let mut request: Value = serde_json::from_str(&text).unwrap();
        let fields = request.as_object_mut().unwrap();
        fields.shift_remove("providor");
        fields.insert("provider".to_owned(), json!(provider));
        fields.insert("model".to_owned(), json!(model));
        let file = folder.file("request.json", request.to_string());
        let output = folder.run(&["invoke", "--simulate", "--json", &file]).await;
        assert_eq!(output.code, Some(0), "{provider}: {output:?}");
        results.insert(provider, output.json());
    }
    let first = &results["openai"];
    assert!(first["query"].is_string());
    assert!(results.values().all(|result| result == first), "{results:#?}");
}

/// Returns the model in a provider's data file.
fn model_of(provider: &str) -> Value {
    const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../llm-exe/tests/cases/wire");
    let path = format!("{FILES}/{}.json", provider.replace(':', "-"));
    let text = std::fs::read_to_string(&path).expect(&path);
    serde_json::from_str::<Value>(&text).unwrap()["model"].take()
}
