//! Configures a client.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::handle::Client;
use super::keys::ClientKeys;
use crate::endpoints::Endpoints;
use crate::error::{Error, ErrorKind};
use crate::json::quoted;
use crate::parsers::{InvalidParser, OutputParser, Parsers};
use crate::plan::{ModelPatterns, Rules};
use crate::ports::{DocumentStore, InvalidSecret, Keys, Secret, Signer};
use crate::providers::{ApiMode, InvalidBaseUrl, InvalidProvider, Provider, Providers};
use crate::region::InvalidRegion;
use crate::request::suggestion;
use crate::run::Runner;
use crate::transport::HttpTransport;

/// The time limit of a request, unless the program sets another one.
const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(300);

/// Configures a [`Client`].
///
/// ```
/// use llm_exe::parsers::OutputError;
/// use llm_exe::{Client, Provider};
/// use serde_json::json;
///
/// let url = "https://llm.example.com/v1";
/// let client = Client::builder()
///     .provider(Provider::openai_compatible("inhouse", url).key_env("INHOUSE_API_KEY"))
///     .key("inhouse", "tg-...")
///     .parser("grade", |text: &str| match text.trim().chars().next_back() {
///         Some(grade @ 'A'..='F') => Ok(json!(grade)),
///         _ => Err(OutputError::new("the reply does not end with a grade from A to F")),
///     })
///     .build()?;
/// let request = client.request("inhouse:meta-llama/Llama-4").user("Grade …").output("grade");
/// # Ok::<(), llm_exe::BuildError>(())
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    providers: Vec<Provider>,
    parsers: Vec<(String, Arc<dyn OutputParser>)>,
    base_urls: Vec<(String, String)>,
    region: Option<String>,
    api_mode: Option<ApiMode>,
    /// The value of `OPENAI_API_MODE` if it is not valid.
    invalid_api_mode: Option<String>,
    constant_keys: Vec<(String, String)>,
    keys: Option<Arc<dyn Keys>>,
    http: Option<Arc<dyn HttpTransport>>,
    signer: Option<Arc<dyn Signer>>,
    documents: Option<Arc<dyn DocumentStore>>,
    rules: Rules,
    time_limit: Duration,
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder").field("providers", &self.providers).finish_non_exhaustive()
    }
}

/// The reason why a client can't be built.
///
/// Its `Debug` output is the message, because a `main` that returns the error prints that output.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A provider can't be registered.
    #[error("provider {0}")]
    Provider(#[from] InvalidProvider),
    /// A parser can't be registered.
    #[error("{0}")]
    Parser(#[from] InvalidParser),
    /// A base URL is not allowed.
    #[error("base URL of {provider}: {reason}")]
    BaseUrl {
        /// The name of the provider.
        provider: String,
        /// Why the URL is not allowed.
        #[source]
        reason: InvalidBaseUrl,
    },
    /// The API mode in the environment is not valid. Contains the value.
    #[error("OPENAI_API_MODE: expected one of auto, chat, responses, got {}", quoted(.0))]
    ApiMode(String),
    /// The AWS region is not valid.
    #[error("AWS region: {0}")]
    Region(#[from] InvalidRegion),
    /// An API key is not usable.
    #[error("key of {provider}: {reason}")]
    Key {
        /// The name of the provider.
        provider: String,
        /// Why the key is not usable.
        #[source]
        reason: InvalidSecret,
    },
    /// A key or a base URL is set for a provider that does not exist.
    #[error(
        "unknown provider {}{}; expected one of {}",
        quoted(name), suggestion(name, known), known.join(", ")
    )]
    UnknownProvider {
        /// The name that the program passed.
        name: String,
        /// The names of the built-in and the registered providers.
        known: Vec<String>,
    },
    /// A key is set for a built-in provider that needs none.
    #[error("key of {provider}: requests to this provider need no API key")]
    UnusedKey {
        /// The name of the provider.
        provider: String,
    },
}

impl From<BuildError> for Error {
    /// Converts the error to one of kind `InvalidRequest`, so that a function that builds a client
    /// and sends requests can return one type.
    fn from(error: BuildError) -> Self {
        Error::new(ErrorKind::InvalidRequest, error.to_string())
    }
}

impl std::fmt::Debug for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl Client {
    /// Creates a builder for a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Creates a client with the API keys and base URLs that are set in the environment, such as
    /// `OPENAI_API_KEY` and `OPENAI_BASE_URL`. The [list of providers] contains the variables.
    ///
    /// [list of providers]: https://github.com/llm-exe/llm-exe-lambda/blob/main/docs/providers.md
    ///
    /// ```
    /// let client = llm_exe::Client::from_env()?;
    /// let request = client.request("openai:gpt-4o-mini").user("Hi");
    /// # Ok::<(), llm_exe::BuildError>(())
    /// ```
    ///
    /// # Errors
    /// [`BuildError`] if a base URL, the API mode or the AWS region in the environment is not
    /// valid. A missing key is reported by the requests that need it.
    #[cfg(feature = "env")]
    pub fn from_env() -> Result<Client, BuildError> {
        Client::builder().env().build()
    }
}

