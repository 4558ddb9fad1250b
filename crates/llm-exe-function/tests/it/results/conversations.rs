//! Tests for conversations with tools whose calls are handed back, and for tools that are Lambda
//! functions.

use llm_exe::ErrorKind;
use llm_exe_simulator::{Step, ToolCall};
use serde_json::{Value, json};

use super::fixture::{PREFIX, TestFunction, WriteBehavior, kind, reply, request, with};

fn tool(name: &str, run: Option<Value>) -> Value {
    let mut tool = json!({ "name": name, "description": "Does something." });
    if let Some(run) = run {
        tool["run"] = run;
    }
    tool
}

fn with_tool(run: Option<Value>) -> Value {
    with(request("Refund order 1234."), "tools", json!([tool("refund", run)]))
}

fn call() -> Step {
    Step::tool_call("refund", json!({}))
}

fn continued(mut event: Value, handed_back: &Value) -> Value {
    event["continue"] = handed_back["continue"].clone();
    let id = &handed_back["toolCalls"][0]["id"];
    with(event, "toolResults", json!([{ "id": id, "result": "done" }]))
}

fn sqs_event(body: &Value) -> Value {
    json!({ "Records": [{
        "messageId": "m-1", "eventSource": "aws:sqs", "body": body.to_string(),
        "attributes": { "ApproximateReceiveCount": "1" },
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:in"
    }]})
}

fn http_event(body: &Value) -> Value {
    json!({
        "version": "2.0", "rawPath": "/", "headers": {},
        "requestContext": { "http": { "method": "POST" }, "apiId": "a" },
        "body": body.to_string()
    })
}

#[tokio::test]
async fn a_stored_conversation_is_continued_by_its_id_and_more_than_once() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![call(), reply("Refunded."), reply("Refunded again.")]);
    let (outcome, line) = function.invoke(&with_tool(None)).await;
    let handed_back = outcome.unwrap();
    assert_eq!(handed_back["status"], "toolCalls");
    assert_eq!(handed_back["conversation"]["provider"], "openai");
    assert_eq!(line["stopReason"], "toolCalls");
    let names = function.store.names();
    let id = handed_back["continue"].as_str().unwrap();
    assert_eq!(names, [format!("s3://stored/results/conversations/{id}.json")]);
    assert_eq!(id.len(), 64);
    let event = continued(with_tool(None), &handed_back);
    assert_eq!(function.invoke(&event).await.0.unwrap(), "Refunded.");
    // The same results are the same branch, which is not paid for again.
    assert_eq!(function.invoke(&event).await.0.unwrap(), "Refunded.");
    let mut other = event;
    other["toolResults"][0]["result"] = json!("not done");
    assert_eq!(function.invoke(&other).await.0.unwrap(), "Refunded again.");
}

#[tokio::test]
async fn unknown_ids_and_those_of_other_callers_have_the_same_error() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![call()]);
    let handed_back = function.invoke(&with_tool(None)).await.0.unwrap();
    let event = continued(with_tool(None), &handed_back);
    let expected =
        "continue: no conversation of this caller and config has this id, or it has expired";
    let response = function.invoke(&http_event(&event)).await.0.unwrap();
    assert_eq!(response["statusCode"], 400);
    assert!(response["body"].as_str().unwrap().contains(expected), "{response}");
    for id in [json!("a".repeat(64)), json!("../x"), json!("")] {
        let outcome = function.invoke(&with(event.clone(), "continue", id)).await.0;
        assert_eq!(kind(&outcome), ErrorKind::InvalidRequest);
        assert_eq!(outcome.unwrap_err().message(), expected);
    }
    let outcome = function.invoke(&with(event.clone(), "continue", json!(5))).await.0;
    assert!(outcome.unwrap_err().message().contains("continue: expected a string, got 5"));
    let both = with(event, "conversation", handed_back["conversation"].clone());
    let outcome = function.invoke(&both).await.0;
    assert!(outcome.unwrap_err().message().contains("can't be combined with conversation"));
    assert_eq!(function.calls(), 1);
}

