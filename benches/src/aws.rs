//! Minimal servers that simulate S3 and Parameter Store. After a delay, S3 returns a config and
//! Parameter Store returns a key.
//!
//! The servers count their calls. Each server has its own port, because the real services do not
//! share connections.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::error::Error;

/// The delay between the last byte of a request and the response.
const WAIT: Duration = Duration::from_millis(5);

/// The bucket that contains the prompt.
pub(crate) const BUCKET: &str = "bench-prompts";
/// The key of the only config in the bucket.
pub(crate) const KEY: &str = "kitten.json";

/// The function's AWS credentials, which the S3 simulator accepts.
pub(crate) const CREDENTIALS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("AWS_SESSION_TOKEN", "a.session.token"),
];

type HttpResponse = Response<Full<Bytes>>;

/// A function that handles a request. It returns `None` if the resource does not exist.
type Service = fn(&Parts, &[u8]) -> Option<HttpResponse>;

/// The servers for both services.
#[derive(Debug)]
pub(crate) struct Aws {
    pub(crate) s3: Server,
    pub(crate) ssm: Server,
}

impl Aws {
    pub(crate) async fn start() -> Result<Self, Error> {
        Ok(Aws { s3: Server::start(get_object).await?, ssm: Server::start(get_parameter).await? })
    }

    /// Resets the call counters.
    pub(crate) fn clear(&self) {
        for server in [&self.s3, &self.ssm] {
            server.calls.store(0, Ordering::Relaxed);
        }
    }

    /// Returns the number of calls to S3 and the number of calls to Parameter Store.
    pub(crate) fn calls(&self) -> [u32; 2] {
        [&self.s3, &self.ssm].map(|server| server.calls.load(Ordering::Relaxed))
    }
}

/// A running server, which stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    calls: Arc<AtomicU32>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(service: Service) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let calls = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&calls);
        let task = tokio::spawn(async move {
            // If accepting a connection fails, the function can't call this server, and the
            // benchmark reports the function's error.
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, service, Arc::clone(&counter)));
            }
        });
        Ok(Server { url, calls, task })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, service: Service, calls: Arc<AtomicU32>) {
    // Ignore errors, because TCP_NODELAY only reduces the latency.
    drop(stream.set_nodelay(true));
    let handler = service_fn(|request| {
        calls.fetch_add(1, Ordering::Relaxed);
        respond(request, service)
    });
    // An error only means that the function was killed.
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), handler).await);
}

async fn respond(request: Request<Incoming>, service: Service) -> Result<HttpResponse, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    wait().await;
    Ok(service(&head, &body).unwrap_or_else(|| {
        let mut not_found = Response::default();
        *not_found.status_mut() = StatusCode::NOT_FOUND;
        not_found
    }))
}

/// Sleeps in a separate thread, because Tokio's timers have a resolution of only 1 ms and fire
/// late.
#[expect(clippy::disallowed_methods, reason = "the thread has nothing else to do")]
async fn wait() {
    drop(tokio::task::spawn_blocking(|| std::thread::sleep(WAIT)).await);
}

/// Handles `GetObject` for the only config.
fn get_object(head: &Parts, _: &[u8]) -> Option<HttpResponse> {
    if head.method != Method::GET || head.uri.path() != format!("/{BUCKET}/{KEY}") {
        return None;
    }
    let config = json!({ "output": "string", "message": "Talk like a kitten. Hello!" });
    let etag = "\"4a7d1ed414474e4033ac29ccb8653d9b\"";
    reply(&config, &[("content-type", "application/json"), ("etag", etag)])
}

/// Handles `GetParameter` for any parameter name.
fn get_parameter(head: &Parts, body: &[u8]) -> Option<HttpResponse> {
    let target = head.headers.get("x-amz-target")?;
    if head.method != Method::POST || target != "AmazonSSM.GetParameter" {
        return None;
    }
    let name = &serde_json::from_slice::<Value>(body).ok()?["Name"];
    let parameter = json!({ "Name": name, "Type": "SecureString", "Value": "sk-bench" });
    let headers = [("content-type", "application/x-amz-json-1.1")];
    reply(&json!({ "Parameter": parameter }), &headers)
}

fn reply(body: &Value, headers: &[(&str, &str)]) -> Option<HttpResponse> {
    let start = Response::builder().header("x-amz-request-id", "BENCH");
    let reply = headers.iter().fold(start, |reply, (name, value)| reply.header(*name, *value));
    reply.body(Full::from(body.to_string())).ok()
}
