//! The providers that requests can name: the built-in ones, and those that a program registers.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use super::base_url::check_path;
use super::openai_chat::quirks;
use super::openai_responses::apis::OpenAiResponses;
use super::{Dialect, Endpoint, InvalidBaseUrl, PROVIDERS, ProviderRow, check_base_url};
use crate::glob;
use crate::ports::KeyName;
use crate::request::{suggestion, synonym_suggestion};

/// How a server is asked for a reply that matches a schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StructuredOutput {
    /// The request has a `response_format` of type `json_schema`.
    #[default]
    JsonSchema,
    /// The request has a `response_format` of type `json_object`, and the prompt contains the
    /// schema.
    JsonObject,
    /// Only the prompt contains the schema.
    Prompt,
}

/// A provider: its name in requests, its base URL, its API key and its API format. Clones are
/// cheap.
///
/// The name consists of lowercase letters, digits, `-` and `_`. The base URL begins with `https://`,
/// or with `http://` for a server on a loopback or private address. Both are checked when the
/// provider is registered.
///
/// ```
/// use llm_exe::providers::{Provider, Providers};
///
/// let inhouse = Provider::openai_compatible("inhouse", "https://llm.example.com/v1")
///     .key_env("INHOUSE_API_KEY");
/// let providers = Providers::with([inhouse])?;
/// let (provider, _) = providers.named("inhouse").expect("it was registered");
/// assert_eq!(provider.dialect().name(), "openai");
/// # Ok::<(), llm_exe::providers::InvalidProvider>(())
/// ```
#[derive(Clone)]
pub struct Provider(Source);

#[derive(Clone)]
enum Source {
    BuiltIn(&'static ProviderRow),
    Registered(Arc<Registered>),
}

/// The data of a provider that is not built in.
#[derive(Clone)]
struct Registered {
    name: String,
    base_url: String,
    dialect: DialectRef,
    key: Option<KeyName>,
}

#[derive(Clone)]
enum DialectRef {
    BuiltIn(&'static dyn Dialect),
    Shared(Arc<dyn Dialect>),
}

impl DialectRef {
    fn is_built_in(&self) -> bool {
        matches!(self, DialectRef::BuiltIn(_))
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl From<&'static ProviderRow> for Provider {
    fn from(row: &'static ProviderRow) -> Self {
        Provider(Source::BuiltIn(row))
    }
}

impl Provider {
    /// Creates a provider with an API format that this crate does not contain. Requests are sent
    /// without a key until [`key_env`](Provider::key_env), [`key_name`](Provider::key_name) or
    /// [`ClientBuilder::key`](crate::ClientBuilder::key) names one.
    pub fn new(
        name: impl Into<String>,
        base_url: impl Into<String>,
        dialect: impl Dialect + 'static,
    ) -> Self {
        Provider::registered(name.into(), base_url.into(), DialectRef::Shared(Arc::new(dialect)))
    }

    /// Creates a provider whose server implements OpenAI's chat completions API and accepts JSON
    /// Schemas. The base URL does not include `/chat/completions`.
    pub fn openai_compatible(name: impl Into<String>, base_url: impl Into<String>) -> Self {
        Provider::openai_compatible_with(name, base_url, StructuredOutput::JsonSchema)
    }

    /// Creates a provider whose server implements OpenAI's chat completions API, but may not accept
    /// JSON Schemas.
    pub fn openai_compatible_with(
        name: impl Into<String>,
        base_url: impl Into<String>,
        structured_output: StructuredOutput,
    ) -> Self {
        let dialect: &'static dyn Dialect = match structured_output {
            StructuredOutput::JsonSchema => &quirks::WITH_JSON_SCHEMA,
            StructuredOutput::JsonObject => &quirks::WITH_JSON_MODE,
            StructuredOutput::Prompt => &quirks::WITH_PROMPT_ONLY,
        };
        Provider::registered(name.into(), base_url.into(), DialectRef::BuiltIn(dialect))
    }

    fn registered(name: String, base_url: String, dialect: DialectRef) -> Self {
        Provider(Source::Registered(Arc::new(Registered { name, base_url, dialect, key: None })))
    }

