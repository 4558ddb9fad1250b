//! Documents at https URLs that strangers may have written: the store of [`Place::Page`].
//!
//! In: a URL's text. Out: the page, or why it is not fetched. A URL is refused unless it leads to
//! the public internet: the host is looked up here, every address is checked, and a checked one is
//! connected to, on each hop of a redirect anew. Nothing of ours is sent along. Nothing is set up
//! before the first page is asked for.

mod addresses;
mod error;
mod exchange;
mod hosts;
mod metered;
mod network;
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
use crate::ports::{Document, DocumentStore, Place, PortFuture};
use crate::tls;

use error::{Fault, failed, refused};
use exchange::{Answer, broken, exchange};
pub use hosts::{ConfigHosts, ConfigHostsError};
use metered::Metered;
pub use network::Resolver;
use network::{Dialer, SystemResolver, TcpDialer, connect};
use target::Target;

/// The most bytes of a page.
const MOST_PAGE_BYTES: usize = 1024 * 1024;
/// The most bytes that are read from a connection, its handshake and headers included.
const MOST_READ_BYTES: usize = 2 * MOST_PAGE_BYTES;
/// The most that a page may take, redirects and the look-up of names included.
const MOST_TIME: Duration = Duration::from_millis(7500);
/// How many redirects are followed.
const MOST_REDIRECTS: usize = 3;

/// Fetches pages. Cheap to make: nothing is connected or set up before it is needed.
pub struct WebConfigs {
    hosts: ConfigHosts,
    resolver: Arc<dyn Resolver>,
    dialer: Arc<dyn Dialer>,
    tls: OnceLock<TlsConnector>,
}

impl std::fmt::Debug for WebConfigs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebConfigs").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

impl WebConfigs {
    /// Fetches from these hosts, with the resolver of the system.
    pub fn new(hosts: ConfigHosts) -> Self {
        WebConfigs::with_resolver(hosts, Arc::new(SystemResolver))
    }

    /// Fetches from these hosts, with another resolver; its addresses are checked in the same way.
    pub fn with_resolver(hosts: ConfigHosts, resolver: Arc<dyn Resolver>) -> Self {
        WebConfigs { hosts, resolver, dialer: Arc::new(TcpDialer), tls: OnceLock::new() }
    }

    async fn page(&self, url: &str, known: Option<&str>, deadline: Deadline) -> Fetched {
        let mut target = Target::read(url).map_err(|fault| fault.told(None))?;
        let first = target.shown();
        let within = deadline.within(Some(MOST_TIME));
        let following = self.follow(&mut target, known);
        let timed = tokio::time::timeout_at(within.instant().into(), following).await;
        timed.unwrap_or_else(|_| Err(too_slow(deadline))).map_err(|fault| {
            let last = target.shown();
            let shown = if last == first { first } else { format!("{first}, now {last}") };
            fault.told(Some(&shown))
        })
    }

    /// Goes from hop to hop; `target` is always the one that is being asked.
    async fn follow(
        &self,
        target: &mut Target,
        known: Option<&str>,
    ) -> Result<Option<Document>, Fault> {
        for hop in 0..=MOST_REDIRECTS {
            self.hosts.admit(target)?;
            // An ETag names a state of its own URL: not of one that it redirects to.
            let known = known.filter(|_| hop == 0);
            match self.ask(target, known).await? {
                Answer::Unchanged => return Ok(None),
                Answer::Page(body, etag) => {
                    let etag = etag.filter(|_| hop == 0);
                    return Ok(Some(Document { body, version: None, etag }));
                }
                Answer::Elsewhere(location) => *target = target.redirected(&location)?,
            }
        }
        Err(refused(format!("it redirects more than {MOST_REDIRECTS} times")))
    }

    async fn ask(&self, target: &Target, known: Option<&str>) -> Result<Answer, Fault> {
        let stream = connect(target, self.resolver.as_ref(), self.dialer.as_ref()).await?;
        let stream = Metered::new(stream, MOST_READ_BYTES);
        let connecting = self.tls().connect(target.server_name.clone(), stream);
        let stream = connecting.await.map_err(|error| untrusted(&error))?;
        exchange(stream, target, known).await
    }

    fn tls(&self) -> &TlsConnector {
        self.tls.get_or_init(|| connector(tls::client_config()))
    }
}

fn connector(mut config: ClientConfig) -> TlsConnector {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A session's ticket is text of one server's that would be sent to the next address.
    config.resumption = Resumption::disabled();
    TlsConnector::from(Arc::new(config))
}

type Fetched = Result<Option<Document>, Error>;

impl DocumentStore for WebConfigs {
    fn fetch<'a>(
        &'a self,
        place: &'a Place,
        known: Option<&'a str>,
        deadline: Deadline,
    ) -> PortFuture<'a, Fetched> {
        match place {
            Place::Page(url) => Box::pin(self.page(url, known, deadline)),
            Place::Object { .. } => {
                let text = "an object in S3 was asked for from the store of pages";
                Box::pin(std::future::ready(Err(Error::new(ErrorKind::Internal, text))))
            }
        }
    }
}

fn too_slow(deadline: Deadline) -> Fault {
    if deadline.left().is_zero() {
        return failed("it was not there within the time that the function has left");
    }
    failed(format!("it was not there within {} s", MOST_TIME.as_secs_f32()))
}

/// What rustls says of a certificate helps the page's owner; of the rest, that it failed.
fn untrusted(error: &std::io::Error) -> Fault {
    use tokio_rustls::rustls::Error as TlsError;
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(TlsError::InvalidCertificate(_)) => failed("its certificate is not valid for it"),
        Some(_) => failed("no TLS connection could be made"),
        None => broken(error),
    }
}
