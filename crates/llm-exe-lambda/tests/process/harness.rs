//! One function, as Lambda has it: a process, its Runtime API, and providers that are simulated.

use std::collections::BTreeMap;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use llm_exe_simulator::Simulator;
use llm_exe_testkit::runtime_api::{Invocation, Outcome, RuntimeApi};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// Keys that look like none, so that nothing but their value tells them.
pub(crate) const OPENAI_KEY: &str = "sentinel.of.the.openai.key";
pub(crate) const ANTHROPIC_KEY: &str = "sentinel.of.the.anthropic.key";
pub(crate) const ENDPOINT_KEY: &str = "sentinel.of.the.endpoint.key";

/// Lambda's time for an invocation where a test does not care.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// A function that runs.
pub(crate) struct Function {
    pub(crate) simulator: Arc<Simulator>,
    api: RuntimeApi,
    /// Dropped, it kills the process.
    kill: oneshot::Sender<()>,
    exit: watch::Receiver<Option<ExitStatus>>,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Result(Value),
    Failed { error_type: String, message: String },
}

/// Everything that a process printed.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: ExitStatus,
}

impl Function {
    /// With every key, and anybody may call.
    pub(crate) async fn start() -> Function {
        Function::with(&[
            ("OPENAI_API_KEY", OPENAI_KEY),
            ("ANTHROPIC_API_KEY", ANTHROPIC_KEY),
            ("ENDPOINT_AUTH", "NONE"),
        ])
        .await
    }

    /// With these variables, and what Lambda sets, and nothing else.
    pub(crate) async fn with(variables: &[(&str, &str)]) -> Function {
        Function::beside(Arc::new(Simulator::start().await.unwrap()), variables).await
    }

    /// The same, with providers that others ask, too.
    pub(crate) async fn beside(simulator: Arc<Simulator>, variables: &[(&str, &str)]) -> Function {
        Function::spawn(env!("CARGO_BIN_EXE_llm-exe-lambda"), simulator, variables).await
    }

    /// Starts another build of the binary.
    pub(crate) async fn spawn(
        program: &str,
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
        let stdout = tokio::spawn(all_of(child.stdout.take().unwrap()));
        let stderr = tokio::spawn(all_of(child.stderr.take().unwrap()));
        let (kill, killed) = oneshot::channel();
        let (tell, exit) = watch::channel(None);
        tokio::spawn(watched(child, killed, tell));
        Function { simulator, api, kill, exit, stdout, stderr }
    }

    /// Invokes it with an event.
    pub(crate) async fn invoke(&self, event: &Value) -> Answer {
        self.invoke_within(event, TIMEOUT).await
    }

    /// Invokes it with an event that must be answered in this time.
    pub(crate) async fn invoke_within(&self, event: &Value, timeout: Duration) -> Answer {
        answer(&self.invoke_bytes(event.to_string(), timeout).await)
    }

    /// Invokes it with whatever bytes.
    pub(crate) async fn invoke_bytes(
        &self,
        event: impl Into<Bytes>,
        timeout: Duration,
    ) -> Invocation {
        self.try_invoke(event, timeout).await.unwrap_or_else(|error| panic!("no answer: {error}"))
    }

    /// Invokes it with whatever bytes; why there is no answer, if there is none.
    pub(crate) async fn try_invoke(
        &self,
        event: impl Into<Bytes>,
        timeout: Duration,
    ) -> Result<Invocation, String> {
        let mut exit = self.exit.clone();
        let invocation = tokio::select! {
            invocation = self.api.invoke(event, timeout) => invocation,
            _ = exit.wait_for(Option::is_some) => return Err("the process ended".to_owned()),
        };
        let invocation = invocation.map_err(|error| error.to_string())?;
        let body = match &invocation.outcome {
            Outcome::Response(body) | Outcome::Error { body, .. } => body,
        };
        tells_no_key(&String::from_utf8_lossy(body));
        Ok(invocation)
    }

    /// Fails unless a plain request is answered.
    pub(crate) async fn is_well(&self, after: &str) {
        self.simulator.clear();
        let answer = self.invoke(&request()).await;
        assert_eq!(answer, Answer::Result(json!(REPLY)), "the invocation after {after}");
    }

    /// Ends the process by SIGKILL; everything that it printed, which holds no key and tells of no
    /// panic.
    pub(crate) async fn stop(self) -> Printed {
        let Function { simulator, api, kill, exit, stdout, stderr } = self;
        drop(kill);
        let printed = printed(exit, stdout, stderr).await;
        drop((simulator, api));
        printed
    }