    /// Adds an environment variable that may contain the API key. Requests then need a key.
    ///
    /// A client reads the variable only if its builder has the source of keys
    /// [`env`](crate::ClientBuilder::env); other sources of keys receive its name in
    /// [`KeyName::environment`]. In a key store, the key has the name of the provider, unless
    /// [`key_name`](Provider::key_name) sets another one.
    #[must_use]
    pub fn key_env(self, variable: impl Into<String>) -> Self {
        self.with_key(|key| key.environment.to_mut().push(Cow::Owned(variable.into())))
    }

    /// Sets the name of the API key in the key store ([`KeyName::store`]). Requests then need a
    /// key.
    #[must_use]
    pub fn key_name(self, name: impl Into<String>) -> Self {
        self.with_key(|key| key.store = Cow::Owned(name.into()))
    }

    fn with_key(self, edit: impl FnOnce(&mut KeyName)) -> Self {
        let mut registered = match self.0 {
            Source::Registered(registered) => registered,
            Source::BuiltIn(row) => Arc::new(Registered {
                name: row.name.to_owned(),
                base_url: row.base_url.to_owned(),
                dialect: DialectRef::BuiltIn(row.dialect),
                key: row.key(),
            }),
        };
        let Registered { name, key, .. } = Arc::make_mut(&mut registered);
        edit(key.get_or_insert_with(|| KeyName::new(name.clone(), &[])));
        Provider(Source::Registered(registered))
    }

    /// Returns the value of `provider` in requests.
    pub fn name(&self) -> &str {
        match &self.0 {
            Source::BuiltIn(row) => row.name,
            Source::Registered(registered) => &registered.name,
        }
    }

    /// Returns the API format of the provider.
    pub fn dialect(&self) -> &dyn Dialect {
        match &self.0 {
            Source::BuiltIn(row) => row.dialect,
            Source::Registered(registered) => match &registered.dialect {
                DialectRef::BuiltIn(dialect) => *dialect,
                DialectRef::Shared(dialect) => dialect.as_ref(),
            },
        }
    }

    /// Returns the provider's Responses API, if it offers both that API and chat completions.
    pub(crate) fn responses(&self) -> Option<OpenAiResponses> {
        self.built_in().and_then(|row| row.responses)
    }

    /// Returns the default base URL. That of a built-in provider may contain the placeholder
    /// `REGION`.
    pub fn base_url(&self) -> &str {
        match &self.0 {
            Source::BuiltIn(row) => row.base_url,
            Source::Registered(registered) => &registered.base_url,
        }
    }

    /// Returns the name of the API key that the provider needs, if any.
    pub fn key(&self) -> Option<KeyName> {
        match &self.0 {
            Source::BuiltIn(row) => row.key(),
            Source::Registered(registered) => registered.key.clone(),
        }
    }

    /// Returns the entry in [`PROVIDERS`], or `None` if the provider is not built in.
    pub fn built_in(&self) -> Option<&'static ProviderRow> {
        match &self.0 {
            Source::BuiltIn(row) => Some(*row),
            Source::Registered(_) => None,
        }
    }

    /// Returns the provider's endpoint. If `base_url` is `None`, the default base URL is used.
    pub fn endpoint(&self, base_url: Option<&str>, region: Option<&str>) -> Endpoint {
        match &self.0 {
            Source::BuiltIn(row) => row.endpoint(base_url, region),
            Source::Registered(registered) => {
                let base_url = base_url.unwrap_or(&registered.base_url);
                Endpoint {
                    base_url: base_url.trim_end_matches('/').to_owned(),
                    key: registered.key.clone(),
                    region: region.map(str::to_owned),
                }
            }
        }
    }

    /// Checks a base URL for this provider.
    ///
    /// # Errors
    /// [`InvalidBaseUrl`] if the URL is not allowed, or if it ends in the path of an API that the
    /// built-in dialects append.
    pub(crate) fn check_base_url(&self, base_url: &str) -> Result<(), InvalidBaseUrl> {
        check_base_url(base_url)?;
        match &self.0 {
            // Only the dialect itself knows the paths of its API.
            Source::Registered(registered) if !registered.dialect.is_built_in() => Ok(()),
            _ => check_path(base_url),
        }
    }

