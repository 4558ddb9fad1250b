//! The command-line program `llm-exe`.
//!
//! It handles requests with the same code as the Lambda function. Only the input, the source of the
//! keys and the output differ.

mod args;
mod commands;
mod env_file;
mod environment;
mod escape;
mod files;
mod input;
mod input_error;
mod input_name;
mod keys;
mod output;
mod overrides;
mod simulation;
#[cfg(feature = "aws-profile")]
mod standard_chain;

use std::process::ExitCode;
use std::thread::available_parallelism;

use clap::Parser;

use args::{Args, Command};
use tokio::runtime::{Builder, Runtime};

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return output::print_usage(&error),
    };
    let runtime = match new_runtime(&args.command) {
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

/// Creates the runtime for a command. `serve` has one more thread than the machine has cores, so
/// that it accepts requests and sends responses while all cores check replies. The other commands
/// handle one request or event, as the Lambda function does.
fn new_runtime(command: &Command) -> std::io::Result<Runtime> {
    match command {
        Command::Serve(_) => {
            let cores = available_parallelism().map_or(1, usize::from);
            Builder::new_multi_thread().worker_threads(cores + 1).enable_all().build()
        }
        _ => Builder::new_current_thread().enable_all().build(),
    }
}
