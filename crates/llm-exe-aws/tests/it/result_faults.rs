//! Tests how the result store handles S3 errors, retries, lost responses, conflicts and deadlines.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use llm_exe::Deadline;
use llm_exe_aws::S3Results;
use llm_exe_function::destination::Destination;
use llm_exe_function::ports::{Precondition, ResultStore, WriteOutcome};
use llm_exe_testkit::aws::{Action, AwsFault, AwsSimulator, Operation};

use crate::support::contract::Backend;
use crate::support::contract::queues::send;
use crate::support::contract::results::{must_write, place, read, write};
use crate::support::proxy::{self, Proxy};
use crate::support::{BUS, OTHER_SECRET, QUEUE, assert_no_secrets, deadline, ports};

async fn start() -> (AwsSimulator, S3Results) {
    let simulator = AwsSimulator::start().await.unwrap();
    let store = simulator.ports().results();
    (simulator, store)
}

fn refuse(status: u16, code: &str) -> Action {
    Action::Refuse(status, code.to_owned())
}

fn on_put(fault: Action) -> AwsFault {
    AwsFault::on(Operation::PutObject, "results/*", fault)
}

fn on_get(fault: Action) -> AwsFault {
    AwsFault::on(Operation::GetObject, "results/*", fault)
}

#[tokio::test]
async fn errors_name_action_and_object() {
    let proxy = Proxy::without_target().await;
    let store = ports(&proxy.url(), OTHER_SECRET).results();
    let kms_message = "User: arn:aws:iam::123456789012:role/r is not authorized to perform: \
                       kms:GenerateDataKey";
    let denied = ["s3:GetObject on ", "s3:PutObject on "];
    let kms_denied = ["kms:GenerateDataKey on the KMS key of "; 2];
    let credentials = ["AWS rejected the credentials ("; 2];
    let unavailable = ["can't read ", "can't store "];
    for (status, code, message, kind, expected) in [
        (403, "AccessDenied", "", "AccessDenied", denied),
        (403, "AccessDenied", kms_message, "AccessDenied", kms_denied),
        (403, "InvalidAccessKeyId", "", "AccessDenied", credentials),
        (400, "ExpiredToken", "", "AccessDenied", credentials),
        (400, "UnknownCode", "", "ResultUnavailable", unavailable),
        (404, "NoSuchBucket", "", "ResultUnavailable", unavailable),
    ] {
        let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        let response = proxy::Action::Respond(status, String::new(), body);
        proxy.script(&[response.clone(), response]);
        let place = place("a.json");
        let errors = [
            store.read(&place, deadline()).await.unwrap_err(),
            store.write(&place, Bytes::new(), Precondition::Absent, deadline()).await.unwrap_err(),
        ];
        assert_eq!(proxy.request_count(), 2, "{code}");
        for (error, expected) in errors.iter().zip(expected) {
            assert_no_secrets(&format!("{error:?}"));
            assert_eq!(error.kind().name(), kind, "{code}: {error}");
            assert!(error.message().contains(expected), "{code}: {error}");
            let names_object = error.message().contains("s3://results/a.json");
            assert!(names_object || expected == credentials[0], "{code}: {error}");
            assert!(error.message().contains(code), "{error}");
            assert!(!error.message().contains("123456789012"), "{error}");
        }
    }
}

#[tokio::test]
async fn wrong_secret_key_is_access_denied() {
    let simulator = AwsSimulator::start().await.unwrap();
    let ports = ports(&simulator.url(), OTHER_SECRET);
    let (store, messenger) = (ports.results(), ports.messenger());
    let (queue, bus) = (Destination::parse(QUEUE).unwrap(), Destination::parse(BUS).unwrap());
    let place = place("a.json");
    for error in [
        store.read(&place, deadline()).await.unwrap_err(),
        store.write(&place, Bytes::new(), Precondition::None, deadline()).await.unwrap_err(),
        send(&messenger, &queue, "a", None, "{}").await.unwrap_err(),
        send(&messenger, &bus, "a", None, "{}").await.unwrap_err(),
    ] {
        assert_no_secrets(&format!("{error:?}"));
        assert_eq!(error.kind().name(), "AccessDenied", "{error}");
        assert!(error.message().contains("AWS rejected the credentials"), "{error}");
    }
    assert!(simulator.calls().is_empty());
}

#[tokio::test]
async fn transient_errors_are_retried_then_reported() {
    let mut tests = tokio::task::JoinSet::new();
    for fault in [refuse(503, "SlowDown"), refuse(500, "InternalError"), Action::Drop] {
        tests.spawn(check_retry(fault));
    }
    tests.join_all().await;
}

