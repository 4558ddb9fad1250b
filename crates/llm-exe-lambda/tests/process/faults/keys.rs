//! Tests `idempotencyKey` across processes. A request runs once, unless the first process is
//! killed.

use std::time::{Duration, Instant};

use llm_exe_simulator::{Fault, Step};
use llm_exe_testkit::aws::{Action, AwsFault, Operation};
use serde_json::{Value, json};

use crate::backend::{Backend, invoke_and_kill, reply_for, request_for, step_for, wait_until};
use crate::harness::{Response, merge, post_event};

fn keyed(id: &str, key: &str) -> Value {
    let mut request = request_for(id);
    merge(&mut request, &json!({ "idempotencyKey": key, "return": "full" }));
    request
}

fn slow(milliseconds: u64) -> Step {
    Step::fault(Fault::Slow(Duration::from_millis(milliseconds)))
}

#[tokio::test]
async fn concurrent_calls_in_two_processes_run_once() {
    let backend = Backend::new().await;
    backend.simulator.script(vec![slow(700).times(9)]);
    let first = backend.function(&[]).await;
    let second = backend.function(&[]).await;
    let event = keyed("a", "k");
    for event in [event.clone(), post_event(&event)] {
        backend.simulator.script(vec![slow(700).times(9)]);
        let (from_first, from_second) = tokio::join!(first.invoke(&event), second.invoke(&event));
        let responses = [from_first, from_second].map(|response| {
            let result = response.result();
            match result.get("body").and_then(Value::as_str) {
                Some(body) => serde_json::from_str(body).unwrap(),
                None => result,
            }
        });
        assert_eq!(backend.calls_for("a"), 1);
        assert!(
            responses.iter().all(|response| response["result"] == json!(reply_for("a"))),
            "{responses:?}"
        );
        let replayed =
            responses.iter().filter(|response| response["replayed"] == json!(true)).count();
        assert_eq!(replayed, 1, "{responses:?}");
        assert_eq!(responses[0]["usage"], responses[1]["usage"]);
        backend.simulator.clear();
    }
    first.stop().await;
    second.stop().await;
}

/// If a process is killed while it owns a key, the next call waits until the ownership expires.
#[tokio::test]
async fn killed_process_does_not_block_the_key() {
    let backend = Backend::new().await;
    backend.simulator.script(vec![step_for("a", Step::fault(Fault::Hang))]);
    let event = keyed("a", "k");
    let first = backend.function(&[]).await;
    // The function's deadline is half a second before Lambda's.
    let lease = Duration::from_millis(3500);
    let call = first.try_invoke(event.to_string(), lease + Duration::from_millis(500));
    let started = Instant::now();
    tokio::select! {
        response = call => panic!("{response:?}"),
        () = wait_until("the provider is called", || backend.calls_for("a") == 1) => {}
    }
    first.stop().await;

    let second = backend.function(&[]).await;
    // A call whose deadline is before the expiry times out without calling the provider.
    let early = second.invoke_within(&event, Duration::from_millis(1200)).await;
    let (kind, message) = early.failure();
    assert_eq!((kind.as_str(), backend.calls_for("a")), ("Timeout", 1), "{message}");
    assert!(message.contains("idempotencyKey"), "{message}");
    let response = second.invoke(&event).await.result();
    let elapsed = started.elapsed();
    assert_eq!((&response["result"], backend.calls_for("a")), (&json!(reply_for("a")), 2));
    assert!(elapsed < lease * 2, "the key was blocked for {elapsed:?}");
    // Subsequent calls return the stored result.
    let again = second.invoke(&event).await.result();
    assert_eq!((&again["replayed"], backend.calls_for("a")), (&json!(true), 2));
    second.stop().await;
}

#[tokio::test]
async fn result_that_was_stored_before_the_kill_is_returned() {
    let backend = Backend::new().await;
    // The first write acquires the key, and the second write stores the result.
    let fault = AwsFault::on(Operation::PutObject, "*/idempotency/*", Action::DoneThenHang);
    backend.aws.script(fault.every(2).times(1));
    let event = keyed("a", "k");
    let first = backend.function(&[]).await;
    let is_stored = || backend.aws.count(Operation::PutObject, "*/idempotency/*") == 2;
    invoke_and_kill(first, &event, "the result is stored", is_stored).await;
    let second = backend.function(&[]).await;
    let response = second.invoke(&event).await.result();
    assert_eq!((&response["replayed"], backend.calls_for("a")), (&json!(true), 1), "{response}");
    assert_eq!(response["result"], json!(reply_for("a")));
    second.stop().await;
}

