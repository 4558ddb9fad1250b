//! Tests the Runtime API simulator, both as the function and as the caller of `invoke`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use llm_exe_testkit::runtime_api::{InvocationOutcome, InvokeFailed, RuntimeApi};
use serde_json::json;

use crate::client::{Reply, send};

const ROOT: &str = "/2018-06-01/runtime";
const TIMEOUT: Duration = Duration::from_secs(5);

async fn next_event(address: SocketAddr) -> (String, Reply) {
    let path = format!("{ROOT}/invocation/next");
    let reply = send(address, "GET", &path, &BTreeMap::new(), b"").await;
    (reply.headers["lambda-runtime-aws-request-id"].clone(), reply)
}

async fn post(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let headers = headers.iter().map(pair).collect();
    send(address, "POST", &format!("{ROOT}/{path}"), &headers, body).await
}

async fn start() -> (Arc<RuntimeApi>, SocketAddr) {
    let api = RuntimeApi::start().await.unwrap();
    let address = api.address().parse().unwrap();
    (Arc::new(api), address)
}

#[tokio::test]
async fn concurrent_invocations_are_delivered_one_by_one() {
    let (api, address) = start().await;
    let function = tokio::spawn(async move {
        for _ in 0..3 {
            let (id, event) = next_event(address).await;
            assert_eq!(event.status, 200);
            let deadline: u128 = event.headers["lambda-runtime-deadline-ms"].parse().unwrap();
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
            assert!(deadline > now && deadline <= now + TIMEOUT.as_millis());
            assert!(event.headers["lambda-runtime-invoked-function-arn"].starts_with("arn:aws:"));
            assert!(event.headers.contains_key("lambda-runtime-trace-id"));
            let path = format!("invocation/{id}/response");
            let headers = [("content-type", "text/x-test")];
            let reply = post(address, &path, &headers, event.text.as_bytes()).await;
            assert_eq!((reply.status, reply.json()), (202, json!({"status": "OK"})));
            // A second result for the same invocation is rejected.
            assert_eq!(post(address, &path, &headers, b"{}").await.status, 400);
        }
    });
    let (a, b, c) =
        tokio::join!(api.invoke("1", TIMEOUT), api.invoke("2", TIMEOUT), api.invoke("3", TIMEOUT));
    for (invocation, event) in [(a, "1"), (b, "2"), (c, "3")] {
        let invocation = invocation.unwrap();
        assert_eq!(invocation.outcome, InvocationOutcome::Response(event.into()));
        assert_eq!(invocation.headers["content-type"], "text/x-test");
        assert!(invocation.duration < TIMEOUT);
    }
    function.await.unwrap();
}

#[tokio::test]
async fn function_errors_are_returned() {
    let (api, address) = start().await;
    let function = async {
        let (id, _) = next_event(address).await;
        let body = json!({"errorType": "Inner", "errorMessage": "broken"}).to_string();
        let headers = [("Lambda-Runtime-Function-Error-Type", "Outer")];
        let path = format!("invocation/{id}/error");
        assert_eq!(post(address, &path, &headers, body.as_bytes()).await.status, 202);
    };
    let (invocation, ()) = tokio::join!(api.invoke("{}", TIMEOUT), function);
    let InvocationOutcome::Error { error_type, error_message, body } = invocation.unwrap().outcome
    else {
        panic!("expected an error");
    };
    assert_eq!((error_type.as_str(), error_message.as_str()), ("Outer", "broken"));
    assert!(body.starts_with(b"{"));
}

#[tokio::test]
async fn too_large_responses_are_rejected() {
    let (api, address) = start().await;
    let function = async {
        let (id, _) = next_event(address).await;
        let path = format!("invocation/{id}/response");
        let body = vec![b'a'; 6 * 1024 * 1024 + 101];
        assert_eq!(post(address, &path, &[], &body).await.status, 413);
        let (id, _) = next_event(address).await;
        let path = format!("invocation/{id}/response");
        let headers = [("Lambda-Runtime-Function-Response-Mode", "streaming")];
        assert_eq!(post(address, &path, &headers, &body).await.status, 202);
    };
    let invoker = async {
        let buffered = api.invoke("{}", TIMEOUT).await.unwrap();
        (buffered, api.invoke("{}", TIMEOUT).await.unwrap())
    };
    let ((buffered, streamed), ()) = tokio::join!(invoker, function);
    let InvocationOutcome::Error { error_type, .. } = buffered.outcome else {
        panic!("expected an error")
    };
    assert_eq!(error_type, "Function.ResponseSizeTooLarge");
    let InvocationOutcome::Response(body) = streamed.outcome else { panic!("expected a response") };
    assert!(body.len() > 6 * 1024 * 1024);
}

#[tokio::test]
async fn unknown_ids_and_paths_are_rejected() {
    let (_api, address) = start().await;
    let reply = post(address, "invocation/none/response", &[], b"{}").await;
    assert_eq!((reply.status, reply.json()["errorType"].as_str()), (400, Some("InvalidRequestID")));
    assert_eq!(post(address, "invocation/none/error", &[], b"{}").await.status, 400);
    assert_eq!(post(address, "invocation/next", &[], b"").await.status, 405);
    assert_eq!(post(address, "elsewhere", &[], b"").await.status, 404);
}

#[tokio::test]
async fn late_result_is_rejected_and_invocation_times_out() {
    let (api, address) = start().await;
    let short = Duration::from_millis(100);
    let function = async {
        let (id, _) = next_event(address).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let path = format!("invocation/{id}/response");
        assert_eq!(post(address, &path, &[], b"{}").await.status, 400);
    };
    let (invocation, ()) = tokio::join!(api.invoke("{}", short), function);
    assert_eq!(invocation, Err(InvokeFailed::TimedOut));
}

#[tokio::test]
async fn init_error_is_returned() {
    let (api, address) = start().await;
    assert_eq!(api.init_error(), None);
    let function = async {
        let body = json!({"errorType": "Runtime.Bad", "errorMessage": "no settings"}).to_string();
        assert_eq!(post(address, "init/error", &[], body.as_bytes()).await.status, 202);
    };
    let (invocation, ()) = tokio::join!(api.invoke("{}", TIMEOUT), function);
    let error = api.init_error().unwrap();
    assert_eq!(
        (error.error_type.as_str(), error.error_message.as_str()),
        ("Runtime.Bad", "no settings")
    );
    assert_eq!(invocation, Err(InvokeFailed::InitFailed(error)));
}
