//! Invokes the function with every file in `examples/`, directly and through a function URL.

use serde_json::{Value, json};

use crate::harness::{Function, Response, post_event};

const EXPECTED: &str = include_str!("../../../llm-exe-cli/tests/cases/examples.json");
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

/// Sets `durationMs` in a result to zero, because it differs between runs.
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

/// Converts a response to the format of the outcomes in `cases/examples.json`.
fn outcome_json(response: Response) -> Value {
    match response {
        Response::Result(result) => json!({ "result": without_durations(result) }),
        Response::Failed { error_type, .. } => json!({ "fails": error_type }),
    }
}

#[tokio::test]
async fn numbers_of_any_size_keep_their_digits() {
    let function = Function::start().await;
    let number = "123456789012345678901234567890";
    let reply = json!({ "text": format!("{{\"n\":{number}}}") });
    function.simulator.script_json(json!([{ "then": reply }])).unwrap();
    let request = json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "hi", "output": "json",
        "schema": { "type": "object" }
    });
    let response = function.invoke(&request).await;
    let Response::Result(result) = response else { panic!("{response:?}") };
    assert_eq!(result.to_string(), format!("{{\"n\":{number}}}"));

    let version = env!("CARGO_PKG_VERSION");
    let user_agent = format!("llm-exe-lambda/{version} llm-exe/{version}");
    let call = function.simulator.journal().pop().unwrap();
    assert_eq!(call.header("user-agent"), Some(user_agent.as_str()));
    function.stop().await;
}

#[tokio::test]
async fn every_example_returns_its_result() {
    let expected: Value = serde_json::from_str(EXPECTED).unwrap();
    let function = Function::start().await;
    let mut seen = 0;
    for entry in std::fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "json") {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let request: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let response = outcome_json(function.invoke(&request).await);
        let expected = expected.get(&name).unwrap_or_else(|| {
            panic!("{name} has no entry in cases/examples.json; it returned\n{response:#}")
        });
        assert_eq!(response, *expected, "{name}");
        let (status, headers, body) = function.invoke(&post_event(&request)).await.http();
        match expected.get("result") {
            None => {
                let body: Value = serde_json::from_str(&body).unwrap();
                assert_eq!(body["error"]["type"], expected["fails"], "{name}");
            }
            Some(Value::String(text)) => {
                assert_eq!((status, &body), (200, text), "{name}");
                assert_eq!(headers["content-type"], "text/plain; charset=utf-8", "{name}");
            }
            Some(result) => {
                let body = without_durations(serde_json::from_str(&body).unwrap());
                assert_eq!((status, &body), (200, result), "{name}");
                assert_eq!(headers["content-type"], "application/json", "{name}");
            }
        }
        seen += 1;
    }
    assert_eq!(
        seen,
        expected.as_object().unwrap().len(),
        "an entry in cases/examples.json has no example"
    );
    function.stop().await;
}
