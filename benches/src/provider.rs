//! A fast provider: a server in its own thread that returns the same chat completion for every
//! request. The simulator checks and records requests, which would limit the throughput of batches
//! and need too much memory for large prompts.

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use crate::error::Error;

/// A running provider. Its thread ends with the program.
pub(crate) struct Provider {
    pub(crate) url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    reply: Mutex<Bytes>,
    calls: AtomicUsize,
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
        let reply = Bytes::from(reply.to_string());
        *self.state.reply.lock().unwrap_or_else(PoisonError::into_inner) = reply;
        self.take_calls();
    }

    /// Returns the number of calls since the last call of this function and resets it.
    pub(crate) fn take_calls(&self) -> usize {
        self.state.calls.swap(0, Ordering::Relaxed)
    }
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
    state: &State,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    state.calls.fetch_add(1, Ordering::Relaxed);
    let reply = state.reply.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut response = Response::new(Full::new(reply));
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::Provider;

    #[test]
    fn every_request_gets_the_reply_and_is_counted() {
        let provider = Provider::start().unwrap();
        provider.reply_with("Purr.");
        let address = provider.url.strip_prefix("http://").unwrap().strip_suffix("/v1").unwrap();
        for _ in 0..2 {
            let mut stream = TcpStream::connect(address).unwrap();
            let request = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n\
                           content-length: 2\r\nconnection: close\r\n\r\n{}";
            stream.write_all(request.as_bytes()).unwrap();
            let mut response = String::new();
            stream.read_to_string(&mut response).unwrap();
            assert!(response.starts_with("HTTP/1.1 200 OK"), "{response}");
            assert!(response.contains(r#""content":"Purr.""#), "{response}");
        }
        assert_eq!(provider.take_calls(), 2);
        assert_eq!(provider.take_calls(), 0);
    }
}
