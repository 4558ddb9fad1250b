//! Runs moto as a child process and sends requests to it with a minimal HTTP client.
//!
//! Tests set up moto's buckets, parameters and queues with this client, so that they do not depend
//! on the client under test.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A running moto server. It is killed when this value is dropped.
pub(crate) struct Moto {
    pub(crate) port: u16,
    _process: Child,
}

impl Moto {
    pub(crate) async fn start() -> Moto {
        #[expect(clippy::disallowed_methods, reason = "scripts/test sets the path of the tool")]
        let program =
            std::env::var("MOTO_SERVER").expect("MOTO_SERVER should be the path of moto_server");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
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
            assert!(started.elapsed() < START_TIMEOUT, "moto did not start listening in time");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Moto { port, _process: process }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Sends an S3 request and returns the version id from the response. Panics if the request
    /// fails.
    pub(crate) async fn s3(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let (status, head, text) = self.send(method, path, "s3", &[], body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
        let mut lines = head.lines();
        lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_version = name.eq_ignore_ascii_case("x-amz-version-id");
            is_version.then(|| value.trim().to_owned())
        })
    }

    /// Creates a bucket, and enables versioning if `is_versioned` is true.
    pub(crate) async fn bucket(&self, name: &str, is_versioned: bool) {
        self.s3("PUT", &format!("/{name}"), "").await;
        if is_versioned {
            let configuration =
                "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
            self.s3("PUT", &format!("/{name}?versioning"), configuration).await;
        }
    }

    /// Sends a request to a service that uses a JSON protocol and returns the response body. Panics
    /// if the request fails.
    pub(crate) async fn json(&self, service: &str, target: &str, body: &Value) -> Value {
        let version = if service == "sqs" { "1.0" } else { "1.1" };
        let content_type = format!("application/x-amz-json-{version}");
        let headers = [("x-amz-target", target), ("content-type", &content_type)];
        let (status, _, text) = self.send("POST", "/", service, &headers, &body.to_string()).await;
        assert_eq!(status, 200, "{target}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Stores an encrypted parameter, as `npm run update-secrets` does.
    pub(crate) async fn secret(&self, name: &str, value: &str) {
        let body = serde_json::json!({
            "Name": name, "Value": value, "Type": "SecureString", "Overwrite": true,
        });
        self.json("ssm", "AmazonSSM.PutParameter", &body).await;
    }

    async fn send(
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
        let mut response = Vec::new();
        stream.read_to_end(&mut response).await.unwrap();
        let text = String::from_utf8_lossy(&response).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").expect("the response should be complete");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_owned(), body.to_owned())
    }
}
