//! A switch for tests: a request whose config is at one certain URL panics while it runs.

use std::sync::Arc;

use llm_exe::ports::{Document, DocumentLocation, DocumentStore, PortFuture};
use llm_exe::{Deadline, Error};

/// The URL that panics. `.invalid` is reserved, so it never names a real document.
const URL: &str = "https://panic-on-demand.invalid/";

/// Fetches documents from another store, and panics for [`URL`].
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
            panic!("a request asked for {URL}");
        }
        self.0.fetch(place, known, deadline)
    }
}
