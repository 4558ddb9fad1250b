//! What can go wrong with a page, before it is told with the page's address.

use crate::error::{Error, ErrorKind};

/// Why there is no document; each with the words that follow the URL in the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// It must not be read.
    #[error("{0}")]
    Refused(String),
    /// There is no such page.
    #[error("{0}")]
    Missing(String),
    /// There is one that can't be used.
    #[error("{0}")]
    Unusable(String),
    /// It could not be had this time.
    #[error("{0}")]
    Failed(String),
}

impl Fault {
    /// The failure as callers see it, with the URL as far as it may be shown.
    pub(super) fn told(self, shown: Option<&str>) -> Error {
        let kind = match self {
            Fault::Refused(_) => ErrorKind::ConfigForbidden,
            Fault::Missing(_) => ErrorKind::ConfigNotFound,
            Fault::Unusable(_) => ErrorKind::ConfigInvalid,
            Fault::Failed(_) => ErrorKind::ConfigUnavailable,
        };
        Error::new(kind, self.to_string()).in_context(shown.unwrap_or("url"))
    }
}

/// [`Fault::Refused`].
pub(super) fn refused(why: impl Into<String>) -> Fault {
    Fault::Refused(why.into())
}

/// [`Fault::Failed`].
pub(super) fn failed(why: impl Into<String>) -> Fault {
    Fault::Failed(why.into())
}
