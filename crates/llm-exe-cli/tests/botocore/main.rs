//! Calls `llm-exe serve` with botocore, the client of AWS's Python SDK. `./scripts/test` runs these
//! tests and sets `BOTOCORE_PYTHON` to the path of a Python that has botocore.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test fails by panicking; the harness is shared"
)]

#[path = "../it/harness.rs"]
mod harness;

use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use harness::{Folder, Server, request, wait};

const SCRIPT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/botocore/invoke_with_response_stream.py");

/// Invokes the function once for each payload. Returns what botocore received.
async fn invoke(server: &Server, payloads: &[Value]) -> Vec<Value> {
    #[expect(clippy::disallowed_methods, reason = "scripts/test passes the path of the program")]
    let python = std::env::var("BOTOCORE_PYTHON").expect("BOTOCORE_PYTHON should be a Python");
    let mut child = Command::new(python)
        .args([SCRIPT, &format!("http://127.0.0.1:{}", server.port)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let payloads = Value::from(payloads.to_vec()).to_string();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(payloads.as_bytes()).await.unwrap();
    drop(stdin);
    let output = wait(child).await;
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
#[ignore = "needs botocore; ./scripts/test runs it"]
async fn botocore_receives_a_stream() {
    let folder = Folder::new();
    let script =
        json!([{ "then": { "text": "Hi there" }, "stream": { "milliseconds": 300 } }]).to_string();
    let script = folder.file("script.json", script);
    let server = Server::start(&folder, &[], &["--simulate", "--script", &script]).await;
    let mut streamed = request();
    streamed["stream"] = json!(true);
    let mut invalid = streamed.clone();
    invalid["output"] = json!("jsn");
    let responses = invoke(&server, &[streamed, request(), invalid]).await;

    let stream = &responses[0];
    assert_eq!((&stream["status"], &stream["version"]), (&json!(200), &json!("$LATEST")));
    let chunks = stream["chunks"].as_array().unwrap();
    let text: String = chunks.iter().map(|chunk| chunk["text"].as_str().unwrap()).collect();
    assert!(text.starts_with("event: text\ndata: {\"delta\":\"Hi t\",\"turn\":1}\n\n"), "{text}");
    assert!(text.ends_with("event: result\ndata: \"Hi there\"\n\n"), "{text}");
    let seconds = |chunk: &Value| chunk["seconds"].as_f64().unwrap();
    let spread = seconds(chunks.last().unwrap()) - seconds(&chunks[0]);
    assert!(spread > 0.2, "the chunks should arrive one after another: {chunks:?}");
    assert_eq!(stream["complete"].get("ErrorCode"), None, "{stream}");
    let log = STANDARD.decode(stream["complete"]["LogResult"].as_str().unwrap()).unwrap();
    let line: Value = serde_json::from_slice(&log).unwrap();
    assert_eq!((&line["source"], &line["model"]), (&json!("direct"), &json!("gpt-4o-mini")));

    let chunks = responses[1]["chunks"].as_array().unwrap();
    assert_eq!(chunks.len(), 1, "a result that is not streamed");
    assert_eq!(chunks[0]["text"], json!(harness::REPLY).to_string());

    let complete = &responses[2]["complete"];
    assert_eq!(complete["ErrorCode"], "InvalidRequest", "{complete}");
    assert!(complete["ErrorDetails"].as_str().unwrap().contains("output: "), "{complete}");
    server.stop().await;
}
