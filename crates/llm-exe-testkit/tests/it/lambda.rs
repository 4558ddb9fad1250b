//! Tests the simulated Lambda.

use std::time::{Duration, Instant};

use llm_exe_testkit::aws::{
    Action, AwsFault, AwsSimulator, FunctionInvocation, FunctionResponse, Operation,
};
use serde_json::json;

use crate::aws::{address, signed};
use crate::client::{Reply, request_bytes, send, send_bytes};

const EVENT: &str = r#"{"arguments":{}}"#;
const TYPE: (&str, &str) = ("x-amz-invocation-type", "RequestResponse");

fn path(function: &str) -> String {
    format!("/2015-03-31/functions/{function}/invocations")
}

async fn invoke(aws: &AwsSimulator, function: &str, event: &str) -> Reply {
    let headers = signed("lambda", &[TYPE], event.as_bytes());
    send(address(aws), "POST", &path(function), &headers, event.as_bytes()).await
}

/// Invokes a function on a connection that the server may close without a response.
async fn invoke_raw(aws: &AwsSimulator, function: &str) -> Vec<u8> {
    let headers = signed("lambda", &[TYPE], EVENT.as_bytes());
    let request = request_bytes("POST", &path(function), &headers, EVENT.as_bytes());
    // The server may also reset the connection if it did not read the whole request.
    send_bytes(address(aws), &request).await.unwrap_or_default()
}

#[tokio::test]
async fn function_returns_its_responses_in_order_and_repeats_the_last_one() {
    let aws = AwsSimulator::start().await.unwrap();
    assert_eq!(invoke(&aws, "echo", EVENT).await.text, EVENT);
    let failure = FunctionResponse::error("KeyError", "no order 5");
    aws.set_function("orders", [FunctionResponse::Result("5.40".to_owned()), failure]);
    let reply = invoke(&aws, "123456789012%3Afunction%3Aorders", EVENT).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, "5.40"));
    assert!(!reply.headers.contains_key("x-amz-function-error"));
    assert_eq!(reply.headers["x-amz-executed-version"], "$LATEST");
    for _ in 0..2 {
        let reply = invoke(&aws, "orders", EVENT).await;
        assert_eq!((reply.status, &reply.headers["x-amz-function-error"][..]), (200, "Unhandled"));
        let error = reply.json();
        assert_eq!(
            (&error["errorType"], &error["errorMessage"]),
            (&json!("KeyError"), &json!("no order 5"))
        );
        assert!(error["stackTrace"].is_array());
    }
    aws.set_function("large", [FunctionResponse::Result("1".repeat(6 * 1024 * 1024 + 1))]);
    let reply = invoke(&aws, "large", EVENT).await;
    assert_eq!(reply.json()["errorType"], "Function.ResponseSizeTooLarge");
    assert_eq!(reply.headers["x-amz-function-error"], "Unhandled");
}

#[tokio::test]
async fn invocations_are_recorded_with_their_events() {
    let aws = AwsSimulator::start().await.unwrap();
    let trace = ("x-amzn-trace-id", "Root=1-2-3");
    let headers = signed("lambda", &[TYPE, trace], EVENT.as_bytes());
    let path = format!("{}?Qualifier=%24LATEST", path("orders"));
    let reply = send(address(&aws), "POST", &path, &headers, EVENT.as_bytes()).await;
    assert_eq!(reply.status, 200);
    let expected = FunctionInvocation {
        function: "orders".to_owned(),
        qualifier: Some("$LATEST".to_owned()),
        trace_id: Some("Root=1-2-3".to_owned()),
        event: json!({ "arguments": {} }),
    };
    assert_eq!(aws.invocations(), [expected]);
    assert_eq!(aws.count(Operation::Invoke, "orders:$LATEST"), 1);
    assert!(aws.calls()[0].done);
    aws.clear_calls();
    assert_eq!((aws.invocations().len(), aws.calls().len()), (0, 0));
}

#[tokio::test]
async fn invalid_calls_are_rejected() {
    let aws = AwsSimulator::start().await.unwrap();
    let large = json!("x".repeat(6 * 1024 * 1024)).to_string();
    for (function, event, status, code) in [
        ("missing-orders", EVENT, 404, "ResourceNotFoundException"),
        ("orders", "{", 400, "InvalidRequestContentException"),
        ("orders", &large, 413, "RequestTooLargeException"),
    ] {
        let reply = invoke(&aws, function, event).await;
        assert_eq!((reply.status, &reply.headers["x-amzn-errortype"][..]), (status, code));
        assert!(reply.json()["Message"].is_string(), "{}", reply.text);
    }
    for (service, kind, status, code) in [
        ("s3", "RequestResponse", 403, "InvalidSignatureException"),
        ("lambda", "Event", 501, "NotImplemented"),
    ] {
        let headers = signed(service, &[("x-amz-invocation-type", kind)], EVENT.as_bytes());
        let reply = send(address(&aws), "POST", &path("a"), &headers, EVENT.as_bytes()).await;
        assert_eq!((reply.status, &reply.headers["x-amzn-errortype"][..]), (status, code));
    }
    assert_eq!(aws.invocations(), []);
}

#[tokio::test]
async fn faults_decide_whether_the_function_runs() {
    let aws = AwsSimulator::start().await.unwrap();
    let fault = |action| AwsFault::on(Operation::Invoke, "orders", action).times(1);
    aws.script(fault(Action::Throttle(2)));
    let reply = invoke(&aws, "orders", EVENT).await;
    assert_eq!((reply.status, &reply.headers["retry-after"][..]), (429, "2"));
    assert_eq!(reply.headers["x-amzn-errortype"], "TooManyRequestsException");
    aws.script(fault(Action::Refuse(500, "ServiceException".to_owned())));
    assert_eq!(invoke(&aws, "orders", EVENT).await.status, 500);
    for action in [Action::Drop, Action::DropEarly] {
        aws.script(fault(action));
        assert_eq!(invoke_raw(&aws, "orders").await, b"");
    }
    assert_eq!(aws.invocations(), []);
    aws.script(fault(Action::DoneThenDrop));
    assert_eq!(invoke_raw(&aws, "orders").await, b"");
    assert_eq!(aws.invocations().len(), 1);
    aws.script(fault(Action::Delay(Duration::from_millis(50))));
    let started = Instant::now();
    assert_eq!(invoke(&aws, "orders", EVENT).await.status, 200);
    assert!(started.elapsed() >= Duration::from_millis(50));
    let statuses: Vec<_> = aws.calls().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(429), Some(500), None, None, None, Some(200)]);
}

/// A client that waits for permission to send the body never sends it.
#[tokio::test]
async fn early_drop_closes_the_connection_before_the_body() {
    let aws = AwsSimulator::start().await.unwrap();
    aws.script(AwsFault::on(Operation::Invoke, "*", Action::DropEarly));
    let headers = signed("lambda", &[TYPE], EVENT.as_bytes());
    let request = request_bytes("POST", &path("orders"), &headers, EVENT.as_bytes());
    let head = &request[..request.len() - EVENT.len()];
    assert_eq!(send_bytes(address(&aws), head).await.unwrap(), b"");
}