impl ClientBuilder {
    fn new() -> Self {
        ClientBuilder {
            providers: Vec::new(),
            parsers: Vec::new(),
            base_urls: Vec::new(),
            region: None,
            api_mode: None,
            invalid_api_mode: None,
            constant_keys: Vec::new(),
            keys: None,
            http: None,
            signer: None,
            documents: None,
            rules: Rules::default(),
            time_limit: DEFAULT_TIME_LIMIT,
        }
    }

    /// Registers a provider, which requests can then name.
    pub fn provider(mut self, provider: Provider) -> Self {
        self.providers.push(provider);
        self
    }

    /// Registers a parser, which requests can then select with `output`.
    pub fn parser(mut self, name: impl Into<String>, parser: impl OutputParser + 'static) -> Self {
        self.parsers.push((name.into(), Arc::new(parser)));
        self
    }

    /// Sets the API key of a provider. It takes precedence over [`ClientBuilder::keys`]. A
    /// registered provider that was created without a key then needs this one.
    pub fn key(mut self, provider: impl Into<String>, key: impl Into<String>) -> Self {
        self.constant_keys.push((provider.into(), key.into()));
        self
    }

    /// Sets the source of the API keys, for example a secret store.
    ///
    /// ```
    /// use llm_exe::ports::PortFuture;
    /// use llm_exe::{Client, Error, ErrorKind, KeyName, Keys, Secret};
    ///
    /// struct Vault;
    ///
    /// impl Keys for Vault {
    ///     fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
    ///         Box::pin(async move {
    ///             let key = format!("key-of-{}", name.store); // look the key up here
    ///             Secret::new(&key).map_err(|reason| {
    ///                 Error::new(ErrorKind::SecretNotFound, reason.to_string())
    ///             })
    ///         })
    ///     }
    /// }
    ///
    /// let client = Client::builder().keys(Vault).build()?;
    /// # Ok::<(), llm_exe::BuildError>(())
    /// ```
    pub fn keys(mut self, keys: impl Keys + 'static) -> Self {
        self.keys = Some(Arc::new(keys));
        self
    }

    /// Uses the API keys, base URLs, API mode and AWS region that are set in the environment. Base
    /// URLs and the mode that the program sets before or after this call take precedence.
    ///
    /// The keys of registered providers are in the variables of
    /// [`Provider::key_env`](crate::Provider::key_env). As in the AWS SDKs, `AWS_ENDPOINT_URL` is
    /// the base URL of Amazon Bedrock if `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` is not set.
    #[cfg(feature = "env")]
    pub fn env(mut self) -> Self {
        use super::env::variable;
        self.base_urls.splice(0..0, super::env::base_urls(variable));
        self.region = self
            .region
            .or_else(|| variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")));
        if self.api_mode.is_none()
            && let Some(name) = variable("OPENAI_API_MODE")
        {
            self.api_mode = ApiMode::from_name(name.trim());
            self.invalid_api_mode = self.api_mode.is_none().then_some(name);
        }
        self.keys(crate::keys::EnvironmentKeys::from_process())
    }

    /// Sets the base URL of a built-in or registered provider, for example to use a proxy or a
    /// simulator. Plain `http` is allowed only for loopback and private addresses. The URL does not
    /// include the path of the API, such as `/chat/completions`.
    pub fn base_url(mut self, provider: impl Into<String>, base_url: impl Into<String>) -> Self {
        self.base_urls.push((provider.into(), base_url.into()));
        self
    }

    /// Sets which API requests to OpenAI's models are sent to. By default, the model and the parts
    /// of the request determine the API.
    ///
    /// ```
    /// use llm_exe::Client;
    /// use llm_exe::providers::ApiMode;
    ///
    /// // A server of your own that implements the Responses API.
    /// let client = Client::builder()
    ///     .base_url("openai", "https://gateway.example.com/v1")
    ///     .openai_api(ApiMode::Responses)
    ///     .build()?;
    /// # Ok::<(), llm_exe::BuildError>(())
    /// ```
    pub fn openai_api(mut self, mode: ApiMode) -> Self {
        self.api_mode = Some(mode);
        self.invalid_api_mode = None;
        self
    }

    /// Sets the AWS region for Amazon Bedrock.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Sets the signer of requests to Amazon Bedrock, such as the one from the crate `llm-exe-aws`.
    pub fn signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Sets the store of the hosted configs that JSON requests may refer to. The store does its own
    /// I/O; [`ClientBuilder::http`] does not apply to it.
    pub fn documents(mut self, documents: Arc<dyn DocumentStore>) -> Self {
        self.documents = Some(documents);
        self
    }

    /// Sends the requests to providers with another HTTP client, for example a fake one in tests.
    /// Retries, timeouts and limits stay the same.
    ///
    /// Hosted configs are not fetched with this client.
    /// [`WebConfigFetcher`](crate::WebConfigFetcher) connects by itself to an address that it has
    /// checked, because a client that resolves the host again could be led to an internal address.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use llm_exe::bytes::Bytes;
    /// use llm_exe::http::{Request, Response};
    ///
    /// let reply = br#"{"message": {"content": "42"}, "done_reason": "stop"}"#;
    /// let client = llm_exe::Client::builder()
    ///     .http(|_: Request<Bytes>| Ok(Response::new(Bytes::from_static(reply))))
    ///     .build()?;
    /// let answer = client.request("ollama:qwen3").user("6 * 7?").output("number").send().await?;
    /// assert_eq!(answer.json(), 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn http(mut self, transport: impl HttpTransport + 'static) -> Self {
        self.http = Some(Arc::new(transport));
        self
    }

