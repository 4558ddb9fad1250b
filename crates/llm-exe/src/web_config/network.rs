//! From a host to a connection: looked up once, every address checked, a checked one dialed.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::net::TcpStream;

use super::addresses::Checked;
use super::error::{Fault, failed, refused};
use super::target::{Place, Target};
use crate::ports::PortFuture;

/// How long one address may take to answer, so that a dead one leaves time for the next.
const DIAL_TIMEOUT: Duration = Duration::from_secs(2);
/// How many addresses of a host are tried.
const MOST_DIALED: usize = 3;
/// How many addresses a host may have.
const MOST_ADDRESSES: usize = 64;

/// Who knows the addresses of names. What it answers is checked; it is asked once for each host
/// of a page's way, and nobody else is asked.
pub trait Resolver: Send + Sync {
    /// The addresses of a name, in the order in which they are to be tried.
    ///
    /// # Errors
    /// That of the look-up.
    fn resolve<'a>(&'a self, name: &'a str) -> PortFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> PortFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            // The dot makes it a whole name: no search domain of the machine's is put behind it.
            let found = tokio::net::lookup_host((format!("{name}."), 443)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Who opens connections. It is given an address that was checked, and no name.
pub(super) trait Dialer: Send + Sync {
    fn dial(&self, address: Checked) -> PortFuture<'_, io::Result<TcpStream>>;
}

/// Plain TCP to the very address.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TcpDialer;

impl Dialer for TcpDialer {
    fn dial(&self, address: Checked) -> PortFuture<'_, io::Result<TcpStream>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address.socket_address()).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        })
    }
}

/// A connection to a target's host.
pub(super) async fn connect(
    target: &Target,
    resolver: &dyn Resolver,
    dialer: &dyn Dialer,
) -> Result<TcpStream, Fault> {
    for address in addresses(target, resolver).await?.into_iter().take(MOST_DIALED) {
        if let Ok(Ok(stream)) = tokio::time::timeout(DIAL_TIMEOUT, dialer.dial(address)).await {
            return Ok(stream);
        }
    }
    Err(failed("could not connect"))
}

/// All addresses of a host, each checked: one that is not public refuses the host, since a name
/// with a private address beside a public one is no accident.
async fn addresses(target: &Target, resolver: &dyn Resolver) -> Result<Vec<Checked>, Fault> {
    let found = match &target.place {
        Place::Address(address) => vec![*address],
        Place::Name(name) => {
            resolver.resolve(name).await.map_err(|_| failed("the host's name was not found"))?
        }
    };
    if found.is_empty() {
        return Err(failed("the host's name has no address"));
    }
    if found.len() > MOST_ADDRESSES {
        return Err(refused(format!("the host has more than {MOST_ADDRESSES} addresses")));
    }
    let check = |address: IpAddr| {
        Checked::new(address, target.port).map_err(|kind| {
            refused(format!("the host has an address that is {kind}; only public ones are fetched"))
        })
    };
    found.into_iter().map(check).collect()
}
