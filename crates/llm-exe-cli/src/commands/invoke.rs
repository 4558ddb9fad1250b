//! `llm-exe invoke`: run a request, or a raw event, and print what comes of it.

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

const SIMULATED: &str = "simulated: no provider was asked, the answer is the simulator's";

/// Runs the command.
pub(crate) async fn run(args: Invoke) -> ExitCode {
    let environment = match Environment::read(KeySource::of(args.simulate), &[]).await {
        Ok(environment) => environment,
        Err(message) => return output::unusable(&message),
    };
    if args.event { event(&args, &environment).await } else { request(&args, &environment).await }
}

async fn request(args: &Invoke, environment: &Environment) -> ExitCode {
    let mut input = match input::request(&args.source) {
        Ok(input) => input,
        Err(error) => return output::failure(&error, args.json),
    };
    if args.full {
        input.set("return", json!("full"));
    }
    let source = llm_exe_events::detect(&input.request).name();
    if source != "direct" {
        let text = format!("this is an event ({source}), not a request; say --event to run it");
        return output::failure(&Error::invalid("", text), args.json);
    }
    let deadline = Deadline::after(Duration::from_secs(args.timeout));
    let spinner = spinner(args.json);
    let says = |name: &str| input.request.get(name).is_some_and(|value| !value.is_null());
    let Run { outcome, report } = if says("idempotencyKey") || says("destination") {
        // What becomes of the result is the function's business.
        let event = input.request.to_string();
        let function = environment.function();
        let answered = function.handle(event.as_bytes(), &invocation(), deadline).await;
        Run { outcome: answered.outcome, report: answered.line.report }
    } else {
        let executor = environment.executor_for(&args.source.file);
        executor.run(deadline, input.request.clone()).await
    };
    spinner.finish_and_clear();
    if !args.json {
        for warning in &report.warnings {
            output::warning(warning);
        }
    }
    let code = match outcome {
        Ok(value) => output::result(&value, args.json),
        Err(error) => output::failure(&input.label(error), args.json),
    };
    if args.simulate && !args.json && report.attempts > 0 {
        anstream::eprintln!("{SIMULATED}");
    }
    code
}

async fn event(args: &Invoke, environment: &Environment) -> ExitCode {
    let bytes = match input::bytes(&args.source.file) {
        Ok(bytes) => bytes,
        Err(error) => return output::failure(&error, args.json),
    };
    let invocation = invocation();
    let deadline = Deadline::after(Duration::from_secs(args.timeout));
    let spinner = spinner(args.json);
    let function = environment.function();
    let (answered, records) = function.handle_with_records(&bytes, &invocation, deadline).await;
    spinner.finish_and_clear();
    for record in &records {
        record_results::print(record, args.json);
    }
    for warning in &answered.line.warnings {
        record_results::warn(warning, args.json);
    }
    let (response, code): (Value, u8) = match answered.outcome {
        Ok(value) => (value, 0),
        Err(error) => {
            let kind = error.kind();
            let failed = json!({ "errorType": kind.name(), "errorMessage": error.message() });
            (failed, kind.exit_code())
        }
    };
    // A queue's answer only names the records that failed.
    let code = match answered.line.failed.first().filter(|_| code == 0 && is_of_records(&response))
    {
        None => code,
        Some((_, first)) => {
            for (id, error) in &answered.line.failed {
                let told = error.clone().in_context(&format!("record {id}"));
                output::failure(&told, args.json);
            }
            first.kind().exit_code()
        }
    };
    let shown = if args.json { response.to_string() } else { format!("{response:#}") };
    let written = output::print(&shown);
    if args.simulate && !args.json && answered.line.report.attempts > 0 {
        anstream::eprintln!("{SIMULATED}");
    }
    if code == 0 { written } else { ExitCode::from(code) }
}

/// Whether an answer is a queue's, which is a success for its records' failures, too.
fn is_of_records(response: &Value) -> bool {
    response.get("batchItemFailures").is_some()
}

fn invocation() -> Invocation {
    Invocation {
        // It names results: no two runs may have the same.
        request_id: format!("local-{:016x}", fastrand::u64(..)),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Something that moves while people wait; nothing where nobody sees it.
fn spinner(quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} asking, {elapsed}") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}