#[tokio::test]
async fn without_a_prefix_the_conversation_is_returned_and_records_are_rejected() {
    let function = TestFunction::with(&[]).await;
    function.simulator.script(vec![call(), reply("Refunded.")]);
    let handed_back = function.invoke(&with_tool(None)).await.0.unwrap();
    assert_eq!(handed_back.get("continue"), None);
    let mut event = continued(with_tool(None), &handed_back);
    event["conversation"] = handed_back["conversation"].clone();
    assert_eq!(function.invoke(&event).await.0.unwrap(), "Refunded.");
    let (_, line) = function.invoke(&sqs_event(&with_tool(None))).await;
    assert_eq!(line["errorType"], "InvalidRequest");
    assert_eq!(function.calls(), 2);
}

#[tokio::test]
async fn a_record_stores_its_conversation_for_direct_callers() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![call(), reply("Refunded.")]);
    function.invoke(&sqs_event(&with_tool(None))).await.0.unwrap();
    let names = function.store.names();
    let record = names.iter().find(|name| name.contains("/records/")).unwrap();
    let stored = function.store.objects.lock().unwrap()[record].0.clone();
    let stored: Value = serde_json::from_slice(&stored).unwrap();
    let event = continued(with_tool(None), &stored["result"]);
    assert_eq!(function.invoke(&event).await.0.unwrap(), "Refunded.");
}

#[tokio::test]
async fn the_conversation_of_a_pinned_config_is_only_stored() {
    let variables = [PREFIX, ("AWS_S3_FILES_BUCKET_NAME", "configs")];
    let function = TestFunction::with(&variables).await;
    let pinned = with(with_tool(None), "overridable", json!([]));
    function.store.put("s3://configs/refund.json", &pinned);
    function.simulator.script(vec![call(), reply("Refunded.")]);
    let event = json!({ "key": "refund.json", "return": "full" });
    let handed_back = function.invoke(&event).await.0.unwrap();
    assert_eq!(handed_back["stopReason"], "toolCalls");
    let result = &handed_back["result"];
    assert_eq!(result.get("conversation"), None);
    let full = function.invoke(&continued(event.clone(), result)).await.0.unwrap();
    assert_eq!(full["result"], "Refunded.");
    // The caller could replace the prompt.
    let forged = with(continued(event, result), "conversation", json!({}));
    let without_id = with(forged, "continue", Value::Null);
    assert_eq!(kind(&function.invoke(&without_id).await.0), ErrorKind::ConfigForbidden);

    let without_prefix = TestFunction::with(&variables[1..]).await;
    without_prefix.store.put("s3://configs/refund.json", &pinned);
    let outcome = without_prefix.invoke(&json!({ "key": "refund.json" })).await.0;
    assert_eq!(kind(&outcome), ErrorKind::InvalidRequest);
    assert!(outcome.unwrap_err().message().contains("set RESULT_PREFIX"));
    assert_eq!(without_prefix.calls(), 0);
}

#[tokio::test]
async fn a_conversation_that_cannot_be_stored_is_returned_if_the_caller_may_see_it() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![call()]);
    function.store.inject(&[WriteBehavior::Fail]);
    let handed_back = function.invoke(&with_tool(None)).await.0.unwrap();
    assert_eq!(handed_back.get("continue"), None);
    assert!(handed_back["conversation"].is_object());
}

#[tokio::test]
async fn a_large_conversation_is_only_stored() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![call(), reply("Refunded.")]);
    let event = with(with_tool(None), "message", json!("x".repeat(200_000)));
    let handed_back = function.invoke(&event).await.0.unwrap();
    assert_eq!(handed_back.get("conversation"), None);
    let outcome = function.invoke(&continued(event, &handed_back)).await.0;
    assert_eq!(outcome.unwrap(), "Refunded.");
}

#[tokio::test]
async fn a_keyed_call_is_handed_back_once() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![call()]);
    let event = with(with_tool(None), "idempotencyKey", json!("k"));
    let first = function.invoke(&event).await.0.unwrap();
    assert_eq!(function.invoke(&event).await.0.unwrap(), first);
    assert_eq!(function.calls(), 1);
}

