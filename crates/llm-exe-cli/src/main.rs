//! The program `llm-exe`, which runs the code of the Lambda function on the command line.
//!
//! Requests are handled by the same code as in Lambda. Only the input, the source of the keys and
//! the output differ.

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
            anstream::eprintln!("error: can't start the asynchronous runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(commands::run(args.command));
    // After an interrupt, requests can still be in progress. Exit without waiting for them.
    runtime.shutdown_background();
    code
}
