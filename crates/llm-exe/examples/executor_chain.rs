//! Runs two executors, which are prompts with typed input and output. The output of the first is
//! the input of the second.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use llm_exe::Client;
use llm_exe_simulator::{Simulator, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Article<'a> {
    text: &'a str,
}

/// The output of the first executor and the input of the second.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Summary {
    title: String,
    facts: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulator = Simulator::start().await?;
    simulator.script(vec![
        Step::text(r#"{"title": "Whales", "facts": ["They sing.", "They dive."]}"#),
        Step::text("Whales sing and dive."),
    ]);
    let client = Client::builder()
        .key("openai", "simulated")
        .base_url("openai", simulator.openai_base_url())
        .build()?;

    // Both prompts are validated here, before a model is called.
    let summarize = client.request("openai:gpt-4o-mini").user("Summarize this: {{text}}");
    let summarize = client.executor::<Article<'_>, Summary>(summarize)?;
    let headline = "{{title}}:\n{{#each facts}}- {{this}}\n{{/each}}\nWrite a headline.";
    let headline = client.request("openai:gpt-4o-mini").user(headline);
    let headline = client.executor::<Summary, String>(headline)?;

    let summary = summarize.run(&Article { text: "The songs of whales ..." }).await?;
    let text = headline.run(&summary).await?;

    println!("{summary:#?}\n{text}");
    assert_eq!(text, "Whales sing and dive.");
    Ok(())
}
