//! `llm-exe serve`: a function URL on this machine. Every request becomes the event that AWS would
//! make of it and takes the same line as in Lambda. Where nobody is checked it is Lambda's Invoke
//! API, too.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use llm_exe_events::EndpointAuth;
use llm_exe_function::LogLevel;
use tokio::net::TcpListener;

use super::serve_http::{Served, answer};
use crate::args::Serve;
use crate::environment::{Environment, KeySource};
use crate::output;

/// How long requests under way may take to end after the stop was asked for.
const LAST_REQUESTS: Duration = Duration::from_secs(30);

/// Runs the command until it is interrupted.
pub(crate) async fn run(args: Serve) -> ExitCode {
    let auth = match auth(&args) {
        Ok(auth) => auth,
        Err(message) => return output::unusable(&message),
    };
    let environment =
        match Environment::read(KeySource::of(args.simulate), &[("ENDPOINT_AUTH", auth)]).await {
            Ok(environment) => environment,
            Err(message) => return output::unusable(&message),
        };
    let address = SocketAddr::new(args.host, args.port);
    let bound = TcpListener::bind(address).await;
    let (listener, address) = match bound.and_then(|one| Ok((one.local_addr()?, one))) {
        Ok((address, listener)) => (listener, address),
        Err(error) => return output::unusable(&format!("can't listen on {address}: {error}")),
    };
    let served = Arc::new(Served {
        function: environment.function(),
        run: fastrand::u64(..),
        requests: AtomicU64::new(0),
        address,
        timeout: Duration::from_secs(args.timeout),
        takes_events: args.host.is_loopback()
            && environment.settings.endpoint_auth == EndpointAuth::None,
        least: args.json.then(|| environment.settings.log_level.max(LogLevel::Info)),
    });
    let simulated = if args.simulate { " (simulated: no provider is asked)" } else { "" };
    anstream::eprintln!("listening on http://{address}{simulated}");
    anstream::eprintln!(
        "try: curl http://{address}/invoke -H 'content-type: application/json' -d @request.json"
    );
    accept(listener, served).await;
    ExitCode::SUCCESS
}

/// Who may call: what was said, else nobody is checked, and that only on loopback.
fn auth(args: &Serve) -> Result<String, String> {
    let said = args.auth.as_deref().map(str::trim).filter(|said| !said.is_empty());
    match said {
        Some(said) => Ok(said.to_owned()),
        None if args.host.is_loopback() => {
            let none = EndpointAuth::WORDS.iter().find(|(_, auth)| *auth == EndpointAuth::None);
            Ok(none.map_or_else(String::new, |(word, _)| (*word).to_owned()))
        }
        None => Err(format!(
            "{} can be reached from other machines: say --auth API_KEY, or --auth NONE to let \
             anybody spend your keys",
            args.host
        )),
    }
}

async fn accept(listener: TcpListener, served: Arc<Served>) {
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop_asked());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        // A client that is gone again, or no file handles for a moment: the next one may do.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let served = Arc::clone(&served);
        let service = service_fn(move |request| {
            let served = Arc::clone(&served);
            async move { Ok::<_, std::convert::Infallible>(answer(&served, request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(30))
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // How a connection ends is its client's business.
            let _ = connection.await;
        });
    }
    drop(listener);
    anstream::eprintln!("stopping: waiting for the requests under way; again to stop at once");
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(LAST_REQUESTS) => anstream::eprintln!("stopped with requests open"),
        () = stop_asked() => {}
    }
}

/// Ends when the process is asked to: an interrupt, or a polite kill.
async fn stop_asked() {
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
