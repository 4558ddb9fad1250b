//! Where providers are reached: the operator's base URLs and AWS region, checked.

use std::collections::BTreeMap;

use crate::providers::{Endpoint, ProviderRow, check_base_url};

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
        check_base_url(base_url)?;
        self.moved.insert(provider.name, base_url.to_owned());
        Ok(())
    }

    /// Sets the AWS region, of which providers of AWS are asked.
    ///
    /// # Errors
    /// Why the text can't be a region: it becomes a part of host names.
    pub fn set_region(&mut self, region: &str) -> Result<(), String> {
        check_region(region)?;
        self.region = Some(region.to_owned());
        Ok(())
    }

    /// Where a provider is reached.
    pub fn of(&self, provider: &ProviderRow) -> Endpoint {
        let moved = self.moved.get(provider.name).map(String::as_str);
        provider.endpoint(moved, self.region.as_deref())
    }
}

/// Whether a text can be an AWS region: it becomes a part of host names.
///
/// # Errors
/// What was expected.
pub fn check_region(region: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.is_empty() || region.len() > 32 || !region.bytes().all(allowed) {
        return Err("expected a region like eu-central-1".to_owned());
    }
    Ok(())
}
