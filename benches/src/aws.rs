//! Imitations of S3 and of Parameter Store: one config and one key, each answered after a while.
//!
//! In: calls over plain HTTP on loopback. Out: the answers, and how many calls there were. Each
//! service has a port of its own, since the real ones share no connection.

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

use crate::Fault;

/// From a call's last byte to its answer.
const WAIT: Duration = Duration::from_millis(5);

/// The prompt bucket.
pub(crate) const BUCKET: &str = "bench-prompts";
/// The config in it.
pub(crate) const KEY: &str = "kitten.json";

/// What the function signs with, and the simulator of S3 knows.
pub(crate) const CREDENTIALS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("AWS_SESSION_TOKEN", "a.session.token"),
];

type Answer = Response<Full<Bytes>>;
/// What a service answers, by the call's head and body.
type Service = fn(&Parts, &[u8]) -> Option<Answer>;

/// Both services.
#[derive(Debug)]
pub(crate) struct Aws {
    pub(crate) s3: Imitation,
    pub(crate) ssm: Imitation,
}

impl Aws {
    pub(crate) async fn start() -> Result<Self, Fault> {
        Ok(Aws {
            s3: Imitation::start(get_object).await?,
            ssm: Imitation::start(get_parameter).await?,
        })
    }

    /// Forgets the calls.
    pub(crate) fn clear(&self) {
        for imitation in [&self.s3, &self.ssm] {
            imitation.calls.store(0, Ordering::Relaxed);
        }
    }

    /// How often S3 and Parameter Store were called.
    pub(crate) fn calls(&self) -> [u32; 2] {
        [&self.s3, &self.ssm].map(|imitation| imitation.calls.load(Ordering::Relaxed))
    }
}

/// A running imitation; dropped, it accepts nobody any more.
#[derive(Debug)]
pub(crate) struct Imitation {
    pub(crate) url: String,
    calls: Arc<AtomicU32>,
    task: JoinHandle<()>,
}

impl Imitation {
    async fn start(service: Service) -> Result<Self, Fault> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let calls = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&calls);
        let task = tokio::spawn(async move {
            // Where it fails, the function has no answer, and the benchmark says so.
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, service, Arc::clone(&counted)));
            }
        });
        Ok(Imitation { url, calls, task })
    }
}

impl Drop for Imitation {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection(stream: TcpStream, service: Service, calls: Arc<AtomicU32>) {
    // Only a matter of latency.
    drop(stream.set_nodelay(true));
    let serve = service_fn(|request| {
        calls.fetch_add(1, Ordering::Relaxed);
        answer(request, service)
    });
    // A fault is a function that was killed.
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), serve).await);
}

async fn answer(request: Request<Incoming>, service: Service) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    wait().await;
    Ok(service(&head, &body).unwrap_or_else(|| {
        let mut refusal = Response::default();
        *refusal.status_mut() = StatusCode::NOT_FOUND;
        refusal
    }))
}

/// In a thread, because tokio's timers know whole milliseconds only, and come late.
#[expect(clippy::disallowed_methods, reason = "the thread has nothing else to do")]
async fn wait() {
    drop(tokio::task::spawn_blocking(|| std::thread::sleep(WAIT)).await);
}

/// `GetObject`, of the one config there is.
fn get_object(head: &Parts, _: &[u8]) -> Option<Answer> {
    if head.method != Method::GET || head.uri.path() != format!("/{BUCKET}/{KEY}") {
        return None;
    }
    let config = json!({ "output": "string", "message": "Talk like a kitten. Hello!" });
    let etag = "\"4a7d1ed414474e4033ac29ccb8653d9b\"";
    reply(&config, &[("content-type", "application/json"), ("etag", etag)])
}

/// `GetParameter`, of any parameter.
fn get_parameter(head: &Parts, body: &[u8]) -> Option<Answer> {
    let target = head.headers.get("x-amz-target")?;
    if head.method != Method::POST || target != "AmazonSSM.GetParameter" {
        return None;
    }
    let name = &serde_json::from_slice::<Value>(body).ok()?["Name"];
    let parameter = json!({ "Name": name, "Type": "SecureString", "Value": "sk-bench" });
    let headers = [("content-type", "application/x-amz-json-1.1")];
    reply(&json!({ "Parameter": parameter }), &headers)
}

fn reply(body: &Value, headers: &[(&str, &str)]) -> Option<Answer> {
    let start = Response::builder().header("x-amz-request-id", "BENCH");
    let reply = headers.iter().fold(start, |reply, (name, value)| reply.header(*name, *value));
    reply.body(Full::from(body.to_string())).ok()
}
