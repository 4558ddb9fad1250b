//! Prints the text of a reply while it is generated, and then what it cost.
//!
//! ```sh
//! OPENAI_API_KEY=sk-... cargo run -p llm-exe --example stream
//! ```
//!
//! Without a key, a simulator on this machine replies.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::io::Write;

use llm_exe::{Client, RunEvent, StreamItem};
use llm_exe_simulator::{Simulator, Step, StreamScript};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulator = Simulator::start().await?;
    let pauses = StreamScript { milliseconds: 50, ..StreamScript::default() };
    simulator.script(vec![Step::text("Call me Ishmael. Some years ago…").stream(pauses)]);
    let client = client(&simulator)?;

    let request = client.request("openai:gpt-4o-mini").user("How does Moby-Dick begin?");
    let mut stream = request.stream().await?;
    while let Some(item) = stream.next().await {
        match item? {
            StreamItem::Event(RunEvent::Text { delta, .. }) => {
                print!("{delta}");
                std::io::stdout().flush()?;
            }
            StreamItem::Response(response) => {
                println!("\n{} tokens out", response.report().usage.output_tokens);
            }
            _ => {}
        }
    }
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
