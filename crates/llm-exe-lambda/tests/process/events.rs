//! Invokes the function with every file in `examples/events/`.

use llm_exe_testkit::event_sources::{ExampleEvent, example_events};
use serde_json::json;

use crate::backend::Backend;

const PROMPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/prompts/kitten.json");

#[tokio::test]
async fn every_example_event_gets_its_response() {
    for ExampleEvent { name, event, example, .. } in example_events().unwrap() {
        // Some events refer to the same object, so each event needs a new backend without stored
        // results.
        let backend = Backend::new().await;
        backend.aws.put("prompts", "kitten.json", std::fs::read(PROMPT).unwrap());
        let function = backend.function(&[]).await;
        let response = function.invoke(&event).await.result();
        example.check(&response).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(backend.prompts().len(), example.requests, "{name}");
        let line = function.stop().await.lines().remove(0);
        assert_eq!((&line["level"], &line["message"]), (&json!("INFO"), &json!("answered")));
    }
}
