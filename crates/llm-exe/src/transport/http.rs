//! The one HTTP client: a request out, the whole answer in, and every way in which that breaks.
//!
//! It knows nothing of providers: what else speaks HTTP in the process shares its connections.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Error as ClientError;
use hyper_util::client::legacy::connect::capture_connection;

use super::connector::{Client, Uses};
use crate::deadline::Deadline;
use crate::wire::WireReply;

/// The pool of connections. Cheap to make and to clone; clones share the pool, and nothing is
/// connected or parsed before it is needed. Redirects are never followed, proxies never asked.
#[derive(Debug, Clone, Default)]
pub struct HttpClient(Client);

/// Why an exchange gave no whole answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Ours: the request can't be written.
    #[error("{0}")]
    Unusable(String),
    /// No connection, so nothing was sent.
    #[error("could not connect: {0}")]
    NotConnected(String),
    /// The connection broke before the request was sent whole.
    #[error("the connection broke while the request was sent: {0}")]
    NotSent(String),
    /// The request was sent; the answer did not come whole.
    #[error("the connection broke before the whole answer was there: {0}")]
    NotAnswered(String),
    /// A pooled connection turned out closed.
    #[error("the connection was closed twice before an answer")]
    Stale,
    /// The answer is over the limit.
    #[error("the answer is too large")]
    TooLarge,
    /// The time ran out.
    #[error("no answer in time")]
    TimedOut,
}

impl HttpError {
    /// Whether the request may have been acted on. Where it may not, any request can be tried
    /// again; where it may, only one that does the same twice.
    pub fn may_have_arrived(&self) -> bool {
        match self {
            HttpError::NotAnswered(_) | HttpError::TooLarge | HttpError::TimedOut => true,
            HttpError::Unusable(_)
            | HttpError::NotConnected(_)
            | HttpError::NotSent(_)
            | HttpError::Stale => false,
        }
    }

    /// Whether a request that does the same twice may fare better on another try.
    pub fn may_pass(&self) -> bool {
        !matches!(self, HttpError::Unusable(_) | HttpError::TooLarge)
    }
}

impl HttpClient {
    /// Sends a request and reads at most so many bytes of its answer, by the deadline. A pooled
    /// connection that turns out closed is tried again on a fresh one.
    ///
    /// # Errors
    /// Why there is no whole answer. A status is none of its reasons.
    pub async fn exchange(
        &self,
        request: Request<Bytes>,
        most_bytes: usize,
        deadline: Deadline,
    ) -> Result<WireReply, HttpError> {
        let answered = async {
            match self.once(request.clone(), most_bytes).await {
                Err(HttpError::Stale) => self.once(request, most_bytes).await,
                outcome => outcome,
            }
        };
        match tokio::time::timeout_at(deadline.instant().into(), answered).await {
            Ok(outcome) => outcome,
            Err(_) => Err(HttpError::TimedOut),
        }
    }

    /// Begins to open a connection to a host that was never dialed, where a request to it is sure
    /// to come: while a key is fetched, say. Whether it comes about shows when it is used.
    pub fn open_ahead(&self, url: &str) {
        if let Ok(uri) = url.parse() {
            self.0.open_ahead(&uri);
        }
    }

    /// One try, for as long as it takes.
    pub(crate) async fn once(
        &self,
        request: Request<Bytes>,
        most_bytes: usize,
    ) -> Result<WireReply, HttpError> {
        let mut request = request.map(Full::new);
        let captured = capture_connection(&mut request);
        let answered = self.0.request(request).await;
        let reused = used_before(&captured);
        let response = answered.map_err(|error| fault(&error, reused))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, most_bytes).collect().await.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                HttpError::TooLarge
            } else {
                HttpError::NotAnswered(innermost(error.as_ref()))
            }
        })?;
        let status = head.status.as_u16();
        Ok(WireReply { status, headers: head.headers, body: body.to_bytes() })
    }
}

fn used_before(captured: &hyper_util::client::legacy::connect::CaptureConnection) -> bool {
    let metadata = captured.connection_metadata();
    let Some(connected) = metadata.as_ref() else {
        return false;
    };
    let mut extras = http::Extensions::new();
    connected.get_extras(&mut extras);
    extras.get::<Uses>().is_some_and(|uses| uses.count() > 0)
}

fn fault(error: &ClientError, reused: bool) -> HttpError {
    if error.is_connect() {
        return HttpError::NotConnected(innermost(error));
    }
    let cause = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    let Some(cause): Option<&hyper::Error> = cause else {
        return HttpError::NotAnswered(innermost(error));
    };
    // The pool gives back requests of which nothing was sent.
    if cause.is_canceled() {
        return HttpError::NotSent(innermost(error));
    }
    if reused && closed(cause) {
        return HttpError::Stale;
    }
    if cause.is_body_write_aborted() || cause.is_closed() {
        return HttpError::NotSent(innermost(error));
    }
    HttpError::NotAnswered(innermost(error))
}

/// Whether the other side had hung up: an end where an answer should begin, or a reset.
fn closed(error: &hyper::Error) -> bool {
    let io = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    let reset = io.is_some_and(|error: &std::io::Error| {
        use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
    });
    error.is_incomplete_message() || reset
}

/// The deepest cause's text: the outer ones only say that a client failed.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
