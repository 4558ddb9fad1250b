//! The command-line program `llm-exe`.
//!
//! It handles requests with the same code as the Lambda function. Only the input, the source of the
//! keys and the output differ.

mod args;
mod commands;
mod env_file;
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
            anstream::eprintln!("error: can't start the async runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(commands::run(args.command));
    // Requests can still be in progress after an interrupt. Exit without waiting for them.
    runtime.shutdown_background();
    code
}
