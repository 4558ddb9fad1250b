//! Connections that are opened before there is anything to send, while a key is on its way.
//!
//! Only to hosts that this process has not dialed yet: afterwards the pool has a connection, or
//! knows better than to keep one.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Uri;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// What is being opened, by host.
pub(super) struct Ahead<T>(Arc<Mutex<Hosts<T>>>);

struct Hosts<T> {
    dialed: HashSet<String>,
    opening: HashMap<String, JoinHandle<T>>,
}

impl<T> Clone for Ahead<T> {
    fn clone(&self) -> Self {
        Ahead(Arc::clone(&self.0))
    }
}

impl<T> Default for Ahead<T> {
    fn default() -> Self {
        let (dialed, opening) = (HashSet::new(), HashMap::new());
        Ahead(Arc::new(Mutex::new(Hosts { dialed, opening })))
    }
}

impl<T: Send + 'static> Ahead<T> {
    /// Begins to open a connection to a host that was never dialed.
    pub(super) fn begin<F>(&self, uri: &Uri, open: impl FnOnce() -> F)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (Some(host), Ok(runtime)) = (host(uri), Handle::try_current()) else {
            return;
        };
        let mut hosts = self.hosts();
        if hosts.dialed.insert(host.clone()) {
            hosts.opening.insert(host, runtime.spawn(open()));
        }
    }

    /// The connection that is being opened to a host that is dialed now, if there is one.
    pub(super) fn take(&self, uri: &Uri) -> Option<JoinHandle<T>> {
        let host = host(uri)?;
        let mut hosts = self.hosts();
        let opening = hosts.opening.remove(&host);
        hosts.dialed.insert(host);
        opening
    }

    fn hosts(&self) -> MutexGuard<'_, Hosts<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn host(uri: &Uri) -> Option<String> {
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}
