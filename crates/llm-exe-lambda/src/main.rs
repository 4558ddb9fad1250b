//! The binary that Lambda runs: wiring between the Runtime API and the function, nothing else.
//!
//! In: the environment, once, and invocations. Out: answers, and one JSON line each on stdout.

#[cfg(feature = "panic-on-demand")]
mod panic_on_demand;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use llm_exe::hosted::Stores;
use llm_exe::transport::HttpClient;
use llm_exe::{Deadline, Error, WebConfigs};
use llm_exe_aws::{AwsPorts, EnvironmentCredentials, ServiceEndpoints};
use llm_exe_events::Invocation;
use llm_exe_function::{Answered, AwsSettings, EnvironmentKeys, Function, LogLevel, Settings};
use serde_json::Value;
use serde_json::value::RawValue;

/// Kept back of Lambda's own deadline, so that the last word is ours.
const RESERVE: Duration = Duration::from_millis(500);

/// A deadline that passed so long ago was never meant as one.
const LONG_AGO: Duration = Duration::from_secs(86_400);
/// The time where nobody told a deadline: the function's default.
const UNTOLD: Duration = Duration::from_secs(300);

/// What Lambda sets, and the Runtime API's client can't do without.
const SET_BY_LAMBDA: &[&str] = &[
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
];

#[expect(clippy::disallowed_methods, reason = "the one place where this binary reads it")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn main() -> ExitCode {
    if let Some(name) = SET_BY_LAMBDA.iter().find(|name| environment(name).is_none()) {
        return stop(&format!(
            "{name} is not set: this program is run by AWS Lambda; on your machine use llm-exe \
             serve, or cargo lambda watch"
        ));
    }
    let settings = match Settings::read(&environment) {
        Ok(settings) => settings,
        Err(fault) => return stop(&fault.to_string()),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return stop(&format!("no asynchronous runtime: {error}")),
    };
    let function = function(&settings);
    let (function, least) = (&function, settings.log_level);
    let handler = service_fn(move |event| handle(function, least, event));
    match runtime.block_on(Runtime::new(handler).run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => stop(&format!("the Runtime API failed: {error}")),
    }
}

/// The function on AWS. Nothing is connected or looked up before a request needs it.
fn function(settings: &Settings) -> Function {
    let http = HttpClient::default();
    let AwsSettings { region, ssm, s3, sqs, events, stack_name, secret_cache } =
        settings.aws.clone();
    let endpoints = ServiceEndpoints { s3, ssm, sqs, event_bridge: events };
    let credentials = Arc::new(EnvironmentCredentials::new(environment));
    let aws = AwsPorts::new(region, endpoints, http.clone(), credentials);
    let mut keys = EnvironmentKeys::new(environment);
    if let Some(store) = aws.keys(&stack_name, secret_cache) {
        keys = keys.or_else(Arc::new(store));
    }
    let pages = Arc::new(WebConfigs::new(settings.page_hosts.clone()));
    #[cfg(feature = "panic-on-demand")]
    let pages = Arc::new(panic_on_demand::PanicOnDemand::new(pages));
    let documents = Stores { objects: Some(Arc::new(aws.documents())), pages: Some(pages) };
    Function::new(settings, Arc::new(keys))
        .with_http(http)
        .with_signer(Arc::new(aws.signer()))
        .with_documents(Arc::new(documents))
        .with_results(Arc::new(aws.results()), Arc::new(aws.messenger()))
}

async fn handle(
    function: &Function,
    least: LogLevel,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<Value, Diagnostic> {
    let (event, context) = event.into_parts();
    let deadline = deadline(context.deadline(), SystemTime::now());
    let invocation = Invocation {
        request_id: context.request_id,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let Answered { outcome, line } =
        function.answer(event.get().as_bytes(), &invocation, deadline).await;
    if let Some(text) = line.to_json(least) {
        write_line(&text);
    }
    outcome.map_err(|error| diagnostic(&error))
}

/// Lambda's deadline less the reserve. A deadline of long ago is none at all: cargo-lambda's
/// emulator sends such a one.
fn deadline(told: SystemTime, now: SystemTime) -> Deadline {
    let left = match told.duration_since(now) {
        Ok(left) => left,
        Err(past) if past.duration() > LONG_AGO => return Deadline::after(UNTOLD),
        Err(_) => Duration::ZERO,
    };
    Deadline::at(Instant::now() + left.saturating_sub(RESERVE))
}

fn diagnostic(error: &Error) -> Diagnostic {
    Diagnostic {
        error_type: error.kind().name().to_owned(),
        error_message: error.message().to_owned(),
    }
}

/// A log that can't be written is no reason to fail an invocation.
fn write_line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
}

fn stop(message: &str) -> ExitCode {
    let line = serde_json::json!({ "level": "FATAL", "message": message });
    write_line(&line.to_string());
    ExitCode::FAILURE
}
