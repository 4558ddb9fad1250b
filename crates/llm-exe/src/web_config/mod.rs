//! Fetches hosted configs from https URLs. Attackers may control the URLs and the documents.
//!
//! A URL is rejected unless its host is on the public internet. This module resolves the host name
//! itself, checks all of its addresses, and connects to one of the checked addresses. Each redirect
//! is checked in the same way. Requests contain no keys or cookies. TLS is set up only when the
//! first fetch needs it.

mod addresses;
mod connect;
mod error;
mod hosts;
mod http_get;
mod limited_stream;
mod target;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::client::Resumption;

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::ports::{Document, DocumentLocation, DocumentStore, PortFuture};
use crate::tls;
use crate::wire::UserAgent;

pub use connect::Resolver;
use connect::{Connector, SystemResolver, TcpConnector, connect};
use error::{FetchError, failed, forbidden};
pub use hosts::{ConfigHosts, ConfigHostsError};
use http_get::{GetOutcome, MAX_BODY_BYTES, connection_error, http_get};
use limited_stream::LimitedStream;
pub use target::LOCAL_NAMES;
use target::Target;

/// Maximum number of bytes to read from a connection, including the TLS handshake and headers.
const MAX_READ_BYTES: usize = 2 * MAX_BODY_BYTES;
/// Maximum duration of a fetch, including redirects and DNS lookups.
const MAX_FETCH_TIME: Duration = Duration::from_millis(7500);
const MAX_REDIRECTS: usize = 3;

/// A document store for https URLs. Creating a fetcher is cheap, because TLS is set up only when
/// the first fetch needs it.
pub struct WebConfigFetcher {
    hosts: ConfigHosts,
    resolver: Arc<dyn Resolver>,
    connector: Arc<dyn Connector>,
    tls: OnceLock<TlsConnector>,
    user_agent: UserAgent,
}

impl std::fmt::Debug for WebConfigFetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebConfigFetcher").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

impl WebConfigFetcher {
    /// Creates a fetcher that allows these hosts and uses the operating system's DNS resolver.
    pub fn new(hosts: ConfigHosts) -> Self {
        WebConfigFetcher::with_resolver(hosts, Arc::new(SystemResolver))
    }

    /// Creates a fetcher that allows these hosts and uses the given DNS resolver. The addresses
    /// that the resolver returns are checked too.
    pub fn with_resolver(hosts: ConfigHosts, resolver: Arc<dyn Resolver>) -> Self {
        let connector = Arc::new(TcpConnector);
        let user_agent = UserAgent::default();
        WebConfigFetcher { hosts, resolver, connector, tls: OnceLock::new(), user_agent }
    }

    /// Replaces the user agent.
    #[must_use]
    pub fn with_user_agent(self, user_agent: UserAgent) -> Self {
        WebConfigFetcher { user_agent, ..self }
    }

    async fn fetch_url(
        &self,
        url: &str,
        known_etag: Option<&str>,
        deadline: Deadline,
    ) -> Result<Option<Document>, Error> {
        let mut target = Target::parse(url).map_err(|error| error.into_error(None))?;
        let first_url = target.shown();
        let fetch_deadline = deadline.within(Some(MAX_FETCH_TIME));
        let fetching = self.follow_redirects(&mut target, known_etag);
        let result = tokio::time::timeout_at(fetch_deadline.instant().into(), fetching).await;
        result.unwrap_or_else(|_| Err(timed_out(deadline))).map_err(|error| {
            let last_url = target.shown();
            let shown = if last_url == first_url {
                first_url
            } else {
                format!("{first_url}, redirected to {last_url}")
            };
            error.into_error(Some(&shown))
        })
    }

    /// Fetches the target and follows redirects. `target` is updated on each redirect, so an error
    /// can name the URL of the last request.
    async fn follow_redirects(
        &self,
        target: &mut Target,
        known_etag: Option<&str>,
    ) -> Result<Option<Document>, FetchError> {
        for redirects in 0..=MAX_REDIRECTS {
            self.hosts.check(target)?;
            // The known ETag belongs to the first URL, so it is not sent to the target of a
            // redirect.
            let known_etag = known_etag.filter(|_| redirects == 0);
            match self.get(target, known_etag).await? {
                GetOutcome::NotModified => return Ok(None),
                GetOutcome::Document { body, etag } => {
                    let etag = etag.filter(|_| redirects == 0);
                    return Ok(Some(Document { body, version: None, etag }));
                }
                GetOutcome::Redirect { location } => *target = target.redirected(&location)?,
            }
        }
        Err(forbidden(format!("the URL has more than {MAX_REDIRECTS} redirects")))
    }

    async fn get(
        &self,
        target: &Target,
        known_etag: Option<&str>,
    ) -> Result<GetOutcome, FetchError> {
        let stream = connect(target, self.resolver.as_ref(), self.connector.as_ref()).await?;
        let stream = LimitedStream::new(stream, MAX_READ_BYTES);
        let handshake = self.tls().connect(target.server_name.clone(), stream);
        let stream = handshake.await.map_err(|error| handshake_error(&error))?;
        http_get(stream, target, known_etag, &self.user_agent).await
    }

    fn tls(&self) -> &TlsConnector {
        self.tls.get_or_init(|| tls_connector(tls::client_config()))
    }
}

fn tls_connector(mut config: ClientConfig) -> TlsConnector {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // With session resumption, the client could send a session ticket from one server to another
    // server.
    config.resumption = Resumption::disabled();
    TlsConnector::from(Arc::new(config))
}

impl DocumentStore for WebConfigFetcher {
    fn fetch<'a>(
        &'a self,
        location: &'a DocumentLocation,
        known_etag: Option<&'a str>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>> {
        match location {
            DocumentLocation::Url(url) => Box::pin(self.fetch_url(url, known_etag, deadline)),
            DocumentLocation::Object { .. } => {
                let message = "the store for https URLs can't fetch S3 objects";
                Box::pin(std::future::ready(Err(Error::new(ErrorKind::Internal, message))))
            }
        }
    }
}

fn timed_out(deadline: Deadline) -> FetchError {
    if deadline.left().is_zero() {
        return failed("no complete response before the time limit");
    }
    failed(format!("no complete response within {} s", MAX_FETCH_TIME.as_secs_f32()))
}

/// Converts a TLS handshake error. An invalid certificate has its own message, because the owner of
/// the server can fix it.
fn handshake_error(error: &std::io::Error) -> FetchError {
    use tokio_rustls::rustls::Error as TlsError;
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(TlsError::InvalidCertificate(_)) => {
            failed("the server's certificate is not valid for this host")
        }
        Some(_) => failed("the TLS handshake failed"),
        None => connection_error(error),
    }
}
