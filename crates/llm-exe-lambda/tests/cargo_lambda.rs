//! Runs the binary with cargo-lambda's emulator, an independent implementation of the Lambda
//! Runtime API.
//!
//! The emulator only serves the Runtime API (`--only-lambda-apis`) and does not build the binary.
//! The tests run a binary that is already built, so they do not wait for cargo's build lock.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use llm_exe_simulator::{Simulator, Step, StreamScript};
use llm_exe_testkit::program::{self, Build};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

const NAME: &str = "llm-exe-lambda";
const KEY: &str = "sentinel.of.the.key";
/// The timeout for starting the emulator and for each invocation.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The working directory of cargo-lambda, which looks there for the package's binaries.
const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// A running cargo-lambda emulator and the port that it listens on.
struct Emulator {
    program: String,
    port: u16,
    _watch: Child,
}

impl Emulator {
    async fn start() -> Emulator {
        #[expect(clippy::disallowed_methods, reason = "scripts/test passes the tool's path")]
        let program =
            std::env::var("CARGO_LAMBDA").expect("CARGO_LAMBDA should be the path of cargo-lambda");
        let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = unused.local_addr().unwrap().port();
        drop(unused);
        let watch = Command::new(&program)
            .args(["lambda", "watch", "--only-lambda-apis", "--ignore-changes"])
            .args(["--invoke-address", "127.0.0.1", "--invoke-port", &port.to_string()])
            .current_dir(FOLDER)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let emulator = Emulator { program, port, _watch: watch };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(started.elapsed() < TIMEOUT, "cargo-lambda did not start listening in time");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        emulator
    }

    /// Starts the function binary, which connects to the emulator's Runtime API.
    fn function(&self, simulator: &Simulator) -> Child {
        let built = Some(env!("CARGO_BIN_EXE_llm-exe-lambda"));
        Command::new(program::lambda(Build::Deployed, built).unwrap())
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", format!("http://127.0.0.1:{}/.rt/{NAME}", self.port))
            .env("AWS_LAMBDA_FUNCTION_NAME", NAME)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "4096")
            .env("OPENAI_BASE_URL", simulator.openai_base_url())
            .env("OPENAI_API_KEY", KEY)
            .env("ENDPOINT_AUTH", "NONE")
            .env("RESPONSE_STREAMING", "url")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// Invokes the function by running `cargo lambda invoke` with the payload.
    async fn invoke(&self, payload: &Value) -> Output {
        let output = Command::new(&self.program)
            .args(["lambda", "invoke", NAME, "--invoke-address", "127.0.0.1"])
            .args(["--invoke-port", &self.port.to_string(), "--color", "never"])
            .args(["--data-ascii", &payload.to_string()])
            .current_dir(FOLDER)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        tokio::time::timeout(TIMEOUT, output)
            .await
            .expect("cargo-lambda should respond in time")
            .unwrap()
    }
}

impl Emulator {
    /// Invokes the function over HTTP, as SDKs do. Returns the response, and how long it took from
    /// the first event to the end.
    async fn invoke_by_http(&self, payload: &Value) -> (String, Duration) {
        let payload = payload.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        // A response to HTTP/1.0 is not chunked.
        let request = format!(
            "POST /2015-03-31/functions/{NAME}/invocations HTTP/1.0\r\nhost: localhost\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{payload}",
            payload.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let (mut received, mut first_event) = (String::new(), None);
        let read = async {
            let mut buffer = [0; 1024];
            loop {
                let count = stream.read(&mut buffer).await.unwrap();
                if count == 0 {
                    break;
                }
                received.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
                if received.contains("event: ") {
                    first_event.get_or_insert_with(Instant::now);
                }
            }
        };
        tokio::time::timeout(TIMEOUT, read).await.expect("the response should end in time");
        let took = first_event.map(|at| at.elapsed()).unwrap_or_default();
        (received, took)
    }
}

#[tokio::test]
#[ignore = "needs cargo-lambda; ./scripts/test runs it"]
async fn streams_under_cargo_lambda() {
    let simulator = Simulator::start().await.unwrap();
    let emulator = Emulator::start().await;
    let _function = emulator.function(&simulator);
    let script = StreamScript { milliseconds: 300, ..StreamScript::default() };
    simulator.script(vec![Step::text("Hello there").stream(script)]);
    let request = json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "Say hello.", "stream": true
    });
    let context = json!({
        "domainName": "a.lambda-url.us-east-1.on.aws",
        "http": { "method": "POST", "path": "/" }
    });
    // The emulator's events of function URLs have another domain name.
    let mut event =
        json!({ "version": "2.0", "requestContext": context, "body": request.to_string() });
    let (response, took) = emulator.invoke_by_http(&event).await;
    assert!(response.starts_with("HTTP/1.0 200 OK\r\n"), "{response}");
    assert!(response.contains("\r\ncontent-type: text/event-stream\r\n"), "{response}");
    let body = response.split_once("\r\n\r\n").unwrap().1;
    assert!(body.starts_with("event: text\ndata: {\"delta\":\"Hell\",\"turn\":1}\n\n"), "{body}");
    assert!(body.ends_with("event: result\ndata: \"Hello there\"\n\n"), "{body}");
    assert!(took > Duration::from_millis(500), "the events should arrive one by one: {took:?}");

    // A response that is not a stream has a prelude too.
    event["body"] = json!(json!({ "provider": "opnai" }).to_string());
    let (response, _) = emulator.invoke_by_http(&event).await;
    assert!(response.starts_with("HTTP/1.0 400 Bad Request\r\n"), "{response}");
    assert!(response.contains("\"type\":\"InvalidRequest\""), "{response}");
}

#[tokio::test]
#[ignore = "needs cargo-lambda; ./scripts/test runs it"]
async fn runs_under_cargo_lambda() {
    let simulator = Simulator::start().await.unwrap();
    let emulator = Emulator::start().await;
    let _function = emulator.function(&simulator);
    let request = json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "Say hello.",
        "options": { "maxDelay": 1 }
    });

    let output = emulator.invoke(&request).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("Simulated reply from gpt-4o-mini to:"), "{text}");
    assert_eq!(simulator.journal().len(), 1);

    // After an error, the function still handles the next invocation.
    simulator.script(vec![Step::status(401)]);
    let output = emulator.invoke(&request).await;
    assert!(!output.status.success(), "{output:?}");
    let text = format!("{output:?}");
    assert!(text.contains("ProviderAuthFailed"), "{text}");
    assert!(!text.contains(KEY), "{text}");
    assert!(emulator.invoke(&request).await.status.success());
}
