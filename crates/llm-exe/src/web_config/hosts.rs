//! Parses the setting `CONFIG_URL_HOSTS`, which lists the hosts from which configs may be fetched.

use super::error::{FetchError, forbidden};
use super::target::{Target, TargetHost};
use crate::error::shorten;

/// The hosts from which configs may be fetched. By default, all hosts are allowed on port 443.
///
/// The addresses of listed hosts are checked too, so a listed name with a private address is still
/// rejected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigHosts(Vec<HostEntry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct HostEntry {
    host: TargetHost,
    /// Whether the entry matches only subdomains of the host (`*.example.com`).
    subdomains: bool,
    port: u16,
}

/// The error for an invalid list of hosts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigHostsError {
    /// The list is empty.
    #[error("expected at least one host, such as example.com, *.example.com or example.com:8443")]
    Empty,
    /// An entry is not a host.
    #[error("expected a host such as example.com, *.example.com or example.com:8443, got {0:?}")]
    NotAHost(String),
    /// An entry contains more than a host and a port. The message does not quote the entry, because
    /// the other parts of a URL may be secret.
    #[error("expected only hosts and ports, without a scheme, user name, password, path or query")]
    UnexpectedParts,
    /// The list contains a host from which configs are never fetched.
    #[error("configs are never fetched from {entry:?}: {reason}")]
    Forbidden {
        /// The entry as it appears in the list.
        entry: String,
        /// The reason why the host is rejected.
        reason: String,
    },
}

impl ConfigHosts {
    /// Parses a comma-separated list such as `example.com, *.example.com, example.com:8443`.
    ///
    /// `*.example.com` matches all subdomains of `example.com` at any depth, but not `example.com`
    /// itself. The default port of an entry is 443.
    ///
    /// # Errors
    /// Fails if the list is empty, or if an entry is not a valid host or is never allowed.
    pub fn parse(text: &str) -> Result<ConfigHosts, ConfigHostsError> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let entries: Vec<HostEntry> = entries.map(HostEntry::parse).collect::<Result<_, _>>()?;
        if entries.is_empty() {
            return Err(ConfigHostsError::Empty);
        }
        Ok(ConfigHosts(entries))
    }

    /// Returns an error if the host and port of the target are not allowed.
    pub(super) fn check(&self, target: &Target) -> Result<(), FetchError> {
        if self.0.iter().any(|entry| entry.matches(target)) {
            return Ok(());
        }
        if !self.0.is_empty() {
            return Err(forbidden("the host and port are not in CONFIG_URL_HOSTS"));
        }
        if target.port != 443 {
            return Err(forbidden(
                "only port 443 is allowed, unless CONFIG_URL_HOSTS lists the host with its port",
            ));
        }
        Ok(())
    }
}

impl HostEntry {
    fn parse(text: &str) -> Result<HostEntry, ConfigHostsError> {
        let not_a_host = || ConfigHostsError::NotAHost(shorten(text, 100));
        let (subdomains, host) = match text.strip_prefix("*.") {
            Some(host) => (true, host),
            None => (false, text),
        };
        if host.contains(['/', '?', '#', '@']) {
            return Err(ConfigHostsError::UnexpectedParts);
        }
        if host.contains(['*', '\\', '%']) || host.ends_with(':') {
            return Err(not_a_host());
        }
        let target = Target::parse(&format!("https://{host}/")).map_err(|error| {
            ConfigHostsError::Forbidden { entry: shorten(text, 100), reason: error.to_string() }
        })?;
        if target.port == 0 || (subdomains && matches!(target.host, TargetHost::Address(_))) {
            return Err(not_a_host());
        }
        Ok(HostEntry { host: target.host, subdomains, port: target.port })
    }

    fn matches(&self, target: &Target) -> bool {
        let host_matches = match (&self.host, &target.host) {
            (TargetHost::Name(parent), TargetHost::Name(name)) if self.subdomains => {
                name.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            (listed, host) => listed == host,
        };
        host_matches && self.port == target.port
    }
}
