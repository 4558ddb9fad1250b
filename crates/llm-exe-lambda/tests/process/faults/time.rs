//! The function's time running out in the middle of a batch.

use std::time::Duration;

use llm_exe_simulator::{Fault, Step};

use crate::world::{World, batch_of, failures, said};

#[tokio::test]
async fn what_was_not_started_is_reported_and_what_was_answered_is_kept() {
    let world = World::new().await;
    let ids: Vec<String> = (0..20).map(|at| format!("m{at:02}")).collect();
    let slow = Step::fault(Fault::Slow(Duration::from_millis(500)));
    world.simulator.script(vec![slow.times(1000)]);
    let event = batch_of(&ids);
    let function = world.function(&[("RECORD_CONCURRENCY", "2")]).await;
    // Time for some of the ten rounds.
    let answer = function.invoke_within(&event, Duration::from_millis(3500)).await.result();
    let reported = failures(&answer);
    let good = world.good();
    assert!(!good.is_empty(), "nothing was answered");
    let rest: Vec<String> = ids.iter().filter(|id| !good.contains(id)).cloned().collect();
    assert_eq!(reported, rest);
    // What nobody was asked for was not started, and keeps nothing.
    let results = world.results();
    let unasked: Vec<&String> = ids.iter().filter(|id| world.times_asked(id) == 0).collect();
    assert!(unasked.len() >= 8, "{unasked:?}");
    assert!(unasked.iter().all(|id| !results.contains_key(*id)), "{results:?}");
    assert!(world.asked().len() <= good.len() + 2, "what was started was ended");

    // The rest, delivered again.
    let asked = world.asked().len();
    let answer = function.invoke(&batch_of(&reported)).await.result();
    assert!(failures(&answer).is_empty(), "{answer}");
    assert_eq!(world.asked().len(), asked + reported.len());
    assert_eq!(world.good(), ids);
    assert!(world.results().iter().all(|(id, kept)| kept["result"] == said(id).as_str()));
    let lines = function.stop().await.lines();
    assert_eq!(lines[0]["errorType"], "Timeout", "{}", lines[0]);
    assert_eq!(lines[0]["failedRecords"], reported.len(), "{}", lines[0]);
}
