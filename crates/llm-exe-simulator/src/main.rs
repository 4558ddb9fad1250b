//! The simulator as a command-line program, for CI and for clients in other languages.
//!
//! It prints a line with its URLs, then a line for each call, and stops on SIGINT or SIGTERM.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the program prints its output")]

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use llm_exe_simulator::{Call, Observer, Simulator};

/// How long calls in progress have to finish after a stop signal.
const GRACE: Duration = Duration::from_secs(2);

/// Imitates the APIs of language model providers on loopback
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The port to listen on; 0 selects a free port
    #[arg(long, default_value_t = 8089)]
    port: u16,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// A JSON file with an array of scripted steps
    #[arg(long)]
    script: Option<PathBuf>,
    /// Do not print a line for each call
    #[arg(long)]
    quiet: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("llm-exe-simulator: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let address = SocketAddr::new(arguments.host, arguments.port);
    let observer: Observer = if arguments.quiet {
        Arc::new(|_| {})
    } else {
        Arc::new(|call: &Call| println!("{}", access_line(call)))
    };
    let script = arguments.script.as_deref().map(read_script).transpose()?;
    // Install the handlers before printing the first line, because a caller may send a signal as
    // soon as it reads that line.
    let stop_signal =
        stop_signal().map_err(|error| format!("cannot install the signal handlers: {error}"))?;
    let simulator = Simulator::start_with(address, observer)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    if let Some(script) = script {
        simulator.script_json(script).map_err(|error| format!("--script: {error}"))?;
    }
    println!(
        "listening on {}; set OPENAI_BASE_URL={} ANTHROPIC_BASE_URL={} GEMINI_BASE_URL={} \
         OLLAMA_ENDPOINT={} AWS_ENDPOINT_URL_BEDROCK_RUNTIME={} and any key",
        simulator.url(),
        simulator.openai_base_url(),
        simulator.anthropic_base_url(),
        simulator.gemini_base_url(),
        simulator.ollama_base_url(),
        simulator.bedrock_base_url(),
    );
    stop_signal.await;
    simulator.shutdown(GRACE).await;
    Ok(())
}

fn read_script(path: &Path) -> Result<serde_json::Value, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the script {}: {error}", path.display()))?;
    serde_json::from_str(&text)
        .map_err(|error| format!("{} is not valid JSON: {error}", path.display()))
}

fn access_line(call: &Call) -> String {
    let dialect = call.dialect.as_deref().unwrap_or("-");
    let model = call.body.get("model").and_then(serde_json::Value::as_str).unwrap_or("-");
    let Call { sequence, method, path, answered, .. } = call;
    format!("{sequence} {method} {path} {dialect} {model} -> {answered}")
}

/// Waits for SIGINT or SIGTERM.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
