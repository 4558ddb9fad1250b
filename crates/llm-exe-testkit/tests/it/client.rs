//! A minimal HTTP client on a TCP stream, which lets the tests check the exact bytes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A parsed HTTP response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

/// The maximum time to wait for a reply.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Returns the current day and the current time in AWS's format.
pub(crate) fn now() -> (String, String) {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (mut year, mut days) = (1970, seconds / 86_400);
    // This rule is correct until 2099.
    let is_leap = |year: u64| year.is_multiple_of(4);
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
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

/// Builds the bytes of a request.
pub(crate) fn request_bytes(
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

/// Sends bytes on a new connection and reads until the server closes the connection.
pub(crate) async fn send_bytes(address: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request).await?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await?;
        Ok(reply)
    };
    tokio::time::timeout(TIMEOUT, exchange)
        .await
        .expect("the server did not close the connection in time")
}

/// Sends a request and reads the reply.
pub(crate) async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &BTreeMap<String, String>,
    body: &[u8],
) -> Reply {
    let mut headers = headers.clone();
    headers.insert("connection".to_owned(), "close".to_owned());
    let request = request_bytes(method, path, &headers, body);
    parse(&send_bytes(address, &request).await.unwrap())
}

/// Parses a complete reply.
pub(crate) fn parse(reply: &[u8]) -> Reply {
    let reply = String::from_utf8_lossy(reply);
    let (head, text) = reply
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("the reply has no end of headers: {reply}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pair = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_lowercase(), value.to_owned())
    };
    Reply { status, headers: lines.map(pair).collect(), text: text.to_owned() }
}
