//! The handle that tests and the CLI use to start, script, inspect and stop a simulator.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::dialects::vendor_path_segment;
use crate::journal::{Call, Observer};
use crate::script::{self, ScriptError, Step};
use crate::server;
use crate::state::State;

/// A running simulator. Dropping the handle stops the server and closes its connections.
pub struct Simulator {
    address: SocketAddr,
    state: Arc<State>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Simulator {
    /// Starts a simulator on a free port of 127.0.0.1 in the current tokio runtime.
    ///
    /// # Errors
    /// Returns an error if no port can be bound.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts a simulator on this address. Port 0 selects a free port.
    ///
    /// # Errors
    /// Returns an error if the address can't be bound.
    pub async fn start_on(address: SocketAddr) -> std::io::Result<Self> {
        Self::start_with(address, Arc::new(|_| {})).await
    }

    /// Starts a simulator on this address that passes every call to `observer`.
    ///
    /// # Errors
    /// Returns an error if the address can't be bound.
    pub async fn start_with(address: SocketAddr, observer: Observer) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::new(observer));
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(server::run(listener, Arc::clone(&state), stopped));
        Ok(Self { address, state, stop, task })
    }

    /// Returns the address that the simulator listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of the simulator, `http://HOST:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the base URL for clients of the OpenAI dialect (`OPENAI_BASE_URL`).
    pub fn openai_base_url(&self) -> String {
        format!("{}/v1", self.url())
    }

    /// Returns the base URL for clients of a provider that implements the OpenAI dialect with
    /// differences, such as `mistral`. Returns `None` if the simulator does not know the provider.
    pub fn compatible_base_url(&self, provider: &str) -> Option<String> {
        vendor_path_segment(provider).map(|segment| format!("{}/{segment}/v1", self.url()))
    }

    /// Returns the base URL for clients of the Anthropic dialect (`ANTHROPIC_BASE_URL`).
    pub fn anthropic_base_url(&self) -> String {
        self.url()
    }

    /// Returns the base URL for clients of the Gemini dialect (`GEMINI_BASE_URL`).
    pub fn gemini_base_url(&self) -> String {
        format!("{}/v1beta", self.url())
    }

    /// Returns the base URL for clients of the Ollama dialect (`OLLAMA_ENDPOINT`).
    pub fn ollama_base_url(&self) -> String {
        self.url()
    }

    /// Returns the base URL for clients of Amazon Bedrock (`AWS_ENDPOINT_URL_BEDROCK_RUNTIME`).
    pub fn bedrock_base_url(&self) -> String {
        self.url()
    }

    /// Appends steps to the script.
    pub fn script(&self, steps: Vec<Step>) {
        self.state.append(steps);
    }

    /// Appends a JSON array of steps to the script.
    ///
    /// # Errors
    /// Returns an error and appends nothing if the array or one of its steps is invalid.
    pub fn script_json(&self, script: Value) -> Result<(), ScriptError> {
        script::parse(script).map(|steps| self.state.append(steps))
    }

    /// Returns all recorded calls, in order.
    pub fn journal(&self) -> Vec<Call> {
        self.state.journal()
    }

    /// Clears the journal and the script.
    pub fn clear(&self) {
        self.state.clear_journal();
        self.state.clear_script();
    }

    /// Stops accepting connections, waits up to `grace` for calls in progress, and closes all
    /// connections.
    pub async fn shutdown(mut self, grace: Duration) {
        self.stop.send_replace(true);
        // Dropping `self` closes the connections that are still open.
        drop(tokio::time::timeout(grace, &mut self.task).await);
    }
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}
