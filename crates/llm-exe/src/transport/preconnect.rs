//! Opens connections before the first request to a host is ready, for example while an API key is
//! being fetched.
//!
//! Each host is preconnected at most once. Afterwards, the connection pool manages the connections
//! to that host.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Uri;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// The connections that are currently being opened, by host.
pub(super) struct PendingConnections<T>(Arc<Mutex<Hosts<T>>>);

struct Hosts<T> {
    /// The hosts for which a connection has already been requested.
    seen: HashSet<String>,
    opening: HashMap<String, JoinHandle<T>>,
}

impl<T> Clone for PendingConnections<T> {
    fn clone(&self) -> Self {
        PendingConnections(Arc::clone(&self.0))
    }
}

impl<T> Default for PendingConnections<T> {
    fn default() -> Self {
        let (seen, opening) = (HashSet::new(), HashMap::new());
        PendingConnections(Arc::new(Mutex::new(Hosts { seen, opening })))
    }
}

impl<T: Send + 'static> PendingConnections<T> {
    /// Starts opening a connection in the background, unless the host is already marked as seen.
    pub(super) fn begin<F>(&self, uri: &Uri, open: impl FnOnce() -> F)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (Some(host), Ok(runtime)) = (host_key(uri), Handle::try_current()) else {
            return;
        };
        let mut hosts = self.lock();
        if hosts.seen.insert(host.clone()) {
            hosts.opening.insert(host, runtime.spawn(open()));
        }
    }

    /// Removes and returns the pending connection to a host, if any. Marks the host as seen to
    /// prevent another preconnect.
    pub(super) fn take(&self, uri: &Uri) -> Option<JoinHandle<T>> {
        let host = host_key(uri)?;
        let mut hosts = self.lock();
        let opening = hosts.opening.remove(&host);
        hosts.seen.insert(host);
        opening
    }

    fn lock(&self) -> MutexGuard<'_, Hosts<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn host_key(uri: &Uri) -> Option<String> {
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}
