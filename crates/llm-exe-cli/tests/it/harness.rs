//! Helpers that create temporary folders, run the program in them, and send HTTP requests to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use llm_exe_simulator::Simulator;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};

/// API keys for tests. They do not have the format of real keys, so the program can redact them
/// only by value.
pub(crate) const OPENAI_KEY: &str = "sentinel.of.the.openai.key";
pub(crate) const ANTHROPIC_KEY: &str = "sentinel.of.the.anthropic.key";
pub(crate) const ENDPOINT_KEY: &str = "sentinel.of.the.endpoint.key";

pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// A temporary folder. It is deleted when this value is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("cli-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and returns its name for use on the command line.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        std::fs::write(self.0.join(name), text).unwrap();
        name.to_owned()
    }

    /// Returns a command that runs the program in this folder with an empty environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_llm-exe"));
        command
            .args(arguments)
            .current_dir(&self.0)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs the program with an empty environment.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(&[], arguments).await
    }

    /// Runs the program with only these environment variables.
    pub(crate) async fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        wait(command.spawn().unwrap()).await
    }

    /// Runs the program with `input` on standard input.
    pub(crate) async fn run_with_input(&self, input: &str, arguments: &[&str]) -> Output {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        wait(child).await
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The output and exit code of the program.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Parses standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Parses standard error as JSON and returns its field `error`.
    pub(crate) fn error(&self) -> Value {
        let error: Value =
            serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        error["error"].clone()
    }
}

/// Waits for the program to exit and returns its output. Panics if the output contains a key or a
/// panic message.
pub(crate) async fn wait(child: Child) -> Output {
    wait_within(TIMEOUT, child).await
}

/// Waits for the program to exit within a time, as [`wait`] does.
pub(crate) async fn wait_within(limit: Duration, child: Child) -> Output {
    let exited = tokio::time::timeout(limit, child.wait_with_output());
    let exited = exited.await.expect("the program should exit in time").unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let output = Output {
        code: exited.status.code(),
        stdout: text(&exited.stdout),
        stderr: text(&exited.stderr),
    };
    assert_no_secrets(&output.stdout);
    assert_no_secrets(&output.stderr);
    output
}

/// Panics if the text contains a key or a panic message.
pub(crate) fn assert_no_secrets(text: &str) {
    for key in [OPENAI_KEY, ANTHROPIC_KEY, ENDPOINT_KEY] {
        assert!(!text.contains(key), "the output contains a key: {text}");
    }
    assert!(!text.contains("panicked"), "{text}");
}

/// Returns a valid request.
pub(crate) fn request() -> Value {
    json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "Say hello.",
        "options": { "maxDelay": 1 }
    })
}

/// The simulator's reply to [`request`].
pub(crate) const REPLY: &str = "Simulated reply from gpt-4o-mini to: \"Say hello.\"";

/// Returns environment variables that set the keys and make the program call the simulator.
pub(crate) fn simulator_variables(simulator: &Simulator) -> Vec<(&'static str, String)> {
    vec![
        ("OPENAI_BASE_URL", simulator.openai_base_url()),
        ("ANTHROPIC_BASE_URL", simulator.anthropic_base_url()),
        ("OPENAI_API_KEY", OPENAI_KEY.to_owned()),
        ("ANTHROPIC_API_KEY", ANTHROPIC_KEY.to_owned()),
    ]
}

/// Converts variables to the type that [`Folder::run_with`] accepts.
pub(crate) fn as_pairs<'a>(
    variables: &'a [(&'static str, String)],
) -> Vec<(&'static str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// A running `llm-exe serve` process.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) port: u16,
    stderr: BufReader<ChildStderr>,
}

impl Server {
    /// Starts the server on a free port and waits until it is ready.
    pub(crate) async fn start(
        folder: &Folder,
        variables: &[(&str, &str)],
        arguments: &[&str],
    ) -> Server {
        let arguments = [&["serve", "--port", "0"], arguments].concat();
        let mut command = folder.command(&arguments);
        let mut child = command.envs(variables.iter().copied()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let first_line = tokio::time::timeout(TIMEOUT, stderr.read_line(&mut line));
        first_line.await.expect("the server should print a line in time").unwrap();
        let port = line.split("http://").nth(1).and_then(|rest| {
            let address = rest.split_whitespace().next()?;
            address.rsplit(':').next()?.parse().ok()
        });
        let port = port.unwrap_or_else(|| panic!("expected a line with the port, got {line:?}"));
        let server = Server { child, port, stderr };
        // A server that responds to a request has also installed its signal handlers.
        assert_eq!(server.get("/health").await.status, 200);
        server
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[], b"").await
    }

    pub(crate) async fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Response {
        self.send("POST", path, &[("content-type", "application/json")], body.as_ref()).await
    }

    /// Sends a request. Adds a valid `host` header unless `headers` contains one.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            head.push_str(&format!("host: 127.0.0.1:{}\r\n", self.port));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        self.raw(&[head.as_bytes(), body].concat()).await
    }

    /// Sends raw bytes and reads the response until the connection closes.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> Response {
        let exchange = async {
            let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
            let (mut from, mut to) = stream.into_split();
            let bytes = bytes.to_vec();
            // The server may respond and close the connection before it has read the complete
            // request.
            let writing = tokio::spawn(async move {
                let _ = to.write_all(&bytes).await;
                to
            });
            let mut response = Vec::new();
            let _ = from.read_to_end(&mut response).await;
            writing.abort();
            response
        };
        let response = tokio::time::timeout(TIMEOUT, exchange)
            .await
            .expect("the server should respond in time");
        Response::parse(&response)
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id().unwrap(), name);
    }

    /// Waits for the server to exit and returns the output that it printed after it was ready.
    pub(crate) async fn wait(mut self) -> Output {
        let status = tokio::time::timeout(TIMEOUT, self.child.wait());
        let status = status.await.expect("the server should exit in time").unwrap();
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stderr.read_to_string(&mut stderr).await.unwrap();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).await.unwrap();
        assert_no_secrets(&stdout);
        assert_no_secrets(&stderr);
        Output { code: status.code(), stdout, stderr }
    }

    /// Stops the server with `SIGTERM` and waits for it to exit.
    pub(crate) async fn stop(self) -> Output {
        self.signal("TERM");
        self.wait().await
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(process_id: u32, name: &str) {
    let status = std::process::Command::new("kill")
        .args([&format!("-{name}"), &process_id.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// An HTTP response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Response {
    fn parse(bytes: &[u8]) -> Response {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert_no_secrets(&text);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let pair = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_lowercase(), value.to_owned())
        };
        Response { status, headers: lines.map(pair).collect(), body: body.to_owned() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Returns the error's type. Panics if the body does not have the structure of an error
    /// response.
    pub(crate) fn error_type(&self) -> String {
        let body = self.json();
        let error = &body["error"];
        assert_eq!(self.headers["content-type"], "application/json", "{self:?}");
        assert!(error["message"].is_string() && error["retryable"].is_boolean(), "{body}");
        assert!(error["requestId"].is_string(), "no requestId: {body}");
        error["type"].as_str().unwrap().to_owned()
    }
}
