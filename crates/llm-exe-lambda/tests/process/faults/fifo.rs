//! Groups of a FIFO queue: in order, up to what fails, whatever becomes of the process.

use std::time::Duration;

use llm_exe_simulator::{Fault, Step};

use crate::world::{World, batch, failures, killed, message, of, say, saying};

/// An event of these messages, each in the group of its first letter.
fn event(ids: &[&str]) -> serde_json::Value {
    batch(ids.iter().map(|id| message(id, id.get(..1), &saying(id))))
}

/// The prompts of a group, in the order in which they were asked.
fn asked(world: &World, group: &str) -> Vec<String> {
    let start = say(group);
    let start = start.trim_end_matches(">.");
    world.asked().into_iter().filter(|prompt| prompt.starts_with(start)).collect()
}

#[tokio::test]
async fn a_group_stops_at_its_failure_and_goes_on_from_there() {
    let world = World::new().await;
    let slow = Step::fault(Fault::Slow(Duration::from_millis(150)));
    world.simulator.script(vec![
        of("a1", slow.clone()),
        of("a2", Step::status(500).times(3)),
        of("b1", slow),
    ]);
    let all = ["a1", "b1", "a2", "c1", "b2", "a3", "b3", "a4"];
    let function = world.function(&[]).await;
    let failed = failures(&function.invoke(&event(&all)).await.result());
    assert_eq!(failed, ["a2", "a3", "a4"]);
    assert_eq!(asked(&world, "a"), ["a1", "a2", "a2", "a2"].map(say));
    assert_eq!(asked(&world, "b"), ["b1", "b2", "b3"].map(say));
    assert_eq!(world.good(), ["a1", "b1", "b2", "b3", "c1"]);

    let answer = function.invoke(&event(&["a2", "a3", "a4"])).await.result();
    assert!(failures(&answer).is_empty());
    assert_eq!(asked(&world, "a")[4..], ["a2", "a3", "a4"].map(say));
    assert_eq!(world.good().len(), all.len());
    function.stop().await;
}

/// What can never pass holds its group up until the queue moves it away, and costs nothing more.
#[tokio::test]
async fn a_refusal_holds_its_group_up_without_being_asked_again() {
    let world = World::new().await;
    world.simulator.script(vec![of("a1", Step::status(400))]);
    let function = world.function(&[]).await;
    for _ in 0..3 {
        let answer = function.invoke(&event(&["a1", "b1", "a2"])).await.result();
        assert_eq!(failures(&answer), ["a1", "a2"]);
    }
    assert_eq!((asked(&world, "a"), asked(&world, "b").len()), (vec![say("a1")], 1));
    function.stop().await;
}

#[tokio::test]
async fn a_kill_does_not_change_the_order() {
    let world = World::new().await;
    world.simulator.script(vec![of("a2", Step::fault(Fault::Hang))]);
    let all = event(&["a1", "b1", "a2", "a3", "b2"]);
    let first = world.function(&[]).await;
    let is_time = || world.times_asked("a2") == 1 && world.good().len() == 3;
    killed(first, &all, "all but group a is kept", is_time).await;
    assert_eq!(world.good(), ["a1", "b1", "b2"]);

    let second = world.function(&[]).await;
    assert!(failures(&second.invoke(&all).await.result()).is_empty());
    assert_eq!(asked(&world, "a"), ["a1", "a2", "a2", "a3"].map(say));
    assert_eq!(asked(&world, "b"), ["b1", "b2"].map(say));
    second.stop().await;
}
