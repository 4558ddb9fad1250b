//! Request to wire body, and provider reply to result: `cases/wire/<provider>/*.json` and
//! `cases/replies/<provider>.json`.
//!
//! `UPDATE=1 cargo test -p llm-exe --test wire` writes the wire bodies anew; read the difference.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use llm_exe::ports::PortFuture;
use llm_exe::providers::{PROVIDERS, provider};
use llm_exe::wire::WireReply;
use llm_exe::{Deadline, Endpoints, Error, Executor, KeyName, Keys, Rules, Secret};
use serde_json::{Value, json};

/// A dry run asks for no key; these say so if it does.
struct NoKeys;

impl Keys for NoKeys {
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        panic!("asked for {name:?}");
    }
}

/// A provider's name as a file's: not every system takes a colon.
fn file_name(provider: &str) -> String {
    provider.replace(':', "-")
}

fn folder(provider: &str) -> PathBuf {
    let provider = file_name(provider);
    PathBuf::from(format!("{}/tests/cases/wire/{provider}", env!("CARGO_MANIFEST_DIR")))
}

async fn rendered(request: &Value) -> Value {
    let mut request = request.clone();
    request["dryRun"] = json!(true);
    request["return"] = json!("full");
    let mut endpoints = Endpoints::new();
    endpoints.set_region("eu-central-1").unwrap();
    let executor = Executor::new(endpoints, Arc::new(NoKeys), Rules::default());
    let run = executor.run(Deadline::after(Duration::from_secs(5)), request).await;
    match run.outcome {
        Ok(full) => json!({"wire": full["result"], "warnings": full["warnings"]}),
        Err(error) => json!({"error": format!("{}: {error}", error.kind())}),
    }
}

#[tokio::test]
async fn requests_become_these_bodies() {
    let update = option_env!("UPDATE").is_some();
    let mut wrong = Vec::new();
    for row in PROVIDERS {
        let mut count = 0;
        let mut files: Vec<PathBuf> =
            folder(row.name).read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for path in files {
            let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let made = rendered(&case["request"]).await;
            count += 1;
            if update {
                let mut written = json!({"request": case["request"]});
                written.as_object_mut().unwrap().extend(made.as_object().unwrap().clone());
                std::fs::write(&path, format!("{written:#}\n")).unwrap();
            } else {
                let mut expected = case.clone();
                expected.as_object_mut().unwrap().shift_remove("request");
                // As text, so that the order of keys counts.
                let (made, expected) = (format!("{made:#}"), format!("{expected:#}"));
                if made != expected {
                    wrong.push(format!("{}: {made}", path.display()));
                }
            }
        }
        assert!(count >= 10, "{} has {count} cases", row.name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A body as the provider documents it, and what it is read as.
#[test]
fn replies_are_read_as_these() {
    let mut wrong = Vec::new();
    for row in PROVIDERS {
        let name = file_name(row.name);
        let path = format!("{}/tests/cases/replies/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let cases: Vec<Value> =
            serde_json::from_str(&std::fs::read_to_string(&path).expect(&path)).expect(&path);
        for case in cases {
            let status =
                case["status"].as_u64().map_or(200, |status| u16::try_from(status).unwrap());
            let body = match &case["body"] {
                Value::String(text) => text.clone(),
                body => body.to_string(),
            };
            let headers = case["headers"].as_object().into_iter().flatten();
            let headers = headers.map(|(name, value)| {
                (name.parse().unwrap(), value.as_str().unwrap().parse().unwrap())
            });
            let wire = WireReply { status, headers: headers.collect(), body: body.into() };
            let dialect = provider(row.name).unwrap().dialect;
            let read = if status == 200 {
                match dialect.read_reply(&wire) {
                    Ok(reply) => json!({
                        "text": reply.text(),
                        "stopReason": reply.stop_reason.name(),
                        "refusal": reply.refusal(),
                        "usage": reply.usage,
                        "model": reply.model,
                        "tool": reply.tool_arguments("answer"),
                    }),
                    Err(error) => json!({"error": format!("{}: {error}", error.kind())}),
                }
            } else {
                let failure = dialect.read_failure(&wire);
                json!({
                    "kind": failure.kind.name(),
                    "message": failure.message,
                    "retry": failure.retry,
                })
            };
            if read != case["read"] {
                wrong.push(format!("{}: {}: {read:#}", row.name, case["name"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