async fn check_retry(fault: Action) {
    let (simulator, store) = start().await;
    simulator.script(on_put(fault.clone()).times(2));
    simulator.script(on_get(fault.clone()).times(2));
    must_write(&store, "a.json", "{}", Precondition::Absent).await;
    assert!(read(&store, "a.json").await.is_some());
    let requests = (simulator.writes(), simulator.reads());
    // The HTTP client itself may also resend a request after a dropped connection, so the number of
    // requests can be higher.
    assert!(requests == (3, 3) || fault == Action::Drop, "{fault:?} {requests:?}");
    simulator.script(on_put(fault.clone()));
    simulator.script(on_get(fault.clone()));
    let (first, second) = (place("a.json"), place("b.json"));
    let (read_result, write_result) = tokio::join!(
        store.read(&first, deadline()),
        store.write(&second, Bytes::new(), Precondition::None, deadline())
    );
    for error in [read_result.unwrap_err(), write_result.unwrap_err()] {
        assert_eq!(error.kind().name(), "ResultUnavailable", "{fault:?}: {error}");
        assert!(error.message().contains("s3://results/"), "{error}");
    }
    assert!(simulator.object("results", "b.json").is_none());
}

#[tokio::test]
async fn write_with_lost_response_is_done_once_with_precondition() {
    for fault in [Action::DoneThenDrop, Action::DoneThenRefuse(500, "InternalError".to_owned())] {
        let (simulator, store) = start().await;
        simulator.script(on_put(fault.clone()).times(1));
        // The first attempt wrote the object, so the precondition no longer holds for the retry.
        assert_eq!(
            write(&store, "a.json", "{}", Precondition::Absent).await,
            WriteOutcome::Unmet,
            "{fault:?}"
        );
        let (body, etag) = read(&store, "a.json").await.unwrap();
        assert_eq!(
            (body.as_str(), simulator.object("results", "a.json").unwrap().writes),
            ("{}", 1)
        );
        simulator.script(on_put(fault.clone()).times(1));
        let unchanged = Precondition::Unchanged(etag);
        assert_eq!(
            write(&store, "a.json", "[]", unchanged).await,
            WriteOutcome::Unmet,
            "{fault:?}"
        );
        simulator.script(on_put(fault).times(1));
        must_write(&store, "a.json", "{}", Precondition::None).await;
        assert_eq!(simulator.object("results", "a.json").unwrap().writes, 4);
    }
}

#[tokio::test]
async fn conflicting_writes_are_resolved_by_reading() {
    let conflict = || refuse(409, "ConditionalRequestConflict");
    let (simulator, store) = start().await;
    // Case 1: no other writer succeeded, so the write is repeated.
    simulator.script(on_put(conflict()).times(2));
    let etag = must_write(&store, "a.json", "{}", Precondition::Absent).await;
    assert_eq!((simulator.writes(), simulator.reads()), (3, 2));
    simulator.script(on_put(conflict()).times(1));
    let newer = must_write(&store, "a.json", "[]", Precondition::Unchanged(etag.clone())).await;
    simulator.script(on_put(conflict()).times(1));
    must_write(&store, "a.json", "[]", Precondition::None).await;
    // Case 2: another writer succeeded, so the precondition no longer holds.
    for when in [Precondition::Absent, Precondition::Unchanged(etag)] {
        simulator.clear_calls();
        simulator.script(on_put(conflict()).times(1));
        assert_eq!(write(&store, "a.json", "1", when).await, WriteOutcome::Unmet);
        assert_eq!((simulator.writes(), simulator.reads()), (1, 1));
    }
    // Case 3: every attempt has a conflict, so the write fails after the maximum number of
    // attempts.
    simulator.script(on_put(conflict()));
    for when in [Precondition::None, Precondition::Unchanged(newer)] {
        let place = place("a.json");
        let error = store.write(&place, Bytes::new(), when, deadline()).await.unwrap_err();
        assert_eq!(error.kind().name(), "ResultUnavailable");
        assert!(error.message().contains("s3://results/a.json: other writers"), "{error}");
    }
}

#[tokio::test]
async fn deadline_ends_a_write() {
    let (simulator, store) = start().await;
    for fault in [Action::Hang, Action::Delay(Duration::from_secs(30)), Action::DoneThenHang] {
        simulator.clear_script();
        simulator.script(on_put(fault.clone()));
        let started = Instant::now();
        let deadline = Deadline::after(Duration::from_millis(300));
        let place = place("a.json");
        let error =
            store.write(&place, Bytes::new(), Precondition::Absent, deadline).await.unwrap_err();
        assert_eq!(error.kind().name(), "ResultUnavailable");
        assert!(error.message().contains("received before the deadline"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(2));
        let is_written = simulator.object("results", "a.json").is_some();
        assert_eq!(is_written, fault == Action::DoneThenHang, "{fault:?}");
    }
}

#[tokio::test]
async fn thousand_results_are_stored_despite_throttling() {
    let (simulator, store) = start().await;
    simulator.script(on_put(refuse(503, "SlowDown")).every(50));
    let store = Arc::new(store);
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..10 {
        let store = Arc::clone(&store);
        workers.spawn(async move {
            for number in 0..100 {
                let key = format!("records/{worker}-{number}.json");
                must_write(&store, &key, "{}", Precondition::Absent).await;
            }
        });
    }
    workers.join_all().await;
    let objects = simulator.objects();
    assert_eq!(objects.len(), 1000);
    assert!(objects.values().all(|object| object.writes == 1));
    assert!(simulator.writes() > 1010);
}
