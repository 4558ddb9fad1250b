//! Tests that the simulator replies in the form that each request of the documentation and the
//! examples expects, and that it can be scripted.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Folder, Server, request};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Returns the blocks of JSON on a page, each with its name.
fn json_blocks(path: &Path) -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let blocks = text.split("```json\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let numbered = blocks.enumerate();
    numbered
        .filter_map(|(at, block)| Some((format!("{name} {at}"), serde_json::from_str(block).ok()?)))
        .collect()
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = Path::new(ROOT).join(folder).read_dir().unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|kind| kind == extension)).collect();
    paths.sort();
    paths
}

/// Returns the requests that name a provider, and neither a hosted config, nor a place to store or
/// send the result.
pub(crate) fn documented_requests() -> Vec<(String, Value)> {
    let mut requests: Vec<(String, Value)> = json_blocks(&Path::new(ROOT).join("README.md"));
    requests.extend(files("docs", "md").iter().flat_map(|path| json_blocks(path)));
    let lines = Path::new(ROOT).join("examples/step-functions/batch.jsonl");
    for (at, line) in std::fs::read_to_string(lines).unwrap().lines().enumerate() {
        requests.push((format!("batch.jsonl {at}"), serde_json::from_str(line).unwrap()));
    }
    requests.retain(|(_, request)| {
        let has = |name: &str| request.get(name).is_some();
        let needs_aws = ["key", "url", "destination", "idempotencyKey"].into_iter().any(has);
        (has("provider") || has("providor")) && has("message") && !needs_aws
    });
    requests
}

#[tokio::test]
async fn every_documented_request_succeeds() {
    let folder = Folder::new();
    let requests = documented_requests();
    assert!(requests.len() > 10, "{}", requests.len());
    for (name, request) in requests {
        let file = folder.file("request.json", request.to_string());
        let variables = [("TOOL_FUNCTIONS", "LlmExeLambda*")];
        let arguments = ["invoke", "--simulate", "--json", &file];
        let output = folder.run_with(&variables, &arguments).await;
        assert_eq!(output.code, Some(0), "{name}: {output:?}");
    }
    for path in files("examples/prompts", "md").iter().chain(&files("examples/prompts", "yaml")) {
        let output = folder.run(&["invoke", "--simulate", "--json", path.to_str().unwrap()]).await;
        assert_eq!(output.code, Some(0), "{path:?}: {output:?}");
    }
}

#[tokio::test]
async fn documented_requests_cause_no_warning() {
    let folder = Folder::new();
    let requests = documented_requests().into_iter().enumerate().map(|(at, (name, request))| {
        let name = name.replace('/', "-");
        folder.file(&format!("{at} {name}.json"), request.to_string())
    });
    let files: Vec<String> = requests.collect();
    let mut arguments = vec!["validate", "--strict"];
    arguments.extend(files.iter().map(String::as_str));
    let output = folder.run_with(&[("TOOL_FUNCTIONS", "LlmExeLambda*")], &arguments).await;
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
}

#[tokio::test]
async fn every_output_gets_a_fitting_reply() {
    let folder = Folder::new();
    let code = "simulated code\n";
    for (output_name, options, expected) in [
        ("list", json!(null), json!(["Simulated item 1", "Simulated item 2", "Simulated item 3"])),
        ("boolean", json!(null), json!(true)),
        ("number", json!({ "match": "exact" }), json!(1)),
        ("stringExtract", json!({ "enum": ["red", "blue"] }), json!("red")),
        ("markdownCodeBlock", json!(null), json!({ "code": code, "language": "" })),
        ("markdownCodeBlocks", json!(null), json!([{ "code": code, "language": "" }])),
        (
            "listToKeyValue",
            json!(null),
            json!([
                { "key": "Simulated key 1", "value": "simulated value 1" },
                { "key": "Simulated key 2", "value": "simulated value 2" }
            ]),
        ),
    ] {
        let mut request = request();
        request["output"] = json!(output_name);
        request["outputOptions"] = options;
        let file = folder.file("request.json", request.to_string());
        let output = folder.run(&["invoke", "--simulate", "--json", &file]).await;
        assert_eq!(output.json(), expected, "{output_name}");
    }
    let mut request = request();
    request["output"] = json!("listToJson");
    request["schema"] = json!({
        "type": "object", "required": ["name", "age"],
        "properties": { "name": { "type": "string" }, "age": { "type": "integer" } }
    });
    let file = folder.file("request.json", request.to_string());
    let output = folder.run(&["invoke", "--simulate", "--json", &file]).await;
    assert!(output.json()["name"].is_string() && output.json()["age"].is_number(), "{output:?}");
}

#[tokio::test]
async fn script_defines_the_replies() {
    let folder = Folder::new();
    let file = folder.file("request.json", request().to_string());
    let script =
        folder.file("script.json", r#"[{"then": {"status": 503}}, {"then": {"text": "Meow"}}]"#);
    let arguments = ["invoke", "--simulate", "--script", &script, "--full", &file];
    let full = folder.run(&arguments).await.json();
    assert_eq!((&full["result"], &full["attempts"]), (&json!("Meow"), &json!(2)), "{full}");
    // After the script, the reply fits the output.
    let output =
        folder.run(&["invoke", "--simulate", "--script", &script, &file, "-o", "number"]).await;
    assert_eq!(output.code, Some(6), "{output:?}");
    let failing = folder.file("failing.json", r#"[{"then": {"status": 503}}]"#);
    let output =
        folder.run(&["invoke", "--simulate", "--script", &failing, &file, "-o", "number"]).await;
    assert_eq!(output.stdout, "1\n", "{output:?}");

    let server = Server::start(&folder, &[], &["--simulate", "--script", &script]).await;
    let response = server.post("/invoke", request().to_string()).await;
    assert_eq!((response.status, response.body.as_str()), (200, "Meow"));
    server.stop().await;

    let invalid = folder.file("invalid.json", r#"[{"then": {"txt": "Meow"}}]"#);
    for command in ["invoke", "serve"] {
        let mut arguments = vec![command, "--simulate", "--script", &invalid];
        arguments.extend((command == "invoke").then_some(file.as_str()));
        let output = folder.run(&arguments).await;
        assert_eq!(output.code, Some(2), "{output:?}");
        assert!(output.stderr.contains("invalid.json: step[0]"), "{output:?}");
    }
    let output = folder.run(&["invoke", "--script", &script, &file]).await;
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("--simulate"), "{output:?}");
}
