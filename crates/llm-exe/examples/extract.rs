//! Extracts a value of a Rust type from a text. The simulator sends a reply that does not satisfy
//! the schema first, so that the example also shows a repair.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use llm_exe::Client;
use llm_exe_simulator::{Simulator, Step};
use schemars::JsonSchema;
use serde::Deserialize;

/// An invoice. The model sees these comments, because they are part of the schema.
#[derive(Debug, Deserialize, JsonSchema)]
struct Invoice {
    /// The name of the company that sent the invoice.
    sender: String,
    /// The total in the currency of the invoice.
    total: f64,
    currency: Currency,
    /// The date by which the invoice must be paid, as YYYY-MM-DD.
    due: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
enum Currency {
    #[serde(rename = "EUR")]
    Euro,
    #[serde(rename = "USD")]
    Dollar,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulator = Simulator::start().await?;
    simulator.script(vec![
        Step::text(r#"{"sender": "ACME", "total": "a lot", "currency": "EUR", "due": null}"#),
        Step::text(r#"{"sender": "ACME", "total": 99.5, "currency": "EUR", "due": "2026-12-31"}"#),
    ]);
    let client = Client::builder()
        .key("openai", "simulated")
        .base_url("openai", simulator.openai_base_url())
        .build()?;

    let invoice: Invoice = client
        .request("openai:gpt-4o-mini")
        .system("Extract the invoice from the text.")
        .user("{{text}}")
        .data("text", "ACME. Total due by the end of the year: 99.50 euros.")
        .extract()
        .await?;

    println!("{invoice:#?}");
    println!("{} calls", simulator.journal().len());
    assert_eq!((invoice.sender.as_str(), invoice.total), ("ACME", 99.5));
    assert!(matches!(invoice.currency, Currency::Euro) && invoice.due.is_some());
    Ok(())
}
