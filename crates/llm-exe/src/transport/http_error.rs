//! The errors of HTTP requests.

/// Why a request did not produce a complete response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The request could not be built, for example because its URL is not valid.
    #[error("{0}")]
    InvalidRequest(String),
    /// The connection failed, so nothing was sent.
    #[error("could not connect: {0}")]
    NotConnected(String),
    /// The connection broke before the complete request was sent.
    #[error("the connection broke while the request was being sent: {0}")]
    NotSent(String),
    /// The request was sent, but the response was not received completely.
    #[error("the connection broke before the complete response was received: {0}")]
    IncompleteResponse(String),
    /// The server had already closed the pooled connection.
    #[error("the server closed two connections in a row without sending a response")]
    Stale,
    /// The response body is larger than the limit.
    #[error("the response body is larger than the maximum size")]
    TooLarge,
    /// The deadline passed before the complete response was received.
    #[error("no complete response was received before the deadline")]
    TimedOut,
}

/// So that a fake client can use `?` after [`http::response::Builder::body`].
impl From<http::Error> for HttpError {
    fn from(error: http::Error) -> Self {
        HttpError::InvalidRequest(error.to_string())
    }
}

impl HttpError {
    /// Returns whether the server may have processed the request. If so, only an idempotent request
    /// is safe to send again.
    pub fn may_have_arrived(&self) -> bool {
        match self {
            HttpError::IncompleteResponse(_) | HttpError::TooLarge | HttpError::TimedOut => true,
            HttpError::InvalidRequest(_)
            | HttpError::NotConnected(_)
            | HttpError::NotSent(_)
            | HttpError::Stale => false,
        }
    }

    /// Returns whether a retry may succeed, provided that the request is idempotent.
    pub fn is_transient(&self) -> bool {
        !matches!(self, HttpError::InvalidRequest(_) | HttpError::TooLarge)
    }
}

/// Returns the message of the innermost cause, because the outer errors say only that the client
/// failed.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