    /// Checks the names and the base URL, which become part of requests and logs.
    fn check(&self) -> Result<(), InvalidProvider> {
        let is_lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_name = |byte: u8| is_lower(byte) || byte == b'-' || byte == b'_';
        let name = self.name();
        let first = name.bytes().next();
        if !first.is_some_and(is_lower) || name.len() > 64 || !name.bytes().all(is_name) {
            return Err(InvalidProvider::Name(name.to_owned()));
        }
        self.check_base_url(self.base_url())
            .map_err(|reason| InvalidProvider::BaseUrl { name: name.to_owned(), reason })?;
        let consists_of = |text: &str, punctuation: &[u8]| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || punctuation.contains(&byte);
            !text.is_empty() && text.len() <= 64 && text.bytes().all(allowed)
        };
        let Some(key) = self.key() else {
            return Ok(());
        };
        let has_store = !key.store.is_empty() || key.environment.is_empty();
        if has_store && !consists_of(&key.store, b"_.-") {
            return Err(InvalidProvider::KeyName(name.to_owned()));
        }
        if !key.environment.iter().all(|variable| consists_of(variable, b"_")) {
            return Err(InvalidProvider::KeyVariable(name.to_owned()));
        }
        Ok(())
    }
}

/// The reason why a provider can't be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProvider {
    /// The name is not valid.
    #[error("{0}: expected a name of lower case letters, digits, - and _, such as inhouse")]
    Name(String),
    /// There is a built-in or registered provider with this name.
    #[error("{0}: a provider with this name already exists")]
    Duplicate(String),
    /// The base URL is not allowed.
    #[error("{name}: base URL: {reason}")]
    BaseUrl {
        /// The name of the provider.
        name: String,
        /// Why the URL is not allowed.
        #[source]
        reason: InvalidBaseUrl,
    },
    /// The name of the API key in the key store is not valid. Contains the name of the provider.
    #[error("{0}: key: expected a name of letters, digits, _ . and -")]
    KeyName(String),
    /// The name of an environment variable is not valid. Contains the name of the provider.
    #[error("{0}: key: expected the name of an environment variable")]
    KeyVariable(String),
}

/// The built-in providers and the registered ones. Clones are cheap.
#[derive(Debug, Clone, Default)]
pub struct Providers {
    registered: Arc<[Provider]>,
}

impl Providers {
    /// Adds providers to the built-in ones.
    ///
    /// # Errors
    /// [`InvalidProvider`] with the first provider that can't be registered.
    pub fn with(
        providers: impl IntoIterator<Item = Provider>,
    ) -> Result<Providers, InvalidProvider> {
        let mut registered: Vec<Provider> = Vec::new();
        for provider in providers {
            provider.check()?;
            let name = provider.name();
            let is_built_in = PROVIDERS.iter().any(|row| row.name == name);
            if is_built_in || registered.iter().any(|known| known.name() == name) {
                return Err(InvalidProvider::Duplicate(name.to_owned()));
            }
            registered.push(provider);
        }
        Ok(Providers { registered: registered.into() })
    }

    /// Returns all providers, the built-in ones first.
    pub fn all(&self) -> impl Iterator<Item = Provider> {
        PROVIDERS.iter().map(Provider::from).chain(self.registered.iter().cloned())
    }

