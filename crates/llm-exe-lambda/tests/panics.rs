//! Tests that a panic fails only its own request and that the process keeps running. The binary
//! under test has the feature `panic-on-demand`. `./scripts/check --shipped` runs these tests with
//! a binary that is otherwise built like the deployed one. To run them with the debug build, enable
//! the feature.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test fails by panicking; the harness is shared"
)]

#[path = "process/harness.rs"]
mod harness;

use std::sync::Arc;

use llm_exe_simulator::Simulator;
use llm_exe_testkit::program::{self, Build};
use serde_json::{Value, json};

use harness::{Function, OPENAI_KEY, REPLY, Response, event, request};

async fn start() -> Function {
    let built = cfg!(feature = "panic-on-demand").then_some(env!("CARGO_BIN_EXE_llm-exe-lambda"));
    let program = program::lambda(Build::PanicOnDemand, built).unwrap();
    let simulator = Arc::new(Simulator::start().await.unwrap());
    Function::spawn(&program, simulator, &[("OPENAI_API_KEY", OPENAI_KEY)]).await
}

/// Returns a request that makes the function panic. See `src/panic_on_demand.rs`.
fn panicking_request() -> Value {
    json!({ "url": "https://panic-on-demand.invalid/" })
}

#[tokio::test]
#[cfg_attr(
    not(feature = "panic-on-demand"),
    ignore = "needs a binary built with panic-on-demand; ./scripts/check --shipped runs it"
)]
async fn panicking_invocation_fails_with_internal_and_the_next_one_succeeds() {
    let function = start().await;
    function.assert_works("the start").await;
    for _ in 0..2 {
        let (error_type, message) = function.invoke(&panicking_request()).await.failure();
        assert_eq!(error_type, "Internal");
        assert_eq!(message, "the function panicked while running the request");
        assert_eq!(function.invoke(&request()).await, Response::Result(json!(REPLY)));
    }
}

#[tokio::test]
#[cfg_attr(
    not(feature = "panic-on-demand"),
    ignore = "needs a binary built with panic-on-demand; ./scripts/check --shipped runs it"
)]
async fn panicking_record_fails_alone() {
    let function = start().await;
    let record = |id: &str, request: &Value| {
        let sqs = event("sqs", &Value::Null);
        let mut record = sqs["Records"][0].clone();
        record["messageId"] = json!(id);
        record["body"] = json!(request.to_string());
        record
    };
    let records = [
        record("first", &request()),
        record("panics", &panicking_request()),
        record("last", &request()),
    ];
    let response = function.invoke(&json!({ "Records": records })).await.result();
    assert_eq!(response, json!({ "batchItemFailures": [{ "itemIdentifier": "panics" }] }));
    assert_eq!(function.simulator.journal().len(), 2);
}
