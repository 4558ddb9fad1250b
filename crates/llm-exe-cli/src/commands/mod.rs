//! The subcommands of `llm-exe`, with one module for each.

mod completions;
mod invoke;
mod models;
mod printed_stream;
mod providers;
mod record_results;
mod render;
mod schema;
mod serve;
mod serve_http;
mod serve_invoke;
mod tool_programs;
mod validate;

use std::process::ExitCode;

use crate::args::Command;
use crate::output;

/// Runs a subcommand and returns its exit code.
pub(crate) async fn run(command: Command) -> ExitCode {
    match command {
        Command::Invoke(args) => invoke::run(args).await,
        Command::Render(args) => render::run(args).await,
        Command::Validate(args) => validate::run(&args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Providers(args) => providers::run(&args).await,
        Command::Models(args) => models::run(&args),
        Command::Schema(args) => schema::run(&args).await,
        Command::Completions { shell } => output::print(completions::script(shell).trim_end()),
    }
}
