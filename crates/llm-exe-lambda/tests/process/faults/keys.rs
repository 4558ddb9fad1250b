//! `idempotencyKey` across processes: one call, however many ask for it and whatever becomes of
//! who asked first.

use std::time::{Duration, Instant};

use llm_exe_simulator::{Fault as ProviderFault, Step};
use llm_exe_testkit::aws::{Action, Fault, Operation};
use serde_json::{Value, json};

use crate::harness::{Answer, merge, posted};
use crate::world::{World, killed, of, said, saying};

fn keyed(id: &str, key: &str) -> Value {
    let mut request = saying(id);
    merge(&mut request, &json!({ "idempotencyKey": key, "return": "full" }));
    request
}

fn slow(milliseconds: u64) -> Step {
    Step::fault(ProviderFault::Slow(Duration::from_millis(milliseconds)))
}

#[tokio::test]
async fn two_processes_at_once_make_one_call() {
    let world = World::new().await;
    world.simulator.script(vec![slow(700).times(9)]);
    let first = world.function(&[]).await;
    let second = world.function(&[]).await;
    let event = keyed("a", "k");
    for event in [event.clone(), posted(&event)] {
        world.simulator.script(vec![slow(700).times(9)]);
        let (one, other) = tokio::join!(first.invoke(&event), second.invoke(&event));
        let answers = [one, other].map(|answer| {
            let result = answer.result();
            match result.get("body").and_then(Value::as_str) {
                Some(body) => serde_json::from_str(body).unwrap(),
                None => result,
            }
        });
        assert_eq!(world.times_asked("a"), 1);
        assert!(answers.iter().all(|answer| answer["result"] == json!(said("a"))), "{answers:?}");
        let replayed = answers.iter().filter(|answer| answer["replayed"] == json!(true)).count();
        assert_eq!(replayed, 1, "{answers:?}");
        assert_eq!(answers[0]["usage"], answers[1]["usage"]);
        world.simulator.clear();
    }
    first.stop().await;
    second.stop().await;
}

/// Killed while it holds the lease: whoever comes next waits no longer than the lease's own time.
#[tokio::test]
async fn a_killed_holder_does_not_block_its_key() {
    let world = World::new().await;
    world.simulator.script(vec![of("a", Step::fault(ProviderFault::Hang))]);
    let event = keyed("a", "k");
    let first = world.function(&[]).await;
    // Less the half second that the function keeps for itself.
    let lease = Duration::from_millis(3500);
    let asked = first.try_invoke(event.to_string(), lease + Duration::from_millis(500));
    let started = Instant::now();
    tokio::select! {
        answer = asked => panic!("{answer:?}"),
        () = crate::world::until("the provider is asked", || world.times_asked("a") == 1) => {}
    }
    first.stop().await;

    let second = world.function(&[]).await;
    // Who has less time than the lease is told so, and nobody is asked.
    let early = second.invoke_within(&event, Duration::from_millis(1200)).await;
    let (kind, message) = early.failure();
    assert_eq!((kind.as_str(), world.times_asked("a")), ("Timeout", 1), "{message}");
    assert!(message.contains("idempotencyKey"), "{message}");
    let answer = second.invoke(&event).await.result();
    let took = started.elapsed();
    assert_eq!((&answer["result"], world.times_asked("a")), (&json!(said("a")), 2));
    assert!(took < lease * 2, "the key was blocked for {took:?}");
    // From now on it stands for the answer.
    let again = second.invoke(&event).await.result();
    assert_eq!((&again["replayed"], world.times_asked("a")), (&json!(true), 2));
    second.stop().await;
}

/// Killed after the answer was kept: it is known.
#[tokio::test]
async fn what_was_kept_before_the_kill_is_the_answer() {
    let world = World::new().await;
    // The first write is the lease, the second the answer.
    let fault = Fault::on(Operation::PutObject, "*/idempotency/*", Action::DoneThenHang);
    world.aws.script(fault.every(2).times(1));
    let event = keyed("a", "k");
    let first = world.function(&[]).await;
    let is_kept = || world.aws.count(Operation::PutObject, "*/idempotency/*") == 2;
    killed(first, &event, "the answer is kept", is_kept).await;
    let second = world.function(&[]).await;
    let answer = second.invoke(&event).await.result();
    assert_eq!((&answer["replayed"], world.times_asked("a")), (&json!(true), 1), "{answer}");
    assert_eq!(answer["result"], json!(said("a")));
    second.stop().await;
}

