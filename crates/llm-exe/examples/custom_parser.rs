//! Registers parsers of replies, and lets the model correct a reply that does not parse.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use llm_exe::Client;
use llm_exe::parsers::{Context, OutputError, OutputParser};
use llm_exe_simulator::{Simulator, Step};
use serde_json::{Value, json};

/// Returns the numbers of the sources that a text cites, such as `[2]`.
struct Citations;

impl OutputParser for Citations {
    fn parse(&self, text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
        let parts = text.split('[').skip(1).filter_map(|part| part.split_once(']'));
        let numbers: Vec<u32> = parts.filter_map(|(number, _)| number.parse().ok()).collect();
        if numbers.is_empty() {
            return Err(OutputError::new("the reply cites no source"));
        }
        Ok(json!({ "text": text, "sources": numbers }))
    }

    fn expected_form(&self) -> String {
        "a text that cites its sources by number, such as [2]".to_owned()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulator = Simulator::start().await?;
    simulator.script(vec![
        Step::text("Whales sing."),
        Step::text("Whales sing [1] and dive [3]."),
        Step::text("whales"),
    ]);
    let client = Client::builder()
        .key("openai", "simulated")
        .base_url("openai", simulator.openai_base_url())
        .parser("citations", Citations)
        // A parser without options can be a closure.
        .parser("upper", |text: &str| Ok(json!(text.to_uppercase())))
        .build()?;

    let request = client.request("openai:gpt-4o-mini").user("What do whales do? Cite sources.");
    let request = request.output("citations").output_option("repairs", 1);
    let response = request.send().await?;
    println!("{} repairs", response.report().repairs);
    let result = response.json();
    println!("{result:#}");
    assert_eq!(result["sources"], json!([1, 3]));

    let request = client.request("openai:gpt-4o-mini").user("Which animals?").output("upper");
    assert_eq!(request.send().await?.json(), "WHALES");
    Ok(())
}
