//! Checks that retries, limits and timeouts also apply to an HTTP client that a program supplies.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use llm_exe::ports::PortFuture;
use llm_exe::transport::{HttpClient, HttpError, HttpTransport, MAX_REPLY_BYTES};
use llm_exe::{Deadline, Endpoints, ErrorKind, Rules, Run, Runner};
use llm_exe_simulator::Simulator;
use serde_json::{Value, json};

use crate::common::{FixedKey, endpoints};

fn request(options: Value) -> Value {
    json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "Hi", "options": options,
    })
}

async fn run(transport: impl HttpTransport + 'static, request: Value) -> Run {
    let runner = Runner::new(Endpoints::new(), Arc::new(FixedKey), Rules::default())
        .with_http_transport(Arc::new(transport));
    runner.run(Deadline::after(Duration::from_secs(10)), request).await
}

fn reply(text: &str) -> Bytes {
    let message = json!({"role": "assistant", "content": text});
    let body = json!({"choices": [{"message": message, "finish_reason": "stop"}]});
    Bytes::from(body.to_string())
}

#[tokio::test]
async fn failed_responses_and_connections_are_retried() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let transport = move |request: Request<Bytes>| {
        assert_eq!(request.uri(), "https://api.openai.com/v1/chat/completions");
        assert!(request.headers()["authorization"].is_sensitive());
        match count.fetch_add(1, Ordering::Relaxed) {
            0 => Err(HttpError::NotConnected("no route".to_owned())),
            1 => {
                let busy = Response::builder().status(503).header("retry-after", "0");
                Ok(busy.body(Bytes::new()).unwrap())
            }
            _ => Ok(Response::new(reply("Hello"))),
        }
    };
    let run = run(transport, request(json!({"maxDelay": 1}))).await;
    assert_eq!(run.outcome.unwrap(), "Hello");
    assert_eq!((run.report.attempts, calls.load(Ordering::Relaxed)), (3, 3));
}

#[tokio::test]
async fn response_over_the_limit_is_an_error() {
    let transport =
        |_: Request<Bytes>| Ok(Response::new(Bytes::from(vec![b' '; MAX_REPLY_BYTES + 1])));
    let error = run(transport, request(json!({}))).await.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProviderUnavailable);
    assert!(error.message().contains("larger than the maximum of 8 MiB"), "{error}");
}

#[tokio::test]
async fn an_error_with_a_large_body_is_classified_by_its_status() {
    for (status, expected, attempts) in [
        (400, ErrorKind::ProviderRejected, 1),
        (401, ErrorKind::ProviderAuthFailed, 1),
        (429, ErrorKind::ProviderRateLimited, 2),
        (500, ErrorKind::ProviderUnavailable, 2),
    ] {
        let transport = move |_: Request<Bytes>| {
            let body = Bytes::from(vec![b' '; MAX_REPLY_BYTES + 1]);
            Ok(Response::builder().status(status).body(body)?)
        };
        let options = json!({ "numOfAttempts": 2, "maxDelay": 1 });
        let run = run(transport, request(options)).await;
        let error = run.outcome.unwrap_err();
        assert_eq!((error.kind(), error.provider_status()), (expected, Some(status)));
        assert_eq!(run.report.attempts, attempts, "{status}");
    }
}

/// A client that never returns a response.
struct Hanging;

impl HttpTransport for Hanging {
    fn send(
        &self,
        _: Request<Bytes>,
        deadline: Deadline,
    ) -> PortFuture<'_, Result<Response<Bytes>, HttpError>> {
        // The timeout of one attempt is earlier than the deadline of the run.
        assert!(deadline.left() <= Duration::from_millis(20));
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn attempt_ends_at_its_timeout() {
    let run = run(Hanging, request(json!({"timeout": 20}))).await;
    let error = run.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("call timeout of 20 ms"), "{error}");
    // The request may have been billed, so it is not sent again.
    assert_eq!(run.report.attempts, 1);
}

#[tokio::test]
async fn built_in_client_can_be_used_through_the_trait() {
    let simulator = Simulator::start().await.unwrap();
    let runner = Runner::new(endpoints(&simulator), Arc::new(FixedKey), Rules::default())
        .with_http_transport(Arc::new(HttpClient::default()));
    let deadline = Deadline::after(Duration::from_secs(10));
    let run = runner.run(deadline, request(json!({}))).await;
    assert!(run.outcome.unwrap().is_string());
    assert_eq!(simulator.journal().len(), 1);
}
