//! Tests how the client of Lambda reports the errors of functions, and that it repeats a call only
//! if the function has certainly not run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use llm_exe::ports::{FunctionCall, FunctionInvoker, PortFuture};
use llm_exe::transport::HttpClient;
use llm_exe::{Deadline, Error, FunctionName};
use llm_exe_aws::lambda::LambdaFunctions;
use llm_exe_aws::{AwsClient, CredentialSource, Credentials};
use llm_exe_testkit::aws::{Action, AwsFault, AwsSimulator, FunctionResponse, Operation};
use serde_json::json;

use crate::support::{EXAMPLE_SECRET, assert_no_secrets, deadline, ports};

async fn invoke(aws: &AwsSimulator, name: &str, deadline: Deadline) -> Result<Bytes, Error> {
    invoke_with(aws, name, br#"{"arguments":{}}"#, deadline).await
}

async fn invoke_with(
    aws: &AwsSimulator,
    name: &str,
    event: &[u8],
    deadline: Deadline,
) -> Result<Bytes, Error> {
    let functions = ports(&aws.url(), EXAMPLE_SECRET).functions();
    let function = FunctionName::parse(name).unwrap();
    let call = FunctionCall { function: &function, event, trace_id: Some("Root=1-2-3") };
    functions.invoke(call, deadline).await
}

fn refuse(status: u16, code: &str) -> Action {
    Action::Refuse(status, code.to_owned())
}

fn script(aws: &AwsSimulator, action: Action, times: u64) {
    aws.clear_script();
    aws.script(AwsFault::on(Operation::Invoke, "*", action).times(times));
}

#[tokio::test]
async fn response_of_a_function_is_returned_unchanged() {
    let aws = AwsSimulator::start().await.unwrap();
    let text = "{\"a\": 1.0,  \"b\":[]}";
    aws.set_function("orders", [FunctionResponse::Result(text.to_owned())]);
    assert_eq!(invoke(&aws, "orders:live", deadline()).await.unwrap(), text);
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:orders";
    assert_eq!(invoke(&aws, arn, deadline()).await.unwrap(), text);
    let [first, second] = &aws.invocations()[..] else {
        panic!("{:?}", aws.invocations());
    };
    assert_eq!((&first.function[..], first.qualifier.as_deref()), ("orders", Some("live")));
    assert_eq!(first.event, json!({ "arguments": {} }));
    assert_eq!(first.trace_id.as_deref(), Some("Root=1-2-3"));
    assert_eq!(second.function, "123456789012:function:orders");
}

#[tokio::test]
async fn errors_of_functions_have_their_type_and_message_only() {
    let aws = AwsSimulator::start().await.unwrap();
    for (response, expected) in [
        (FunctionResponse::error("KeyError", "no order 5"), "failed: KeyError: no order 5"),
        (FunctionResponse::Failure("Task timed out".to_owned()), "function orders failed"),
        (FunctionResponse::Result("1".repeat(6 << 21)), "Function.ResponseSizeTooLarge"),
    ] {
        aws.set_function("orders", [response]);
        aws.clear_calls();
        let error = invoke(&aws, "orders", deadline()).await.unwrap_err();
        assert_eq!(error.kind().name(), "ToolFailed", "{error}");
        assert!(error.message().contains(expected), "{error}");
        assert!(!error.message().contains("index.py"), "{error}");
        assert!(!error.for_log().contains("no order 5"), "{}", error.for_log());
        assert_eq!(aws.count(Operation::Invoke, "orders"), 1);
    }
}

#[tokio::test]
async fn failed_calls_name_the_function_and_are_not_repeated() {
    let aws = AwsSimulator::start().await.unwrap();
    for (action, kind, expected) in [
        (refuse(403, "AccessDeniedException"), "AccessDenied", "lambda:InvokeFunction on orders"),
        (refuse(500, "ServiceException"), "ToolFailed", "500 ServiceException"),
        (Action::Drop, "ToolFailed", "can't call the function orders"),
        (Action::DropEarly, "ToolFailed", "can't call the function orders"),
        (Action::DoneThenDrop, "ToolFailed", "; it may have completed anyway"),
        (Action::DoneThenRefuse(502, "EC2ThrottledException".to_owned()), "ToolFailed", "502"),
    ] {
        script(&aws, action.clone(), 1);
        aws.clear_calls();
        let error = invoke(&aws, "orders", deadline()).await.unwrap_err();
        assert_eq!(error.kind().name(), kind, "{action:?}: {error}");
        assert!(error.message().contains(expected), "{action:?}: {error}");
        assert_no_secrets(&format!("{error:#?}"));
        let calls = aws.count(Operation::Invoke, "*");
        assert_eq!(calls, 1, "{action:?}: the function may have run");
    }
    let error = invoke(&aws, "missing-orders", deadline()).await.unwrap_err();
    let expected = "can't call the function missing-orders: it does not exist (404 Resource";
    assert!(error.message().contains(expected), "{error}");
    let large = json!({ "arguments": "x".repeat(6 << 20) }).to_string();
    let error = invoke_with(&aws, "orders", large.as_bytes(), deadline()).await.unwrap_err();
    assert!(error.message().contains("413 RequestTooLargeException"), "{error}");
}

#[tokio::test]
async fn denied_call_names_neither_the_account_nor_the_role() {
    let aws = AwsSimulator::start().await.unwrap();
    script(&aws, refuse(403, "AccessDeniedException"), 1);
    let error = invoke(&aws, "orders", deadline()).await.unwrap_err();
    let expected = "AWS denied lambda:InvokeFunction on orders (403 AccessDeniedException); allow \
                    the action in the caller's IAM policy";
    assert_eq!(error.message(), expected);
}

#[tokio::test]
async fn call_that_waits_for_credentials_was_not_sent() {
    struct NoCredentials;
    impl CredentialSource for NoCredentials {
        fn credentials(&self) -> PortFuture<'_, Result<Credentials, Error>> {
            Box::pin(std::future::pending())
        }
    }
    let client = AwsClient::new(HttpClient::default(), Arc::new(NoCredentials));
    let region = Some("us-east-1".to_owned());
    let functions = LambdaFunctions::new(Arc::new(client), region, None);
    let function = FunctionName::parse("orders").unwrap();
    let call = FunctionCall { function: &function, event: b"{}", trace_id: None };
    let short = Deadline::after(Duration::from_millis(50));
    let error = functions.invoke(call, short).await.unwrap_err();
    assert_eq!(error.kind().name(), "Timeout");
    assert!(error.message().contains("so nothing was sent"), "{error}");
}

