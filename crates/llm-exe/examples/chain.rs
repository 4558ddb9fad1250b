//! Runs a chain: an outline, its sections at the same time, and an article of them.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use llm_exe::Client;
use llm_exe_simulator::{Simulator, Step};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulator = Simulator::start().await?;
    simulator.script(vec![
        Step::text(r#"{"sections": ["Where they sleep", "How they breathe"]}"#),
        Step::text("In the water."),
        Step::text("With half of the brain."),
        Step::text("Whales sleep in the water, with half of the brain."),
    ]);
    let client = Client::builder()
        .key("openai", "simulated")
        .base_url("openai", simulator.openai_base_url())
        .build()?;

    let run = client
        .run(json!({
            "provider": "openai",
            "model": "gpt-4o-mini",
            "data": { "topic": "how whales sleep" },
            "steps": [
                {
                    "name": "outline",
                    "message": "List the sections of an article about {{topic}}.",
                    "output": "json",
                    "schema": {
                        "type": "object",
                        "properties": {
                            "sections": { "type": "array", "items": { "type": "string" } }
                        },
                        "required": ["sections"],
                        "additionalProperties": false
                    }
                },
                { "name": "draft", "each": "steps.outline.sections", "message": "Write: {{item}}" },
                { "name": "article", "message": "Join these sections: {{join steps.draft}}" }
            ]
        }))
        .await;

    for step in &run.report.steps {
        println!("{}: {} calls, {:?}", step.name, step.attempts, step.duration);
    }
    let article = run.outcome?;
    println!("{article}");
    assert_eq!(article, "Whales sleep in the water, with half of the brain.");
    Ok(())
}