    /// Looks up the value of a request's `provider` field. Returns the provider, and also the model
    /// if the value contains one.
    ///
    /// The provider keys of the npm package llm-exe are accepted too: `openai.chat.v1` means the
    /// provider `openai`, and `openai.gpt-4o-mini` names both a provider and a model.
    pub fn named<'a>(&self, value: &'a str) -> Option<(Provider, Option<&'a str>)> {
        if let Some(provider) = self.find(value) {
            return Some((provider, None));
        }
        let (name, rest) = value.split_once('.')?;
        let provider = self.find(name)?;
        match rest {
            "" => None,
            "chat" | "chat.v1" => Some((provider, None)),
            model => Some((provider, Some(model))),
        }
    }

    /// Returns the hint ` (did you mean NAME?)` for the name of an unknown provider, or an empty
    /// string. The name can be that of a model, such as `gpt-4o`.
    pub(crate) fn suggestion(&self, name: &str) -> String {
        let names: Vec<String> = self.all().map(|known| known.name().to_owned()).collect();
        let family = name.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        match suggestion(name, &names) {
            hint if hint.is_empty() => synonym_suggestion(family, &names),
            hint => hint,
        }
    }

    /// Checks that a pattern such as `openai:gpt-4o*` can match a model of one of the providers.
    /// Otherwise returns the hint ` (did you mean NAME?)`, or an empty string.
    pub(crate) fn check_pattern(&self, pattern: &str) -> Result<(), String> {
        let names: Vec<String> = self.all().map(|known| known.name().to_owned()).collect();
        // Names of providers and models can contain a colon too.
        let mut starts = pattern.match_indices(':').filter_map(|(at, _)| pattern.get(..at));
        if starts.any(|start| names.iter().any(|name| glob::matches(start, name))) {
            return Ok(());
        }
        let (provider, _) = pattern.split_once(':').unwrap_or((pattern, ""));
        Err(suggestion(provider, &names))
    }

    fn find(&self, name: &str) -> Option<Provider> {
        if let Some(row) = PROVIDERS.iter().find(|row| row.name == name) {
            return Some(row.into());
        }
        self.registered.iter().find(|provider| provider.name() == name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidProvider, Provider, Providers};
    use crate::providers::openai_chat::quirks;
    use crate::providers::{InvalidBaseUrl, provider};

    const URL: &str = "https://api.example.com/v1";

    fn server(name: &str, base_url: &str, key: &str) -> Provider {
        Provider::openai_compatible(name, base_url).key_name(key)
    }

    #[test]
    fn invalid_providers_are_rejected() {
        let name = |name: &str| InvalidProvider::Name(name.to_owned());
        for (server, expected) in [
            (server("openai", URL, "Key"), InvalidProvider::Duplicate("openai".to_owned())),
            (server("Inhouse", URL, "Key"), name("Inhouse")),
            (server("a.b", URL, "Key"), name("a.b")),
            (server("", URL, "Key"), name("")),
            (
                server("a", "http://api.example.com", "Key"),
                InvalidProvider::BaseUrl { name: "a".to_owned(), reason: InvalidBaseUrl::NotLocal },
            ),
            (server("a", URL, "../Key"), InvalidProvider::KeyName("a".to_owned())),
            (server("a", URL, ""), InvalidProvider::KeyName("a".to_owned())),
            (
                Provider::openai_compatible("a", URL).key_env("A=B"),
                InvalidProvider::KeyVariable("a".to_owned()),
            ),
        ] {
            assert_eq!(Providers::with([server]).unwrap_err(), expected);
        }
        let duplicates = [server("a", URL, "Key"), server("a", URL, "Key")];
        let expected = InvalidProvider::Duplicate("a".to_owned());
        assert_eq!(Providers::with(duplicates).unwrap_err(), expected);
    }

    #[test]
    fn only_a_custom_dialect_may_have_the_path_of_an_api_in_its_base_url() {
        let url = "https://api.example.com/v1/chat/completions";
        let reason = InvalidBaseUrl::ApiPath("https://api.example.com/v1".to_owned());
        let expected = InvalidProvider::BaseUrl { name: "a".to_owned(), reason };
        assert_eq!(Providers::with([server("a", url, "Key")]).unwrap_err(), expected);
        assert!(Providers::with([Provider::new("a", url, quirks::WITH_JSON_MODE)]).is_ok());
    }

    #[test]
    fn key_of_a_registered_provider_has_its_name_by_default() {
        let key = |provider: Provider| provider.key().map(|key| key.store);
        let new = || Provider::openai_compatible("a", URL);
        assert_eq!(key(new()), None);
        assert_eq!(key(new().key_env("A_KEY")).as_deref(), Some("a"));
        assert_eq!(key(new().key_env("A_KEY").key_name("KeyA")).as_deref(), Some("KeyA"));
    }

    #[test]
    fn registered_providers_are_found_by_name() {
        let providers = Providers::with([server("a", URL, "Key")]).unwrap();
        let (found, model) = providers.named("a.gpt-oss").unwrap();
        assert_eq!((found.name(), model), ("a", Some("gpt-oss")));
        assert!(found.built_in().is_none());
        assert!(providers.named("b").is_none());
        assert!(Providers::default().named("a").is_none());
    }

    #[test]
    fn key_of_a_copy_of_a_built_in_provider_can_be_changed() {
        let copy = Provider::from(provider("xai").unwrap()).key_env("OTHER_KEY");
        assert_eq!(*copy.key().unwrap().environment, ["XAI_API_KEY", "OTHER_KEY"]);
        assert!(Providers::with([copy]).is_err());
    }
}