#[tokio::test]
async fn different_request_with_a_key_is_a_conflict() {
    let backend = Backend::new().await;
    let first = backend.function(&[]).await;
    let second = backend.function(&[]).await;
    first.invoke(&keyed("a", "k")).await.result();
    let (kind, message) = second.invoke(&keyed("b", "k")).await.failure();
    assert_eq!(kind, "IdempotencyConflict", "{message}");

    // The keys of HTTP callers are separate from those of direct callers.
    let (status, _, body) = first.invoke(&post_event(&keyed("a", "k"))).await.http();
    assert_eq!(status, 200, "{body}");
    let (status, headers, body) = second.invoke(&post_event(&keyed("b", "k"))).await.http();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["error"]["type"]), (409, &json!("IdempotencyConflict")), "{body}");
    assert_eq!(body["error"]["retryable"], json!(false));
    assert_eq!(headers.get("retry-after"), None);
    let (status, _, body) = second.invoke(&post_event(&keyed("a", "k"))).await.http();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["replayed"]), (200, &json!(true)), "{body}");
    assert_eq!((backend.calls_for("a"), backend.calls_for("b")), (2, 0));

    // If two different requests use the same key concurrently, one is run and the other fails with
    // a conflict.
    backend.simulator.script(vec![slow(400).times(9)]);
    let (c, d) = (keyed("c", "l"), keyed("d", "l"));
    let (c, d) = tokio::join!(first.invoke(&c), second.invoke(&d));
    let failed: Vec<&Response> = [&c, &d]
        .into_iter()
        .filter(|response| matches!(response, Response::Failed { .. }))
        .collect();
    assert_eq!(failed.len(), 1, "{c:?} {d:?}");
    assert_eq!(failed[0].clone().failure().0, "IdempotencyConflict");
    assert_eq!(backend.calls_for("c") + backend.calls_for("d"), 1);
    first.stop().await;
    second.stop().await;
}

/// After a retryable error, the request can be run again with the same key. A final error is
/// stored.
#[tokio::test]
async fn only_final_errors_are_stored_for_a_key() {
    let backend = Backend::new().await;
    let first = backend.function(&[]).await;
    let second = backend.function(&[]).await;
    backend
        .simulator
        .script(vec![step_for("a", Step::status(500).times(3)), step_for("b", Step::status(400))]);
    let (kind, _) = first.invoke(&keyed("a", "k")).await.failure();
    assert_eq!(kind, "ProviderUnavailable");
    assert_eq!(second.invoke(&keyed("a", "k")).await.result()["result"], json!(reply_for("a")));
    for function in [&first, &second] {
        let (kind, _) = function.invoke(&keyed("b", "l")).await.failure();
        assert_eq!(kind, "ProviderRejected");
    }
    assert_eq!((backend.calls_for("a"), backend.calls_for("b")), (4, 1));
    first.stop().await;
    second.stop().await;
}

/// If the key can't be acquired, the provider is not called. If the result can't be stored, it is
/// returned anyway.
#[tokio::test]
async fn failing_store_does_not_lose_a_result() {
    let backend = Backend::new().await;
    let function = backend.function(&[]).await;
    let refuse = Action::Refuse(403, "AccessDenied".to_owned());
    let fault = AwsFault::on(Operation::PutObject, "*/idempotency/*", refuse);
    backend.aws.script(fault.clone().times(1));
    let (kind, _) = function.invoke(&keyed("a", "k")).await.failure();
    assert_eq!((kind.as_str(), backend.prompts().len()), ("AccessDenied", 0));
    backend.aws.script(fault.clone().every(2).times(1));
    let response = function.invoke(&keyed("a", "k")).await.result();
    assert_eq!((&response["result"], backend.prompts().len()), (&json!(reply_for("a")), 1));

    // The same process returns the result again and stores it once S3 accepts the write. From then
    // on, other processes return it, too.
    backend.aws.script(fault.times(1));
    for _ in 0..2 {
        let response = function.invoke_within(&keyed("a", "k"), Duration::from_secs(5)).await;
        let response = response.result();
        assert_eq!(
            (&response["replayed"], &response["result"]),
            (&json!(true), &json!(reply_for("a")))
        );
    }
    let second_function = backend.function(&[]).await;
    let response = second_function.invoke(&keyed("a", "k")).await.result();
    assert_eq!((&response["replayed"], backend.prompts().len()), (&json!(true), 1), "{response}");
    // A different request with the same key still fails with a conflict.
    let (kind, _) = function.invoke(&keyed("b", "k")).await.failure();
    assert_eq!(kind, "IdempotencyConflict");
    second_function.stop().await;
    function.stop().await;
}