    /// Sets the models that may be called. By default, all models may be called.
    pub fn allowed_models(mut self, models: ModelPatterns) -> Self {
        self.rules.allowed_models = Some(models);
        self
    }

    /// Sets the maximum value of `maxTokens`, which is also its default.
    pub fn max_tokens_ceiling(mut self, tokens: u64) -> Self {
        self.rules.max_tokens_ceiling = Some(tokens);
        self
    }

    /// Sets whether a template variable that is missing from `data` is an error in all requests,
    /// including JSON requests. If it is, no request can change that.
    pub fn strict_variables(mut self, strict: bool) -> Self {
        self.rules.strict_variables = strict;
        self
    }

    /// Sets whether a provider's rejection of an option is always an error. By default, a request
    /// that is rejected because the model does not support a part of it is sent again without that
    /// part, with a warning, and later requests do not contain it either.
    pub fn strict_options(mut self, strict: bool) -> Self {
        self.rules.strict_options = strict;
        self
    }

    /// Sets whether every warning about a request is an error before the call that it concerns, in
    /// all requests. If it is, no request can change that.
    pub fn strict(mut self, strict: bool) -> Self {
        self.rules.strict = strict;
        self
    }

    /// Sets the time limit of a request, including all attempts, repairs and fallbacks. The default
    /// is 5 minutes.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`BuildError`] for the first invalid provider, parser, base URL, API mode, region or key.
    pub fn build(self) -> Result<Client, BuildError> {
        let mut providers = self.providers;
        // A server without a key name gets one if the program sets a key for it.
        for provider in &mut providers {
            let has_constant = self.constant_keys.iter().any(|(name, _)| name == provider.name());
            if has_constant && provider.key().is_none() {
                *provider = provider.clone().key_name(provider.name());
            }
        }
        let providers = Providers::with(providers)?;
        let find = |name: &str| {
            let found = providers.all().find(|provider| provider.name() == name);
            found.ok_or_else(|| BuildError::UnknownProvider {
                name: name.to_owned(),
                known: providers.all().map(|known| known.name().to_owned()).collect(),
            })
        };
        let mut constant = HashMap::new();
        for (name, key) in &self.constant_keys {
            let unused = || BuildError::UnusedKey { provider: name.clone() };
            let key_name = find(name)?.key().ok_or_else(unused)?;
            let invalid = |reason| BuildError::Key { provider: name.clone(), reason };
            constant.insert(key_name, Secret::new(key).map_err(invalid)?);
        }
        let mut endpoints = Endpoints::new();
        for (name, url) in &self.base_urls {
            let invalid = |reason| BuildError::BaseUrl { provider: name.clone(), reason };
            endpoints.set(find(name)?, url.trim()).map_err(invalid)?;
        }
        if let Some(invalid) = self.invalid_api_mode {
            return Err(BuildError::ApiMode(invalid));
        }
        endpoints.set_api_mode(self.api_mode.unwrap_or_default());
        if let Some(region) = &self.region {
            endpoints.set_region(region)?;
        }
        let rules = Rules { parsers: Parsers::with(self.parsers)?, providers, ..self.rules };
        let keys = Arc::new(ClientKeys { constant, others: self.keys });
        let mut runner = Runner::new(endpoints, keys, rules);
        if let Some(signer) = self.signer {
            runner = runner.with_signer(signer);
        }
        if let Some(http) = self.http {
            runner = runner.with_http_transport(http);
        }
        if let Some(documents) = self.documents {
            runner = runner.with_documents(documents);
        }
        Ok(Client { runner: Arc::new(runner), time_limit: self.time_limit })
    }
}
