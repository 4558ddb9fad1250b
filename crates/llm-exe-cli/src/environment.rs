//! Loads the settings and keys and creates the AWS clients that a command uses.
//!
//! Settings come from environment variables. Keys come from environment variables, `.env` or
//! Parameter Store. The AWS region comes from the same places as the AWS credentials: environment
//! variables, `.env` or a profile.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use llm_exe::hosted::{CachedDocuments, DocumentStores, parse_config_url};
use llm_exe::ports::{DocumentLocation, DocumentStore, Signer};
use llm_exe::providers::{Provider, Providers};
use llm_exe::transport::HttpClient;
use llm_exe::{EnvironmentKeys, Error, Keys, Runner, UserAgent, WebConfigFetcher};
use llm_exe_aws::{
    AwsPorts, CREDENTIAL_VARIABLES, CredentialSource, EnvironmentCredentials, ServiceEndpoints,
    SigV4Signer,
};
use llm_exe_events::{EndpointAuth, endpoint_key};
use llm_exe_function::{
    AwsSettings, Function, REGION_VARIABLES, Settings, aws_region, misspelled_settings,
};
use llm_exe_simulator::Simulator;

use crate::env_file::{EnvFile, EnvValue};
use crate::input_name::hosted_url;
use crate::keys::{SimulatedKeys, UserKeys};
use crate::output;

const ENV_FILE: &str = ".env";

#[expect(clippy::disallowed_methods, reason = "the only place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Returns the names of all environment variables.
#[expect(clippy::disallowed_methods, reason = "the only place that reads the environment")]
fn variable_names() -> Vec<String> {
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect()
}

/// Returns the value of an environment variable, or `None` if it is not set or blank.
fn nonempty_variable(name: &str) -> Option<String> {
    variable(name).filter(|value| !value.trim().is_empty())
}

/// The example credentials from the AWS documentation. The simulator accepts only requests that are
/// signed with them.
const EXAMPLE_CREDENTIALS: &[(&str, &str)] = &[
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
];

/// The source of the keys and credentials that a command uses to call providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// No keys, for commands that do not call a provider.
    None,
    /// Placeholder keys, which the simulator accepts.
    Simulator,
    /// The user's keys from environment variables, `.env` or Parameter Store.
    User,
}

impl KeySource {
    /// Returns the key source for a value of the flag `--simulate`.
    pub(crate) fn from_simulate_flag(simulate: bool) -> Self {
        if simulate { KeySource::Simulator } else { KeySource::User }
    }
}

/// The settings, keys and clients that a command needs to run requests.
pub(crate) struct Environment {
    pub(crate) settings: Settings,
    /// Variables that are probably misspelled settings.
    warnings: Vec<String>,
    pub(crate) keys: Arc<dyn Keys>,
    /// The credentials for requests to Amazon Bedrock.
    credentials: Arc<dyn CredentialSource>,
    /// The clients for AWS services other than Bedrock. They use the user's credentials even with
    /// `--simulate`, because the simulator replaces the providers but not S3.
    aws: AwsPorts,
    http: HttpClient,
    /// The running simulator, if any. It stops when this field is dropped.
    simulator: Option<Simulator>,
}

impl Environment {
    /// Reads the settings and keys for one command. It exports no traces, so the variables of
    /// OpenTelemetry, which often belong to other programs, are not read.
    pub(crate) async fn read(source: KeySource) -> Result<Environment, String> {
        Environment::read_with(source, &[], &|name| !name.starts_with("OTEL_")).await
    }

    /// Reads the settings and keys for a server. Values in `overrides` take precedence over
    /// environment variables.
    pub(crate) async fn read_for_server(
        source: KeySource,
        overrides: &[(&str, String)],
    ) -> Result<Environment, String> {
        Environment::read_with(source, overrides, &|_| true).await
    }

