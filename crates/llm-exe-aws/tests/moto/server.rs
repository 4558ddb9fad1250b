//! moto, services of AWS that others wrote, as a process on a free port; and a plain
//! HTTP client to fill it with, so that ours does not vouch for itself.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

const PATIENCE: Duration = Duration::from_secs(60);

/// A server that ends with the test.
pub(crate) struct Moto {
    pub(crate) port: u16,
    _process: Child,
}

impl Moto {
    pub(crate) async fn start() -> Moto {
        #[expect(clippy::disallowed_methods, reason = "scripts/test says where the tool is")]
        let program = std::env::var("MOTO_SERVER").expect("MOTO_SERVER is the tool's path");
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(started.elapsed() < PATIENCE, "moto does not serve");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Moto { port, _process: process }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// A request of S3 that must succeed; the answer's version.
    pub(crate) async fn s3(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let (status, head, text) = self.ask(method, path, "s3", &[], body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
        let mut lines = head.lines();
        lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_version = name.eq_ignore_ascii_case("x-amz-version-id");
            is_version.then(|| value.trim().to_owned())
        })
    }

    /// A bucket, of which versions are kept or not.
    pub(crate) async fn bucket(&self, name: &str, is_versioned: bool) {
        self.s3("PUT", &format!("/{name}"), "").await;
        if is_versioned {
            let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
            self.s3("PUT", &format!("/{name}?versioning"), on).await;
        }
    }

    /// A request of a service that speaks JSON, which must succeed; the answer.
    pub(crate) async fn json(&self, service: &str, target: &str, body: &Value) -> Value {
        let version = if service == "sqs" { "1.0" } else { "1.1" };
        let content_type = format!("application/x-amz-json-{version}");
        let headers = [("x-amz-target", target), ("content-type", &content_type)];
        let (status, _, text) = self.ask("POST", "/", service, &headers, &body.to_string()).await;
        assert_eq!(status, 200, "{target}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Sets a parameter as `npm run update-secrets` does.
    pub(crate) async fn secret(&self, name: &str, value: &str) {
        let body = serde_json::json!({
            "Name": name, "Value": value, "Type": "SecureString", "Overwrite": true,
        });
        self.json("ssm", "AmazonSSM.PutParameter", &body).await;
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        service: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, String, String) {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost:{}\r\nconnection: close\r\n\
             authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/\
             {service}/aws4_request, SignedHeaders=host, Signature=0\r\n\
             content-length: {}\r\n",
            self.port,
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").expect("a whole answer");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_owned(), body.to_owned())
    }
}
