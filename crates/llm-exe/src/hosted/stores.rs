//! Two stores as one: objects from here, pages from there.

use std::sync::Arc;

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::ports::{Document, DocumentStore, Place, PortFuture};

/// The stores that there are; the place decides who is asked.
#[derive(Clone, Default)]
pub struct Stores {
    /// Who fetches objects of S3.
    pub objects: Option<Arc<dyn DocumentStore>>,
    /// Who fetches https pages.
    pub pages: Option<Arc<dyn DocumentStore>>,
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stores")
            .field("objects", &self.objects.is_some())
            .field("pages", &self.pages.is_some())
            .finish()
    }
}

impl DocumentStore for Stores {
    fn fetch<'a>(
        &'a self,
        place: &'a Place,
        known: Option<&'a str>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>> {
        let (store, what) = match place {
            Place::Object { .. } => (&self.objects, "objects of S3"),
            Place::Page(_) => (&self.pages, "pages"),
        };
        match store {
            Some(store) => store.fetch(place, known, deadline),
            None => {
                let text = format!("{what} are not read in this version");
                let error = Error::new(ErrorKind::ConfigForbidden, text);
                Box::pin(std::future::ready(Err(error)))
            }
        }
    }
}
