//! A parsed URL, which is used both for the checks and for the connection.
//!
//! Only the `url` crate interprets the host, in the same way as browsers (WHATWG). For example,
//! `0x7f.1`, `2130706433` and `１２７.0.0.1` all become 127.0.0.1. Because there is no second parser,
//! the checks and the connection can't use different hosts.

use std::net::IpAddr;

use tokio_rustls::rustls::pki_types::ServerName;
use url::{Host, Position, Url};

use super::addresses;
use super::error::{FetchError, forbidden};
use crate::error::shorten;

/// Maximum length of a URL in bytes. Presigned S3 URLs have about 2000 bytes.
const MAX_URL_BYTES: usize = 4096;
/// Maximum length of a URL in an error message, in characters.
const MAX_SHOWN_CHARS: usize = 200;

/// Domains that are reserved for the local machine or network. Names in these domains are rejected,
/// whatever they resolve to.
pub const LOCAL_NAMES: &[&str] = &["localhost", "local", "internal", "home.arpa"];

/// A URL that has passed all checks that do not require a DNS lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    url: Url,
    pub(super) host: TargetHost,
    pub(super) port: u16,
    /// The host name or address for which the server's certificate must be valid.
    pub(super) server_name: ServerName<'static>,
}

/// The host of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TargetHost {
    /// A host name in lower-case ASCII. It contains a dot but does not end with one.
    Name(String),
    /// A public IP address.
    Address(IpAddr),
}

impl Target {
    /// Parses a URL and runs all checks that do not require a DNS lookup.
    pub(super) fn parse(text: &str) -> Result<Target, FetchError> {
        if text.len() > MAX_URL_BYTES {
            return Err(forbidden(format!("the URL is longer than {MAX_URL_BYTES} bytes")));
        }
        let is_forbidden = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
        if text.contains(is_forbidden) {
            let message = "the URL must not contain white space, control characters or backslashes";
            return Err(forbidden(message));
        }
        let authority = match text.get(..8) {
            Some(scheme) if scheme.eq_ignore_ascii_case("https://") => {
                text[8..].split(['/', '?', '#']).next().unwrap_or_default()
            }
            _ => return Err(forbidden("the URL must begin with https://")),
        };
        if authority.is_empty() {
            return Err(forbidden("the URL has no host"));
        }
        if authority.contains('@') {
            let message =
                "the URL must not contain a user name or password; credentials are never sent";
            return Err(forbidden(message));
        }
        let url =
            Url::parse(text).map_err(|error| forbidden(format!("not a valid URL: {error}")))?;
        Target::from_url(url)
    }

    /// Returns the target of a redirect. `location` may be relative to this URL.
    pub(super) fn redirected(&self, location: &str) -> Result<Target, FetchError> {
        if location.contains('\\') {
            return Err(forbidden("the redirect's URL contains a backslash"));
        }
        let url = self.url.join(location).map_err(|error| {
            forbidden(format!("the redirect's location is not a valid URL: {error}"))
        })?;
        // The joined URL is parsed again, so a redirect has to pass the same checks as a request.
        Target::parse(url.as_str())
    }

    fn from_url(mut url: Url) -> Result<Target, FetchError> {
        if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
            let message = "the URL must use https and must not contain a user name or password";
            return Err(forbidden(message));
        }
        url.set_fragment(None);
        let port = url.port_or_known_default().unwrap_or(443);
        let (host, server_name) = match url.host() {
            Some(Host::Domain(name)) => {
                check_name(name)?;
                let server_name = ServerName::try_from(name.to_owned())
                    .map_err(|_| forbidden("the host is not a valid DNS name"))?;
                (TargetHost::Name(name.to_owned()), server_name)
            }
            Some(Host::Ipv4(address)) => check_address(IpAddr::V4(address))?,
            Some(Host::Ipv6(address)) => check_address(IpAddr::V6(address))?,
            None => return Err(forbidden("the URL has no host")),
        };
        Ok(Target { url, host, port, server_name })
    }

    /// Returns the URL for messages. The query is omitted, because it may contain a signature.
    pub(super) fn shown(&self) -> String {
        shorten(&self.url[..Position::AfterPath], MAX_SHOWN_CHARS)
    }

    /// Returns the path and query for the request line.
    pub(super) fn path_and_query(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// Returns the value of the `host` header. It contains the port unless the port is 443.
    pub(super) fn host_header(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }
}

fn check_address(address: IpAddr) -> Result<(TargetHost, ServerName<'static>), FetchError> {
    match addresses::special_purpose(address) {
        Some(kind) => Err(forbidden(format!("the address in the URL is not public ({kind})"))),
        None => Ok((TargetHost::Address(address), ServerName::from(address))),
    }
}

fn check_name(name: &str) -> Result<(), FetchError> {
    if name.ends_with('.') {
        return Err(forbidden("the host name ends with a dot; remove it"));
    }
    let is_local = LOCAL_NAMES.iter().any(|local| {
        name.strip_suffix(local).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    if is_local {
        return Err(forbidden("the host name is reserved for local networks"));
    }
    if !name.contains('.') {
        return Err(forbidden("the host name has no dot; expected a name like example.com"));
    }
    Ok(())
}
