//! Starts the Lambda binary as a process, with a local Runtime API and simulated providers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use llm_exe_simulator::Simulator;
use llm_exe_testkit::program::{self, Build};
use llm_exe_testkit::runtime_api::{Invocation, InvocationOutcome, ResponseFault, RuntimeApi};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// API keys that do not look like real ones, so that the function can't redact them by pattern.
pub(crate) const OPENAI_KEY: &str = "sentinel.of.the.openai.key";
pub(crate) const ANTHROPIC_KEY: &str = "sentinel.of.the.anthropic.key";
pub(crate) const ENDPOINT_KEY: &str = "sentinel.of.the.endpoint.key";

/// The default timeout of an invocation.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// Returns the path of the function binary to test.
pub(crate) fn program() -> PathBuf {
    let built = Some(env!("CARGO_BIN_EXE_llm-exe-lambda"));
    program::lambda(Build::Deployed, built).unwrap_or_else(|error| panic!("{error}"))
}

/// A running function process.
pub(crate) struct Function {
    pub(crate) simulator: Arc<Simulator>,
    api: RuntimeApi,
    /// Dropping this sender kills the process.
    kill: oneshot::Sender<()>,
    exit: watch::Receiver<Option<ExitStatus>>,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

/// The outcome of an invocation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Response {
    Result(Value),
    Failed { error_type: String, message: String },
}

/// The output and the exit status of a finished process.
#[derive(Debug)]
pub(crate) struct ProcessOutput {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: ExitStatus,
}

impl Function {
    /// Starts a function that has all provider keys and accepts requests from any caller.
    pub(crate) async fn start() -> Function {
        Function::with(&[
            ("OPENAI_API_KEY", OPENAI_KEY),
            ("ANTHROPIC_API_KEY", ANTHROPIC_KEY),
            ("ENDPOINT_AUTH", "NONE"),
        ])
        .await
    }

    /// Starts a function with the given environment variables in addition to those that Lambda
    /// sets.
    pub(crate) async fn with(variables: &[(&str, &str)]) -> Function {
        Function::with_simulator(Arc::new(Simulator::start().await.unwrap()), variables).await
    }

    /// Starts a function that shares its simulated providers with other functions.
    pub(crate) async fn with_simulator(
        simulator: Arc<Simulator>,
        variables: &[(&str, &str)],
    ) -> Function {
        Function::spawn(&program(), simulator, variables).await
    }

    /// Starts the binary at the path `program`, which may be a different build of the function.
    pub(crate) async fn spawn(
        program: &Path,
        simulator: Arc<Simulator>,
        variables: &[(&str, &str)],
    ) -> Function {
        let api = RuntimeApi::start().await.unwrap();
        let mut child = Command::new(program)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", "llm-exe")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("OPENAI_BASE_URL", simulator.openai_base_url())
            .env("ANTHROPIC_BASE_URL", simulator.anthropic_base_url())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdout = tokio::spawn(read_all(child.stdout.take().unwrap()));
        let stderr = tokio::spawn(read_all(child.stderr.take().unwrap()));
        let (kill, killed) = oneshot::channel();
        let (exited, exit) = watch::channel(None);
        tokio::spawn(supervise(child, killed, exited));
        Function { simulator, api, kill, exit, stdout, stderr }
    }

    /// Invokes the function with an event.
    pub(crate) async fn invoke(&self, event: &Value) -> Response {
        self.invoke_within(event, TIMEOUT).await
    }

    /// Invokes the function with an event and a timeout.
    pub(crate) async fn invoke_within(&self, event: &Value, timeout: Duration) -> Response {
        response(&self.invoke_bytes(event.to_string(), timeout).await)
    }

    /// Invokes the function with arbitrary bytes.
    pub(crate) async fn invoke_bytes(
        &self,
        event: impl Into<Bytes>,
        timeout: Duration,
    ) -> Invocation {
        self.try_invoke(event, timeout)
            .await
            .unwrap_or_else(|error| panic!("the function did not respond: {error}"))
    }

    /// Invokes the function with arbitrary bytes. Returns an error with the reason if it does not
    /// respond.
    pub(crate) async fn try_invoke(
        &self,
        event: impl Into<Bytes>,
        timeout: Duration,
    ) -> Result<Invocation, String> {
        let mut exit = self.exit.clone();
        let invocation = tokio::select! {
            invocation = self.api.invoke(event, timeout) => invocation,
            _ = exit.wait_for(Option::is_some) => return Err("the process exited".to_owned()),
        };
        let invocation = invocation.map_err(|error| error.to_string())?;
        let body = match &invocation.outcome {
            InvocationOutcome::Response(body) | InvocationOutcome::Error { body, .. } => body,
        };
        assert_no_key(&String::from_utf8_lossy(body));
        Ok(invocation)
    }

    /// Makes the Runtime API fail to receive the next response.
    pub(crate) fn fail_next_response(&self, fault: ResponseFault) {
        self.api.fail_next_response(fault);
    }

    /// Panics unless the function still handles a simple request.
    pub(crate) async fn assert_works(&self, after: &str) {
        self.simulator.clear();
        let response = self.invoke(&request()).await;
        assert_eq!(
            response,
            Response::Result(json!(REPLY)),
            "the function should still work after {after}"
        );
    }

