//! Tests the simulator as a command-line program.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::{TIMEOUT, headers, send};

fn start(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_llm-exe-simulator"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn stop(child: &mut Child) {
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    let ended = tokio::time::timeout(TIMEOUT, child.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{ended}");
}

#[tokio::test]
async fn address_and_calls_are_printed() {
    let script = std::env::temp_dir().join(format!("simulator-{}.json", std::process::id()));
    std::fs::write(&script, json!([{"then": {"status": 429}}]).to_string()).unwrap();
    let mut child = start(&["--port", "0", "--script", script.to_str().unwrap()]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().unwrap();
    let url = first.split_once("OPENAI_BASE_URL=").unwrap().1.split(' ').next().unwrap();
    let host = url.strip_prefix("http://").unwrap().strip_suffix("/v1").unwrap();
    assert!(first.contains(&format!("ANTHROPIC_BASE_URL=http://{host} ")), "{first}");
    let address: SocketAddr = host.parse().unwrap();
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]});
    let body = body.to_string();
    let path = "/v1/chat/completions";
    let reply = send(address, "POST", path, &headers("openai"), body.as_bytes()).await;
    assert_eq!(reply.status, 429);
    let line = lines.next_line().await.unwrap().unwrap();
    assert_eq!(line, "1 POST /v1/chat/completions openai gpt-4o -> 429");
    let health = send(address, "GET", "/_simulator/health", &BTreeMap::new(), b"").await;
    assert_eq!(health.status, 200);
    stop(&mut child).await;
    assert_eq!(lines.next_line().await.unwrap(), None);
    std::fs::remove_file(&script).unwrap();
}

#[tokio::test]
async fn quiet_prints_only_the_address() {
    let mut child = start(&["--port", "0", "--quiet"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().unwrap();
    let host = first.split_once("http://").unwrap().1.split(';').next().unwrap();
    let address: SocketAddr = host.parse().unwrap();
    assert_eq!(send(address, "GET", "/", &BTreeMap::new(), b"").await.status, 404);
    stop(&mut child).await;
    assert_eq!(lines.next_line().await.unwrap(), None);
}

#[tokio::test]
async fn unreadable_script_is_reported() {
    let output = start(&["--port", "0", "--script", "/nowhere.json"]).wait_with_output().await;
    let output = output.unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("cannot read the script /nowhere.json"), "{message}");
}
