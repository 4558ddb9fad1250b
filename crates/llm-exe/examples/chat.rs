//! Sends a chat request and prints the reply and what it cost.
//!
//! ```sh
//! OPENAI_API_KEY=sk-... cargo run -p llm-exe --example chat
//! ```
//!
//! Without a key, a simulator on this machine replies.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use llm_exe::Client;
use llm_exe_simulator::Simulator;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulator = Simulator::start().await?;
    let client = client(&simulator)?;

    let response = client
        .request("openai:gpt-4o-mini")
        .system("You are a librarian. Answer in one sentence.")
        .user("Which book about {{topic}} should I read first?")
        .data("topic", "whales")
        .max_tokens(200)
        .send()
        .await?;

    let usage = response.report().usage;
    println!("{}", response.text()?);
    println!("{} tokens in, {} tokens out", usage.input_tokens, usage.output_tokens);
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "an example is a program of its own")]
fn client(simulator: &Simulator) -> Result<Client, llm_exe::BuildError> {
    if std::env::var("OPENAI_API_KEY").is_ok() {
        return Client::from_env();
    }
    Client::builder()
        .key("openai", "simulated")
        .base_url("openai", simulator.openai_base_url())
        .build()
}
