//! Measures the delay of health checks while `llm-exe serve` handles other requests.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::harness::Folder;
use crate::limits::Build;

/// The interval of the health checks.
const INTERVAL: Duration = Duration::from_millis(20);

/// A running `llm-exe serve` process. Other threads send the requests to it, because the thread of
/// a test can be busy with the replies of the simulator.
pub(crate) struct Server {
    _child: Child,
    port: u16,
}

impl Server {
    /// Starts the process with limits that no test reaches, and waits until it listens.
    pub(crate) async fn start(
        folder: &Folder,
        build: &Build,
        variables: &[(&str, &str)],
    ) -> Server {
        let limits = Build { cpu_seconds: 3_600, address_space: 4_000, ..build.clone() };
        let mut command = limits.command(folder, &["serve", "--port", "0"]);
        let mut child = command.envs(variables.iter().copied()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).await.unwrap();
        let port = line.trim_end().rsplit(':').next().unwrap().parse().unwrap();
        // Without a reader of the log, the server would wait for space in the pipe.
        tokio::spawn(async move {
            while matches!(stderr.read_line(&mut line).await, Ok(size) if size > 0) {
                line.clear();
            }
        });
        Server { _child: child, port }
    }

    /// Sends a request several times at once. Returns the longest duration of a health check before
    /// the last response.
    pub(crate) async fn longest_delay_during(&self, request: &str, times: usize) -> Duration {
        let port = self.port;
        let request: Arc<str> = request.into();
        let posts: Vec<_> = (0..times)
            .map(|_| {
                let request = Arc::clone(&request);
                tokio::task::spawn_blocking(move || exchange(port, "POST", "/invoke", &request))
            })
            .collect();
        let is_done = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_done);
        let checks = tokio::task::spawn_blocking(move || {
            let mut longest = Duration::ZERO;
            while !until.load(Ordering::Relaxed) {
                let started = Instant::now();
                let response = exchange(port, "GET", "/health", "");
                assert!(response.starts_with("HTTP/1.1 200"), "{response:.300}");
                longest = longest.max(started.elapsed());
                if let Some(left) = INTERVAL.checked_sub(started.elapsed()) {
                    std::thread::park_timeout(left);
                }
            }
            longest
        });
        for post in posts {
            let response = post.await.unwrap();
            assert!(response.starts_with("HTTP/1.1 "), "{response:.300}");
            assert!(!response.contains("Internal"), "{response:.300}");
        }
        is_done.store(true, Ordering::Relaxed);
        checks.await.unwrap()
    }
}

/// Sends a request and returns the first 10 kB of the response.
fn exchange(port: u16, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    // The server may reject a request before it has read all of it.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    response.truncate(10_000);
    String::from_utf8_lossy(&response).into_owned()
}