    async fn read_with(
        source: KeySource,
        overrides: &[(&str, String)],
        is_read: &dyn Fn(&str) -> bool,
    ) -> Result<Environment, String> {
        let mut overrides: HashMap<String, String> =
            overrides.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let env_file = EnvFile::read(Path::new(ENV_FILE));
        let env_file = match source {
            KeySource::User => env_file?,
            // An invalid file does not stop a command that calls no real provider. If the command
            // needs a value from the file, it later reports that the value is missing.
            KeySource::None | KeySource::Simulator => env_file.unwrap_or_default(),
        };
        let region = Region::find(&env_file, source).await?;
        overrides.extend(region.variable(source));
        let read = |name: &str| is_read(name).then(|| variable(name))?;
        let look_up = |name: &str| overrides.get(name).cloned().or_else(|| read(name));
        let mut settings = Settings::parse(&look_up).map_err(|error| error.to_string())?;
        if source == KeySource::None {
            settings.endpoints.allow_missing_region();
        }
        let providers = settings.rules.providers.clone();
        let simulator = match source {
            KeySource::Simulator => Some(simulator(&mut settings, &providers).await?),
            KeySource::None | KeySource::User => None,
        };
        let env_values = env_file.values(|name| is_key(name, &providers));
        let env_values = match source {
            KeySource::User => env_values?,
            KeySource::None | KeySource::Simulator => env_values.unwrap_or_default(),
        };
        let env_values = Arc::new(env_values);
        let http = HttpClient::default().with_user_agent(user_agent());
        let user_credentials = user_credentials(Arc::clone(&env_values));
        let aws = aws_ports(&settings.aws, &http, Arc::clone(&user_credentials));
        // A profile alone does not mean that the account has a stack with keys.
        let store = match region {
            Region::Explicit(_) => aws.keys(&settings.aws.stack_name, settings.aws.secret_cache),
            Region::Profile(_) | Region::Unknown => None,
        };
        let store = store.map(|store| Arc::new(store) as Arc<dyn Keys>);
        let user_keys = UserKeys::new(nonempty_variable, env_values, store);
        let (keys, credentials): (Arc<dyn Keys>, Arc<dyn CredentialSource>) = match source {
            KeySource::None => {
                let credentials = EnvironmentCredentials::new(|_| None);
                (Arc::new(EnvironmentKeys::new(|_| None)), Arc::new(credentials))
            }
            KeySource::Simulator => {
                let credentials = EnvironmentCredentials::new(example_credential);
                (Arc::new(SimulatedKeys(user_keys)), Arc::new(credentials))
            }
            KeySource::User => (Arc::new(user_keys), user_credentials),
        };
        let warnings = misspelled_settings(variable_names().iter().map(String::as_str));
        Ok(Environment { settings, warnings, keys, credentials, aws, http, simulator })
    }

    /// Returns the simulator that replaces the providers, if any.
    pub(crate) fn simulator(&self) -> Option<&Simulator> {
        self.simulator.as_ref()
    }

    /// Prints the warnings about environment variables, as text or as JSON objects.
    pub(crate) fn print_warnings(&self, as_json: bool) {
        for warning in &self.warnings {
            output::print_warning(warning, as_json);
        }
    }

    /// Returns an error if callers must send the endpoint key, but there is none.
    pub(crate) async fn check_endpoint_key(&self) -> Result<(), Error> {
        if self.settings.endpoint_auth != EndpointAuth::ApiKey {
            return Ok(());
        }
        self.keys.get(&endpoint_key()).await.map(|_| ())
    }

    /// Returns an error if the credentials for Amazon Bedrock are missing or invalid.
    pub(crate) async fn check_credentials(&self) -> Result<(), Error> {
        self.credentials.credentials().await.map(|_| ())
    }

