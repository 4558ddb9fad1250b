//! A folder of its own for each test, the program run in it, and a raw HTTP client.

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

/// Keys that look like none, so that nothing but their value tells them.
pub(crate) const OPENAI_KEY: &str = "sentinel.of.the.openai.key";
pub(crate) const ANTHROPIC_KEY: &str = "sentinel.of.the.anthropic.key";
pub(crate) const ENDPOINT_KEY: &str = "sentinel.of.the.endpoint.key";

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A folder that is gone after the test.
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

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A file in it; its name, to be said on the command line.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        std::fs::write(self.0.join(name), text).unwrap();
        name.to_owned()
    }

    /// The program, run in it with a clean environment.
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

    /// Runs the program with a clean environment.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(&[], arguments).await
    }

    /// Runs the program with these variables and no others.
    pub(crate) async fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Done {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        done(command.spawn().unwrap()).await
    }

    /// Runs the program with a text on its standard input.
    pub(crate) async fn run_on(&self, input: &str, arguments: &[&str]) -> Done {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        done(child).await
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a run printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Standard error as the JSON of a failure.
    pub(crate) fn failure(&self) -> Value {
        let error: Value =
            serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        error["error"].clone()
    }
}

/// Waits for a run.
pub(crate) async fn done(child: Child) -> Done {
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output());
    let output = output.await.expect("the program ends").unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let done = Done {
        code: output.status.code(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    };
    is_discreet(&done.stdout);
    is_discreet(&done.stderr);
    done
}

/// Fails if a text holds a key, or tells of a panic.
pub(crate) fn is_discreet(text: &str) {
    for key in [OPENAI_KEY, ANTHROPIC_KEY, ENDPOINT_KEY] {
        assert!(!text.contains(key), "a key is told: {text}");
    }
    assert!(!text.contains("panicked"), "{text}");
}

/// A request that is fine.
pub(crate) fn request() -> Value {
    json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "Say hello.",
        "options": { "maxDelay": 1 }
    })
}

/// What the simulator answers to [`request`].
pub(crate) const REPLY: &str = "Simulated reply from gpt-4o-mini to: \"Say hello.\"";

/// The variables that lead to a simulator, with keys.
pub(crate) fn led_to(simulator: &Simulator) -> Vec<(&'static str, String)> {
    vec![
        ("OPENAI_BASE_URL", simulator.openai_base_url()),
        ("ANTHROPIC_BASE_URL", simulator.anthropic_base_url()),
        ("OPENAI_API_KEY", OPENAI_KEY.to_owned()),
        ("ANTHROPIC_API_KEY", ANTHROPIC_KEY.to_owned()),
    ]
}

/// Pairs as [`Folder::run_with`] takes them.
pub(crate) fn pairs<'a>(variables: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// `llm-exe serve`, listening.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) port: u16,
    stderr: BufReader<ChildStderr>,
}

impl Server {
    /// Starts it on a free port and waits until it is ready.
    pub(crate) async fn start(
        folder: &Folder,
        variables: &[(&str, &str)],
        more: &[&str],
    ) -> Server {
        let arguments = [&["serve", "--port", "0"], more].concat();
        let mut command = folder.command(&arguments);
        let mut child = command.envs(variables.iter().copied()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let read = tokio::time::timeout(PATIENCE, stderr.read_line(&mut line));
        read.await.expect("a first line").unwrap();
        let port = line.split("http://").nth(1).and_then(|rest| {
            let address = rest.split_whitespace().next()?;
            address.rsplit(':').next()?.parse().ok()
        });
        let port = port.unwrap_or_else(|| panic!("no port in {line:?}"));
        let server = Server { child, port, stderr };
        // Once a request is answered, the signals are listened to as well.
        assert_eq!(server.get("/health").await.status, 200);
        server
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"").await
    }

    pub(crate) async fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Reply {
        self.send("POST", path, &[("content-type", "application/json")], body.as_ref()).await
    }

    /// A request with the right `Host`, if the headers name no other.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
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

    /// Whatever bytes; the reply until the connection closes.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> Reply {
        let exchange = async {
            let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
            let (mut from, mut to) = stream.into_split();
            let bytes = bytes.to_vec();
            // A server may answer, and hang up, before it has read everything.
            let writing = tokio::spawn(async move {
                let _ = to.write_all(&bytes).await;
                to
            });
            let mut reply = Vec::new();
            let _ = from.read_to_end(&mut reply).await;
            writing.abort();
            reply
        };
        let reply = tokio::time::timeout(PATIENCE, exchange).await.expect("an answer in time");
        Reply::read(&reply)
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id().unwrap(), name);
    }

    /// Waits for its end; exit code, and what it printed on both streams since it was ready.
    pub(crate) async fn ended(mut self) -> Done {
        let status = tokio::time::timeout(PATIENCE, self.child.wait());
        let status = status.await.expect("the server ends").unwrap();
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stderr.read_to_string(&mut stderr).await.unwrap();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).await.unwrap();
        is_discreet(&stdout);
        is_discreet(&stderr);
        Done { code: status.code(), stdout, stderr }
    }

    /// Asks it to stop and waits for its end.
    pub(crate) async fn stop(self) -> Done {
        self.signal("TERM");
        self.ended().await
    }
}

/// Sends a signal to a process of ours.
pub(crate) fn signal(process: u32, name: &str) {
    let status = std::process::Command::new("kill")
        .args([&format!("-{name}"), &process.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// A reply as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Reply {
    fn read(bytes: &[u8]) -> Reply {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        is_discreet(&text);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let pair = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_lowercase(), value.to_owned())
        };
        Reply { status, headers: lines.map(pair).collect(), body: body.to_owned() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The type of a failure, whose body is of the contract's shape.
    pub(crate) fn error(&self) -> String {
        let body = self.json();
        let error = &body["error"];
        assert_eq!(self.headers["content-type"], "application/json", "{self:?}");
        assert!(error["message"].is_string() && error["retryable"].is_boolean(), "{body}");
        assert!(error["requestId"].is_string(), "no requestId: {body}");
        error["type"].as_str().unwrap().to_owned()
    }
}
