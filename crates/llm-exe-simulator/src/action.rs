//! What is done with a decided call: an answer as it is, or one of the faults, on the wire.
//!
//! In: `Decided`. Out: a hyper response, or `Dropped`, which makes hyper close the connection.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::body::{Frame, SizeHint};
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;

/// The body of every reply.
pub(crate) type Body = UnsyncBoxBody<Bytes, Dropped>;

/// The connection is to be closed without (the rest of) an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the simulator dropped the connection, as scripted")
    }
}

impl std::error::Error for Dropped {}

/// What a call gets.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    /// How it is brought about.
    pub(crate) manner: Manner,
    /// The HTTP status.
    pub(crate) status: u16,
    /// Headers by name.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Bytes,
    /// How long to wait first.
    pub(crate) wait: Duration,
    /// When to close the idle connection afterwards.
    pub(crate) close_after: Option<Duration>,
}

/// How an answer is brought about, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As it is.
    Whole,
    /// Half of it, then the connection closes.
    Half,
    /// The body is only the beginning of one that never ends.
    Endless,
    /// Never.
    Never,
    /// The connection closes at once.
    Drop,
}

impl Decided {
    /// An answer with a JSON body.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::bytes(status, "application/json", Bytes::from(body.to_string()))
    }

    /// An answer of this content type.
    pub(crate) fn bytes(status: u16, content_type: &str, body: Bytes) -> Self {
        Self {
            manner: Manner::Whole,
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body,
            wait: Duration::ZERO,
            close_after: None,
        }
    }

    /// The same answer, brought about in another manner.
    pub(crate) fn manner(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    /// The same answer with a header set, which replaces one of the same name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Does it.
pub(crate) async fn carry_out(decided: Decided) -> Result<Response<Body>, Dropped> {
    if !decided.wait.is_zero() {
        tokio::time::sleep(decided.wait).await;
    }
    match decided.manner {
        Manner::Never => std::future::pending().await,
        Manner::Drop => Err(Dropped),
        Manner::Whole | Manner::Half | Manner::Endless => Ok(response(decided)),
    }
}

/// The hyper response for an answer.
pub(crate) fn response(decided: Decided) -> Response<Body> {
    let Decided { manner, status, headers, body, .. } = decided;
    let length = body.len();
    let body = match manner {
        Manner::Half => Faulty::half(&body).boxed_unsync(),
        Manner::Endless => Faulty::endless(body).boxed_unsync(),
        _ => Full::new(body).map_err(|never| match never {}).boxed_unsync(),
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        // Headers from scripts were checked when the script was read.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    if manner == Manner::Half {
        response.headers_mut().insert(http::header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

/// A body that breaks off, or never ends. It pauses between its frames, because hyper only
/// flushes what it has when the body has nothing more to say for the moment.
struct Faulty {
    next: Option<Bytes>,
    rest: Rest,
    pause: Pin<Box<Sleep>>,
}

enum Rest {
    Break,
    Repeat(Bytes),
}

impl Faulty {
    fn half(body: &Bytes) -> Self {
        Self::new(body.slice(..body.len() / 2), Rest::Break)
    }

    fn endless(beginning: Bytes) -> Self {
        Self::new(beginning, Rest::Repeat(Bytes::from(vec![b'a'; 16 * 1024])))
    }

    fn new(first: Bytes, rest: Rest) -> Self {
        Self { next: Some(first), rest, pause: Box::pin(tokio::time::sleep(Duration::ZERO)) }
    }
}

impl hyper::body::Body for Faulty {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        if self.pause.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        let pause = match self.rest {
            Rest::Break => Duration::from_millis(10),
            Rest::Repeat(_) => Duration::from_millis(1),
        };
        self.pause = Box::pin(tokio::time::sleep(pause));
        if let Some(first) = self.next.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        Poll::Ready(Some(match &self.rest {
            Rest::Break => Err(Dropped),
            Rest::Repeat(again) => Ok(Frame::data(again.clone())),
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