    /// Returns a runner for the request in `file`. If `file` is an S3 URL, the runner may read
    /// from the bucket even if the settings do not allow it, because the user named the bucket on
    /// the command line.
    pub(crate) fn runner_for(&self, file: &Path) -> Runner {
        let Settings { endpoints, mut rules, config_cache, .. } = self.settings.clone();
        let place = hosted_url(file).and_then(|url| parse_config_url(url).ok());
        if let Some(DocumentLocation::Object { bucket, .. }) = place {
            let allowed = rules.hosted.bucket.iter().cloned().collect();
            rules.hosted.buckets.get_or_insert(allowed).push(bucket);
        }
        let documents = CachedDocuments::new(self.documents(), config_cache);
        Runner::new(endpoints, Arc::clone(&self.keys), rules)
            .with_http(self.http.clone())
            .with_signer(self.signer())
            .with_documents(Arc::new(documents))
            .with_functions(Arc::new(self.aws.functions()))
    }

    /// Creates the function that also runs in Lambda, with the settings and keys of this
    /// environment.
    pub(crate) fn function(&self) -> Function {
        Function::new(&self.settings, Arc::clone(&self.keys))
            .with_http(self.http.clone())
            .with_signer(self.signer())
            .with_documents(self.documents())
            .with_functions(Arc::new(self.aws.functions()))
            .with_results(Arc::new(self.aws.results()), Arc::new(self.aws.messenger()))
    }

    /// Returns the names of the environment variables that contain keys.
    pub(crate) fn secret_variables(&self) -> Vec<String> {
        let providers = &self.settings.rules.providers;
        variable_names().into_iter().filter(|name| is_key(name, providers)).collect()
    }

    fn signer(&self) -> Arc<dyn Signer> {
        Arc::new(SigV4Signer::new(Arc::clone(&self.credentials)))
    }

    fn documents(&self) -> Arc<dyn DocumentStore> {
        let web_configs =
            WebConfigFetcher::new(self.settings.config_hosts.clone()).with_user_agent(user_agent());
        Arc::new(DocumentStores {
            s3: Some(Arc::new(self.aws.documents())),
            web: Some(Arc::new(web_configs)),
        })
    }
}

/// The AWS region and the place that it comes from.
enum Region {
    /// An environment variable or `.env` sets the region.
    Explicit(String),
    /// The AWS profile sets the region.
    Profile(String),
    Unknown,
}

impl Region {
    async fn find(env_file: &EnvFile, source: KeySource) -> Result<Region, String> {
        if let Some((_, region)) = aws_region(&variable) {
            return Ok(Region::Explicit(region));
        }
        let values = env_file.values(|name| REGION_VARIABLES.contains(&name));
        let values = match source {
            KeySource::User => values?,
            KeySource::None | KeySource::Simulator => values.unwrap_or_default(),
        };
        let in_file = |name: &str| values.get(name).map(|value| value.text.clone());
        if let Some((_, region)) = aws_region(&in_file) {
            return Ok(Region::Explicit(region));
        }
        Ok(profile_region().await.map_or(Region::Unknown, Region::Profile))
    }

    /// Returns the variable that passes the region to the settings.
    fn variable(&self, source: KeySource) -> Option<(String, String)> {
        let region = match (self, source) {
            (Region::Explicit(region) | Region::Profile(region), _) => region.clone(),
            // The simulator accepts any region.
            (Region::Unknown, KeySource::Simulator) => "us-east-1".to_owned(),
            (Region::Unknown, KeySource::None | KeySource::User) => return None,
        };
        // A region from the environment keeps the name of its variable in error messages.
        let is_set = aws_region(&variable).is_some();
        (!is_set).then(|| ("AWS_REGION".to_owned(), region))
    }
}

#[cfg(feature = "aws-profile")]
async fn profile_region() -> Option<String> {
    crate::standard_chain::profile_region().await
}

/// Returns `None`, because this build does not read profiles.
#[cfg(not(feature = "aws-profile"))]
async fn profile_region() -> Option<String> {
    None
}

