//! Validates the base URLs of providers, which the operator can override in the settings.

use std::net::IpAddr;

use http::Uri;

/// The reason why a base URL is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidBaseUrl {
    /// The text is not a URL.
    #[error("expected a URL such as https://api.example.com/v1")]
    NotAUrl,
    /// The URL has no scheme or no host.
    #[error("expected a URL with a scheme and a host, such as https://api.example.com/v1")]
    NoHost,
    /// The URL contains a user name or password.
    #[error("the base URL must not contain a user name or password")]
    Credentials,
    /// The URL contains a query.
    #[error("the base URL must not contain a query (?…)")]
    Query,
    /// The URL contains a fragment.
    #[error("the base URL must not contain a fragment (#…)")]
    Fragment,
    /// The URL is a plain http URL of a public host.
    #[error("http is allowed only for loopback and private addresses; use https")]
    NotLocal,
    /// The URL has a scheme other than http and https.
    #[error("expected a URL that begins with https://, got {0}://")]
    Scheme(String),
    /// The URL ends in the path of an API, which the provider's dialect appends. Contains the URL
    /// without that path.
    #[error("the URL must not contain the path of the API, which the provider appends; use {0}")]
    ApiPath(String),
}

/// The paths that the built-in dialects append to a base URL, which must therefore not end in them.
pub const API_PATHS: &[&str] = &["/chat/completions", "/responses", "/v1/messages", "/api/chat"];

/// Checks that a base URL uses https, or http with a loopback or private host. The URL must not
/// contain credentials, a query or a fragment.
///
/// # Errors
/// Returns the reason if the URL is not allowed.
pub fn check_base_url(base_url: &str) -> Result<(), InvalidBaseUrl> {
    if base_url.contains('#') {
        return Err(InvalidBaseUrl::Fragment);
    }
    let uri: Uri = base_url.parse().map_err(|_| InvalidBaseUrl::NotAUrl)?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(InvalidBaseUrl::NoHost);
    };
    if authority.as_str().contains('@') {
        return Err(InvalidBaseUrl::Credentials);
    }
    if uri.query().is_some() {
        return Err(InvalidBaseUrl::Query);
    }
    // `Uri` accepts any text as a port.
    if authority.as_str() != authority.host() && authority.port().is_none() {
        return Err(InvalidBaseUrl::NotAUrl);
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_local(uri.host().unwrap_or_default()) => Ok(()),
        "http" => Err(InvalidBaseUrl::NotLocal),
        _ => Err(InvalidBaseUrl::Scheme(scheme.to_owned())),
    }
}

/// Checks that a base URL does not end in the path of an API.
pub(super) fn check_path(base_url: &str) -> Result<(), InvalidBaseUrl> {
    let url = base_url.trim_end_matches('/');
    match API_PATHS.iter().find_map(|path| url.strip_suffix(path)) {
        Some(base) => Err(InvalidBaseUrl::ApiPath(base.to_owned())),
        None => Ok(()),
    }
}

/// Returns whether a host is `localhost`, a loopback address or a private address.
fn is_local(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidBaseUrl, check_base_url, check_path};

    #[test]
    fn url_of_an_api_is_rejected_with_its_base_url() {
        for (url, base) in [
            ("https://a.example/v1/chat/completions", "https://a.example/v1"),
            ("https://a.example/v1/chat/completions/", "https://a.example/v1"),
            ("https://a.example/v1/responses", "https://a.example/v1"),
            ("https://a.example/v1/messages", "https://a.example"),
            ("http://localhost:11434/api/chat", "http://localhost:11434"),
        ] {
            assert_eq!(check_path(url), Err(InvalidBaseUrl::ApiPath(base.to_owned())));
            assert_eq!(check_path(base), Ok(()));
        }
    }

    #[test]
    fn https_and_local_http_are_allowed() {
        for url in [
            "https://api.example.com/v1",
            "http://127.0.0.1:8089/v1",
            "http://localhost:11434",
            "http://10.1.2.3",
            "http://[::1]:80/v1",
            "http://[fd00::1]",
        ] {
            assert_eq!(check_base_url(url), Ok(()), "{url}");
        }
        for url in [
            "http://api.example.com",
            "http://8.8.8.8",
            "ftp://localhost",
            "/v1",
            "localhost:80",
            "https://user:pass@example.com",
            "https://example.com?key=1",
            "https://example.com/v1#part",
            "",
        ] {
            assert!(check_base_url(url).is_err(), "{url}");
        }
    }
}
