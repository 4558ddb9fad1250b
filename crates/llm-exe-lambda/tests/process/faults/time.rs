//! Tests a function that runs out of time in the middle of a batch.

use std::time::Duration;

use llm_exe_simulator::{Fault, Step};

use crate::backend::{Backend, batch_with, failures, reply_for};

#[tokio::test]
async fn unstarted_records_are_reported_and_finished_ones_are_stored() {
    let backend = Backend::new().await;
    let ids: Vec<String> = (0..20).map(|index| format!("m{index:02}")).collect();
    let slow = Step::fault(Fault::Slow(Duration::from_millis(500)));
    backend.simulator.script(vec![slow.times(1000)]);
    let event = batch_with(&ids);
    let function = backend.function(&[("RECORD_CONCURRENCY", "2")]).await;
    // The timeout is long enough for some, but not all, of the ten rounds of requests.
    let response = function.invoke_within(&event, Duration::from_millis(3500)).await.result();
    let reported = failures(&response);
    let succeeded = backend.succeeded();
    assert!(!succeeded.is_empty(), "no record succeeded");
    let unfinished: Vec<String> =
        ids.iter().filter(|id| !succeeded.contains(id)).cloned().collect();
    assert_eq!(reported, unfinished);
    // Records without a provider call were not started, so they have no stored result.
    let results = backend.results();
    let not_started: Vec<&String> = ids.iter().filter(|id| backend.calls_for(id) == 0).collect();
    assert!(not_started.len() >= 8, "{not_started:?}");
    assert!(not_started.iter().all(|id| !results.contains_key(*id)), "{results:?}");
    assert!(backend.prompts().len() <= succeeded.len() + 2, "a started record did not finish");

    // The queue delivers the failed records again.
    let calls = backend.prompts().len();
    let response = function.invoke(&batch_with(&reported)).await.result();
    assert!(failures(&response).is_empty(), "{response}");
    assert_eq!(backend.prompts().len(), calls + reported.len());
    assert_eq!(backend.succeeded(), ids);
    assert!(
        backend.results().iter().all(|(id, result)| result["result"] == reply_for(id).as_str())
    );
    let lines = function.stop().await.lines();
    assert_eq!(lines[0]["errorType"], "Timeout", "{}", lines[0]);
    assert_eq!(lines[0]["failedRecords"], reported.len(), "{}", lines[0]);
}
