//! The command `llm-exe schema`, which prints the JSON Schema of requests or hosted configs. It
//! contains the providers of the setting `OPENAI_COMPATIBLE_PROVIDERS`.

use std::process::ExitCode;

use llm_exe::{config_schema, request_schema_with};

use crate::args::Schema;
use crate::environment::{Environment, KeySource};
use crate::output;

/// Runs the command and returns its exit code.
pub(crate) async fn run(args: &Schema) -> ExitCode {
    let environment = match Environment::read(KeySource::None).await {
        Ok(environment) => environment,
        Err(message) => return output::print_startup_error(&message, false),
    };
    environment.print_warnings(false);
    let providers = &environment.settings.rules.providers;
    let schema =
        if args.config { config_schema(providers) } else { request_schema_with(providers) };
    output::print(&format!("{schema:#}"))
}
