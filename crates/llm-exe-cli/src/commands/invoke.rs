//! The command `llm-exe invoke`, which runs a request or an event and prints the result.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use llm_exe::{Context, Deadline, Error, ErrorKind, Run, Runner};
use llm_exe_events::Invocation;
use llm_exe_function::LogLine;
use serde_json::{Value, json};

use crate::args::Invoke;
use crate::commands::printed_stream::PrintedStream;
use crate::commands::{record_results, tool_programs};
use crate::environment::{Environment, KeySource};
use crate::{input, output, overrides, simulation};

const SIMULATED: &str = "simulated: the reply comes from the simulator; no provider was called";

/// Runs the command and returns its exit code.
pub(crate) async fn run(args: Invoke) -> ExitCode {
    let source = KeySource::from_simulate_flag(args.simulate);
    let environment = match Environment::read(source).await {
        Ok(environment) => environment,
        Err(message) => return output::print_startup_error(&message, args.json),
    };
    environment.print_warnings(args.json);
    if let Err(error) = simulation::run_script(environment.simulator(), args.script.as_deref()) {
        return output::print_input_error(&error, args.json);
    }
    if args.event {
        run_event(&args, &environment).await
    } else {
        run_request(&args, &environment).await
    }
}

async fn run_request(args: &Invoke, environment: &Environment) -> ExitCode {
    let providers = &environment.settings.rules.providers;
    let mut input = match overrides::read_request(&args.source, providers) {
        Ok(input) => input,
        Err(error) => return output::print_input_error(&error, args.json),
    };
    if args.full {
        input.set("return", json!("full"));
    }
    let programs = match tool_programs::prepare(args, &mut input, environment) {
        Ok(programs) => programs,
        Err(error) => return output::print_input_error(&error, args.json),
    };
    let deadline = Deadline::after(Duration::from_secs(args.timeout));
    let spinner = spinner(args.json);
    let runner = environment.runner_for(&args.source.file);
    let unused_data = prepare(args, environment, &runner, deadline, &input.request).await;
    let has = |name: &str| input.request.get(name).is_some_and(|value| !value.is_null());
    let needs_function = ["idempotencyKey", "destination", "continue"].into_iter().any(has);
    let mut printed: Option<Arc<PrintedStream>> = None;
    let Run { outcome, report } = if needs_function {
        // A runner can't store or send results, so run the complete function.
        if args.stream {
            let text = "--stream has no effect on a request whose result is stored or sent";
            output::print_warning(text, args.json);
        }
        let event = input.request.to_string();
        let function = environment.function();
        let handled_event = function.handle(event.as_bytes(), new_invocation(), deadline).await;
        Run { outcome: handled_event.response(), report: handled_event.line.report }
    } else {
        let mut context = Context::new(deadline).with_cost().with_tool_handler(Arc::new(programs));
        if args.stream || streams_by_default(args, &input.request) {
            let stream = PrintedStream::new(args.json, spinner.clone(), deadline);
            let stream = printed.insert(Arc::new(stream));
            context = context.with_event_sink(stream.clone());
        }
        runner.run(context, input.take_request()).await.with_envelope()
    };
    spinner.finish_and_clear();
    if let Some(stream) = &printed
        && let Some(code) = stream.end().await
    {
        return code;
    }
    if !args.json {
        let warnings = input.warnings.iter().chain(&report.warnings).chain(&unused_data);
        for warning in warnings {
            output::print_warning(warning, args.json);
        }
    }
    let printed = printed.as_deref();
    let code = match print_result(outcome, printed, args.json).await {
        Ok(code) => code,
        Err(error) => {
            let error = name_time_limit(input.label(error), args.timeout, deadline);
            if let Some(stream) = printed {
                stream.print_error(&error).await;
            }
            let code = output::print_error(&error, args.json);
            if !args.simulate && !args.json {
                output::print_key_advice(&error);
            }
            code
        }
    };
    if args.simulate && !args.json && report.attempts > 0 {
        anstream::eprintln!("{SIMULATED}");
    }
    code
}

