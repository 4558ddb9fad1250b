//! A raw HTTP client, so that the tests trust nothing but a TCP stream.

use llm_exe_simulator::Simulator;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
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
        "bedrock-anthropic" | "converse" => {
            let (day, time) = now();
            &[("authorization", authorization(&day)), ("x-amz-date", time)]
        }
        _ => &[("x-api-key", KEY.to_owned()), ("anthropic-version", "2023-06-01".to_owned())],
    };
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// The day and the time as AWS writes them.
pub(crate) fn now() -> (String, String) {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (mut year, mut days) = (1970, seconds / 86_400);
    // 2000 was one; 2100 is far.
    let leap = |year: u64| year.is_multiple_of(4);
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let day = format!("{year}{:02}{:02}", month + 1, days + 1);
    let clock = seconds % 86_400;
    let clock = format!("{:02}{:02}{:02}", clock / 3600, clock / 60 % 60, clock % 60);
    (day.clone(), format!("{day}T{clock}Z"))
}

/// A signature by credentials that the simulator does not know, which it can't verify.
fn authorization(day: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={KEY}/{day}/us-east-1/bedrock/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature={}",
        "0f".repeat(32)
    )
}

/// Where a dialect is served.
#[allow(dead_code, reason = "not every test file sends such a request")]
pub(crate) fn path(dialect: &str) -> &'static str {
    match dialect {
        "openai" => "/v1/chat/completions",
        "gemini" => "/v1beta/models/gemini-2.5-flash:generateContent",
        "ollama" => "/api/chat",
        "bedrock-anthropic" => "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke",
        "converse" => "/model/amazon.nova-pro-v1%3A0/converse",
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
