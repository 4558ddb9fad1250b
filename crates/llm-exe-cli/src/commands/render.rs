//! `llm-exe render`: the request that would go over the wire, without its key.

use std::process::ExitCode;
use std::time::Duration;

use llm_exe::{Deadline, Run};

use crate::args::Render;
use crate::environment::{Environment, KeySource};
use crate::{input, output};

/// Runs the command.
pub(crate) async fn run(args: Render) -> ExitCode {
    let environment = match Environment::read(KeySource::Nowhere, &[]).await {
        Ok(environment) => environment,
        Err(message) => return output::unusable(&message),
    };
    let input = match input::request(&args.source) {
        Ok(input) => input,
        Err(error) => return output::failure(&error, args.json),
    };
    let executor = environment.executor_for(&args.source.file);
    let deadline = Deadline::after(Duration::from_secs(60));
    let Run { outcome, report } = executor.dry_run(deadline, input.request.clone()).await;
    if !args.json {
        for warning in &report.warnings {
            output::warning(warning);
        }
    }
    match outcome {
        Ok(value) => output::result(&value, args.json),
        Err(error) => output::failure(&input.label(error), args.json),
    }
}
