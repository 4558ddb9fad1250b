//! The `llm-exe render` command, which prints the HTTP request for the provider without the API
//! key.

use std::process::ExitCode;
use std::time::Duration;

use llm_exe::{Deadline, Run};

use crate::args::Render;
use crate::environment::{Environment, KeySource};
use crate::{input, output};

/// Runs the command and returns its exit code.
pub(crate) async fn run(args: Render) -> ExitCode {
    let environment = match Environment::read(KeySource::None, &[]).await {
        Ok(environment) => environment,
        Err(message) => return output::print_startup_error(&message),
    };
    environment.print_warnings(args.json);
    let mut input = match input::read_with_data(&args.source) {
        Ok(input) => input,
        Err(error) => return output::print_error(&error, args.json),
    };
    let runner = environment.runner_for(&args.source.file);
    let deadline = Deadline::after(Duration::from_secs(60));
    let Run { outcome, report } = runner.dry_run(deadline, input.take_request()).await;
    if !args.json {
        for warning in input.warnings.iter().chain(&report.warnings) {
            output::print_warning(warning);
        }
    }
    match outcome {
        Ok(value) => output::print_result(&value, args.json),
        Err(error) => output::print_error(&input.label(error), args.json),
    }
}
