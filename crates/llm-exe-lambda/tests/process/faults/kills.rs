//! Tests batches that are delivered again after their process was killed.

use llm_exe_simulator::{Fault, Step};
use llm_exe_testkit::aws::{Action, AwsFault, Operation};

use crate::backend::{Backend, batch_with, failures, invoke_and_kill, reply_for, step_for};

const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/results";

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("m{at}")).collect()
}

/// Checks that every record has the expected result and that each result was written exactly once.
fn check_results(backend: &Backend, ids: &[String]) {
    let results = backend.results();
    assert_eq!(results.len(), ids.len());
    for id in ids {
        let result = &results[id];
        let expected = (&"ok".into(), &reply_for(id).into());
        assert_eq!((&result["status"], &result["result"]), expected, "{result}");
    }
    for (name, object) in backend.aws.objects() {
        assert_eq!(object.writes, 1, "{name}");
    }
}

#[tokio::test]
async fn stored_results_are_not_run_again_after_a_kill() {
    let backend = Backend::new().await;
    let ids = ids(10);
    let hangs = |id: &String| step_for(id, Step::fault(Fault::Hang));
    backend.simulator.script(ids[5..].iter().map(hangs).collect());
    let event = batch_with(&ids);
    let first = backend.function(&[]).await;
    invoke_and_kill(first, &event, "half of the results are stored", || {
        backend.succeeded().len() == 5
    })
    .await;

    let second = backend.function(&[]).await;
    assert!(failures(&second.invoke(&event).await.result()).is_empty());
    check_results(&backend, &ids);
    for (at, id) in ids.iter().enumerate() {
        assert_eq!(backend.calls_for(id), if at < 5 { 1 } else { 2 }, "{id}");
    }
    // A third process returns the stored results without calling a provider.
    let third = backend.function(&[]).await;
    assert!(failures(&third.invoke(&event).await.result()).is_empty());
    assert_eq!(backend.prompts().len(), 15);
    check_results(&backend, &ids);
    let line = third.stop().await.lines().remove(0);
    assert_eq!(line["replayed"], 10, "{line}");
    second.stop().await;
}

/// Only requests that were running when the process was killed are run again.
#[tokio::test]
async fn only_running_requests_are_run_again_after_a_kill() {
    let concurrency = 3;
    for stored in [0, 1, 4, 7, 9] {
        let backend = Backend::new().await;
        let ids = ids(10);
        let running: Vec<&String> = ids[stored..].iter().take(concurrency).collect();
        let hangs = |id: &&String| step_for(id, Step::fault(Fault::Hang));
        backend.simulator.script(running.iter().map(hangs).collect());
        let event = batch_with(&ids);
        let first = backend.function(&[("RECORD_CONCURRENCY", "3")]).await;
        let is_ready = || {
            backend.succeeded().len() == stored && backend.prompts().len() == stored + running.len()
        };
        invoke_and_kill(first, &event, "the expected requests are stored or running", is_ready)
            .await;
        assert_eq!(backend.succeeded(), ids[..stored]);

        let second = backend.function(&[]).await;
        assert!(failures(&second.invoke(&event).await.result()).is_empty());
        check_results(&backend, &ids);
        for id in &ids {
            let times = 1 + usize::from(running.contains(&id));
            assert_eq!(backend.calls_for(id), times, "{id}: {stored}");
        }
        second.stop().await;
    }
}

/// The batch makes progress with each delivery, even if its process is killed each time.
#[tokio::test]
async fn batch_is_completed_after_repeated_kills() {
    let backend = Backend::new().await;
    let ids = ids(10);
    let event = batch_with(&ids);
    let goals = [2, 4, 6, 8];
    for goal in goals {
        backend.simulator.script(vec![step_for(&ids[goal], Step::fault(Fault::Hang))]);
        let function = backend.function(&[("RECORD_CONCURRENCY", "1")]).await;
        let is_ready = || backend.succeeded().len() == goal && backend.calls_for(&ids[goal]) == 1;
        invoke_and_kill(function, &event, "the next result is stored", is_ready).await;
    }
    let last = backend.function(&[]).await;
    assert!(failures(&last.invoke(&event).await.result()).is_empty());
    check_results(&backend, &ids);
    assert_eq!(backend.prompts().len(), ids.len() + goals.len(), "{:?}", backend.prompts());
    last.stop().await;
}

/// The process is killed after the results are stored but before they are sent.
#[tokio::test]
async fn stored_result_is_sent_by_the_next_process() {
    let backend = Backend::new().await;
    backend.aws.script(AwsFault::on(Operation::SendMessage, "*", Action::Hang).times(2));
    let ids = ids(2);
    let event = batch_with(&ids);
    let first = backend.function(&[("RESULT_DESTINATION", QUEUE)]).await;
    let are_sending = || backend.aws.count(Operation::SendMessage, "*") == 2;
    invoke_and_kill(first, &event, "both notifications are being sent", are_sending).await;
    assert_eq!((backend.succeeded().len(), backend.aws.messages().len()), (2, 0));

    let second = backend.function(&[("RESULT_DESTINATION", QUEUE)]).await;
    assert!(failures(&second.invoke(&event).await.result()).is_empty());
    assert_eq!((backend.prompts().len(), backend.aws.messages().len()), (2, 2));
    check_results(&backend, &ids);
    second.stop().await;
}