    /// Waits for the process to end by itself.
    pub(crate) async fn ended(self) -> Printed {
        let Function { simulator, api, kill, exit, stdout, stderr } = self;
        let printed = printed(exit, stdout, stderr);
        let printed = tokio::time::timeout(TIMEOUT, printed).await.expect("the process ends");
        drop((simulator, api, kill));
        printed
    }
}

async fn watched(
    mut child: Child,
    killed: oneshot::Receiver<()>,
    tell: watch::Sender<Option<ExitStatus>>,
) {
    tokio::select! {
        status = child.wait() => tell.send_replace(Some(status.unwrap())),
        _ = killed => {
            child.start_kill().unwrap();
            tell.send_replace(Some(child.wait().await.unwrap()))
        }
    };
}

async fn printed(
    mut exit: watch::Receiver<Option<ExitStatus>>,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
) -> Printed {
    let status = exit.wait_for(Option::is_some).await.unwrap().unwrap();
    let (stdout, stderr) = (stdout.await.unwrap(), stderr.await.unwrap());
    tells_no_key(&stdout);
    tells_no_key(&stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    Printed { stdout, stderr, status }
}

impl Printed {
    /// The lines of the log: each is one JSON object.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let read = |line: &str| {
            let value: Value = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("a log line is not JSON: {error}: {line}"));
            assert!(value.is_object(), "{line}");
            value
        };
        self.stdout.lines().map(read).collect()
    }
}

impl Answer {
    /// The result of a success.
    pub(crate) fn result(self) -> Value {
        match self {
            Answer::Result(value) => value,
            Answer::Failed { error_type, message } => panic!("failed: {error_type}: {message}"),
        }
    }

    /// Type and message of a failure.
    pub(crate) fn failure(self) -> (String, String) {
        match self {
            Answer::Failed { error_type, message } => (error_type, message),
            Answer::Result(value) => panic!("no failure: {value}"),
        }
    }

    /// The answer to an HTTP caller: status, headers, body.
    pub(crate) fn http(self) -> (u64, BTreeMap<String, String>, String) {
        let value = self.result();
        assert_eq!(value["isBase64Encoded"], json!(false), "{value}");
        let headers = value["headers"].as_object().unwrap().iter();
        let headers = headers.map(|(name, text)| (name.clone(), text.as_str().unwrap().to_owned()));
        let status = value["statusCode"].as_u64().unwrap();
        (status, headers.collect(), value["body"].as_str().unwrap().to_owned())
    }
}

/// The answer of an invocation. A caller gets an error's body; the header, which `lambda_runtime`
/// always sets to "unhandled", is for Lambda's own metrics.
pub(crate) fn answer(invocation: &Invocation) -> Answer {
    match &invocation.outcome {
        Outcome::Response(body) => Answer::Result(serde_json::from_slice(body).unwrap()),
        Outcome::Error { body, .. } => {
            let told: Value = serde_json::from_slice(body).unwrap();
            let text = |name: &str| told[name].as_str().unwrap_or_else(|| panic!("{told}"));
            Answer::Failed {
                error_type: text("errorType").to_owned(),
                message: text("errorMessage").to_owned(),
            }
        }
    }
}

/// A request that is fine.
pub(crate) fn request() -> Value {
    json!({
        "provider": "openai",
        "model": "gpt-4o-mini",
        "message": "Say hello.",
        "options": { "maxDelay": 1 }
    })
}

/// What the simulator answers to [`request`].
pub(crate) const REPLY: &str = "Simulated reply from gpt-4o-mini to: \"Say hello.\"";

/// An event of a file in `cases/events`, patched as RFC 7396 has it.
pub(crate) fn event(name: &str, patch: &Value) -> Value {
    let path = format!("{}/tests/cases/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut event = serde_json::from_str(&text).unwrap();
    if patch.is_object() {
        merge(&mut event, patch);
    }
    event
}

/// A function URL's event for a request.
pub(crate) fn posted(request: &Value) -> Value {
    event("function-url", &json!({ "body": request.to_string() }))
}

/// A merge patch: objects field by field, null removes, the rest is replaced.
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

/// Fails if a text holds any of the keys.
pub(crate) fn tells_no_key(text: &str) {
    for key in [OPENAI_KEY, ANTHROPIC_KEY, ENDPOINT_KEY] {
        assert!(!text.contains(key), "a key is told: {text}");
    }
}

async fn all_of(mut pipe: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
