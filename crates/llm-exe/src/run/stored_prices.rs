//! Fetches the operator's prices from a document when the first cost is computed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Mutex;

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::hosted::{MAX_CONFIG_BYTES, decode_text};
use crate::ports::{DocumentLocation, DocumentStore};
use crate::providers::{PriceList, Providers};

/// Maximum time that a result waits for the prices, because its call is paid for already.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// How long a failure is remembered, so that not every call waits for a store that fails.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Prices in a document. They are fetched once per process.
pub(super) struct StoredPrices {
    list: PriceList,
    providers: Providers,
    documents: Arc<dyn DocumentStore>,
    /// The last failure. Its lock makes concurrent calls share a fetch.
    failure: Mutex<Option<(Instant, Error)>>,
}

impl StoredPrices {
    /// Creates the prices of a list, or returns `None` if the list is not in a document.
    pub(super) fn new(
        list: &PriceList,
        providers: &Providers,
        documents: Arc<dyn DocumentStore>,
    ) -> Option<Self> {
        list.location()?;
        let (list, providers) = (list.clone(), providers.clone());
        Some(StoredPrices { list, providers, documents, failure: Mutex::default() })
    }

    /// Returns whether the prices have not been fetched yet.
    pub(super) fn are_missing(&self) -> bool {
        self.list.is_missing()
    }

    /// Fetches the prices, unless they are known. Waits at most for [`MAX_WAIT`].
    ///
    /// # Errors
    /// `ConfigUnavailable` if the document can't be read, or if it contains no valid prices.
    pub(super) async fn load(&self, deadline: Deadline) -> Result<(), Error> {
        let is_short = deadline.left() < MAX_WAIT;
        let deadline = deadline.within(Some(MAX_WAIT));
        let load = async {
            let mut failure = self.failure.lock().await;
            if !self.are_missing() {
                return Ok(());
            }
            if let Some((at, error)) = &*failure
                && at.elapsed() < RETRY_AFTER
            {
                return Err(error.clone());
            }
            // The failure is replaced even if the future is dropped while it waits, unless the run
            // itself had too little time.
            if !is_short {
                *failure = Some((Instant::now(), unavailable("they did not arrive in time")));
            }
            let fetched = self.fetch(deadline).await.map_err(|reason| unavailable(&reason));
            *failure = fetched.as_ref().err().map(|error| (Instant::now(), error.clone()));
            fetched
        };
        let loaded = tokio::time::timeout_at(deadline.instant().into(), load).await;
        loaded.unwrap_or_else(|_| Err(unavailable("they did not arrive in time")))
    }

    async fn fetch(&self, deadline: Deadline) -> Result<(), String> {
        let Some(location) = self.list.location() else { return Ok(()) };
        let fetched = self.documents.fetch(location, None, deadline).await;
        let document = fetched.map_err(|error| error.message().to_owned())?;
        let document = document.ok_or("the store returned no content")?;
        let in_place = |reason: String| match location {
            DocumentLocation::Object { bucket, key, .. } => {
                format!("s3://{bucket}/{key}: {reason}")
            }
            DocumentLocation::Url(_) => reason,
        };
        let text = decode_text(&document.body, MAX_CONFIG_BYTES);
        let text = text.map_err(|error| in_place(error.to_string()))?;
        let list: PriceList = text.parse().map_err(|error| in_place(format!("{error}")))?;
        list.check_providers(&self.providers).map_err(|error| in_place(error.to_string()))?;
        self.list.set_content(list);
        Ok(())
    }
}

fn unavailable(reason: &str) -> Error {
    let text = format!("the prices of the setting PRICES can't be read: {reason}");
    Error::new(ErrorKind::ConfigUnavailable, text)
}

/// Returns whether a request, or one inside of it, limits its cost.
pub(super) fn limits_cost(request: &Value) -> bool {
    match request {
        Value::Array(items) => items.iter().any(limits_cost),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| name == "maxCost" || limits_cost(value))
        }
        _ => false,
    }
}
