//! Response bodies that arrive in pieces.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::body_budget::{BodyBudget, SMALL_BODY_BYTES};
use super::http_error::{HttpError, innermost};

/// The body of a response, which a custom [`HttpTransport`](super::HttpTransport) can receive in
/// pieces.
pub struct ResponseBody {
    source: BodySource,
    /// What was received to choose how to read the body.
    first: Option<Result<Bytes, HttpError>>,
}

enum BodySource {
    Whole(Option<Bytes>),
    Incoming(Incoming),
    Stream(Pin<Box<dyn Stream<Item = Result<Bytes, HttpError>> + Send>>),
}

impl std::fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}

impl From<Bytes> for ResponseBody {
    fn from(bytes: Bytes) -> Self {
        ResponseBody::new(BodySource::Whole(Some(bytes)))
    }
}

impl ResponseBody {
    fn new(source: BodySource) -> Self {
        ResponseBody { source, first: None }
    }

    /// Creates a body that arrives in pieces. The last one may be an error. The request is not sent
    /// again then, because a response means that the request has arrived.
    pub fn from_stream(
        stream: impl Stream<Item = Result<Bytes, HttpError>> + Send + 'static,
    ) -> Self {
        ResponseBody::new(BodySource::Stream(Box::pin(stream)))
    }

    pub(super) fn from_incoming(incoming: Incoming) -> Self {
        ResponseBody::new(BodySource::Incoming(incoming))
    }

    /// Waits for the first byte that is not white space, without removing it from the body. Returns
    /// `None` at the end of the body, or if it can't be read.
    pub(super) async fn peek(&mut self) -> Option<u8> {
        loop {
            let received = self.receive().await?;
            let bytes = received.as_deref().unwrap_or_default();
            let byte = bytes.trim_ascii_start().first().copied();
            if byte.is_some() || received.is_err() {
                self.first = Some(received);
                return byte;
            }
        }
    }

    /// Waits for the next bytes. Returns `None` at the end of the body.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, HttpError>> {
        match self.first.take() {
            Some(first) => Some(first),
            None => self.receive().await,
        }
    }

    async fn receive(&mut self) -> Option<Result<Bytes, HttpError>> {
        match &mut self.source {
            BodySource::Whole(bytes) => bytes.take().map(Ok),
            BodySource::Stream(stream) => {
                stream.next().await.map(|bytes| bytes.map_err(to_incomplete_response))
            }
            BodySource::Incoming(incoming) => loop {
                let frame = incoming.frame().await?;
                match frame.map(hyper::body::Frame::into_data) {
                    Ok(Ok(data)) => return Some(Ok(data)),
                    // Trailers contain nothing of the body.
                    Ok(Err(_)) => {}
                    Err(error) => {
                        return Some(Err(HttpError::IncompleteResponse(innermost(&error))));
                    }
                }
            },
        }
    }

    /// Reads the whole body. A large one occupies space of the budget until it is dropped.
    pub(super) async fn read_all(
        &mut self,
        max_bytes: usize,
        budget: Option<&BodyBudget>,
    ) -> Result<Bytes, HttpError> {
        let mut joined = BytesMut::new();
        let mut space = None;
        while let Some(bytes) = self.next().await {
            let bytes = bytes?;
            let size = joined.len() + bytes.len();
            if size > max_bytes {
                return Err(HttpError::TooLarge);
            }
            if size > SMALL_BODY_BYTES
                && space.is_none()
                && let Some(budget) = budget
            {
                space = Some(budget.acquire(max_bytes).await);
            }
            joined.extend_from_slice(&bytes);
        }
        let bytes = joined.freeze();
        Ok(match space {
            Some(space) => space.hold(bytes),
            None => bytes,
        })
    }
}

/// Converts errors that allow a retry, because after the headers of a response the request has
/// arrived.
fn to_incomplete_response(error: HttpError) -> HttpError {
    match error {
        HttpError::NotConnected(text)
        | HttpError::NotSent(text)
        | HttpError::InvalidRequest(text) => HttpError::IncompleteResponse(text),
        HttpError::Stale => HttpError::IncompleteResponse("the connection was closed".to_owned()),
        HttpError::IncompleteResponse(_) | HttpError::TooLarge | HttpError::TimedOut => error,
    }
}
