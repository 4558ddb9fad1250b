//! The command `llm-exe serve`, which emulates a Lambda function URL on this machine.
//!
//! The server converts each request to the event that AWS would create and handles it as the Lambda
//! function does. On a loopback address without authentication, the server also provides Lambda's
//! Invoke API.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use llm_exe_events::EndpointAuth;
use llm_exe_function::LogLevel;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::serve_http::{Server, handle};
use crate::args::Serve;
use crate::environment::{Environment, KeySource};
use crate::{output, simulation};

/// The maximum time to wait for requests in progress when the server stops.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);

/// Runs the server until the process receives a stop signal.
pub(crate) async fn run(args: Serve) -> ExitCode {
    let auth = match auth_setting(&args) {
        Ok(auth) => auth,
        Err(message) => return output::print_startup_error(&message, false),
    };
    let source = KeySource::from_simulate_flag(args.simulate);
    // The server acts as a function URL and as InvokeWithResponseStream, which both stream.
    let overrides = [("ENDPOINT_AUTH", auth), ("RESPONSE_STREAMING", "url,invoke".to_owned())];
    let environment = match Environment::read_for_server(source, &overrides).await {
        Ok(environment) => environment,
        Err(message) => return output::print_startup_error(&message, false),
    };
    environment.print_warnings(false);
    if let Some(warning) = environment.settings.start_warning() {
        output::print_warning(warning, false);
    }
    if let Err(error) = environment.check_endpoint_key().await {
        output::print_startup_error(error.message(), false);
        return ExitCode::from(error.kind().exit_code());
    }
    if let Err(error) = simulation::run_script(environment.simulator(), args.script.as_deref()) {
        return output::print_input_error(&error, false);
    }
    let address = SocketAddr::new(args.host, args.port);
    let bound = TcpListener::bind(address).await;
    let bound = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (address, listener) = match bound {
        Ok(bound) => bound,
        Err(error) => {
            let message = format!("can't listen on {address}: {error}");
            return output::print_startup_error(&message, false);
        }
    };
    let server = Arc::new(Server {
        function: environment.function(),
        run_id: fastrand::u64(..),
        request_count: AtomicU64::new(0),
        open_requests: AtomicUsize::new(0),
        idle: Notify::new(),
        address,
        timeout: Duration::from_secs(args.timeout),
        has_invoke_api: args.host.is_loopback()
            && environment.settings.endpoint_auth == EndpointAuth::None,
        json_log_level: args.json.then(|| environment.settings.log_level.max(LogLevel::Info)),
    });
    let simulated = if args.simulate { " (simulated: no provider is called)" } else { "" };
    anstream::eprintln!("listening on http://{address}{simulated}");
    anstream::eprintln!(
        "try: curl http://{address}/invoke -H 'content-type: application/json' -d @request.json"
    );
    accept(listener, Arc::clone(&server)).await;
    match server.open_requests.load(Ordering::Relaxed) {
        0 => ExitCode::SUCCESS,
        count => {
            let requests = if count == 1 { "request" } else { "requests" };
            anstream::eprintln!("stopped with {count} {requests} open");
            ExitCode::FAILURE
        }
    }
}

/// Returns the value for `ENDPOINT_AUTH`. If the user did not set one, returns `NONE` on a loopback
/// address and an error on any other address.
fn auth_setting(args: &Serve) -> Result<String, String> {
    let auth = args.auth.as_deref().map(str::trim).filter(|auth| !auth.is_empty());
    match auth {
        Some(auth) => Ok(auth.to_owned()),
        None if args.host.is_loopback() => {
            let none = EndpointAuth::WORDS.iter().find(|(_, auth)| *auth == EndpointAuth::None);
            Ok(none.map_or_else(String::new, |(word, _)| (*word).to_owned()))
        }
        None => Err(format!(
            "other machines can reach {}: use --auth API_KEY, or --auth NONE to let anyone use \
             your keys",
            args.host
        )),
    }
}

/// Accepts connections until the process receives a stop signal, and then waits for the requests in
/// progress. Requests can still be open when it returns.
async fn accept(listener: TcpListener, server: Arc<Server>) {
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop_signal());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        // Accepting a connection can fail temporarily, for example because too many files are open.
        // Wait briefly and try again.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let server = Arc::clone(&server);
        let service = service_fn(move |request| {
            let server = Arc::clone(&server);
            async move { Ok::<_, std::convert::Infallible>(handle(server, request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(30))
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // Ignore errors, because they only mean that the client closed the connection or sent
            // invalid HTTP.
            let _ = connection.await;
        });
    }
    drop(listener);
    anstream::eprintln!("waiting for requests in progress; interrupt again to stop immediately");
    // A run whose result is stored or sent can last longer than the connection of its client.
    let finish = async {
        graceful.shutdown().await;
        server.finish_runs().await;
    };
    tokio::select! {
        () = finish => {}
        () = tokio::time::sleep(SHUTDOWN_TIMEOUT) => {}
        () = stop_signal() => {}
    }
}

/// Waits for `SIGINT` or `SIGTERM`.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