const FUNCTIONS: (&str, &str) =
    ("TOOL_FUNCTIONS", "orders-*,arn:aws:lambda:eu-west-1:123456789012:function:a");

#[tokio::test]
async fn a_listed_function_is_called_with_the_arguments_and_the_call() {
    let function = TestFunction::with(&[FUNCTIONS]).await;
    let calls = vec![
        ToolCall { name: "refund".to_owned(), arguments: json!({}) },
        ToolCall { name: "refund".to_owned(), arguments: json!({ "x": 1 }) },
    ];
    function.simulator.script(vec![Step::tool_calls("", calls), reply("Done.")]);
    let event = with_tool(Some(json!({ "lambda": "orders-eu", "qualifier": "live" })));
    let event = with(event, "return", json!("full"));
    let (outcome, line) = function.invoke(&event).await;
    let full = outcome.unwrap();
    assert_eq!(full["result"], "Done.");
    assert_eq!(full["toolRuns"][0]["result"], "{\"total\": 5.40}");
    let called = function.store.function_calls.lock().unwrap().clone();
    let (name, event, trace_id) = &called[0];
    assert_eq!((name.as_str(), trace_id.as_deref()), ("orders-eu:live", Some("Root=1-2-3")));
    assert_eq!((&event["arguments"], &event["toolCall"]["name"]), (&json!({}), &json!("refund")));
    let keys: Vec<&Value> =
        called.iter().map(|(_, event, _)| &event["toolCall"]["idempotencyKey"]).collect();
    assert!(keys[0].as_str().unwrap().len() == 64 && keys[0] != keys[1], "{keys:?}");
    assert_eq!(line["toolRunCount"], 2);
    assert_eq!(line["toolRuns"][0]["name"], "refund");
    assert!(!line.to_string().contains("5.40"), "{line}");
}

