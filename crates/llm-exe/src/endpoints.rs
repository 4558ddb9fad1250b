//! Where providers are reached: the operator's base URLs and AWS region, checked.

use std::collections::BTreeMap;
use std::net::IpAddr;

use http::Uri;

use crate::providers::{Endpoint, ProviderRow};

/// Base URLs by provider; a provider without one is at its own.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    moved: BTreeMap<&'static str, String>,
    region: Option<String>,
}

impl Endpoints {
    /// Every provider at its own address.
    pub fn new() -> Self {
        Endpoints::default()
    }

    /// Moves a provider to another base URL: https, or http on loopback and private addresses.
    ///
    /// # Errors
    /// Why the URL is not allowed.
    pub fn set(&mut self, provider: &ProviderRow, base_url: &str) -> Result<(), String> {
        check(base_url)?;
        self.moved.insert(provider.name, base_url.to_owned());
        Ok(())
    }

    /// Sets the AWS region, of which providers of AWS are asked.
    ///
    /// # Errors
    /// Why the text can't be a region: it becomes a part of host names.
    pub fn set_region(&mut self, region: &str) -> Result<(), String> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if region.is_empty() || region.len() > 32 || !region.bytes().all(allowed) {
            return Err("expected a region like eu-central-1".to_owned());
        }
        self.region = Some(region.to_owned());
        Ok(())
    }

    /// Where a provider is reached.
    pub fn of(&self, provider: &ProviderRow) -> Endpoint {
        let moved = self.moved.get(provider.name).map(String::as_str);
        provider.endpoint(moved, self.region.as_deref())
    }
}

fn check(base_url: &str) -> Result<(), String> {
    if base_url.contains('#') {
        return Err("a base URL has no fragment".to_owned());
    }
    let uri: Uri = base_url.parse().map_err(|_| "expected a URL".to_owned())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("expected a URL with https:// and a host".to_owned());
    };
    if authority.as_str().contains('@') {
        return Err("a user name or password can't stand in a base URL".to_owned());
    }
    if uri.query().is_some() {
        return Err("a base URL has no query".to_owned());
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_near(uri.host().unwrap_or_default()) => Ok(()),
        "http" => Err("http is allowed on loopback and private addresses only".to_owned()),
        _ => Err("expected https://".to_owned()),
    }
}

fn is_near(host: &str) -> bool {
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
    use super::check;

    #[test]
    fn takes_https_and_http_that_stays_near() {
        for url in [
            "https://api.example.com/v1",
            "http://127.0.0.1:8089/v1",
            "http://localhost:11434",
            "http://10.1.2.3",
            "http://[::1]:80/v1",
            "http://[fd00::1]",
        ] {
            assert_eq!(check(url), Ok(()), "{url}");
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
            assert!(check(url).is_err(), "{url}");
        }
    }
}
