//! The AWS Lambda binary. It receives invocations from the Lambda Runtime API, passes them to the
//! function, and writes the function's log lines to standard output.

mod direct_stream;
mod event_body;
#[cfg(feature = "panic-on-demand")]
mod panic_on_demand;
mod streaming;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use event_body::EventBody;
use http::StatusCode;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, Runtime, service_fn};
use lambda_runtime_api_client::BoxError;
use llm_exe::hosted::DocumentStores;
use llm_exe::transport::HttpClient;
use llm_exe::{Deadline, EnvironmentKeys, Error, ErrorKind, UserAgent, WebConfigFetcher};
use llm_exe_aws::{AwsPorts, EnvironmentCredentials, ServiceEndpoints};
use llm_exe_events::{Invocation, StreamingEntryPoint};
use llm_exe_function::{
    AwsSettings, Function, HandledEvent, LogLevel, Settings, StartedResponse, misspelled_settings,
    start_response,
};
use serde_json::json;
use streaming::{Outcome, Response};

/// The time to subtract from Lambda's deadline, so that the function can respond before Lambda
/// stops it.
const RESERVE: Duration = Duration::from_millis(500);

/// A deadline that passed longer ago than this is treated as a placeholder, not as expired. The
/// emulator of cargo-lambda sends such deadlines.
const PLACEHOLDER_AGE: Duration = Duration::from_secs(86_400);

/// The timeout for an invocation without a deadline. It equals the default timeout of the deployed
/// function.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

/// The environment variables that Lambda sets and that the Runtime API client requires.
const REQUIRED_VARIABLES: &[&str] = &[
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
];

#[expect(
    clippy::disallowed_methods,
    reason = "the only place where this binary reads the environment"
)]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn main() -> ExitCode {
    let names = variable_names();
    let is_set = |name: &str| names.iter().any(|set| set == name);
    if let Some(name) = REQUIRED_VARIABLES.iter().find(|name| !is_set(name)) {
        return stop(&format!(
            "{name} is not set: this program must run in AWS Lambda; to run it locally, use \
             llm-exe serve or cargo lambda watch"
        ));
    }
    // Most settings are not set, and comparing the names is faster than a look-up for each.
    let look_up = |name: &str| is_set(name).then(|| environment(name))?;
    let settings = match Settings::parse(&look_up) {
        Ok(settings) => settings,
        Err(error) => return stop(&error.to_string()),
    };
    if settings.log_level >= LogLevel::Warn {
        warn_of_misspelled_settings(&names);
        settings.start_warning().into_iter().for_each(write_warning);
    }
    let runtime = match new_runtime() {
        Ok(runtime) => runtime,
        Err(error) => return stop(&format!("can't start the async runtime: {error}")),
    };
    let function = function(&settings);
    // Streams outlive the handler, so the function lives as long as the process.
    let (function, log_level): (&'static Function, _) =
        (Box::leak(Box::new(function)), settings.log_level);
    let body = match function.can_stream() {
        true => EventBody::with_streams(),
        false => EventBody::default(),
    };
    let current = body.clone();
    let handler = service_fn(move |event: LambdaEvent<()>| {
        handle(function, log_level, current.clone(), event.context)
    });
    match runtime.block_on(Runtime::new(handler).layer(body).run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => stop(&format!("the Runtime API failed: {error}")),
    }
}

/// Creates the runtime with one thread. In a function of its own, the compiler sees that tokio's
/// other scheduler is not used, and removes it together with the library libm.
#[inline(never)]
fn new_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Returns the names of all environment variables.
#[expect(
    clippy::disallowed_methods,
    reason = "this binary reads only names here, and all values in `environment`"
)]
fn variable_names() -> Vec<String> {
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect()
}

/// Logs a line for each environment variable that is probably a misspelled setting.
fn warn_of_misspelled_settings(names: &[String]) {
    for warning in misspelled_settings(names.iter().map(String::as_str)) {
        write_warning(&warning);
    }
}

fn write_warning(warning: &str) {
    let line = json!({ "level": "WARN", "message": warning });
    write_line(line.to_string().into_bytes());
}

/// Creates the function with its AWS clients. Connections are opened only when a request needs
/// them.
fn function(settings: &Settings) -> Function {
    let user_agent = user_agent();
    let http = HttpClient::default().with_user_agent(user_agent.clone());
    let AwsSettings { region, ssm, s3, sqs, events, lambda, stack_name, secret_cache } =
        settings.aws.clone();
    let endpoints = ServiceEndpoints { s3, ssm, sqs, event_bridge: events, lambda };
    let credentials = Arc::new(EnvironmentCredentials::new(environment));
    let aws = AwsPorts::new(region, endpoints, http.clone(), credentials);
    let mut keys = EnvironmentKeys::new(environment);
    if let Some(store) = aws.keys(&stack_name, secret_cache) {
        keys = keys.or_else(Arc::new(store));
    }
    let web_configs = WebConfigFetcher::new(settings.config_hosts.clone());
    let web_configs = Arc::new(web_configs.with_user_agent(user_agent));
    #[cfg(feature = "panic-on-demand")]
    let web_configs = Arc::new(panic_on_demand::PanicOnDemand::new(web_configs));
    let documents = DocumentStores { s3: Some(Arc::new(aws.documents())), web: Some(web_configs) };
    Function::new(settings, Arc::new(keys))
        .with_http(http)
        .with_signer(Arc::new(aws.signer()))
        .with_documents(Arc::new(documents))
        .with_functions(Arc::new(aws.functions()))
        .with_results(Arc::new(aws.results()), Arc::new(aws.messenger()))
}

