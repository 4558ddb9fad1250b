//! `llm-exe`: the function on a laptop. The same line as in Lambda; only where events come from,
//! where keys are found and how answers are shown differ.

mod args;
mod commands;
mod environment;
mod files;
mod input;
mod output;
#[cfg(feature = "aws-profile")]
mod standard_chain;

use std::process::ExitCode;

use clap::Parser;

use args::Args;

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            anstream::eprintln!("error: no asynchronous runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(commands::run(args.command));
    // A request that is still under way, as after an interrupt, is not waited for.
    runtime.shutdown_background();
    code
}
