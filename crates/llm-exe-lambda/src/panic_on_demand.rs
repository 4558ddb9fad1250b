//! Makes the function panic if a request has a special config URL. Only test builds include this
//! module.

use std::sync::Arc;

use llm_exe::ports::{Document, DocumentLocation, DocumentStore, PortFuture};
use llm_exe::{Deadline, Error};

/// The URL that causes the panic. The top-level domain `.invalid` is reserved, so no real config
/// can have this URL.
const URL: &str = "https://panic-on-demand.invalid/";

/// A document store that panics for [`URL`] and passes all other locations to the wrapped store.
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
            panic!("a request used the config URL {URL}");
        }
        self.0.fetch(place, known, deadline)
    }
}