#[tokio::test]
async fn functions_that_may_not_be_called_are_rejected_before_the_first_call() {
    let function = TestFunction::with(&[FUNCTIONS]).await;
    for (lambda, expected) in [
        ("payments", "add it to the setting TOOL_FUNCTIONS"),
        ("orders/x", "expected the name or the ARN of a Lambda function"),
        ("arn:aws:lambda:us-east-1:123456789012:function:orders-eu", "TOOL_FUNCTIONS"),
        ("llm-exe", "is this function itself"),
        ("llm-exe:live", "is this function itself"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:llm-exe", "is this function itself"),
    ] {
        let nested = json!({ "lambda": lambda });
        let mut inner = with_tool(Some(nested.clone()));
        inner.as_object_mut().unwrap().remove("options");
        for (run, path) in [
            (nested, "tools[0].run.lambda: "),
            (json!({ "request": inner }), "tools[0].run.request.tools[0].run.lambda: "),
        ] {
            let outcome = function.invoke(&with_tool(Some(run))).await.0;
            assert_eq!(kind(&outcome), ErrorKind::InvalidRequest, "{lambda}");
            let message = outcome.unwrap_err().message().to_owned();
            assert!(message.starts_with(path) && message.contains(expected), "{message}");
        }
    }
    assert_eq!(function.calls(), 0);
}

#[tokio::test]
async fn http_callers_name_functions_only_if_the_operator_allows_it() {
    let event = http_event(&with_tool(Some(json!({ "lambda": "orders-eu" }))));
    let function = TestFunction::with(&[FUNCTIONS]).await;
    let response = function.invoke(&event).await.0.unwrap();
    assert_eq!(response["statusCode"], 400);
    assert!(response["body"].as_str().unwrap().contains("TOOLS_FROM_HTTP"), "{response}");
    assert_eq!(function.calls(), 0);
    let allowed = TestFunction::with(&[FUNCTIONS, ("TOOLS_FROM_HTTP", "true")]).await;
    allowed.simulator.script(vec![call(), reply("Done.")]);
    assert_eq!(allowed.invoke(&event).await.0.unwrap()["statusCode"], 200);

    // The operator controls what is in the bucket.
    let variables = [FUNCTIONS, ("AWS_S3_FILES_BUCKET_NAME", "configs")];
    let function = TestFunction::with(&variables).await;
    let config = with_tool(Some(json!({ "lambda": "orders-eu" })));
    function.store.put("s3://configs/refund.json", &config);
    function.simulator.script(vec![call(), reply("Done.")]);
    let response = function.invoke(&http_event(&json!({ "key": "refund.json" }))).await.0.unwrap();
    assert_eq!(response["statusCode"], 200, "{response}");
}

#[tokio::test]
async fn requests_of_tools_are_fetched_from_the_bucket_before_the_first_call() {
    let variables = [("AWS_S3_FILES_BUCKET_NAME", "configs")];
    let function = TestFunction::with(&variables).await;
    function.store.put("s3://configs/sum.json", &request("Add {{a}} and {{b}}."));
    for run in [json!({ "key": "sum.json" }), json!({ "request": { "key": "sum.json" } })] {
        function.simulator.script(vec![call(), reply("5"), reply("Done.")]);
        assert_eq!(function.invoke(&with_tool(Some(run))).await.0.unwrap(), "Done.");
    }
    let calls = function.calls();
    for (name, config, error, expected) in [
        ("missing.json", None, ErrorKind::ConfigNotFound, "s3://configs/missing.json"),
        (
            "self.json",
            Some(with_tool(Some(json!({ "key": "self.json" })))),
            ErrorKind::ConfigInvalid,
            "the config leads to itself: s3://configs/self.json -> s3://configs/self.json",
        ),
        (
            "bad.json",
            Some(json!({ "provider": "opnai", "model": "m", "message": "hi" })),
            ErrorKind::InvalidRequest,
            "(in the hosted config s3://configs/bad.json)",
        ),
    ] {
        if let Some(config) = config {
            function.store.put(&format!("s3://configs/{name}"), &config);
        }
        let outcome = function.invoke(&with_tool(Some(json!({ "key": name })))).await.0;
        assert_eq!(kind(&outcome), error, "{name}");
        let message = outcome.unwrap_err().message().to_owned();
        assert!(message.contains("tools[0].run.request"), "{message}");
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(function.calls(), calls);
}

#[tokio::test]
async fn warnings_about_the_configs_of_tools_have_their_path() {
    let function = TestFunction::with(&[("AWS_S3_FILES_BUCKET_NAME", "configs")]).await;
    let config = with(request("Hi"), "version", json!("2"));
    function.store.put("s3://configs/inner.json", &config);
    let outer = with(with_tool(Some(json!({ "key": "inner.json" }))), "bucket", json!("b"));
    function.store.put("s3://configs/outer.json", &outer);
    function.simulator.script(vec![reply("Done.")]);
    let nested = json!({ "key": "outer.json" });
    let event = with(with_tool(Some(nested)), "return", json!("full"));
    let full = function.invoke(&event).await.0.unwrap();
    let expected = [
        "tools[0].run.request: `bucket` in the hosted config s3://configs/outer.json was ignored",
        "tools[0].run.request.tools[0].run.request: `version` in the hosted config \
         s3://configs/inner.json was ignored",
    ];
    assert_eq!(full["warnings"], json!(expected), "{full}");
}

/// Another config could read or replace the prompt of a pinned one.
#[tokio::test]
async fn a_conversation_stays_with_its_pinned_config() {
    let variables = [PREFIX, ("AWS_S3_FILES_BUCKET_NAME", "configs")];
    let function = TestFunction::with(&variables).await;
    let pinned = with(with_tool(None), "overridable", json!([]));
    function.store.put("s3://configs/refund.json", &pinned);
    function.store.put("s3://configs/other.json", &pinned);
    function.simulator.script(vec![call(), call()]);
    let pinned = json!({ "key": "refund.json" });
    let of_config = function.invoke(&pinned).await.0.unwrap();
    let of_caller = function.invoke(&with_tool(None)).await.0.unwrap();
    for event in [
        with(continued(with_tool(None), &of_config), "dryRun", json!(true)),
        continued(with_tool(None), &of_config),
        continued(json!({ "key": "other.json" }), &of_config),
        continued(pinned, &of_caller),
    ] {
        let outcome = function.invoke(&event).await.0;
        assert_eq!(kind(&outcome), ErrorKind::InvalidRequest, "{event}");
        let message = outcome.unwrap_err().message().to_owned();
        assert!(message.starts_with("continue: no conversation of this caller and config"));
    }
    assert_eq!(function.calls(), 2);
}

#[tokio::test]
async fn configs_contain_no_conversations() {
    let function = TestFunction::with(&[("AWS_S3_FILES_BUCKET_NAME", "configs")]).await;
    for (name, value, expected) in [
        ("conversation", json!({}), "conversation: belongs to a call"),
        ("toolResults", json!([]), "toolResults: belongs to a call"),
        ("continue", json!("x"), "continue: belongs to a call"),
        ("overridable", json!(["conversation"]), "conversation can't be overridden"),
    ] {
        let config = with(with_tool(None), name, value);
        function.store.put("s3://configs/a.json", &config);
        let outcome = function.invoke(&json!({ "key": "a.json" })).await.0;
        assert_eq!(kind(&outcome), ErrorKind::ConfigInvalid, "{name}");
        let message = outcome.unwrap_err().message().to_owned();
        assert!(message.contains(expected), "{message}");
    }
}

#[tokio::test]
async fn the_number_of_pointers_is_limited() {
    let function = TestFunction::with(&[("AWS_S3_FILES_BUCKET_NAME", "configs")]).await;
    function.store.put("s3://configs/a.json", &request("hi"));
    let tools = |count: usize| {
        let tools =
            (0..count).map(|number| tool(&format!("t{number}"), Some(json!({"key": "a.json"}))));
        with(request("hi"), "tools", tools.collect())
    };
    function.simulator.script(vec![reply("Done.")]);
    assert_eq!(function.invoke(&tools(50)).await.0.unwrap(), "Done.");
    let outcome = function.invoke(&tools(51)).await.0;
    assert_eq!(kind(&outcome), ErrorKind::ConfigInvalid);
    let outcome = function.invoke(&tools(129)).await.0;
    assert!(outcome.unwrap_err().message().contains("expected at most 128 tools, got 129"));
}

#[tokio::test]
async fn continuations_of_one_conversation_have_different_idempotency_keys() {
    let function = TestFunction::with(&[PREFIX, FUNCTIONS]).await;
    let tools =
        json!([tool("approve", None), tool("refund", Some(json!({"lambda": "orders-eu"})))]);
    let event = with(with_tool(None), "tools", tools);
    let approve = || Step::tool_call("approve", json!({}));
    function.simulator.script(vec![approve()]);
    let handed_back = function.invoke(&event).await.0.unwrap();
    for result in ["yes", "no"] {
        function.simulator.script(vec![call(), reply("Done.")]);
        let id = &handed_back["toolCalls"][0]["id"];
        let mut event = continued(event.clone(), &handed_back);
        event["toolResults"] = json!([{ "id": id, "result": result }]);
        assert_eq!(function.invoke(&event).await.0.unwrap(), "Done.");
    }
    let calls = function.store.function_calls.lock().unwrap().clone();
    let key = |index: usize| calls[index].1["toolCall"]["idempotencyKey"].clone();
    assert_ne!(key(0), key(1));
}

/// The operator controls what is in the bucket, also if the caller names the config as a tool.
#[tokio::test]
async fn http_callers_may_use_configs_with_functions_as_tools() {
    let function = TestFunction::with(&[FUNCTIONS, ("AWS_S3_FILES_BUCKET_NAME", "configs")]).await;
    let config = with_tool(Some(json!({ "lambda": "orders-eu" })));
    function.store.put("s3://configs/agent.json", &config);
    function.simulator.script(vec![call(), call(), reply("Inner."), reply("Done.")]);
    let by_pointer = http_event(&with_tool(Some(json!({ "key": "agent.json" }))));
    let response = function.invoke(&by_pointer).await.0.unwrap();
    assert_eq!(response["statusCode"], 200, "{response}");
    let own_tools = json!({ "key": "agent.json", "tools": config["tools"] });
    let event = http_event(&with_tool(Some(json!({ "request": own_tools }))));
    assert_eq!(function.invoke(&event).await.0.unwrap()["statusCode"], 400);
}
