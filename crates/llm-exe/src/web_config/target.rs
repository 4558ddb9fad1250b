//! One URL, as it is both checked and connected to.
//!
//! In: a URL's text. Out: a [`Target`], or why it is refused. The text is read once, by the `url`
//! crate, as browsers read it (WHATWG): `0x7f.1`, `2130706433` and `１２７.0.0.1` are 127.0.0.1
//! here, and nobody reads the text a second time.

use std::net::IpAddr;

use tokio_rustls::rustls::pki_types::ServerName;
use url::{Host, Position, Url};

use super::addresses;
use super::error::{Fault, refused};
use crate::error::shorten;

/// The most bytes of a URL; a signed one of S3 has about 2000.
const MOST_BYTES: usize = 4096;
/// The most characters of a URL that a message shows.
const MOST_SHOWN: usize = 200;

/// Names that are for the machine or its network, whatever they resolve to.
const NEAR_NAMES: &[&str] = &["localhost", "local", "internal", "home.arpa"];

/// Where a page is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    url: Url,
    pub(super) place: Place,
    pub(super) port: u16,
    /// For the certificate.
    pub(super) server_name: ServerName<'static>,
}

/// How the URL names its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A name in lower case and ASCII, with a dot in it and none at its end.
    Name(String),
    /// An address of the public internet.
    Address(IpAddr),
}

impl Target {
    /// Reads a URL's text.
    pub(super) fn read(text: &str) -> Result<Target, Fault> {
        if text.len() > MOST_BYTES {
            return Err(refused(format!("it is longer than {MOST_BYTES} bytes")));
        }
        let odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
        if text.contains(odd) {
            return Err(refused("spaces, control characters and backslashes can't stand in it"));
        }
        let authority = match text.get(..8) {
            Some(scheme) if scheme.eq_ignore_ascii_case("https://") => {
                text[8..].split(['/', '?', '#']).next().unwrap_or_default()
            }
            _ => return Err(refused("only a URL that begins with https:// is fetched")),
        };
        if authority.is_empty() {
            return Err(refused("it has no host"));
        }
        if authority.contains('@') {
            return Err(refused("a user name or password can't stand in it; none are ever sent"));
        }
        Target::checked(Url::parse(text).map_err(|why| refused(format!("not a URL: {why}")))?)
    }

    /// Where a redirect leads.
    pub(super) fn redirected(&self, location: &str) -> Result<Target, Fault> {
        if location.contains('\\') {
            return Err(refused("it redirects to a URL with a backslash"));
        }
        let url = self.url.join(location);
        let url = url.map_err(|why| refused(format!("it redirects to what is no URL: {why}")))?;
        // From its text again, so that a redirect can't lead where a request could not.
        Target::read(url.as_str())
    }

    fn checked(mut url: Url) -> Result<Target, Fault> {
        if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
            return Err(refused("only https is fetched, without a user name or password"));
        }
        url.set_fragment(None);
        let port = url.port_or_known_default().unwrap_or(443);
        let (place, server_name) = match url.host() {
            Some(Host::Domain(name)) => {
                check_name(name)?;
                let server_name = ServerName::try_from(name.to_owned());
                (Place::Name(name.to_owned()), server_name.map_err(|_| no_host_name())?)
            }
            Some(Host::Ipv4(address)) => literal(IpAddr::V4(address))?,
            Some(Host::Ipv6(address)) => literal(IpAddr::V6(address))?,
            None => return Err(refused("it has no host")),
        };
        Ok(Target { url, place, port, server_name })
    }

    /// Scheme, host and path: what a query holds may be a signature.
    pub(super) fn shown(&self) -> String {
        shorten(&self.url[..Position::AfterPath], MOST_SHOWN)
    }

    /// What the request line asks for.
    pub(super) fn path_and_query(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// What the `host` header says: with the port, unless it is 443.
    pub(super) fn host_header(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }
}

fn literal(address: IpAddr) -> Result<(Place, ServerName<'static>), Fault> {
    match addresses::refused(address) {
        Some(kind) => Err(refused(format!("its address is {kind}; only public ones are fetched"))),
        None => Ok((Place::Address(address), ServerName::from(address))),
    }
}

fn check_name(name: &str) -> Result<(), Fault> {
    if name.ends_with('.') {
        return Err(refused("the host ends with a dot; leave it out"));
    }
    let is_near = NEAR_NAMES.iter().any(|near| {
        name.strip_suffix(near).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    if is_near {
        return Err(refused("the host's name is for a machine's own network"));
    }
    if !name.contains('.') {
        return Err(refused("the host has no dot: expected a name like example.com"));
    }
    Ok(())
}

fn no_host_name() -> Fault {
    refused("the host is no name that a certificate could be for")
}
