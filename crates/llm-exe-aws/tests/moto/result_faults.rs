//! What S3 does to results on bad days, by our own simulator and by a proxy that speaks for S3.

use std::time::{Duration, Instant};

use bytes::Bytes;
use llm_exe::Deadline;
use llm_exe::results::{Destination, ResultStore, When, Wrote};
use llm_exe_aws::{AwsMessenger, S3Results};
use llm_exe_testkit::aws::{Action, AwsSimulator, Fault, Operation};

use crate::proxy::{self, Proxy};
use crate::queues::tell;
use crate::results::{done, place, read, write};
use crate::{EXAMPLE, REGION, aws, aws_by, deadline, is_discreet};

const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/results";
const BUS: &str = "arn:aws:events:us-east-1:123456789012:event-bus/results";

fn results(url: String) -> S3Results {
    S3Results::new(aws_by(EXAMPLE), Some(REGION.to_owned()), Some(url))
}

async fn ready() -> (AwsSimulator, S3Results) {
    let simulator = AwsSimulator::start().await.unwrap();
    let store = results(simulator.url());
    (simulator, store)
}

fn refuse(status: u16, code: &str) -> Action {
    Action::Refuse(status, code.to_owned())
}

fn on_put(deed: Action) -> Fault {
    Fault::on(Operation::PutObject, "results/*", deed)
}

fn on_get(deed: Action) -> Fault {
    Fault::on(Operation::GetObject, "results/*", deed)
}

