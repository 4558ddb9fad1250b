//! Delivers responses. A script can delay a response, truncate it, or make it endless.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::body::{Frame, SizeHint};
use serde_json::Value;
use tokio::time::Sleep;

use crate::script::stream::StreamEnd;

/// The body type of all responses.
pub type Body = UnsyncBoxBody<Bytes, ConnectionDropped>;

/// An error that makes hyper close the connection without a complete response.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionDropped;

impl std::fmt::Display for ConnectionDropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the simulator dropped the connection as scripted")
    }
}

impl std::error::Error for ConnectionDropped {}

/// The response to a call, and how to deliver it.
#[derive(Debug, Clone)]
pub struct PlannedResponse {
    /// How the response is delivered.
    pub delivery: Delivery,
    /// The HTTP status.
    pub status: u16,
    /// The header names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// How long to wait before sending the response.
    pub wait: Duration,
    /// The pieces of a streamed body, which replace `body`.
    pub stream: Option<PlannedStream>,
    /// How long the connection may stay idle after the response. `None` means indefinitely.
    pub close_after: Option<Duration>,
}

/// A body that is sent in pieces.
#[derive(Debug, Clone)]
pub struct PlannedStream {
    /// The pieces.
    pub pieces: Vec<Bytes>,
    /// The pause before each piece.
    pub pause: Duration,
    /// What happens after the last one.
    pub end: StreamEnd,
}

/// How a response is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The whole response is sent.
    Full,
    /// Half of the body is sent, then the connection is closed.
    Truncated,
    /// The body is sent, followed by an endless stream of data.
    Endless,
    /// No response is sent, and the connection stays open.
    Never,
    /// The connection is closed without a response.
    Drop,
}

impl PlannedResponse {
    /// Creates a response with a JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::bytes(status, "application/json", Bytes::from(body.to_string()))
    }

    /// Creates a response with this status, content type and body.
    pub fn bytes(status: u16, content_type: &str, body: Bytes) -> Self {
        Self {
            delivery: Delivery::Full,
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body,
            wait: Duration::ZERO,
            stream: None,
            close_after: None,
        }
    }

    /// Sends the body in pieces.
    pub fn with_stream(self, stream: PlannedStream) -> Self {
        Self { stream: Some(stream), ..self }
    }

    /// Sets how the response is delivered.
    pub fn with_delivery(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }

    /// Sets a header, replacing any header with the same name.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Delivers a response after its delay.
///
/// # Errors
/// Returns [`ConnectionDropped`] if the connection must be closed without a response.
pub async fn deliver(planned: PlannedResponse) -> Result<Response<Body>, ConnectionDropped> {
    if !planned.wait.is_zero() {
        tokio::time::sleep(planned.wait).await;
    }
    match planned.delivery {
        Delivery::Never => std::future::pending().await,
        Delivery::Drop => Err(ConnectionDropped),
        Delivery::Full | Delivery::Truncated | Delivery::Endless => Ok(build(planned)),
    }
}

/// Converts a planned response into a hyper response.
pub(crate) fn build(planned: PlannedResponse) -> Response<Body> {
    let PlannedResponse { delivery, status, headers, body, stream, .. } = planned;
    let length = body.len();
    let body = match (stream, delivery) {
        (Some(stream), _) => StreamedBody::new(stream).boxed_unsync(),
        (None, Delivery::Truncated) => FaultyBody::truncated(&body).boxed_unsync(),
        (None, Delivery::Endless) => FaultyBody::endless(body).boxed_unsync(),
        (None, _) => Full::new(body).map_err(|never| match never {}).boxed_unsync(),
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        // The script parser rejects invalid headers, so this skips only those of steps built in
        // Rust.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    if delivery == Delivery::Truncated {
        response.headers_mut().insert(http::header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

/// A body that is sent in pieces.
struct StreamedBody {
    pieces: VecDeque<Bytes>,
    pause: Duration,
    end: StreamEnd,
    waiting: Pin<Box<Sleep>>,
    /// Whether the current piece waits until the one before it was flushed.
    yields: bool,
}

impl StreamedBody {
    fn new(stream: PlannedStream) -> Self {
        let PlannedStream { pieces, pause, end } = stream;
        let waiting = Box::pin(tokio::time::sleep(pause));
        Self { pieces: pieces.into(), pause, end, waiting, yields: true }
    }
}

impl hyper::body::Body for StreamedBody {
    type Data = Bytes;
    type Error = ConnectionDropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnectionDropped>>> {
        // hyper flushes its buffer only while the body is pending.
        if std::mem::take(&mut self.yields) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if !self.pause.is_zero() && self.waiting.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.yields = true;
        match self.pieces.pop_front() {
            Some(piece) => {
                self.waiting = Box::pin(tokio::time::sleep(self.pause));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            None => match self.end {
                StreamEnd::Close | StreamEnd::Error => Poll::Ready(None),
                StreamEnd::Drop => Poll::Ready(Some(Err(ConnectionDropped))),
                StreamEnd::Hang => Poll::Pending,
            },
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// A body that ends early or never ends. It pauses between frames, because hyper flushes its buffer
/// only while the body is pending.
struct FaultyBody {
    first: Option<Bytes>,
    rest: Rest,
    pause: Pin<Box<Sleep>>,
}

enum Rest {
    Break,
    Repeat(Bytes),
}

impl FaultyBody {
    fn truncated(body: &Bytes) -> Self {
        Self::new(body.slice(..body.len() / 2), Rest::Break)
    }

    fn endless(first: Bytes) -> Self {
        Self::new(first, Rest::Repeat(Bytes::from(vec![b'a'; 16 * 1024])))
    }

    fn new(first: Bytes, rest: Rest) -> Self {
        Self { first: Some(first), rest, pause: Box::pin(tokio::time::sleep(Duration::ZERO)) }
    }
}

impl hyper::body::Body for FaultyBody {
    type Data = Bytes;
    type Error = ConnectionDropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnectionDropped>>> {
        if self.pause.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        let pause = match self.rest {
            Rest::Break => Duration::from_millis(10),
            Rest::Repeat(_) => Duration::from_millis(1),
        };
        self.pause = Box::pin(tokio::time::sleep(pause));
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        Poll::Ready(Some(match &self.rest {
            Rest::Break => Err(ConnectionDropped),
            Rest::Repeat(data) => Ok(Frame::data(data.clone())),
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
