//! The simulator as tests and the CLI hold it: started, scripted, read, stopped.
//!
//! In: an address to listen on and steps. Out: URLs to point clients at, and the journal.

use crate::journal::Call;
use crate::script::{self, ScriptError, Step};
use crate::server;
use crate::state::State;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Called with every call as it is answered, for instance to write an access log.
pub type Observer = Arc<dyn Fn(&Call) + Send + Sync>;

/// A running simulator. Dropping it stops it and closes its connections.
pub struct Simulator {
    address: SocketAddr,
    state: Arc<State>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Simulator {
    /// Starts a simulator on 127.0.0.1, on a port of the system's choosing, on the current tokio
    /// runtime.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts a simulator on this address; port 0 lets the system choose.
    ///
    /// # Errors
    /// When the address can't be bound.
    pub async fn start_on(address: SocketAddr) -> std::io::Result<Self> {
        Self::start_with(address, Arc::new(|_| {})).await
    }

    /// Starts a simulator on this address and tells `observer` of every call.
    ///
    /// # Errors
    /// When the address can't be bound.
    pub async fn start_with(address: SocketAddr, observer: Observer) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::new(observer));
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(server::run(listener, Arc::clone(&state), stopped));
        Ok(Self { address, state, stop, task })
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://HOST:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base URL for clients of the OpenAI dialect (`OPENAI_BASE_URL`).
    #[must_use]
    pub fn openai_base_url(&self) -> String {
        format!("{}/v1", self.url())
    }

    /// The base URL for clients of the Anthropic dialect (`ANTHROPIC_BASE_URL`).
    #[must_use]
    pub fn anthropic_base_url(&self) -> String {
        self.url()
    }

    /// The base URL for clients of the Gemini dialect (`GEMINI_BASE_URL`).
    #[must_use]
    pub fn gemini_base_url(&self) -> String {
        format!("{}/v1beta", self.url())
    }

    /// The base URL for clients of the Ollama dialect (`OLLAMA_ENDPOINT`).
    #[must_use]
    pub fn ollama_base_url(&self) -> String {
        self.url()
    }

    /// The base URL for clients of Amazon Bedrock (`AWS_ENDPOINT_URL_BEDROCK_RUNTIME`).
    #[must_use]
    pub fn bedrock_base_url(&self) -> String {
        self.url()
    }

    /// Appends steps to the script.
    pub fn script(&self, steps: Vec<Step>) {
        self.state.append(steps);
    }

    /// Appends a list of steps, written as JSON, to the script.
    ///
    /// # Errors
    /// When the list or one of its steps is malformed; nothing is appended then.
    pub fn script_json(&self, script: Value) -> Result<(), ScriptError> {
        script::parse(script).map(|steps| self.state.append(steps))
    }

    /// Every call so far, in order.
    #[must_use]
    pub fn journal(&self) -> Vec<Call> {
        self.state.journal()
    }

    /// Forgets the journal and the script.
    pub fn clear(&self) {
        self.state.clear_journal();
        self.state.clear_script();
    }

    /// Stops accepting, lets the calls under way finish for at most `grace`, then stops.
    pub async fn shutdown(mut self, grace: Duration) {
        self.stop.send_replace(true);
        // What is still open after the grace is cut off by the drop that follows.
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
