//! A document store that forwards each fetch to one of two stores: one for S3 objects and one for
//! https URLs.

use std::sync::Arc;

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::ports::{Document, DocumentLocation, DocumentStore, PortFuture};

/// The stores for S3 objects and https URLs. Fetching a document whose store is missing is an
/// error.
#[derive(Clone, Default)]
pub struct DocumentStores {
    /// The store for S3 objects.
    pub s3: Option<Arc<dyn DocumentStore>>,
    /// The store for https URLs.
    pub web: Option<Arc<dyn DocumentStore>>,
}

impl std::fmt::Debug for DocumentStores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DocumentStores")
            .field("s3", &self.s3.is_some())
            .field("web", &self.web.is_some())
            .finish()
    }
}

impl DocumentStore for DocumentStores {
    fn fetch<'a>(
        &'a self,
        location: &'a DocumentLocation,
        known_etag: Option<&'a str>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>> {
        let (store, documents) = match location {
            DocumentLocation::Object { .. } => (&self.s3, "S3 objects"),
            DocumentLocation::Url(_) => (&self.web, "https URLs"),
        };
        match store {
            Some(store) => store.fetch(location, known_etag, deadline),
            None => {
                let message = format!("no document store for {documents} is configured");
                let error = Error::new(ErrorKind::ConfigForbidden, message);
                Box::pin(std::future::ready(Err(error)))
            }
        }
    }
}