#[tokio::test]
async fn another_request_under_a_key_is_a_conflict() {
    let world = World::new().await;
    let first = world.function(&[]).await;
    let second = world.function(&[]).await;
    first.invoke(&keyed("a", "k")).await.result();
    let (kind, message) = second.invoke(&keyed("b", "k")).await.failure();
    assert_eq!(kind, "IdempotencyConflict", "{message}");

    // Over HTTP, under a key of that caller's own.
    let (status, _, body) = first.invoke(&posted(&keyed("a", "k"))).await.http();
    assert_eq!(status, 200, "{body}");
    let (status, headers, body) = second.invoke(&posted(&keyed("b", "k"))).await.http();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["error"]["type"]), (409, &json!("IdempotencyConflict")), "{body}");
    assert_eq!(body["error"]["retryable"], json!(false));
    assert_eq!(headers.get("retry-after"), None);
    let (status, _, body) = second.invoke(&posted(&keyed("a", "k"))).await.http();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["replayed"]), (200, &json!(true)), "{body}");
    assert_eq!((world.times_asked("a"), world.times_asked("b")), (2, 0));

    // Of two at once, one is asked and one conflicts.
    world.simulator.script(vec![slow(400).times(9)]);
    let (one, other) = (keyed("c", "l"), keyed("d", "l"));
    let (one, other) = tokio::join!(first.invoke(&one), second.invoke(&other));
    let failed: Vec<&Answer> =
        [&one, &other].into_iter().filter(|one| matches!(one, Answer::Failed { .. })).collect();
    assert_eq!(failed.len(), 1, "{one:?} {other:?}");
    assert_eq!(failed[0].clone().failure().0, "IdempotencyConflict");
    assert_eq!(world.times_asked("c") + world.times_asked("d"), 1);
    first.stop().await;
    second.stop().await;
}

/// A failure that may pass frees the key at once; one that can't pass stays its answer.
#[tokio::test]
async fn a_failure_under_a_key_is_the_answer_where_it_can_not_pass() {
    let world = World::new().await;
    let first = world.function(&[]).await;
    let second = world.function(&[]).await;
    world.simulator.script(vec![of("a", Step::status(500).times(3)), of("b", Step::status(400))]);
    let (kind, _) = first.invoke(&keyed("a", "k")).await.failure();
    assert_eq!(kind, "ProviderUnavailable");
    assert_eq!(second.invoke(&keyed("a", "k")).await.result()["result"], json!(said("a")));
    for function in [&first, &second] {
        let (kind, _) = function.invoke(&keyed("b", "l")).await.failure();
        assert_eq!(kind, "ProviderRejected");
    }
    assert_eq!((world.times_asked("a"), world.times_asked("b")), (4, 1));
    first.stop().await;
    second.stop().await;
}

/// A store that refuses the lease: nobody is asked. One that refuses the answer: what was paid for
/// is given.
#[tokio::test]
async fn a_store_that_refuses_costs_nothing() {
    let world = World::new().await;
    let function = world.function(&[]).await;
    let refuse = Action::Refuse(403, "AccessDenied".to_owned());
    let fault = Fault::on(Operation::PutObject, "*/idempotency/*", refuse);
    world.aws.script(fault.clone().times(1));
    let (kind, _) = function.invoke(&keyed("a", "k")).await.failure();
    assert_eq!((kind.as_str(), world.asked().len()), ("AccessDenied", 0));
    world.aws.script(fault.clone().every(2).times(1));
    let answer = function.invoke(&keyed("a", "k")).await.result();
    assert_eq!((&answer["result"], world.asked().len()), (&json!(said("a")), 1));

    // Here it is given again at once, and kept as soon as the store takes it: for others, too.
    world.aws.script(fault.times(1));
    for _ in 0..2 {
        let answer = function.invoke_within(&keyed("a", "k"), Duration::from_secs(5)).await;
        let answer = answer.result();
        assert_eq!((&answer["replayed"], &answer["result"]), (&json!(true), &json!(said("a"))));
    }
    let other = world.function(&[]).await;
    let answer = other.invoke(&keyed("a", "k")).await.result();
    assert_eq!((&answer["replayed"], world.asked().len()), (&json!(true), 1), "{answer}");
    // Under another request the key is still in use.
    let (kind, _) = function.invoke(&keyed("b", "k")).await.failure();
    assert_eq!(kind, "IdempotencyConflict");
    other.stop().await;
    function.stop().await;
}
