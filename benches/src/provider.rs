//! A fast provider: a server in its own thread that returns the same chat completion for every
//! request, in one piece or as a stream. The simulator checks and records requests, which would
//! limit the throughput of batches and need too much memory for large prompts.

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::error::Error;

/// A running provider. Its thread ends with the program.
pub(crate) struct Provider {
    pub(crate) url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    reply: Mutex<Reply>,
    calls: AtomicUsize,
    /// The time at which the last response began.
    started: Mutex<Option<Instant>>,
}

/// The reply to every request.
#[derive(Clone)]
enum Reply {
    Whole(Bytes),
    Stream(DeltaStream),
}

impl Default for Reply {
    fn default() -> Self {
        Reply::Whole(Bytes::new())
    }
}

/// A stream of equal deltas.
#[derive(Clone)]
struct DeltaStream {
    delta: Bytes,
    deltas: usize,
    /// The pause after the first delta, so that it is not received together with others.
    pause: Duration,
    end: Bytes,
}

impl Provider {
    /// Starts a provider that replies with a short text.
    pub(crate) fn start() -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}/v1", listener.local_addr()?);
        let state = Arc::<State>::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::clone(&state);
        std::thread::Builder::new().name("provider".to_owned()).spawn(move || {
            // If the server can't start, the first request of a function fails.
            runtime.block_on(async { drop(serve(listener, shared).await) });
        })?;
        let provider = Provider { url, state };
        provider.reply_with("Meow!");
        Ok(provider)
    }

    /// Sets the text of all further replies and resets the number of calls.
    pub(crate) fn reply_with(&self, text: &str) {
        let reply = json!({
            "id": "chatcmpl-bench", "object": "chat.completion", "created": 1_764_000_000,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{
                "index": 0, "finish_reason": "stop",
                "message": { "role": "assistant", "content": text, "refusal": null },
            }],
            "usage": { "prompt_tokens": 12, "completion_tokens": 6, "total_tokens": 18 },
        });
        self.set(Reply::Whole(Bytes::from(reply.to_string())));
    }

    /// Makes all further replies streams of this number of equal deltas, with a pause after the
    /// first one, and resets the number of calls.
    pub(crate) fn stream(&self, delta: &str, deltas: usize, pause: Duration) {
        let delta = chunk(&json!([{
            "index": 0, "finish_reason": null, "delta": { "role": "assistant", "content": delta },
        }]));
        let finish = chunk(&json!([{ "index": 0, "finish_reason": "stop", "delta": {} }]));
        let end = Bytes::from(format!("{finish}{}data: [DONE]\n\n", chunk(&json!([]))));
        self.set(Reply::Stream(DeltaStream { delta: Bytes::from(delta), deltas, pause, end }));
    }

    fn set(&self, reply: Reply) {
        *lock(&self.state.reply) = reply;
        self.take_calls();
    }

    /// Returns the time at which the first byte of the last response was handed to the connection.
    pub(crate) fn take_start(&self) -> Result<Instant, Error> {
        lock(&self.state.started).take().ok_or_else(|| "the provider was not called".into())
    }

    /// Returns the number of calls since the last call of this function and resets it.
    pub(crate) fn take_calls(&self) -> usize {
        self.state.calls.swap(0, Ordering::Relaxed)
    }
}

/// Returns a server-sent event with a chunk of a chat completion. The chunk without choices has the
/// usage, as OpenAI sends it.
fn chunk(choices: &Value) -> String {
    let mut chunk = json!({
        "id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1_764_000_000,
        "model": "gpt-4o-mini-2024-07-18", "choices": choices,
    });
    if choices.as_array().is_some_and(Vec::is_empty) {
        chunk["usage"] = json!({ "prompt_tokens": 12, "completion_tokens": 6, "total_tokens": 18 });
    }
    format!("data: {chunk}\n\n")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, state: Arc<State>) -> Result<(), Error> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve_connection(stream, Arc::clone(&state)));
    }
}

async fn serve_connection(stream: TcpStream, state: Arc<State>) {
    // Ignore errors, because TCP_NODELAY only reduces the latency.
    drop(stream.set_nodelay(true));
    let service = service_fn(|request| reply(request, &state));
    // An error only means that the function was killed.
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

async fn reply(
    request: Request<Incoming>,
    state: &Arc<State>,
) -> Result<Response<ReplyBody>, Infallible> {
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    state.calls.fetch_add(1, Ordering::Relaxed);
    let reply = lock(&state.reply).clone();
    let (body, content_type) = match reply {
        Reply::Whole(reply) => {
            *lock(&state.started) = Some(Instant::now());
            (Either::Left(Full::new(reply)), "application/json")
        }
        Reply::Stream(stream) => {
            (Either::Right(DeltaBody::new(stream, Arc::clone(state))), "text/event-stream")
        }
    };
    let mut response = Response::new(body);
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    Ok(response)
}

type ReplyBody = Either<Full<Bytes>, DeltaBody>;

/// The body of a streamed reply. Each delta is a chunk of its own.
struct DeltaBody {
    stream: DeltaStream,
    sent: usize,
    pause: Option<Pin<Box<Sleep>>>,
    is_ended: bool,
    state: Arc<State>,
}

impl DeltaBody {
    fn new(stream: DeltaStream, state: Arc<State>) -> Self {
        DeltaBody { stream, sent: 0, pause: None, is_ended: false, state }
    }
}

impl Body for DeltaBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(pause) = &mut self.pause {
            if pause.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.pause = None;
        }
        if self.is_ended {
            return Poll::Ready(None);
        }
        if self.sent == self.stream.deltas {
            self.is_ended = true;
            return Poll::Ready(Some(Ok(Frame::data(self.stream.end.clone()))));
        }
        if self.sent == 0 {
            *lock(&self.state.started) = Some(Instant::now());
            if !self.stream.pause.is_zero() {
                self.pause = Some(Box::pin(tokio::time::sleep(self.stream.pause)));
            }
        }
        self.sent += 1;
        Poll::Ready(Some(Ok(Frame::data(self.stream.delta.clone()))))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::time::Duration;

    use super::Provider;

    /// Sends a request and returns the whole response.
    fn call(provider: &Provider) -> String {
        let address = provider.url.strip_prefix("http://").unwrap().strip_suffix("/v1").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let request = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n\
                       content-length: 2\r\nconnection: close\r\n\r\n{}";
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        assert!(response.starts_with("HTTP/1.1 200 OK"), "{response}");
        response
    }

    #[test]
    fn every_request_gets_the_reply_and_is_counted() {
        let provider = Provider::start().unwrap();
        provider.reply_with("Purr.");
        for _ in 0..2 {
            let response = call(&provider);
            assert!(response.contains(r#""content":"Purr.""#), "{response}");
        }
        assert_eq!(provider.take_calls(), 2);
        assert_eq!(provider.take_calls(), 0);
    }

    #[test]
    fn stream_has_all_deltas_and_its_pause_is_after_the_first() {
        let provider = Provider::start().unwrap();
        let pause = Duration::from_millis(5);
        provider.stream("Purr", 3, pause);
        assert!(provider.take_start().is_err());
        let response = call(&provider);
        assert!(provider.take_start().unwrap().elapsed() >= pause);
        assert_eq!(response.matches(r#""content":"Purr""#).count(), 3, "{response}");
        let end = [r#""finish_reason":"stop""#, r#""total_tokens":18"#, "data: [DONE]"];
        assert!(end.iter().all(|part| response.contains(part)), "{response}");
    }
}
