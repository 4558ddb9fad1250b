//! S3 that refuses, delays or loses what is read and written: a record fails or not as it should,
//! and in one process nothing is paid for twice.

use std::time::Duration;

use llm_exe_testkit::aws::{Action, Fault, Operation};
use serde_json::json;

use crate::world::{World, batch_of, failures, said};

use Operation::{GetObject, PutObject};

const RECORDS: &str = "kept/here/records/*";

fn refused(status: u16, code: &str) -> Action {
    Action::Refuse(status, code.to_owned())
}

/// The one result of record `a`, right and written once; asked for so often.
fn is_right(world: &World, asked: usize) {
    let results = world.results();
    assert_eq!(results.len(), 1, "{results:?}");
    assert_eq!(results["a"]["result"], json!(said("a")));
    assert!(world.aws.objects().values().all(|object| object.writes == 1));
    assert_eq!(world.times_asked("a"), asked);
}

#[tokio::test]
async fn what_can_not_be_read_is_not_asked() {
    for (status, code, kind) in
        [(503, "SlowDown", "ResultUnavailable"), (403, "AccessDenied", "AccessDenied")]
    {
        let world = World::new().await;
        world.aws.script(Fault::on(GetObject, RECORDS, refused(status, code)));
        let function = world.function(&[]).await;
        let event = batch_of(["a"]);
        assert_eq!(failures(&function.invoke(&event).await.result()), ["a"], "{code}");
        assert!(world.asked().is_empty() && world.results().is_empty(), "{code}");
        world.aws.clear_script();
        assert!(failures(&function.invoke(&event).await.result()).is_empty(), "{code}");
        is_right(&world, 1);
        let lines = function.stop().await.lines();
        assert_eq!(lines[0]["errorType"], json!(kind), "{}", lines[0]);
    }
}

#[tokio::test]
async fn what_can_not_be_written_fails_and_is_not_asked_again() {
    for (status, code) in [(503, "SlowDown"), (403, "AccessDenied")] {
        let world = World::new().await;
        world.aws.script(Fault::on(PutObject, RECORDS, refused(status, code)));
        let function = world.function(&[]).await;
        let event = batch_of(["a"]);
        for _ in 0..2 {
            assert_eq!(failures(&function.invoke(&event).await.result()), ["a"], "{code}");
            assert!(world.results().is_empty(), "{code}");
        }
        world.aws.clear_script();
        assert!(failures(&function.invoke(&event).await.result()).is_empty(), "{code}");
        is_right(&world, 1);
        function.stop().await;
    }
}

/// Only the record whose result is refused fails.
#[tokio::test]
async fn a_refused_write_fails_no_neighbour() {
    let world = World::new().await;
    world.aws.script(Fault::on(PutObject, RECORDS, refused(403, "AccessDenied")).times(1));
    let function = world.function(&[]).await;
    let event = batch_of(["a", "b", "c", "d"]);
    let failed = failures(&function.invoke(&event).await.result());
    assert_eq!((failed.len(), world.good().len()), (1, 3), "{failed:?}");
    assert!(!world.good().contains(&failed[0]));
    assert!(failures(&function.invoke(&event).await.result()).is_empty());
    assert_eq!((world.good().len(), world.asked().len()), (4, 4));
    function.stop().await;
}

#[tokio::test]
async fn a_store_that_recovers_or_takes_its_time_fails_nothing() {
    let slow = || Action::Delay(Duration::from_millis(400));
    for (operation, deed) in [
        (GetObject, refused(503, "SlowDown")),
        (PutObject, refused(503, "SlowDown")),
        (PutObject, refused(500, "InternalError")),
        (GetObject, Action::Drop),
        (PutObject, Action::Drop),
        (GetObject, slow()),
        (PutObject, slow()),
    ] {
        let world = World::new().await;
        world.aws.script(Fault::on(operation, RECORDS, deed.clone()).times(1));
        let function = world.function(&[]).await;
        let answer = function.invoke(&batch_of(["a"])).await.result();
        assert!(failures(&answer).is_empty(), "{operation:?} {deed:?}");
        is_right(&world, 1);
        function.stop().await;
    }
}

/// ParsedRequest, and the answer lost: it is known as our own, and nothing is asked again.
#[tokio::test]
async fn a_write_whose_answer_is_lost_is_known_again() {
    for deed in [
        Action::DoneThenDrop,
        Action::DoneThenRefuse(503, "SlowDown".to_owned()),
        Action::DoneThenRefuse(500, "InternalError".to_owned()),
    ] {
        let world = World::new().await;
        world.aws.script(Fault::on(PutObject, RECORDS, deed.clone()).times(1));
        let function = world.function(&[]).await;
        let answer = function.invoke(&batch_of(["a"])).await.result();
        assert!(failures(&answer).is_empty(), "{deed:?}");
        is_right(&world, 1);
        function.stop().await;
    }
}

/// A store that says nothing until the deadline: the record fails in time, done or not, and the
/// next delivery costs nothing.
#[tokio::test]
async fn a_store_that_hangs_fails_the_record_in_time() {
    for (deed, is_done) in [(Action::Hang, false), (Action::DoneThenHang, true)] {
        let world = World::new().await;
        world.aws.script(Fault::on(PutObject, RECORDS, deed.clone()));
        let function = world.function(&[]).await;
        let event = batch_of(["a"]);
        let answer = function.invoke_within(&event, Duration::from_secs(3)).await.result();
        assert_eq!(failures(&answer), ["a"], "{deed:?}");
        assert_eq!(world.results().len(), usize::from(is_done), "{deed:?}");
        world.aws.clear_script();
        assert!(failures(&function.invoke(&event).await.result()).is_empty(), "{deed:?}");
        is_right(&world, 1);
        function.stop().await;
    }
}

/// The same of one that hangs at reading: nobody is asked.
#[tokio::test]
async fn a_store_that_hangs_at_reading_costs_nothing() {
    let world = World::new().await;
    world.aws.script(Fault::on(GetObject, RECORDS, Action::Hang));
    let function = world.function(&[]).await;
    let event = batch_of(["a"]);
    let answer = function.invoke_within(&event, Duration::from_secs(2)).await.result();
    assert_eq!(failures(&answer), ["a"]);
    assert!(world.asked().is_empty());
    function.stop().await;
}
