//! An HTTP proxy that injects failures that neither moto nor the simulator can produce.
//!
//! The proxy applies the next scripted action to each request. If no action remains, it forwards
//! the request. It also records the request line and headers of each request.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An action that the proxy applies to a request.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Forwards the request.
    Forward,
    /// Responds with the given status, header lines and body, without forwarding the request.
    Respond(u16, String, String),
    /// Forwards the request after a delay.
    Delay(Duration),
    /// Closes the connection without a response.
    Drop,
    /// Forwards the request, but drops the given number of bytes from the end of the response.
    Truncate(usize),
}

#[derive(Default)]
struct State {
    actions: VecDeque<Action>,
    request_heads: Vec<String>,
}

/// A running proxy. Its tasks stop when the test's runtime shuts down.
pub(crate) struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// Starts a proxy that forwards requests to a port on this machine.
    pub(crate) async fn start(target_port: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(handle(stream, target_port, Arc::clone(&shared)));
            }
        });
        Proxy { port, state }
    }

    /// Starts a proxy that can't forward requests. Tests that use it script an action for each
    /// request.
    pub(crate) async fn without_target() -> Proxy {
        Proxy::start(0).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sets the actions for the next requests and clears the recorded requests.
    pub(crate) fn script(&self, actions: &[Action]) {
        let mut state = self.state.lock().unwrap();
        state.actions = actions.iter().cloned().collect();
        state.request_heads.clear();
    }

    /// Returns the request line and headers of each request since the last call to
    /// [`Proxy::script`], in lowercase.
    pub(crate) fn request_heads(&self) -> Vec<String> {
        self.state.lock().unwrap().request_heads.clone()
    }

    pub(crate) fn request_count(&self) -> usize {
        self.request_heads().len()
    }
}

/// Handles one request and closes the connection.
async fn handle(mut stream: TcpStream, target_port: u16, state: Arc<Mutex<State>>) -> Option<()> {
    let request = read_request(&mut stream).await?;
    let text = String::from_utf8_lossy(&request);
    let (head, _) = text.split_once("\r\n\r\n")?;
    let action = {
        let mut state = state.lock().unwrap();
        state.request_heads.push(head.to_lowercase());
        state.actions.pop_front().unwrap_or(Action::Forward)
    };
    let (truncated_bytes, delay) = match action {
        Action::Drop => return None,
        Action::Respond(status, headers, body) => {
            let length = body.len();
            let response = format!(
                "HTTP/1.1 {status} Scripted\r\nconnection: close\r\ncontent-length: {length}\r\n\
                 {headers}\r\n{body}"
            );
            stream.write_all(response.as_bytes()).await.ok()?;
            return stream.shutdown().await.ok();
        }
        Action::Forward => (0, Duration::ZERO),
        Action::Delay(delay) => (0, delay),
        Action::Truncate(bytes) => (bytes, Duration::ZERO),
    };
    tokio::time::sleep(delay).await;
    let mut target = TcpStream::connect(("127.0.0.1", target_port)).await.ok()?;
    let end_of_first_line = request.windows(2).position(|pair| pair == b"\r\n")? + 2;
    target.write_all(request.get(..end_of_first_line)?).await.ok()?;
    target.write_all(b"connection: close\r\n").await.ok()?;
    target.write_all(request.get(end_of_first_line..)?).await.ok()?;
    let mut response = Vec::new();
    target.read_to_end(&mut response).await.ok()?;
    stream.write_all(response.get(..response.len() - truncated_bytes)?).await.ok()?;
    stream.shutdown().await.ok()
}

/// Reads a request, using `content-length` to find the end of its body.
async fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.ok()?;
        if count == 0 {
            return None;
        }
        request.extend_from_slice(chunk.get(..count)?);
        let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(request.get(..end)?).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        if request.len() >= end + 4 + length {
            return Some(request);
        }
    }
}
