//! Response bodies that arrive in pieces.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::http_error::{HttpError, innermost};

/// The body of a response, which a custom [`HttpTransport`](super::HttpTransport) can receive in
/// pieces.
pub struct ResponseBody(BodySource);

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
        ResponseBody(BodySource::Whole(Some(bytes)))
    }
}

impl ResponseBody {
    /// Creates a body that arrives in pieces. The last one may be an error, such as
    /// [`HttpError::IncompleteResponse`].
    pub fn from_stream(
        stream: impl Stream<Item = Result<Bytes, HttpError>> + Send + 'static,
    ) -> Self {
        ResponseBody(BodySource::Stream(Box::pin(stream)))
    }

    pub(super) fn from_incoming(incoming: Incoming) -> Self {
        ResponseBody(BodySource::Incoming(incoming))
    }

    /// Waits for the next bytes. Returns `None` at the end of the body.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, HttpError>> {
        match &mut self.0 {
            BodySource::Whole(bytes) => bytes.take().map(Ok),
            BodySource::Stream(stream) => stream.next().await,
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

    /// Reads the whole body.
    pub(super) async fn read_all(&mut self, max_bytes: usize) -> Result<Bytes, HttpError> {
        let mut joined = BytesMut::new();
        while let Some(bytes) = self.next().await {
            let bytes = bytes?;
            if joined.len() + bytes.len() > max_bytes {
                return Err(HttpError::TooLarge);
            }
            joined.extend_from_slice(&bytes);
        }
        Ok(joined.freeze())
    }
}
