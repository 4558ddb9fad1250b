//! A proxy in front of moto that does what moto can't: refuse, throttle, dawdle, hang up.
//!
//! Each request takes the next deed; with none left it is passed on. It keeps a journal.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is done with a request.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Pass,
    /// Answered with this status, these header lines and this body.
    Answer(u16, String, String),
    /// Passed on after a while.
    Slow(Duration),
    /// The connection is closed without an answer.
    Drop,
    /// The answer is passed on but for its last bytes.
    Truncate(usize),
}

#[derive(Default)]
struct State {
    deeds: VecDeque<Action>,
    journal: Vec<String>,
}

/// The proxy; its tasks end with the test's runtime.
pub(crate) struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    pub(crate) async fn before(target: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served(stream, target, Arc::clone(&shared)));
            }
        });
        Proxy { port, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What the next requests meet; forgets the journal.
    pub(crate) fn will(&self, deeds: &[Action]) {
        let mut state = self.state.lock().unwrap();
        state.deeds = deeds.iter().cloned().collect();
        state.journal.clear();
    }

    /// The heads of the requests that came, in lower case.
    pub(crate) fn journal(&self) -> Vec<String> {
        self.state.lock().unwrap().journal.clone()
    }
}

/// One request, then the connection is closed.
async fn served(mut stream: TcpStream, target: u16, state: Arc<Mutex<State>>) -> Option<()> {
    let request = read(&mut stream).await?;
    let text = String::from_utf8_lossy(&request);
    let (head, _) = text.split_once("\r\n\r\n")?;
    let deed = {
        let mut state = state.lock().unwrap();
        state.journal.push(head.to_lowercase());
        state.deeds.pop_front().unwrap_or(Action::Pass)
    };
    let (keep, wait) = match deed {
        Action::Drop => return None,
        Action::Answer(status, headers, body) => {
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-length: {length}\r\n\
                 {headers}\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).await.ok()?;
            return stream.shutdown().await.ok();
        }
        Action::Pass => (0, Duration::ZERO),
        Action::Slow(wait) => (0, wait),
        Action::Truncate(bytes) => (bytes, Duration::ZERO),
    };
    tokio::time::sleep(wait).await;
    let mut moto = TcpStream::connect(("127.0.0.1", target)).await.ok()?;
    let at = request.windows(2).position(|pair| pair == b"\r\n")? + 2;
    moto.write_all(request.get(..at)?).await.ok()?;
    moto.write_all(b"connection: close\r\n").await.ok()?;
    moto.write_all(request.get(at..)?).await.ok()?;
    let mut answer = Vec::new();
    moto.read_to_end(&mut answer).await.ok()?;
    stream.write_all(answer.get(..answer.len() - keep)?).await.ok()?;
    stream.shutdown().await.ok()
}

/// A request's head, and the body that its length announces.
async fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
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
