//! Which hosts the operator lets pages come from: the text of `CONFIG_URL_HOSTS` as a value.

use super::error::{Fault, refused};
use super::target::{Place, Target};
use crate::error::shorten;

/// The hosts that pages may come from. By default all, on port 443.
///
/// Addresses are checked whatever is listed here: a name that leads to a private address is
/// refused all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigHosts(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    place: Place,
    /// Whether names below it are meant, and not itself.
    below: bool,
    port: u16,
}

/// Why a list of hosts can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigHostsError {
    /// There is nothing in it.
    #[error("expected hosts like example.com, *.example.com or example.com:8443, got none")]
    Empty,
    /// One is no host.
    #[error("expected a host like example.com, *.example.com or example.com:8443, got {0:?}")]
    NoHost(String),
    /// One has more in it than a host; what, may be a secret.
    #[error("a host has no scheme, user name, password, path or query")]
    MoreThanHost,
    /// One could never be fetched from.
    #[error("{entry:?} could never be fetched: {why}")]
    NeverFetched {
        /// The host as written.
        entry: String,
        /// Why it is refused.
        why: String,
    },
}

impl ConfigHosts {
    /// Reads a list with commas: `example.com, *.example.com, example.com:8443`.
    ///
    /// `*.example.com` is every name below `example.com`, at any depth, and not `example.com`
    /// itself. A host without a port is meant on port 443.
    ///
    /// # Errors
    /// Which host is none, or could never be fetched from.
    pub fn read(text: &str) -> Result<ConfigHosts, ConfigHostsError> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let entries: Vec<Entry> = entries.map(Entry::read).collect::<Result<_, _>>()?;
        if entries.is_empty() {
            return Err(ConfigHostsError::Empty);
        }
        Ok(ConfigHosts(entries))
    }

    /// Whether a page may come from there.
    pub(super) fn admit(&self, target: &Target) -> Result<(), Fault> {
        if self.0.iter().any(|entry| entry.holds(target)) {
            return Ok(());
        }
        if !self.0.is_empty() {
            return Err(refused("the host and port are not in CONFIG_URL_HOSTS"));
        }
        if target.port != 443 {
            return Err(refused("only port 443 is fetched; CONFIG_URL_HOSTS can name another"));
        }
        Ok(())
    }
}

impl Entry {
    fn read(text: &str) -> Result<Entry, ConfigHostsError> {
        let no_host = || ConfigHostsError::NoHost(shorten(text, 100));
        let (below, host) = match text.strip_prefix("*.") {
            Some(host) => (true, host),
            None => (false, text),
        };
        if host.contains(['/', '?', '#', '@']) {
            return Err(ConfigHostsError::MoreThanHost);
        }
        if host.contains(['*', '\\', '%']) || host.ends_with(':') {
            return Err(no_host());
        }
        let target = Target::read(&format!("https://{host}/")).map_err(|fault| {
            ConfigHostsError::NeverFetched { entry: shorten(text, 100), why: fault.to_string() }
        })?;
        if target.port == 0 || (below && matches!(target.place, Place::Address(_))) {
            return Err(no_host());
        }
        Ok(Entry { place: target.place, below, port: target.port })
    }

    fn holds(&self, target: &Target) -> bool {
        let place = match (&self.place, &target.place) {
            (Place::Name(listed), Place::Name(name)) if self.below => {
                name.strip_suffix(listed).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            (listed, place) => listed == place,
        };
        place && self.port == target.port
    }
}