#[tokio::test]
async fn refusals_name_the_action_and_the_object() {
    let proxy = Proxy::before(0).await;
    let store = results(proxy.url());
    let of_key = "User: arn:aws:iam::123456789012:role/r is not authorized to perform: \
                  kms:GenerateDataKey";
    for (status, code, message, kind, told) in [
        (403, "AccessDenied", "", "AccessDenied", ["s3:GetObject on ", "s3:PutObject on "]),
        (403, "AccessDenied", of_key, "AccessDenied", ["kms:GenerateDataKey with the key of "; 2]),
        (403, "InvalidAccessKeyId", "", "AccessDenied", ["did not accept the credentials ("; 2]),
        (400, "ExpiredToken", "", "AccessDenied", ["did not accept the credentials ("; 2]),
        (400, "Unheard", "", "ResultUnavailable", ["S3 did not send ", "S3 did not keep "]),
        (404, "NoSuchBucket", "", "ResultUnavailable", ["S3 did not send ", "S3 did not keep "]),
    ] {
        let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        let said = proxy::Action::Answer(status, String::new(), body);
        proxy.will(&[said.clone(), said]);
        let at = place("a.json");
        let errors = [
            store.read(&at, deadline()).await.unwrap_err(),
            store.write(&at, Bytes::new(), When::Absent, deadline()).await.unwrap_err(),
        ];
        assert_eq!(proxy.journal().len(), 2, "{code}");
        for (error, told) in errors.iter().zip(told) {
            is_discreet(&format!("{error:?}"));
            assert_eq!(error.kind().name(), kind, "{code}: {error}");
            let is_named = told.ends_with('(') || error.message().contains("s3://results/a.json");
            assert!(error.message().contains(told) && is_named, "{code}: {error}");
            assert!(error.message().contains(code), "{error}");
            assert!(!error.message().contains("123456789012"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_is_not_accepted() {
    let simulator = AwsSimulator::start().await.unwrap();
    let (region, url) = (Some(REGION.to_owned()), Some(simulator.url()));
    let store = S3Results::new(aws(), region.clone(), url.clone());
    let messenger = AwsMessenger::new(aws(), region, url.clone(), url);
    let (queue, bus) = (Destination::read(QUEUE).unwrap(), Destination::read(BUS).unwrap());
    let at = place("a.json");
    for error in [
        store.read(&at, deadline()).await.unwrap_err(),
        store.write(&at, Bytes::new(), When::Always, deadline()).await.unwrap_err(),
        tell(&messenger, &queue, "a", None, "{}").await.unwrap_err(),
        tell(&messenger, &bus, "a", None, "{}").await.unwrap_err(),
    ] {
        is_discreet(&format!("{error:?}"));
        assert_eq!(error.kind().name(), "AccessDenied", "{error}");
        assert!(error.message().contains("did not accept the credentials"), "{error}");
    }
    assert!(simulator.calls().is_empty());
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_told() {
    let mut all = tokio::task::JoinSet::new();
    for deed in [refuse(503, "SlowDown"), refuse(500, "InternalError"), Action::Drop] {
        all.spawn(passes_or_not(deed));
    }
    all.join_all().await;
}

async fn passes_or_not(deed: Action) {
    let (simulator, store) = ready().await;
    simulator.script(on_put(deed.clone()).times(2));
    simulator.script(on_get(deed.clone()).times(2));
    done(&store, "a.json", "{}", When::Absent).await;
    assert!(read(&store, "a.json").await.is_some());
    let asked = (simulator.writes(), simulator.reads());
    // A connection that was used before is tried again at no cost to the count.
    assert!(asked == (3, 3) || deed == Action::Drop, "{deed:?} {asked:?}");
    simulator.script(on_put(deed.clone()));
    simulator.script(on_get(deed.clone()));
    let (first, second) = (place("a.json"), place("b.json"));
    let (read, written) = tokio::join!(
        store.read(&first, deadline()),
        store.write(&second, Bytes::new(), When::Always, deadline())
    );
    for error in [read.unwrap_err(), written.unwrap_err()] {
        assert_eq!(error.kind().name(), "ResultUnavailable", "{deed:?}: {error}");
        assert!(error.message().contains("s3://results/"), "{error}");
    }
    assert!(simulator.object("results", "b.json").is_none());
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_done_once_on_a_condition() {
    for deed in [Action::DoneThenDrop, Action::DoneThenRefuse(500, "InternalError".to_owned())] {
        let (simulator, store) = ready().await;
        simulator.script(on_put(deed.clone()).times(1));
        // It is our own: who must know reads it.
        assert_eq!(write(&store, "a.json", "{}", When::Absent).await, Wrote::Unmet, "{deed:?}");
        let (body, etag) = read(&store, "a.json").await.unwrap();
        assert_eq!(
            (body.as_str(), simulator.object("results", "a.json").unwrap().writes),
            ("{}", 1)
        );
        simulator.script(on_put(deed.clone()).times(1));
        let unchanged = When::Unchanged(etag);
        assert_eq!(write(&store, "a.json", "[]", unchanged).await, Wrote::Unmet, "{deed:?}");
        simulator.script(on_put(deed).times(1));
        done(&store, "a.json", "{}", When::Always).await;
        assert_eq!(simulator.object("results", "a.json").unwrap().writes, 4);
    }
}

#[tokio::test]
async fn contested_writes_are_decided_by_reading() {
    let conflict = || refuse(409, "ConditionalRequestConflict");
    let (simulator, store) = ready().await;
    // Nobody was first after all.
    simulator.script(on_put(conflict()).times(2));
    let etag = done(&store, "a.json", "{}", When::Absent).await;
    assert_eq!((simulator.writes(), simulator.reads()), (3, 2));
    simulator.script(on_put(conflict()).times(1));
    let newer = done(&store, "a.json", "[]", When::Unchanged(etag.clone())).await;
    simulator.script(on_put(conflict()).times(1));
    done(&store, "a.json", "[]", When::Always).await;
    // Somebody was.
    for when in [When::Absent, When::Unchanged(etag)] {
        simulator.clear_calls();
        simulator.script(on_put(conflict()).times(1));
        assert_eq!(write(&store, "a.json", "1", when).await, Wrote::Unmet);
        assert_eq!((simulator.writes(), simulator.reads()), (1, 1));
    }
    // It ends.
    simulator.script(on_put(conflict()));
    for when in [When::Always, When::Unchanged(newer)] {
        let at = place("a.json");
        let error = store.write(&at, Bytes::new(), when, deadline()).await.unwrap_err();
        assert_eq!(error.kind().name(), "ResultUnavailable");
        assert!(error.message().contains("s3://results/a.json: others write it"), "{error}");
    }
}

#[tokio::test]
async fn the_deadline_holds() {
    let (simulator, store) = ready().await;
    for deed in [Action::Hang, Action::Delay(Duration::from_secs(30)), Action::DoneThenHang] {
        simulator.clear_script();
        simulator.script(on_put(deed.clone()));
        let started = Instant::now();
        let soon = Deadline::after(Duration::from_millis(300));
        let at = place("a.json");
        let error = store.write(&at, Bytes::new(), When::Absent, soon).await.unwrap_err();
        assert_eq!(error.kind().name(), "ResultUnavailable");
        assert!(error.message().contains("no answer in time"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(2));
        let is_done = simulator.object("results", "a.json").is_some();
        assert_eq!(is_done, deed == Action::DoneThenHang, "{deed:?}");
    }
}

#[tokio::test]
async fn a_thousand_results_are_kept_among_faults() {
    let (simulator, store) = ready().await;
    simulator.script(on_put(refuse(503, "SlowDown")).every(50));
    let store = std::sync::Arc::new(store);
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..10 {
        let store = std::sync::Arc::clone(&store);
        workers.spawn(async move {
            for number in 0..100 {
                let key = format!("records/{worker}-{number}.json");
                done(&store, &key, "{}", When::Absent).await;
            }
        });
    }
    workers.join_all().await;
    let objects = simulator.objects();
    assert_eq!(objects.len(), 1000);
    assert!(objects.values().all(|object| object.writes == 1));
    assert!(simulator.writes() > 1010);
}
