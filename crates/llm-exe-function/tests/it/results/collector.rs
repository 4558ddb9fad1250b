//! A collector of spans that a test can make fail.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request that a collector received.
#[derive(Debug, Clone)]
pub(crate) struct Export {
    /// The head of the request in lower case.
    pub(crate) head: String,
    /// The body as it was received.
    pub(crate) body: String,
}

impl Export {
    /// Returns the spans with their resource attributes removed.
    pub(crate) fn spans(&self) -> Vec<Value> {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
    }
}

/// How a collector responds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Response {
    /// With a status and a body.
    Body(u16, &'static str),
    /// Never.
    Hang,
}

/// A collector on this machine.
#[derive(Clone)]
pub(crate) struct Collector {
    url: String,
    exports: Arc<Mutex<Vec<Export>>>,
}

impl Collector {
    pub(crate) async fn start(response: Response) -> Collector {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let exports = Arc::default();
        let collector = Collector { url, exports };
        let shared = collector.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone(), response));
            }
        });
        collector
    }

    /// Returns the setting that exports to this collector.
    pub(crate) fn setting(&self) -> (&str, &str) {
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &self.url)
    }

    pub(crate) fn exports(&self) -> Vec<Export> {
        self.exports.lock().unwrap().clone()
    }

    /// Returns the spans of all exports.
    pub(crate) fn spans(&self) -> Vec<Value> {
        self.exports().iter().flat_map(Export::spans).collect()
    }
}

async fn serve(mut stream: TcpStream, collector: Collector, response: Response) -> Option<()> {
    let mut received = Vec::new();
    loop {
        let head_end = received.windows(4).position(|it| it == b"\r\n\r\n");
        let body_start = head_end.map(|end| end + 4);
        let head = body_start.map(|end| String::from_utf8_lossy(&received[..end]).to_lowercase());
        if let (Some(start), Some(head)) = (body_start, head) {
            let length = head.split("content-length: ").nth(1)?.lines().next()?.parse::<usize>();
            let end = start + length.ok()?;
            if received.len() >= end {
                let body = String::from_utf8(received[start..end].to_vec()).unwrap();
                collector.exports.lock().unwrap().push(Export { head, body });
                received.drain(..end);
                match response {
                    Response::Hang => std::future::pending().await,
                    Response::Body(status, body) => {
                        let length = body.len();
                        let text = format!(
                            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n\
                             content-length: {length}\r\n\r\n{body}"
                        );
                        stream.write_all(text.as_bytes()).await.ok()?;
                    }
                }
                continue;
            }
        }
        if stream.read_buf(&mut received).await.ok()? == 0 {
            return None;
        }
    }
}
