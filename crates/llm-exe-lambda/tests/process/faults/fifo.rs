//! Tests FIFO queues. The messages in a group are processed in order up to the first failure, even
//! if the process is killed.

use std::time::Duration;

use llm_exe_simulator::{Fault, Step};

use crate::backend::{
    Backend, batch, failures, invoke_and_kill, message, prompt_for, request_for, step_for,
};

/// Creates an SQS event with a message for each id. The first letter of an id is the message group.
fn event(ids: &[&str]) -> serde_json::Value {
    batch(ids.iter().map(|id| message(id, id.get(..1), &request_for(id))))
}

/// Returns the prompts of a group's provider calls, in order.
fn prompts_of(backend: &Backend, group: &str) -> Vec<String> {
    let start = prompt_for(group);
    let start = start.trim_end_matches(">.");
    backend.prompts().into_iter().filter(|prompt| prompt.starts_with(start)).collect()
}

#[tokio::test]
async fn group_stops_at_a_failure_and_continues_from_there() {
    let backend = Backend::new().await;
    let slow = Step::fault(Fault::Slow(Duration::from_millis(150)));
    backend.simulator.script(vec![
        step_for("a1", slow.clone()),
        step_for("a2", Step::status(500).times(3)),
        step_for("b1", slow),
    ]);
    let all = ["a1", "b1", "a2", "c1", "b2", "a3", "b3", "a4"];
    let function = backend.function(&[]).await;
    let failed = failures(&function.invoke(&event(&all)).await.result());
    assert_eq!(failed, ["a2", "a3", "a4"]);
    assert_eq!(prompts_of(&backend, "a"), ["a1", "a2", "a2", "a2"].map(prompt_for));
    assert_eq!(prompts_of(&backend, "b"), ["b1", "b2", "b3"].map(prompt_for));
    assert_eq!(backend.succeeded(), ["a1", "b1", "b2", "b3", "c1"]);

    let response = function.invoke(&event(&["a2", "a3", "a4"])).await.result();
    assert!(failures(&response).is_empty());
    assert_eq!(prompts_of(&backend, "a")[4..], ["a2", "a3", "a4"].map(prompt_for));
    assert_eq!(backend.succeeded().len(), all.len());
    function.stop().await;
}

/// A message that fails permanently blocks its group until SQS moves it to the dead-letter queue.
#[tokio::test]
async fn final_failure_blocks_its_group_and_is_not_run_again() {
    let backend = Backend::new().await;
    backend.simulator.script(vec![step_for("a1", Step::status(400))]);
    let function = backend.function(&[]).await;
    for _ in 0..3 {
        let response = function.invoke(&event(&["a1", "b1", "a2"])).await.result();
        assert_eq!(failures(&response), ["a1", "a2"]);
    }
    assert_eq!(
        (prompts_of(&backend, "a"), prompts_of(&backend, "b").len()),
        (vec![prompt_for("a1")], 1)
    );
    function.stop().await;
}

#[tokio::test]
async fn kill_does_not_change_the_order() {
    let backend = Backend::new().await;
    backend.simulator.script(vec![step_for("a2", Step::fault(Fault::Hang))]);
    let all = event(&["a1", "b1", "a2", "a3", "b2"]);
    let first = backend.function(&[]).await;
    let is_ready = || backend.calls_for("a2") == 1 && backend.succeeded().len() == 3;
    invoke_and_kill(first, &all, "all results before the hanging request are stored", is_ready)
        .await;
    assert_eq!(backend.succeeded(), ["a1", "b1", "b2"]);

    let second = backend.function(&[]).await;
    assert!(failures(&second.invoke(&all).await.result()).is_empty());
    assert_eq!(prompts_of(&backend, "a"), ["a1", "a2", "a2", "a3"].map(prompt_for));
    assert_eq!(prompts_of(&backend, "b"), ["b1", "b2"].map(prompt_for));
    second.stop().await;
}