/// Returns whether a variable is a provider's key, the endpoint key or a part of AWS credentials.
fn is_key(name: &str, providers: &Providers) -> bool {
    let is_set_by = |provider: Provider| provider.key().is_some_and(|key| key.is_set_by(name));
    providers.all().any(is_set_by)
        || endpoint_key().is_set_by(name)
        || CREDENTIAL_VARIABLES.contains(&name)
}

/// Starts the simulator, and sets it as the endpoint of all providers.
async fn simulator(settings: &mut Settings, providers: &Providers) -> Result<Simulator, String> {
    let simulator = Simulator::start().await;
    let simulator = simulator.map_err(|error| format!("can't start the simulator: {error}"))?;
    for provider in providers.all() {
        let url = simulated_url(&simulator, &provider);
        settings.endpoints.set(provider, &url).map_err(|error| error.to_string())?;
    }
    settings.endpoints.assume_all_apis();
    Ok(simulator)
}

fn user_agent() -> UserAgent {
    UserAgent::for_program("llm-exe-cli", env!("CARGO_PKG_VERSION")).unwrap_or_default()
}

fn aws_ports(
    settings: &AwsSettings,
    http: &HttpClient,
    credentials: Arc<dyn CredentialSource>,
) -> AwsPorts {
    let AwsSettings { region, s3, ssm, sqs, events, lambda, .. } = settings.clone();
    let endpoints = ServiceEndpoints { s3, ssm, sqs, event_bridge: events, lambda };
    AwsPorts::new(region, endpoints, http.clone(), credentials)
}

/// Returns a source for the user's AWS credentials. It tries environment variables, then `.env` and
/// finally AWS's standard credential chain. The access key id, the secret key and the session token
/// always come from the same place.
fn user_credentials(env_file: Arc<HashMap<String, EnvValue>>) -> Arc<dyn CredentialSource> {
    with_standard_chain(EnvironmentCredentials::new(move |name| {
        let is_set = CREDENTIAL_VARIABLES.iter().any(|name| nonempty_variable(name).is_some());
        if is_set {
            return nonempty_variable(name);
        }
        env_file.get(name).map(|value| value.text.clone())
    }))
}

/// Adds AWS's standard credential chain as a fallback.
#[cfg(feature = "aws-profile")]
fn with_standard_chain(credentials: EnvironmentCredentials) -> Arc<dyn CredentialSource> {
    const CHAIN_VARIABLES: &[&str] = &[
        "AWS_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    let home = nonempty_variable("HOME").or_else(|| nonempty_variable("USERPROFILE"));
    let is_configured = CHAIN_VARIABLES.iter().any(|name| nonempty_variable(name).is_some())
        || home.is_some_and(|home| Path::new(&home).join(".aws").exists());
    let profile = nonempty_variable("AWS_PROFILE");
    Arc::new(crate::standard_chain::StandardChain::new(credentials, is_configured, profile))
}

/// Returns the credentials unchanged, because this build does not include the standard chain.
#[cfg(not(feature = "aws-profile"))]
fn with_standard_chain(credentials: EnvironmentCredentials) -> Arc<dyn CredentialSource> {
    Arc::new(credentials)
}

fn example_credential(name: &str) -> Option<String> {
    let credential = EXAMPLE_CREDENTIALS.iter().find(|(variable, _)| *variable == name);
    credential.map(|(_, value)| (*value).to_owned())
}

/// Returns the simulator's base URL for a provider. It has the same path as the provider's real
/// base URL, unless the simulator has a path with the rules of this provider.
fn simulated_url(simulator: &Simulator, provider: &Provider) -> String {
    if let Some(url) = simulator.compatible_base_url(provider.name()) {
        return url;
    }
    // The simulator can't know the path of the user's own server.
    let path = match provider.built_in() {
        Some(row) => row.base_url.splitn(4, '/').nth(3).unwrap_or_default(),
        None => "v1",
    };
    format!("{}/{path}", simulator.url())
}
