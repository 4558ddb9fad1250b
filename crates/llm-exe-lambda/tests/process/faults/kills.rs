//! Processes that are killed in the middle of a batch, which is then delivered again.

use llm_exe_simulator::{Fault as ProviderFault, Step};
use llm_exe_testkit::aws::{Action, Fault, Operation};

use crate::world::{World, batch_of, failures, killed, of, said};

const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/results";

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("m{at}")).collect()
}

/// Every record has its one result, right and written once.
fn all_are_kept(world: &World, ids: &[String]) {
    let results = world.results();
    assert_eq!(results.len(), ids.len());
    for id in ids {
        let kept = &results[id];
        assert_eq!((&kept["status"], &kept["result"]), (&"ok".into(), &said(id).into()), "{kept}");
    }
    for (name, object) in world.aws.objects() {
        assert_eq!(object.writes, 1, "{name}");
    }
}

#[tokio::test]
async fn what_was_answered_before_the_kill_is_not_asked_again() {
    let world = World::new().await;
    let ids = ids(10);
    let hangs = |id: &String| of(id, Step::fault(ProviderFault::Hang));
    world.simulator.script(ids[5..].iter().map(hangs).collect());
    let event = batch_of(&ids);
    let first = world.function(&[]).await;
    killed(first, &event, "half of it is kept", || world.good().len() == 5).await;

    let second = world.function(&[]).await;
    assert!(failures(&second.invoke(&event).await.result()).is_empty());
    all_are_kept(&world, &ids);
    for (at, id) in ids.iter().enumerate() {
        assert_eq!(world.times_asked(id), if at < 5 { 1 } else { 2 }, "{id}");
    }
    // Once more, to another process: nobody is asked.
    let third = world.function(&[]).await;
    assert!(failures(&third.invoke(&event).await.result()).is_empty());
    assert_eq!(world.asked().len(), 15);
    all_are_kept(&world, &ids);
    let line = third.stop().await.lines().remove(0);
    assert_eq!(line["replayed"], 10, "{line}");
    second.stop().await;
}

/// Wherever in the batch the kill comes: what is kept by then is asked no more, and what is lost is
/// what was under way.
#[tokio::test]
async fn a_kill_may_come_at_any_moment() {
    let concurrency = 3;
    for kept in [0, 1, 4, 7, 9] {
        let world = World::new().await;
        let ids = ids(10);
        let under_way: Vec<&String> = ids[kept..].iter().take(concurrency).collect();
        let hangs = |id: &&String| of(id, Step::fault(ProviderFault::Hang));
        world.simulator.script(under_way.iter().map(hangs).collect());
        let event = batch_of(&ids);
        let first = world.function(&[("RECORD_CONCURRENCY", "3")]).await;
        let is_time =
            || world.good().len() == kept && world.asked().len() == kept + under_way.len();
        killed(first, &event, "as many are kept and under way", is_time).await;
        assert_eq!(world.good(), ids[..kept]);

        let second = world.function(&[]).await;
        assert!(failures(&second.invoke(&event).await.result()).is_empty());
        all_are_kept(&world, &ids);
        for id in &ids {
            let times = 1 + usize::from(under_way.contains(&id));
            assert_eq!(world.times_asked(id), times, "{id}: {kept}");
        }
        second.stop().await;
    }
}

/// Killed once and again, the batch gets further each time.
#[tokio::test]
async fn a_batch_ends_however_often_its_process_is_killed() {
    let world = World::new().await;
    let ids = ids(10);
    let event = batch_of(&ids);
    let goals = [2, 4, 6, 8];
    for goal in goals {
        world.simulator.script(vec![of(&ids[goal], Step::fault(ProviderFault::Hang))]);
        let function = world.function(&[("RECORD_CONCURRENCY", "1")]).await;
        let is_time = || world.good().len() == goal && world.times_asked(&ids[goal]) == 1;
        killed(function, &event, "it got further", is_time).await;
    }
    let last = world.function(&[]).await;
    assert!(failures(&last.invoke(&event).await.result()).is_empty());
    all_are_kept(&world, &ids);
    assert_eq!(world.asked().len(), ids.len() + goals.len(), "{:?}", world.asked());
    last.stop().await;
}

/// Killed after the result is kept and before anybody was told of it.
#[tokio::test]
async fn a_result_that_nobody_was_told_of_is_told_and_not_asked_again() {
    let world = World::new().await;
    world.aws.script(Fault::on(Operation::SendMessage, "*", Action::Hang).times(2));
    let ids = ids(2);
    let event = batch_of(&ids);
    let first = world.function(&[("RESULT_DESTINATION", QUEUE)]).await;
    let are_sent = || world.aws.count(Operation::SendMessage, "*") == 2;
    killed(first, &event, "both are being told", are_sent).await;
    assert_eq!((world.good().len(), world.aws.messages().len()), (2, 0));

    let second = world.function(&[("RESULT_DESTINATION", QUEUE)]).await;
    assert!(failures(&second.invoke(&event).await.result()).is_empty());
    assert_eq!((world.asked().len(), world.aws.messages().len()), (2, 2));
    all_are_kept(&world, &ids);
    second.stop().await;
}