#[tokio::test]
async fn throttled_call_is_repeated() {
    let aws = AwsSimulator::start().await.unwrap();
    aws.set_function("orders", [FunctionResponse::Result("5".to_owned())]);
    script(&aws, Action::Throttle(0), 2);
    assert_eq!(invoke(&aws, "orders", deadline()).await.unwrap(), "5");
    assert_eq!((aws.count(Operation::Invoke, "*"), aws.invocations().len()), (3, 1));
    script(&aws, Action::Throttle(0), 3);
    let error = invoke(&aws, "orders", deadline()).await.unwrap_err();
    assert!(error.message().contains("429 TooManyRequestsException"), "{error}");
    assert_eq!(aws.invocations().len(), 1);
}

#[tokio::test]
async fn time_out_says_that_the_function_may_have_completed() {
    let aws = AwsSimulator::start().await.unwrap();
    for action in [Action::DoneThenHang, Action::Delay(Duration::from_secs(20))] {
        script(&aws, action, 1);
        aws.clear_calls();
        let started = Instant::now();
        let short = Deadline::after(Duration::from_millis(300));
        let error = invoke(&aws, "orders", short).await.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(10), "the deadline did not apply");
        assert_eq!(error.kind().name(), "Timeout");
        assert!(error.message().contains("it may have completed anyway"), "{error}");
        assert!(aws.count(Operation::Invoke, "*") <= 1, "the call was repeated");
    }
}