/// Prints the result, or returns the error. It is an error if standard output is not read in time.
async fn print_result(
    outcome: Result<Value, Error>,
    printed: Option<&PrintedStream>,
    as_json: bool,
) -> Result<ExitCode, Error> {
    let Some(stream) = printed else {
        return outcome.map(|value| output::print_result(&value, as_json));
    };
    if let Some(error) = stream.blocked_error() {
        return Err(error);
    }
    let code = stream.print_result(&outcome?).await;
    stream.blocked_error().map_or(Ok(code), Err)
}

/// Returns whether the text is printed as it is generated although no option asks for that: on a
/// terminal, if the result is the text itself.
fn streams_by_default(args: &Invoke, request: &Value) -> bool {
    let is_text = request.get("message").is_some_and(|message| !message.is_null())
        && request.get("output").is_none_or(|output| output.is_null() || output == "string");
    let is_off = ["dryRun", "stream"].into_iter().any(|name| match request.get(name) {
        Some(value) => *value == Value::Bool(name == "dryRun"),
        None => false,
    });
    is_text && !is_off && !args.json && !args.full && std::io::stdout().is_terminal()
}

/// Scripts a reply that fits the request if the simulator replaces the provider, and returns a
/// warning for each argument that has no effect. Both need the plan of the request, which is made
/// only if necessary.
async fn prepare(
    args: &Invoke,
    environment: &Environment,
    runner: &Runner,
    deadline: Deadline,
    request: &Value,
) -> Vec<String> {
    let simulator = environment.simulator().filter(|_| simulation::may_need_reply(request));
    if simulator.is_none() && (args.source.data.is_empty() || args.json) {
        return Vec::new();
    }
    // An error is reported when the request is run.
    let Ok(plan) = runner.plan(deadline, request.clone()).await else { return Vec::new() };
    if let Some(simulator) = simulator {
        simulation::script_reply(simulator, &plan, request);
    }
    overrides::unused_data_warnings(&plan, &args.source)
}

/// Names the option that set the time limit in the error of a request that reached it.
fn name_time_limit(error: Error, timeout: u64, deadline: Deadline) -> Error {
    if error.kind() != ErrorKind::Timeout || !deadline.left().is_zero() {
        return error;
    }
    error.with_suffix(&format!("; the time limit is {timeout} s (--timeout)"))
}

async fn run_event(args: &Invoke, environment: &Environment) -> ExitCode {
    let event = match input::read_text(&args.source.file, "an event") {
        Ok(event) => event,
        Err(error) => return output::print_input_error(&error, args.json),
    };
    let deadline = Deadline::after(Duration::from_secs(args.timeout));
    let spinner = spinner(args.json);
    let function = environment.function();
    let (handled_event, records) =
        function.handle_with_records(event.as_bytes(), new_invocation(), deadline).await;
    spinner.finish_and_clear();
    for record in &records {
        record_results::print(record, args.json);
    }
    for warning in &handled_event.line.warnings {
        output::print_warning(warning, args.json);
    }
    let (response, code): (Value, u8) = match handled_event.response() {
        Ok(value) => (value, 0),
        Err(error) => {
            let kind = error.kind();
            let message = error.message_with_details();
            let response = json!({ "errorType": kind.name(), "errorMessage": message });
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
    let code = if code == 0 { event_exit_code(&handled_event.line, &response) } else { code };
    let text = if args.json { response.to_string() } else { format!("{response:#}") };
    let print_code = output::print(&text);
    if args.simulate && !args.json && handled_event.line.report.attempts > 0 {
        anstream::eprintln!("{SIMULATED}");
    }
    if code == 0 { print_code } else { ExitCode::from(code) }
}

/// Returns the exit code for an event whose response reports the failure, such as an HTTP response.
fn event_exit_code(line: &LogLine, response: &Value) -> u8 {
    if let Some(error) = &line.error {
        return error.kind().exit_code();
    }
    if line.status.is_none_or(|status| status < 400) {
        return 0;
    }
    // The function responded without running a request, for example because the route is unknown.
    let body = response.get("body").and_then(Value::as_str).unwrap_or_default();
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let name = body.pointer("/error/type").and_then(Value::as_str).unwrap_or_default();
    let kind = ErrorKind::ALL.iter().find(|kind| kind.name() == name);
    kind.unwrap_or(&ErrorKind::Internal).exit_code()
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
        ..Invocation::default()
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
