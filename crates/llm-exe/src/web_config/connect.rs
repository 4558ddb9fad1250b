//! Resolves a host once, checks all of its addresses, and connects to one of them.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::net::TcpStream;

use super::addresses::PublicAddress;
use super::error::{FetchError, failed, forbidden};
use super::target::{Target, TargetHost};
use crate::ports::PortFuture;

/// Maximum time to connect to one address. It is short to leave time for the next address if one is
/// unreachable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum number of addresses to try.
const MAX_ATTEMPTS: usize = 3;
/// Maximum number of addresses that a host name may have.
const MAX_ADDRESSES: usize = 64;

/// A DNS resolver. The fetcher resolves the host name of each request, including redirects, exactly
/// once, and checks all addresses that the resolver returns.
pub trait Resolver: Send + Sync {
    /// Returns the addresses of a host name in the order in which they should be tried.
    ///
    /// # Errors
    /// Fails if the DNS lookup fails.
    fn resolve<'a>(&'a self, name: &'a str) -> PortFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The DNS resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> PortFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            // The trailing dot makes the name absolute, which keeps the system from appending a
            // search domain.
            let addresses = tokio::net::lookup_host((format!("{name}."), 443)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    }
}

/// Opens connections to checked addresses. A connector never receives a host name, so it can't
/// connect to an address that was not checked.
pub(super) trait Connector: Send + Sync {
    fn connect(&self, address: PublicAddress) -> PortFuture<'_, io::Result<TcpStream>>;
}

/// A connector that opens real TCP connections.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TcpConnector;

impl Connector for TcpConnector {
    fn connect(&self, address: PublicAddress) -> PortFuture<'_, io::Result<TcpStream>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address.socket_address()).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        })
    }
}

/// Connects to the host of the target, trying its addresses in order.
pub(super) async fn connect(
    target: &Target,
    resolver: &dyn Resolver,
    connector: &dyn Connector,
) -> Result<TcpStream, FetchError> {
    for address in checked_addresses(target, resolver).await?.into_iter().take(MAX_ATTEMPTS) {
        let connecting = connector.connect(address);
        if let Ok(Ok(stream)) = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            return Ok(stream);
        }
    }
    Err(failed("could not connect to the host"))
}

/// Resolves a host and checks all of its addresses. If any address is not public, the host is
/// forbidden, because a name with both public and private addresses is most likely an attack.
async fn checked_addresses(
    target: &Target,
    resolver: &dyn Resolver,
) -> Result<Vec<PublicAddress>, FetchError> {
    let addresses = match &target.host {
        TargetHost::Address(address) => vec![*address],
        TargetHost::Name(name) => resolver
            .resolve(name)
            .await
            .map_err(|_| failed("the host name could not be resolved"))?,
    };
    if addresses.is_empty() {
        return Err(failed("the host name has no address"));
    }
    if addresses.len() > MAX_ADDRESSES {
        return Err(forbidden(format!("the host name has more than {MAX_ADDRESSES} addresses")));
    }
    let check = |address: IpAddr| {
        PublicAddress::new(address, target.port).map_err(|kind| {
            forbidden(format!("the host name resolves to an address that is not public ({kind})"))
        })
    };
    addresses.into_iter().map(check).collect()
}