fn user_agent() -> UserAgent {
    UserAgent::for_program("llm-exe-lambda", env!("CARGO_PKG_VERSION")).unwrap_or_default()
}

async fn handle(
    function: &'static Function,
    log_level: LogLevel,
    current: EventBody,
    context: Context,
) -> Result<Response, Diagnostic> {
    let (event, invocation_id) = current.take();
    let deadline = deadline(context.deadline(), SystemTime::now());
    let invocation = Invocation {
        request_id: context.request_id,
        version: env!("CARGO_PKG_VERSION"),
        function_arn: Some(context.invoked_function_arn),
        trace_id: context.xray_trace_id,
    };
    if function.can_stream() {
        // The future is boxed, because most functions don't stream.
        let request_id = invocation.request_id.clone();
        let started = Box::pin(start_response(move |stream| async move {
            let handled = function.handle_streamed(&event, invocation, deadline, &stream).await;
            log(handled, log_level)
        }));
        return match started.await {
            StartedResponse::Events {
                entry_point: StreamingEntryPoint::Invoke,
                format,
                body,
                run,
                ..
            } => {
                let sent = direct_stream::send(&request_id, invocation_id, format, body);
                let sent = Box::pin(sent).await;
                // The stream is dropped, so a run that nothing needs is cancelled. The invocation
                // must not end before the run, because Lambda then freezes the process.
                drop(run.output().await);
                end_direct_stream(&request_id, sent)?;
                current.end_invocation();
                std::future::pending().await
            }
            StartedResponse::Events { format, warning_count, body, run, .. } => {
                current.set_run(run);
                Ok(streaming::stream_response(format, warning_count, body))
            }
            StartedResponse::Whole { output, entry_point } => {
                let response = streaming::whole_response(output, entry_point);
                response.map_err(|error| diagnostic(&error))
            }
        };
    }
    let outcome = log(function.handle(&event, invocation, deadline).await, log_level);
    outcome.map(Response::BufferedResponse).map_err(|error| diagnostic(&error))
}

/// Logs that the Runtime API rejected a stream, as the runtime does for other responses.
///
/// # Errors
/// Returns the error that fails the invocation if the connection failed.
fn end_direct_stream(
    request_id: &str,
    sent: Result<StatusCode, BoxError>,
) -> Result<(), Diagnostic> {
    let status = sent.map_err(|error| {
        let text = format!("the response can't be sent: {error}");
        diagnostic(&Error::new(ErrorKind::Internal, text))
    })?;
    if !status.is_success() {
        let text = format!("the Runtime API rejected the response with the status {status}");
        let line = json!({ "level": "ERROR", "requestId": request_id, "message": text });
        write_line(line.to_string().into_bytes());
    }
    Ok(())
}

/// Writes the log line about an event and returns its outcome.
fn log(handled: HandledEvent, level: LogLevel) -> Outcome {
    if let Some(text) = handled.line.to_json(level) {
        write_line(text);
    }
    handled.outcome
}

/// Returns the deadline of an invocation: Lambda's deadline minus [`RESERVE`].
fn deadline(lambda_deadline: SystemTime, now: SystemTime) -> Deadline {
    let left = match lambda_deadline.duration_since(now) {
        Ok(left) => left,
        Err(past) if past.duration() > PLACEHOLDER_AGE => {
            return Deadline::after(DEFAULT_TIMEOUT);
        }
        Err(_) => Duration::ZERO,
    };
    Deadline::at(Instant::now() + left.saturating_sub(RESERVE))
}

fn diagnostic(error: &Error) -> Diagnostic {
    Diagnostic {
        error_type: error.kind().name().to_owned(),
        error_message: error.message_with_details().into_owned(),
    }
}

/// Writes a log line with a single system call, so that it is not split. Ignores errors, because a
/// failed write must not fail the invocation.
fn write_line(mut text: Vec<u8>) {
    text.push(b'\n');
    let _ = std::io::stdout().lock().write_all(&text);
}

/// Logs the reason why the program stops and returns the exit code for failure.
fn stop(message: &str) -> ExitCode {
    let line = json!({ "level": "FATAL", "message": message });
    write_line(line.to_string().into_bytes());
    ExitCode::FAILURE
}
