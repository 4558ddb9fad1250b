//! Resolves the endpoint of a provider from the configured base URLs and the AWS region.

use std::collections::BTreeMap;

use crate::chat::Chat;
use crate::providers::{
    ApiMode, Dialect, Endpoint, InvalidBaseUrl, NAMED_RESOURCE, PROVIDERS, Provider, SelectedApi,
    select_api,
};
use crate::region::{InvalidRegion, check_region};

/// The region in URLs that are only shown.
const REGION_PLACEHOLDER: &str = "REGION";

/// The configured base URLs and AWS region. A provider without a configured base URL uses its
/// default.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    base_urls: BTreeMap<String, String>,
    region: Option<String>,
    api_mode: ApiMode,
    /// Whether the configured base URLs serve the same APIs as the providers' own.
    serves_all_apis: bool,
}

impl Endpoints {
    /// Creates a configuration in which every provider uses its default base URL.
    pub fn new() -> Self {
        Endpoints::default()
    }

    /// Sets the base URL of a provider. Plain http is allowed only for loopback and private
    /// addresses.
    ///
    /// # Errors
    /// [`InvalidBaseUrl`] if the URL is not allowed.
    pub fn set(
        &mut self,
        provider: impl Into<Provider>,
        base_url: &str,
    ) -> Result<(), InvalidBaseUrl> {
        let provider = provider.into();
        provider.check_base_url(base_url)?;
        self.base_urls.insert(provider.name().to_owned(), base_url.to_owned());
        Ok(())
    }

    /// Sets the AWS region for the Bedrock providers.
    ///
    /// # Errors
    /// [`InvalidRegion`] if the string is not a valid region name.
    pub fn set_region(&mut self, region: &str) -> Result<(), InvalidRegion> {
        check_region(region)?;
        self.region = Some(region.to_owned());
        Ok(())
    }

    /// Sets which API requests to OpenAI's models are sent to.
    pub fn set_api_mode(&mut self, mode: ApiMode) {
        self.api_mode = mode;
    }

    /// States that the configured base URLs serve the same APIs as those of the providers, as a
    /// simulator does. By default, a server that replaces OpenAI or xAI is assumed to have only
    /// chat completions.
    pub fn assume_all_apis(&mut self) {
        self.serves_all_apis = true;
    }

    /// Returns which API requests to OpenAI's models are sent to.
    pub fn api_mode(&self) -> ApiMode {
        self.api_mode
    }

    /// Allows dry runs of the Bedrock providers without an AWS region, and of Azure without an
    /// endpoint. Their URLs contain `REGION` or `NAME` instead.
    pub fn allow_missing_region(&mut self) {
        for row in PROVIDERS.iter().filter(|row| row.base_url.contains(NAMED_RESOURCE)) {
            let base_url = || row.base_url.replace("RESOURCE", "NAME");
            self.base_urls.entry(row.name.to_owned()).or_insert_with(base_url);
        }
        self.region.get_or_insert_with(|| REGION_PLACEHOLDER.to_owned());
    }

    /// Returns whether a provider has its own base URL.
    pub(crate) fn is_default(&self, provider: &Provider) -> bool {
        let own = || provider.endpoint(None, self.region.as_deref());
        !self.base_urls.contains_key(provider.name()) || self.resolve(provider) == own()
    }

    /// Returns the endpoint for calls to a provider.
    pub fn resolve(&self, provider: &Provider) -> Endpoint {
        let base_url = self.base_urls.get(provider.name()).map(String::as_str);
        provider.endpoint(base_url, self.region.as_deref())
    }

    /// Returns whether the base URL of a provider is configured.
    pub(crate) fn has_own_url(&self, provider: &Provider) -> bool {
        self.base_urls.contains_key(provider.name())
    }

    /// Returns the format of the API that a chat is sent to, as long as the provider has not
    /// rejected an earlier one like it.
    pub fn dialect<'a>(&self, provider: &'a Provider, chat: &Chat) -> &'a dyn Dialect {
        self.select_api(provider, chat, false).dialect
    }

    /// Selects the API for a request. `is_learned` states whether the provider rejected an earlier
    /// request like it in chat completions.
    pub(crate) fn select_api<'a>(
        &self,
        provider: &'a Provider,
        chat: &Chat,
        is_learned: bool,
    ) -> SelectedApi<'a> {
        let has_own_url = self.has_own_url(provider) && !self.serves_all_apis;
        select_api(provider, chat, self.api_mode, has_own_url, is_learned)
    }
}