    /// Kills the process and returns its output. Panics if the output contains a key or a panic
    /// message.
    pub(crate) async fn stop(self) -> ProcessOutput {
        let Function { simulator, api, kill, exit, stdout, stderr } = self;
        drop(kill);
        let output = output(exit, stdout, stderr).await;
        drop((simulator, api));
        output
    }

    /// Waits for the process to exit and returns its output.
    pub(crate) async fn wait(self) -> ProcessOutput {
        let Function { simulator, api, kill, exit, stdout, stderr } = self;
        let output = output(exit, stdout, stderr);
        let output =
            tokio::time::timeout(TIMEOUT, output).await.expect("the process should exit in time");
        drop((simulator, api, kill));
        output
    }
}

/// Waits for the process to exit, or kills it when the sender of `killed` is dropped.
async fn supervise(
    mut child: Child,
    killed: oneshot::Receiver<()>,
    exited: watch::Sender<Option<ExitStatus>>,
) {
    tokio::select! {
        status = child.wait() => exited.send_replace(Some(status.unwrap())),
        _ = killed => {
            child.start_kill().unwrap();
            exited.send_replace(Some(child.wait().await.unwrap()))
        }
    };
}

async fn output(
    mut exit: watch::Receiver<Option<ExitStatus>>,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
) -> ProcessOutput {
    let status = exit.wait_for(Option::is_some).await.unwrap().unwrap();
    let (stdout, stderr) = (stdout.await.unwrap(), stderr.await.unwrap());
    assert_no_key(&stdout);
    assert_no_key(&stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    ProcessOutput { stdout, stderr, status }
}

impl ProcessOutput {
    /// Returns the log lines. Panics if a line is not a JSON object.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let parse = |line: &str| {
            let value: Value = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("a log line is not JSON: {error}: {line}"));
            assert!(value.is_object(), "{line}");
            value
        };
        self.stdout.lines().map(parse).collect()
    }
}

impl Response {
    /// Returns the result of a successful invocation. Panics if the invocation failed.
    pub(crate) fn result(self) -> Value {
        match self {
            Response::Result(value) => value,
            Response::Failed { error_type, message } => {
                panic!("expected a result, got {error_type}: {message}")
            }
        }
    }

    /// Returns the error type and the message of a failed invocation. Panics if it succeeded.
    pub(crate) fn failure(self) -> (String, String) {
        match self {
            Response::Failed { error_type, message } => (error_type, message),
            Response::Result(value) => panic!("expected a failure, got {value}"),
        }
    }

    /// Returns the status, headers and body of an HTTP response.
    pub(crate) fn http(self) -> (u64, BTreeMap<String, String>, String) {
        let value = self.result();
        assert_eq!(value["isBase64Encoded"], json!(false), "{value}");
        let headers = value["headers"].as_object().unwrap().iter();
        let headers = headers.map(|(name, text)| (name.clone(), text.as_str().unwrap().to_owned()));
        let status = value["statusCode"].as_u64().unwrap();
        (status, headers.collect(), value["body"].as_str().unwrap().to_owned())
    }
}

/// Converts the outcome of an invocation. For an error, only the body is read, because callers
/// receive it. Lambda uses the error header only for metrics, and `lambda_runtime` always sets it
/// to "unhandled".
pub(crate) fn response(invocation: &Invocation) -> Response {
    match &invocation.outcome {
        InvocationOutcome::Response(body) => {
            Response::Result(serde_json::from_slice(body).unwrap())
        }
        InvocationOutcome::Error { body, .. } => {
            let error: Value = serde_json::from_slice(body).unwrap();
            let text = |name: &str| error[name].as_str().unwrap_or_else(|| panic!("{error}"));
            Response::Failed {
                error_type: text("errorType").to_owned(),
                message: text("errorMessage").to_owned(),
            }
        }
    }
}

/// Returns a valid request.
pub(crate) fn request() -> Value {
    json!({
        "provider": "openai",
        "model": "gpt-4o-mini",
        "message": "Say hello.",
        "options": { "maxDelay": 1 }
    })
}

/// The simulator's reply to [`request`].
pub(crate) const REPLY: &str = "Simulated reply from gpt-4o-mini to: \"Say hello.\"";

/// Reads the event in `cases/events/<name>.json` and applies a JSON merge patch (RFC 7396) to it.
pub(crate) fn event(name: &str, patch: &Value) -> Value {
    let path = format!("{}/tests/cases/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut event = serde_json::from_str(&text).unwrap();
    if patch.is_object() {
        merge(&mut event, patch);
    }
    event
}

/// Creates a function URL event with a request in its body.
pub(crate) fn post_event(request: &Value) -> Value {
    event("function-url", &json!({ "body": request.to_string() }))
}

/// Applies a JSON merge patch. Objects are merged, null removes a field, and any other value
/// replaces it.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let fields = target.as_object_mut().unwrap();
    for (name, value) in patch {
        if value.is_null() {
            fields.shift_remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Panics if the text contains an API key.
pub(crate) fn assert_no_key(text: &str) {
    for key in [OPENAI_KEY, ANTHROPIC_KEY, ENDPOINT_KEY] {
        assert!(!text.contains(key), "the output contains a key: {text}");
    }
}

async fn read_all(mut pipe: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
