//! Providers that fail for some records of a batch.

use llm_exe_simulator::{Fault, Step};
use serde_json::json;

use crate::harness::merge;
use crate::world::{World, batch, batch_of, failures, message, of, said, saying};

/// What becomes of a record, and of which kind its failure is.
fn fates() -> Vec<(&'static str, Step, &'static str)> {
    vec![
        ("limited", Step::status(429).times(3), "ProviderRateLimited"),
        ("broken", Step::status(500).times(3), "ProviderUnavailable"),
        ("silent", Step::fault(Fault::Hang), "Timeout"),
        ("dropped", Step::fault(Fault::Drop).times(20), "ProviderUnavailable"),
        ("garbled", Step::fault(Fault::BadJson), "ProviderUnavailable"),
        ("refused", Step::status(400), "ProviderRejected"),
    ]
}

#[tokio::test]
async fn exactly_what_failed_is_reported_and_what_may_pass_is_asked_again() {
    let world = World::new().await;
    let fates = fates();
    world.simulator.script(fates.iter().map(|(id, step, _)| of(id, step.clone())).collect());
    let request = |id: &str| {
        let mut request = saying(id);
        if id == "silent" {
            merge(&mut request, &json!({ "options": { "timeout": 2000 } }));
        }
        message(id, None, &request)
    };
    let failing: Vec<&str> = fates.iter().map(|(id, ..)| *id).collect();
    let ids = ["fine-1", "limited", "broken", "fine-2", "silent", "dropped", "garbled", "refused"];
    let function = world.function(&[]).await;
    let answer = function.invoke(&batch(ids.map(request))).await.result();
    assert_eq!(failures(&answer), failing);
    let results = world.results();
    assert_eq!(results.len(), ids.len());
    for (id, _, kind) in &fates {
        let kept = &results[*id];
        assert_eq!((&kept["status"], &kept["error"]["type"]), (&json!("error"), &json!(kind)));
        assert_eq!(kept["error"]["retryable"], json!(*kind != "ProviderRejected"), "{kept}");
    }
    for id in ["fine-1", "fine-2"] {
        assert_eq!((results[id]["result"].as_str(), world.times_asked(id)), (Some(&*said(id)), 1));
    }
    assert_eq!(world.times_asked("limited"), 3);
    assert_eq!(world.times_asked("refused"), 1);

    // As the queue delivers it again: what failed, to whichever process. The service is well now,
    // and yet what it refused before is not asked for again.
    let asked = world.asked().len();
    world.simulator.clear();
    let other = world.function(&[]).await;
    let answer = other.invoke(&batch(failing.iter().map(|id| request(id)))).await.result();
    assert_eq!(failures(&answer), ["refused"]);
    let again = world.asked();
    assert_eq!((again.len(), world.times_asked("refused")), (5, 0), "{asked}: {again:?}");
    let results = world.results();
    for id in failing.iter().filter(|id| **id != "refused") {
        assert_eq!(results[*id]["result"], json!(said(id)), "{id}");
    }
    assert_eq!(results["refused"]["error"]["type"], "ProviderRejected");

    // And a third time, all of them: nobody is asked.
    let answer = function.invoke(&batch(ids.map(request))).await.result();
    assert_eq!((failures(&answer).as_slice(), world.asked().len()), (&["refused".into()][..], 5));
    for process in [function, other] {
        process.stop().await;
    }
}

/// One that hangs until the function's own deadline takes no neighbour with it.
#[tokio::test]
async fn one_that_hangs_to_the_end_fails_alone() {
    let world = World::new().await;
    world.simulator.script(vec![of("silent", Step::fault(Fault::Hang))]);
    let function = world.function(&[]).await;
    let within = std::time::Duration::from_secs(4);
    let event = batch_of(["a", "silent", "b"]);
    let answer = function.invoke_within(&event, within).await.result();
    assert_eq!(failures(&answer), ["silent"]);
    assert_eq!(world.results()["silent"]["error"]["type"], "Timeout");
    assert_eq!(world.good(), ["a", "b"]);
    assert!(failures(&function.invoke(&event).await.result()).is_empty());
    assert_eq!(world.asked().len(), 4);
    function.stop().await;
}
