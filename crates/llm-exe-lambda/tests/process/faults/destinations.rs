//! Destinations: told once the result is kept, told again by the same name, and a record fails
//! that they can't be told of.

use llm_exe_testkit::aws::{Action, Fault, Operation};
use serde_json::{Value, json};

use crate::world::{KEPT, World, batch, batch_of, failures, message, said, saying};

const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/results";
const FIFO: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/results.fifo";
const BUS: &str = "arn:aws:events:us-east-1:123456789012:event-bus/results";

/// What is told of a record: how it ended, what it cost, and where that is kept.
fn is_told(note: &Value, id: &str, world: &World) {
    assert_eq!((&note["id"], &note["status"]), (&json!(id), &json!("ok")), "{note}");
    assert_eq!((&note["source"], &note["result"]), (&json!("sqs"), &json!(said(id))), "{note}");
    assert!(note["usage"]["totalTokens"].as_u64().unwrap() > 0, "{note}");
    let url = note["resultUrl"].as_str().unwrap();
    let kept = &world.aws.objects()[url.strip_prefix("s3://").unwrap()];
    let kept: Value = serde_json::from_slice(&kept.body).unwrap();
    assert_eq!((&kept["id"], &kept["result"]), (&json!(id), &note["result"]));
}

/// The first telling comes after the write that keeps the result.
fn kept_comes_first(world: &World, telling: Operation) {
    let calls = world.aws.calls();
    let place = |operation: Operation| {
        let at = calls.iter().position(|call| call.operation == operation && call.done);
        at.unwrap_or_else(|| panic!("no {operation:?}: {calls:?}"))
    };
    assert!(place(Operation::PutObject) < place(telling), "{calls:?}");
}

#[tokio::test]
async fn a_queue_is_told_of_each_result_and_again_when_it_is_delivered_again() {
    let world = World::new().await;
    let first = world.function(&[("RESULT_DESTINATION", QUEUE)]).await;
    let event = batch_of(["a"]);
    assert!(failures(&first.invoke(&event).await.result()).is_empty());
    kept_comes_first(&world, Operation::SendMessage);
    let second = world.function(&[("RESULT_DESTINATION", QUEUE)]).await;
    assert!(failures(&second.invoke(&event).await.result()).is_empty());
    let told = world.aws.messages();
    assert_eq!((told.len(), world.asked().len()), (2, 1));
    assert_eq!(told[0].body, told[1].body);
    for told in &told {
        assert_eq!(told.queue_url, QUEUE);
        is_told(&serde_json::from_str(&told.body).unwrap(), "a", &world);
    }
    // Each record of a batch, and its failures too.
    world.simulator.script(vec![crate::world::of("c", llm_exe_simulator::Step::status(400))]);
    assert_eq!(failures(&second.invoke(&batch_of(["b", "c"])).await.result()), ["c"]);
    let told = world.aws.messages();
    let notes = told[2..].iter().map(|told| serde_json::from_str::<Value>(&told.body).unwrap());
    let mut notes: Vec<(String, Value)> = notes
        .map(|note| (note["id"].as_str().unwrap().to_owned(), note["error"].clone()))
        .collect();
    notes.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!((notes.len(), notes[0].0.as_str(), &notes[0].1), (2, "b", &Value::Null));
    assert_eq!((notes[1].0.as_str(), &notes[1].1["type"]), ("c", &json!("ProviderRejected")));
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_fifo_queue_knows_a_result_by_its_name() {
    let world = World::new().await;
    let event = batch([message("a", Some("cats"), &saying("a"))]);
    for _ in 0..2 {
        let function = world.function(&[("RESULT_DESTINATION", FIFO)]).await;
        assert!(failures(&function.invoke(&event).await.result()).is_empty());
        function.stop().await;
    }
    let told = world.aws.messages();
    assert_eq!((told.len(), told[0].sent, world.asked().len()), (1, 2, 1));
    assert_eq!(told[0].group.as_deref(), Some("cats"));
    assert!(told[0].deduplication_id.is_some());
    is_told(&serde_json::from_str(&told[0].body).unwrap(), "a", &world);
}

#[tokio::test]
async fn a_bus_is_told_of_each_result() {
    let world = World::new().await;
    let event = batch_of(["a"]);
    for _ in 0..2 {
        let function = world.function(&[("RESULT_DESTINATION", BUS)]).await;
        assert!(failures(&function.invoke(&event).await.result()).is_empty());
        function.stop().await;
    }
    kept_comes_first(&world, Operation::PutEvents);
    let told = world.aws.events();
    assert_eq!((told.len(), world.asked().len()), (2, 1));
    assert_eq!(told[0].detail, told[1].detail);
    assert_eq!((told[0].bus.as_str(), told[0].source.as_str()), (BUS, "llm-exe"));
    is_told(&told[0].detail, "a", &world);
}

#[tokio::test]
async fn a_record_fails_that_its_destination_can_not_be_told_of() {
    let denied = Action::Refuse(403, "AccessDenied".to_owned());
    let failed = Action::FailEntries("InternalFailure".to_owned());
    for (destination, operation, deed) in [
        (QUEUE, Operation::SendMessage, denied.clone()),
        (BUS, Operation::PutEvents, denied),
        (BUS, Operation::PutEvents, failed),
    ] {
        let world = World::new().await;
        world.aws.script(Fault::on(operation, "*", deed.clone()));
        let function = world.function(&[("RESULT_DESTINATION", destination)]).await;
        let event = batch_of(["a", "b"]);
        let answer = function.invoke(&event).await.result();
        assert_eq!(failures(&answer), ["a", "b"], "{deed:?}");
        // Kept all the same, so that the next delivery only has to tell.
        assert_eq!(world.good(), ["a", "b"], "{deed:?}");
        world.aws.clear_script();
        assert!(failures(&function.invoke(&event).await.result()).is_empty(), "{deed:?}");
        let told = world.aws.messages().len() + world.aws.events().len();
        assert_eq!((told, world.asked().len()), (2, 2), "{deed:?}");
        assert!(world.aws.objects().keys().all(|name| name.starts_with(KEPT)));
        function.stop().await;
    }
}
