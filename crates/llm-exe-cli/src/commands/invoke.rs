//! The command `llm-exe invoke`, which runs a request or an event and prints the result.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use llm_exe::{Deadline, Error, Run};
use llm_exe_events::Invocation;
use serde_json::{Value, json};

use crate::args::Invoke;
use crate::commands::record_results;
use crate::environment::{Environment, KeySource};
use crate::{input, output};

const SIMULATED: &str = "simulated: the reply comes from the simulator; no provider was called";

/// Runs the command and returns its exit code.
pub(crate) async fn run(args: Invoke) -> ExitCode {
    let source = KeySource::from_simulate_flag(args.simulate);
    let environment = match Environment::read(source, &[]).await {
        Ok(environment) => environment,
        Err(message) => return output::print_startup_error(&message),
    };
    if args.event {
        run_event(&args, &environment).await
    } else {
        run_request(&args, &environment).await
    }
}

async fn run_request(args: &Invoke, environment: &Environment) -> ExitCode {
    let mut input = match input::read_with_data(&args.source) {
        Ok(input) => input,
        Err(error) => return output::print_error(&error, args.json),
    };
    if args.full {
        input.set("return", json!("full"));
    }
    let source = llm_exe_events::detect(&input.request).name();
    if source != "direct" {
        let message = format!("expected a request, got an event ({source}); use --event to run it");
        return output::print_error(&Error::invalid("", message), args.json);
    }
    let deadline = Deadline::after(Duration::from_secs(args.timeout));
    let spinner = spinner(args.json);
    let has = |name: &str| input.request.get(name).is_some_and(|value| !value.is_null());
    let Run { outcome, report } = if has("idempotencyKey") || has("destination") {
        // A runner can't store or send results, so run the complete function.
        let event = input.request.to_string();
        let function = environment.function();
        let handled_event = function.handle(event.as_bytes(), new_invocation(), deadline).await;
        Run { outcome: handled_event.response(), report: handled_event.line.report }
    } else {
        let runner = environment.runner_for(&args.source.file);
        runner.run(deadline, input.take_request()).await.with_envelope()
    };
    spinner.finish_and_clear();
    if !args.json {
        for warning in &report.warnings {
            output::print_warning(warning);
        }
    }
    let code = match outcome {
        Ok(value) => output::print_result(&value, args.json),
        Err(error) => output::print_run_error(&input.label(error), &report, args.json),
    };
    if args.simulate && !args.json && report.attempts > 0 {
        anstream::eprintln!("{SIMULATED}");
    }
    code
}

async fn run_event(args: &Invoke, environment: &Environment) -> ExitCode {
    let event = match input::read_bytes(&args.source.file) {
        Ok(event) => event,
        Err(error) => return output::print_error(&error, args.json),
    };
    let deadline = Deadline::after(Duration::from_secs(args.timeout));
    let spinner = spinner(args.json);
    let function = environment.function();
    let (handled_event, records) =
        function.handle_with_records(&event, new_invocation(), deadline).await;
    spinner.finish_and_clear();
    for record in &records {
        record_results::print(record, args.json);
    }
    for warning in &handled_event.line.warnings {
        record_results::print_warning(warning, args.json);
    }
    let (response, code): (Value, u8) = match handled_event.response() {
        Ok(value) => (value, 0),
        Err(error) => {
            let kind = error.kind();
            let response = json!({ "errorType": kind.name(), "errorMessage": error.message() });
            (response, kind.exit_code())
        }
    };
    // The response to a queue contains only the ids of failed records, so also print their errors.
    let first_failed = handled_event.line.failed.first();
    let code = match first_failed.filter(|_| code == 0 && is_batch_response(&response)) {
        None => code,
        Some((_, first_error)) => {
            for (id, error) in &handled_event.line.failed {
                let error = error.clone().in_context(&format!("record {id}"));
                output::print_error(&error, args.json);
            }
            first_error.kind().exit_code()
        }
    };
    let text = if args.json { response.to_string() } else { format!("{response:#}") };
    let print_code = output::print(&text);
    if args.simulate && !args.json && handled_event.line.report.attempts > 0 {
        anstream::eprintln!("{SIMULATED}");
    }
    if code == 0 { print_code } else { ExitCode::from(code) }
}

/// Returns whether this is a batch response for a queue. Such a response counts as a success even
/// if records failed.
fn is_batch_response(response: &Value) -> bool {
    response.get("batchItemFailures").is_some()
}

fn new_invocation() -> Invocation {
    Invocation {
        // The names of stored results contain this id, so it must be unique.
        request_id: format!("local-{:016x}", fastrand::u64(..)),
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// Returns a progress indicator. It is hidden if `quiet` is set or standard error is not a
/// terminal.
fn spinner(quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} waiting for the reply, {elapsed}") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}
