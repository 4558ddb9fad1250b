//! Tests S3 failures and delays. A record fails only if its result can't be read or stored, and a
//! process never pays twice for the same request.

use std::time::Duration;

use llm_exe_testkit::aws::{Action, AwsFault, Operation};
use serde_json::json;

use crate::backend::{Backend, batch_with, failures, reply_for};

use Operation::{GetObject, PutObject};

const RECORDS: &str = "stored/results/records/*";

fn refuse(status: u16, code: &str) -> Action {
    Action::Refuse(status, code.to_owned())
}

/// Checks that the result of record `a` was written exactly once, and that the provider was called
/// `calls` times.
fn check_result(backend: &Backend, calls: usize) {
    let results = backend.results();
    assert_eq!(results.len(), 1, "{results:?}");
    assert_eq!(results["a"]["result"], json!(reply_for("a")));
    assert!(backend.aws.objects().values().all(|object| object.writes == 1));
    assert_eq!(backend.calls_for("a"), calls);
}

#[tokio::test]
async fn record_is_not_run_if_its_result_can_not_be_read() {
    for (status, code, kind) in
        [(503, "SlowDown", "ResultUnavailable"), (403, "AccessDenied", "AccessDenied")]
    {
        let backend = Backend::new().await;
        backend.aws.script(AwsFault::on(GetObject, RECORDS, refuse(status, code)));
        let function = backend.function(&[]).await;
        let event = batch_with(["a"]);
        assert_eq!(failures(&function.invoke(&event).await.result()), ["a"], "{code}");
        assert!(backend.prompts().is_empty() && backend.results().is_empty(), "{code}");
        backend.aws.clear_script();
        assert!(failures(&function.invoke(&event).await.result()).is_empty(), "{code}");
        check_result(&backend, 1);
        let lines = function.stop().await.lines();
        assert_eq!(lines[0]["errorType"], json!(kind), "{}", lines[0]);
    }
}

#[tokio::test]
async fn record_fails_if_its_result_can_not_be_written_but_is_not_run_again() {
    for (status, code) in [(503, "SlowDown"), (403, "AccessDenied")] {
        let backend = Backend::new().await;
        backend.aws.script(AwsFault::on(PutObject, RECORDS, refuse(status, code)));
        let function = backend.function(&[]).await;
        let event = batch_with(["a"]);
        for _ in 0..2 {
            assert_eq!(failures(&function.invoke(&event).await.result()), ["a"], "{code}");
            assert!(backend.results().is_empty(), "{code}");
        }
        backend.aws.clear_script();
        assert!(failures(&function.invoke(&event).await.result()).is_empty(), "{code}");
        check_result(&backend, 1);
        function.stop().await;
    }
}

#[tokio::test]
async fn failed_write_fails_only_its_record() {
    let backend = Backend::new().await;
    backend.aws.script(AwsFault::on(PutObject, RECORDS, refuse(403, "AccessDenied")).times(1));
    let function = backend.function(&[]).await;
    let event = batch_with(["a", "b", "c", "d"]);
    let failed = failures(&function.invoke(&event).await.result());
    assert_eq!((failed.len(), backend.succeeded().len()), (1, 3), "{failed:?}");
    assert!(!backend.succeeded().contains(&failed[0]));
    assert!(failures(&function.invoke(&event).await.result()).is_empty());
    assert_eq!((backend.succeeded().len(), backend.prompts().len()), (4, 4));
    function.stop().await;
}

#[tokio::test]
async fn transient_failures_and_delays_are_tolerated() {
    let slow = || Action::Delay(Duration::from_millis(400));
    for (operation, action) in [
        (GetObject, refuse(503, "SlowDown")),
        (PutObject, refuse(503, "SlowDown")),
        (PutObject, refuse(500, "InternalError")),
        (GetObject, Action::Drop),
        (PutObject, Action::Drop),
        (GetObject, slow()),
        (PutObject, slow()),
    ] {
        let backend = Backend::new().await;
        backend.aws.script(AwsFault::on(operation, RECORDS, action.clone()).times(1));
        let function = backend.function(&[]).await;
        let response = function.invoke(&batch_with(["a"])).await.result();
        assert!(failures(&response).is_empty(), "{operation:?} {action:?}");
        check_result(&backend, 1);
        function.stop().await;
    }
}

/// S3 writes the object, but its response is lost.
#[tokio::test]
async fn write_with_a_lost_response_is_recognized() {
    for action in [
        Action::DoneThenDrop,
        Action::DoneThenRefuse(503, "SlowDown".to_owned()),
        Action::DoneThenRefuse(500, "InternalError".to_owned()),
    ] {
        let backend = Backend::new().await;
        backend.aws.script(AwsFault::on(PutObject, RECORDS, action.clone()).times(1));
        let function = backend.function(&[]).await;
        let response = function.invoke(&batch_with(["a"])).await.result();
        assert!(failures(&response).is_empty(), "{action:?}");
        check_result(&backend, 1);
        function.stop().await;
    }
}

/// If S3 does not respond to a write, the record fails before the deadline. The next delivery does
/// not call a provider.
#[tokio::test]
async fn hanging_write_fails_the_record_in_time() {
    for (action, is_done) in [(Action::Hang, false), (Action::DoneThenHang, true)] {
        let backend = Backend::new().await;
        backend.aws.script(AwsFault::on(PutObject, RECORDS, action.clone()));
        let function = backend.function(&[]).await;
        let event = batch_with(["a"]);
        let response = function.invoke_within(&event, Duration::from_secs(3)).await.result();
        assert_eq!(failures(&response), ["a"], "{action:?}");
        assert_eq!(backend.results().len(), usize::from(is_done), "{action:?}");
        backend.aws.clear_script();
        assert!(failures(&function.invoke(&event).await.result()).is_empty(), "{action:?}");
        check_result(&backend, 1);
        function.stop().await;
    }
}

/// If S3 does not respond to a read, the provider is not called.
#[tokio::test]
async fn hanging_read_fails_the_record_in_time() {
    let backend = Backend::new().await;
    backend.aws.script(AwsFault::on(GetObject, RECORDS, Action::Hang));
    let function = backend.function(&[]).await;
    let event = batch_with(["a"]);
    let response = function.invoke_within(&event, Duration::from_secs(2)).await.result();
    assert_eq!(failures(&response), ["a"]);
    assert!(backend.prompts().is_empty());
    function.stop().await;
}
