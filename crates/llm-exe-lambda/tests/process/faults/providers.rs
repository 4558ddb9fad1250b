//! Tests providers that fail for some records of a batch.

use llm_exe_simulator::{Fault, Step};
use serde_json::json;

use crate::backend::{
    Backend, batch, batch_with, failures, message, reply_for, request_for, step_for,
};
use crate::harness::merge;

/// Returns the id, the simulated failure and the expected error type of each failing record.
fn failing_records() -> Vec<(&'static str, Step, &'static str)> {
    vec![
        ("rate-limited", Step::status(429).times(3), "ProviderRateLimited"),
        ("unavailable", Step::status(500).times(3), "ProviderUnavailable"),
        ("hanging", Step::fault(Fault::Hang), "Timeout"),
        ("dropped", Step::fault(Fault::Drop).times(20), "ProviderUnavailable"),
        ("malformed", Step::fault(Fault::BadJson), "ProviderUnavailable"),
        ("rejected", Step::status(400), "ProviderRejected"),
    ]
}

#[tokio::test]
async fn failed_records_are_reported_and_only_retryable_ones_run_again() {
    let backend = Backend::new().await;
    let expected = failing_records();
    backend
        .simulator
        .script(expected.iter().map(|(id, step, _)| step_for(id, step.clone())).collect());
    let request = |id: &str| {
        let mut request = request_for(id);
        if id == "hanging" {
            merge(&mut request, &json!({ "options": { "timeout": 2000 } }));
        }
        message(id, None, &request)
    };
    let failing: Vec<&str> = expected.iter().map(|(id, ..)| *id).collect();
    let ids = [
        "fine-1",
        "rate-limited",
        "unavailable",
        "fine-2",
        "hanging",
        "dropped",
        "malformed",
        "rejected",
    ];
    let function = backend.function(&[]).await;
    let response = function.invoke(&batch(ids.map(request))).await.result();
    assert_eq!(failures(&response), failing);
    let results = backend.results();
    assert_eq!(results.len(), ids.len());
    for (id, _, kind) in &expected {
        let result = &results[*id];
        assert_eq!((&result["status"], &result["error"]["type"]), (&json!("error"), &json!(kind)));
        assert_eq!(result["error"]["retryable"], json!(*kind != "ProviderRejected"), "{result}");
    }
    for id in ["fine-1", "fine-2"] {
        assert_eq!(
            (results[id]["result"].as_str(), backend.calls_for(id)),
            (Some(&*reply_for(id)), 1)
        );
    }
    assert_eq!(backend.calls_for("rate-limited"), 3);
    assert_eq!(backend.calls_for("rejected"), 1);

    // The queue delivers the failed records again, to another process. The provider works now, but
    // the rejected request is not sent again.
    let calls = backend.prompts().len();
    backend.simulator.clear();
    let second_process = backend.function(&[]).await;
    let response =
        second_process.invoke(&batch(failing.iter().map(|id| request(id)))).await.result();
    assert_eq!(failures(&response), ["rejected"]);
    let again = backend.prompts();
    assert_eq!((again.len(), backend.calls_for("rejected")), (5, 0), "{calls}: {again:?}");
    let results = backend.results();
    for id in failing.iter().filter(|id| **id != "rejected") {
        assert_eq!(results[*id]["result"], json!(reply_for(id)), "{id}");
    }
    assert_eq!(results["rejected"]["error"]["type"], "ProviderRejected");

    // The third delivery does not call a provider.
    let response = function.invoke(&batch(ids.map(request))).await.result();
    assert_eq!(
        (failures(&response).as_slice(), backend.prompts().len()),
        (&["rejected".into()][..], 5)
    );
    for process in [function, second_process] {
        process.stop().await;
    }
}

/// One request hangs until the function's deadline.
#[tokio::test]
async fn hanging_request_fails_alone() {
    let backend = Backend::new().await;
    backend.simulator.script(vec![step_for("hanging", Step::fault(Fault::Hang))]);
    let function = backend.function(&[]).await;
    let within = std::time::Duration::from_secs(4);
    let event = batch_with(["a", "hanging", "b"]);
    let response = function.invoke_within(&event, within).await.result();
    assert_eq!(failures(&response), ["hanging"]);
    assert_eq!(backend.results()["hanging"]["error"]["type"], "Timeout");
    assert_eq!(backend.succeeded(), ["a", "b"]);
    assert!(failures(&function.invoke(&event).await.result()).is_empty());
    assert_eq!(backend.prompts().len(), 4);
    function.stop().await;
}
