//! The Runtime API, as a function and as who invokes it meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use llm_exe_simulator::runtime_api::{InvokeFailed, Outcome, RuntimeApi};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::{Reply, send};

const ROOT: &str = "/2018-06-01/runtime";
const TIMEOUT: Duration = Duration::from_secs(5);

async fn next(address: SocketAddr) -> (String, Reply) {
    let path = format!("{ROOT}/invocation/next");
    let reply = send(address, "GET", &path, &BTreeMap::new(), b"").await;
    (reply.headers["lambda-runtime-aws-request-id"].clone(), reply)
}

async fn post(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let headers = headers.iter().map(pair).collect();
    send(address, "POST", &format!("{ROOT}/{path}"), &headers, body).await
}

async fn started() -> (Arc<RuntimeApi>, SocketAddr) {
    let api = RuntimeApi::start().await.unwrap();
    let address = api.address().parse().unwrap();
    (Arc::new(api), address)
}

#[tokio::test]
async fn answers_several_invocations_in_turn() {
    let (api, address) = started().await;
    let function = tokio::spawn(async move {
        for _ in 0..3 {
            let (id, event) = next(address).await;
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
            // It is answered: a second answer comes too late.
            assert_eq!(post(address, &path, &headers, b"{}").await.status, 400);
        }
    });
    let (a, b, c) =
        tokio::join!(api.invoke("1", TIMEOUT), api.invoke("2", TIMEOUT), api.invoke("3", TIMEOUT));
    for (answer, event) in [(a, "1"), (b, "2"), (c, "3")] {
        let answer = answer.unwrap();
        assert_eq!(answer.outcome, Outcome::Response(event.into()));
        assert_eq!(answer.headers["content-type"], "text/x-test");
        assert!(answer.duration < TIMEOUT);
    }
    function.await.unwrap();
}

#[tokio::test]
async fn passes_errors_on() {
    let (api, address) = started().await;
    let function = async {
        let (id, _) = next(address).await;
        let body = json!({"errorType": "Inner", "errorMessage": "broken"}).to_string();
        let headers = [("Lambda-Runtime-Function-Error-Type", "Outer")];
        let path = format!("invocation/{id}/error");
        assert_eq!(post(address, &path, &headers, body.as_bytes()).await.status, 202);
    };
    let (answer, ()) = tokio::join!(api.invoke("{}", TIMEOUT), function);
    let Outcome::Error { error_type, error_message, body } = answer.unwrap().outcome else {
        panic!("no error");
    };
    assert_eq!((error_type.as_str(), error_message.as_str()), ("Outer", "broken"));
    assert!(body.starts_with(b"{"));
}

#[tokio::test]
async fn refuses_what_is_too_large() {
    let (api, address) = started().await;
    let function = async {
        let (id, _) = next(address).await;
        let path = format!("invocation/{id}/response");
        let body = vec![b'a'; 6 * 1024 * 1024 + 101];
        assert_eq!(post(address, &path, &[], &body).await.status, 413);
        let (id, _) = next(address).await;
        let path = format!("invocation/{id}/response");
        let headers = [("Lambda-Runtime-Function-Response-Mode", "streaming")];
        assert_eq!(post(address, &path, &headers, &body).await.status, 202);
    };
    let invoker = async {
        let buffered = api.invoke("{}", TIMEOUT).await.unwrap();
        (buffered, api.invoke("{}", TIMEOUT).await.unwrap())
    };
    let ((buffered, streamed), ()) = tokio::join!(invoker, function);
    let Outcome::Error { error_type, .. } = buffered.outcome else { panic!("no error") };
    assert_eq!(error_type, "Function.ResponseSizeTooLarge");
    assert!(matches!(streamed.outcome, Outcome::Response(body) if body.len() > 6 * 1024 * 1024));
}

#[tokio::test]
async fn refuses_unknown_ids_and_paths() {
    let (_api, address) = started().await;
    let reply = post(address, "invocation/none/response", &[], b"{}").await;
    assert_eq!((reply.status, reply.json()["errorType"].as_str()), (400, Some("InvalidRequestID")));
    assert_eq!(post(address, "invocation/none/error", &[], b"{}").await.status, 400);
    assert_eq!(post(address, "invocation/next", &[], b"").await.status, 405);
    assert_eq!(post(address, "elsewhere", &[], b"").await.status, 404);
}

#[tokio::test]
async fn times_out() {
    let (api, address) = started().await;
    let short = Duration::from_millis(100);
    let function = async {
        let (id, _) = next(address).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let path = format!("invocation/{id}/response");
        assert_eq!(post(address, &path, &[], b"{}").await.status, 400);
    };
    let (answer, ()) = tokio::join!(api.invoke("{}", short), function);
    assert_eq!(answer, Err(InvokeFailed::TimedOut));
}

#[tokio::test]
async fn a_start_that_fails_is_told() {
    let (api, address) = started().await;
    assert_eq!(api.init_error(), None);
    let function = async {
        let body = json!({"errorType": "Runtime.Bad", "errorMessage": "no settings"}).to_string();
        assert_eq!(post(address, "init/error", &[], body.as_bytes()).await.status, 202);
    };
    let (answer, ()) = tokio::join!(api.invoke("{}", TIMEOUT), function);
    let error = api.init_error().unwrap();
    assert_eq!(
        (error.error_type.as_str(), error.error_message.as_str()),
        ("Runtime.Bad", "no settings")
    );
    assert_eq!(answer, Err(InvokeFailed::InitFailed(error)));
}
