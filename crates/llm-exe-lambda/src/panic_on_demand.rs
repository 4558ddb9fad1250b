//! For tests: a request panics if its config is at a special URL.

use std::sync::Arc;

use llm_exe::ports::{Document, DocumentLocation, DocumentStore, PortFuture};
use llm_exe::{Deadline, Error};

/// The URL that causes the panic. `.invalid` is a reserved domain, so no real config is there.
const URL: &str = "https://panic-on-demand.invalid/";

/// Fetches documents from another store and panics for [`URL`].
pub(crate) struct PanicOnDemand(Arc<dyn DocumentStore>);

impl PanicOnDemand {
    pub(crate) fn new(store: Arc<dyn DocumentStore>) -> Self {
        PanicOnDemand(store)
    }
}

impl DocumentStore for PanicOnDemand {
    #[expect(clippy::panic, reason = "a test needs a request that panics")]
    fn fetch<'a>(
        &'a self,
        place: &'a DocumentLocation,
        known: Option<&'a str>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>> {
        if matches!(place, DocumentLocation::Url(url) if url == URL) {
            panic!("a request named the config {URL}");
        }
        self.0.fetch(place, known, deadline)
    }
}
