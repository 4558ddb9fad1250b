//! Every file of `examples/`, through `invoke`, `serve`, `render` and `validate`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Folder, Server};

const EXPECTED: &str = include_str!("../cases/examples.json");
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

/// How long it took differs from run to run.
fn without_durations(mut result: Value) -> Value {
    if let Some(duration) = result.get_mut("durationMs") {
        assert!(duration.is_u64(), "{duration}");
        *duration = json!(0);
    }
    result
}

fn expected() -> BTreeMap<String, Value> {
    serde_json::from_str(EXPECTED).unwrap()
}

/// The examples by name, each with its expectation.
fn examples() -> Vec<(PathBuf, Value)> {
    let expected = expected();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "json") {
            let name = path.file_name().unwrap().to_str().unwrap();
            let expected = expected.get(name);
            let expected =
                expected.unwrap_or_else(|| panic!("{name} has no row in cases/examples.json"));
            found.push((path, expected.clone()));
        }
    }
    assert_eq!(found.len(), expected.len(), "an expectation without its example");
    found
}

#[tokio::test]
async fn through_invoke() {
    let folder = Folder::new();
    for (path, expected) in examples() {
        let path = path.to_str().unwrap();
        let done = folder.run(&["invoke", "--simulate", "--json", path]).await;
        if let Some(error) = expected.get("fails") {
            assert_eq!(done.failure()["type"], *error, "{path}");
            continue;
        }
        assert_eq!(done.code, Some(0), "{path}: {done:?}");
        assert_eq!(done.stderr, "", "{path}");
        let result = without_durations(done.json());
        assert_eq!(result, expected["result"], "{path}");

        // For people: text as it is, and a word that nobody was asked.
        let done = folder.run(&["invoke", "--simulate", path]).await;
        assert_eq!(done.code, Some(0), "{path}: {done:?}");
        assert!(done.stderr.contains("simulated"), "{path}: {done:?}");
        match &expected["result"] {
            Value::String(text) => assert_eq!(done.stdout, format!("{text}\n"), "{path}"),
            result => assert_eq!(without_durations(done.json()), *result, "{path}"),
        }

        let done = folder.run(&["invoke", "--simulate", "--json", "--full", path]).await;
        let full = done.json();
        let bare = full["result"].clone();
        let is_full = expected["result"].get("usage").is_some();
        let wanted = if is_full { &expected["result"]["result"] } else { &expected["result"] };
        assert_eq!(bare, *wanted, "{path}");
        let names = ["usage", "provider", "model", "stopReason", "attempts", "warnings", "config"];
        assert!(names.iter().all(|name| !full[name].is_null()), "{path}: {full}");
    }
}

#[tokio::test]
async fn through_serve() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    for (path, expected) in examples() {
        let reply = server.post("/invoke", std::fs::read(&path).unwrap()).await;
        match expected.get("result") {
            None => assert_eq!(reply.error(), expected["fails"], "{path:?}"),
            Some(Value::String(text)) => {
                assert_eq!((reply.status, &reply.body), (200, text), "{path:?}");
                assert_eq!(reply.headers["content-type"], "text/plain; charset=utf-8");
            }
            Some(result) => {
                assert_eq!(without_durations(reply.json()), *result, "{path:?}");
                assert_eq!(reply.headers["content-type"], "application/json");
            }
        }
        // As plain `curl -d` sends it.
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let body = std::fs::read(&path).unwrap();
        let again = server.send("POST", "/", &form, &body).await;
        assert_eq!(again.status, reply.status, "{path:?}: {again:?}");
    }
    assert_eq!(server.stop().await.code, Some(0));
}

#[tokio::test]
async fn through_render_and_validate() {
    let folder = Folder::new();
    for (path, _) in examples() {
        let path = path.to_str().unwrap();
        let done = folder.run(&["render", "--json", path]).await;
        assert_eq!(done.code, Some(0), "{path}: {done:?}");
        let wire = done.json();
        assert_eq!(wire["method"], json!("POST"));
        assert!(wire["url"].as_str().unwrap().starts_with("https://api."), "{wire}");
        assert!(wire["body"]["model"].is_string(), "{wire}");
    }
    let paths: Vec<String> =
        examples().iter().map(|(path, _)| path.to_str().unwrap().to_owned()).collect();
    let mut arguments = vec!["validate"];
    arguments.extend(paths.iter().map(String::as_str));
    let done = folder.run(&arguments).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.stdout.lines().count(), paths.len(), "{done:?}");
    assert_eq!(done.stderr, "");
}

/// One request file, with each provider's name in turn, gives the same parsed result.
#[tokio::test]
async fn with_every_provider() {
    let text = std::fs::read_to_string(format!("{FOLDER}/research.json")).unwrap();
    let folder = Folder::new();
    let mut results = BTreeMap::new();
    for (provider, model) in [
        ("openai", "gpt-4o-mini"),
        ("anthropic", "claude-sonnet-4-5"),
        ("amazon:anthropic", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("amazon:meta", "us.meta.llama4-scout-17b-instruct-v1:0"),
        ("amazon:nova", "amazon.nova-pro-v1:0"),
        ("amazon", "mistral.mistral-large-2407-v1:0"),
        ("xai", "grok-4.3"),
        ("google", "gemini-2.5-flash"),
        ("deepseek", "deepseek-v4-flash"),
        ("ollama", "llama3.2"),
    ] {
        let mut request: Value = serde_json::from_str(&text).unwrap();
        let fields = request.as_object_mut().unwrap();
        fields.shift_remove("providor");
        fields.insert("provider".to_owned(), json!(provider));
        fields.insert("model".to_owned(), json!(model));
        let file = folder.file("request.json", request.to_string());
        let done = folder.run(&["invoke", "--simulate", "--json", &file]).await;
        assert_eq!(done.code, Some(0), "{provider}: {done:?}");
        results.insert(provider, done.json());
    }
    assert_eq!(results.len(), llm_exe::providers::PROVIDERS.len());
    let first = &results["openai"];
    assert!(first["query"].is_string());
    assert!(results.values().all(|result| result == first), "{results:#?}");
}
