//! The errors that can occur during a fetch. Their messages do not contain the URL, which is added
//! later.

use crate::error::{Error, ErrorKind};

/// The error for a document that could not be fetched. The public error puts the URL before the
/// message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FetchError {
    /// The URL must not be fetched.
    #[error("{0}")]
    Forbidden(String),
    /// There is no document at the URL.
    #[error("{0}")]
    NotFound(String),
    /// The response can't be used.
    #[error("{0}")]
    InvalidResponse(String),
    /// The fetch failed, but another attempt may succeed.
    #[error("{0}")]
    Failed(String),
}

impl FetchError {
    /// Converts this error to the public error type. `shown_url` is the URL without its query, or
    /// `None` if the URL could not be parsed.
    pub(super) fn into_error(self, shown_url: Option<&str>) -> Error {
        let kind = match self {
            FetchError::Forbidden(_) => ErrorKind::ConfigForbidden,
            FetchError::NotFound(_) => ErrorKind::ConfigNotFound,
            FetchError::InvalidResponse(_) => ErrorKind::ConfigInvalid,
            FetchError::Failed(_) => ErrorKind::ConfigUnavailable,
        };
        Error::new(kind, self.to_string()).in_context(shown_url.unwrap_or("url"))
    }
}

/// Creates a [`FetchError::Forbidden`].
pub(super) fn forbidden(message: impl Into<String>) -> FetchError {
    FetchError::Forbidden(message.into())
}

/// Creates a [`FetchError::Failed`].
pub(super) fn failed(message: impl Into<String>) -> FetchError {
    FetchError::Failed(message.into())
}
