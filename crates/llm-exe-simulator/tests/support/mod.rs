//! A raw HTTP client, so that the tests trust nothing but a TCP stream.

use llm_exe_simulator::Simulator;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A reply as it came.
#[derive(Debug)]
#[allow(dead_code, reason = "not every test file reads every field")]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
}

impl Reply {
    #[allow(dead_code, reason = "not every test file reads JSON")]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

pub(crate) const KEY: &str = "sk-secret-of-the-test";
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The headers of a dialect's good request.
#[allow(dead_code, reason = "not every test file sends such a request")]
pub(crate) fn headers(dialect: &str) -> BTreeMap<String, String> {
    let pairs: &[(&str, String)] = match dialect {
        "openai" => &[("authorization", format!("Bearer {KEY}"))],
        "gemini" => &[("x-goog-api-key", KEY.to_owned())],
        "ollama" => &[],
        _ => &[("x-api-key", KEY.to_owned()), ("anthropic-version", "2023-06-01".to_owned())],
    };
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// Where a dialect is served.
#[allow(dead_code, reason = "not every test file sends such a request")]
pub(crate) fn path(dialect: &str) -> &'static str {
    match dialect {
        "openai" => "/v1/chat/completions",
        "gemini" => "/v1beta/models/gemini-2.5-flash:generateContent",
        "ollama" => "/api/chat",
        _ => "/v1/messages",
    }
}

/// The bytes of a request.
pub(crate) fn request(
    method: &str,
    path: &str,
    headers: &BTreeMap<String, String>,
    body: &[u8],
) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: simulator\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    [head.as_bytes(), body].concat()
}

/// Sends a request on a connection of its own, and reads until the connection closes.
pub(crate) async fn raw(address: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request).await?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await?;
        Ok(reply)
    };
    tokio::time::timeout(PATIENCE, exchange).await.expect("an end within the test's patience")
}

/// Sends a request and reads its reply.
pub(crate) async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &BTreeMap<String, String>,
    body: &[u8],
) -> Reply {
    let mut headers = headers.clone();
    headers.insert("connection".to_owned(), "close".to_owned());
    let reply = raw(address, &request(method, path, &headers, body)).await.unwrap();
    parse(&reply)
}

/// Sends a dialect's request with a good key.
#[allow(dead_code, reason = "not every test file sends such a request")]
pub(crate) async fn ask(simulator: &Simulator, dialect: &str, body: &Value) -> Reply {
    let body = body.to_string();
    send(simulator.address(), "POST", path(dialect), &headers(dialect), body.as_bytes()).await
}

/// Reads a reply that is whole.
pub(crate) fn parse(reply: &[u8]) -> Reply {
    let reply = String::from_utf8_lossy(reply);
    let (head, text) = reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {reply}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pair = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_lowercase(), value.to_owned())
    };
    Reply { status, headers: lines.map(pair).collect(), text: text.to_owned() }
}
