//! Reads AWS credentials from the environment or, if they are not set there, from AWS's standard
//! credential chain: profiles, SSO, credential processes, containers and instances.
//!
//! AWS's `aws-config` crate implements the chain. The chain is evaluated when credentials are first
//! needed, and again before they expire. The Lambda binary does not include it, because Lambda sets
//! the credentials in the environment.

use std::time::{Duration, SystemTime};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::{ProfileFileLoadError, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use llm_exe::error::shorten;
use llm_exe::ports::PortFuture;
use llm_exe::{Error, ErrorKind, Secret, json};
use llm_exe_aws::{CredentialSource, Credentials, EnvironmentCredentials};
use tokio::sync::Mutex;

/// The timeout for evaluating the chain if it is configured on this machine. It may then run a
/// program or call a service.
const CONFIGURED_TIMEOUT: Duration = Duration::from_secs(30);
/// The timeout for evaluating the chain if it is not configured. Credentials can then only come
/// from an instance metadata service, which most machines do not have.
const UNCONFIGURED_TIMEOUT: Duration = Duration::from_secs(2);
/// The time before expiration at which credentials are renewed.
const EXPIRY_MARGIN: Duration = Duration::from_secs(300);

/// A credential source that uses the environment, with the standard chain as a fallback.
pub(crate) struct StandardChain {
    environment: EnvironmentCredentials,
    is_configured: bool,
    /// The value of `AWS_PROFILE`, if it is set.
    profile: Option<String>,
    /// The chain and its last credentials. The mutex stays locked while the chain is evaluated, so
    /// that concurrent callers wait for the result instead of evaluating the chain again.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    chain: Option<SharedCredentialsProvider>,
    /// The last credentials from the chain and the time at which they expire, if any.
    cached: Option<(Credentials, Option<SystemTime>)>,
}

impl StandardChain {
    /// Creates a credential source. `is_configured` states whether the chain is configured on this
    /// machine, which determines the timeout. `profile` is the value of `AWS_PROFILE`.
    pub(crate) fn new(
        environment: EnvironmentCredentials,
        is_configured: bool,
        profile: Option<String>,
    ) -> Self {
        StandardChain { environment, is_configured, profile, state: Mutex::default() }
    }

    /// Returns credentials from the chain, or `None` if the chain has none. Evaluates the chain
    /// again if the cached credentials equal `stale`.
    async fn chain_credentials(
        &self,
        stale: Option<&Credentials>,
    ) -> Result<Option<Credentials>, Error> {
        let mut state = self.state.lock().await;
        let State { chain, cached } = &mut *state;
        if let Some((credentials, expiry)) = cached
            && expiry.is_none_or(|expiry| expiry > SystemTime::now() + EXPIRY_MARGIN)
            && stale.is_none_or(|stale| !is_same(stale, credentials))
        {
            return Ok(Some(credentials.clone()));
        }
        let timeout = if self.is_configured { CONFIGURED_TIMEOUT } else { UNCONFIGURED_TIMEOUT };
        let evaluation = async {
            let chain = match chain {
                Some(chain) => chain.clone(),
                None => {
                    check_profile(self.profile.as_deref()).await?;
                    chain.insert(create_chain().await).clone()
                }
            };
            Ok::<_, Error>(chain.provide_credentials().await)
        };
        let evaluated = match tokio::time::timeout(timeout, evaluation).await {
            Ok(evaluated) => Ok(evaluated?),
            Err(elapsed) => Err(elapsed),
        };
        let provided = match evaluated {
            Ok(Ok(provided)) => provided,
            Ok(Err(CredentialsError::CredentialsNotLoaded(_))) => return Ok(None),
            // If the chain is not configured, an error only means that this machine has no metadata
            // service.
            Ok(Err(_)) | Err(_) if !self.is_configured => return Ok(None),
            // A profile that can't be used stays unusable until its file is changed.
            Ok(Err(error @ CredentialsError::InvalidConfiguration(_))) => {
                return Err(Error::new(
                    ErrorKind::SecretNotFound,
                    chain_message(&innermost_cause(&error)),
                ));
            }
            Ok(Err(error)) => return Err(chain_error(&innermost_cause(&error))),
            Err(_) => return Err(chain_error("no response within 30 seconds")),
        };
        let secret = |value: &str| {
            Secret::new(value)
                .map_err(|reason| chain_error(&format!("the credentials can't be used: {reason}")))
        };
        let credentials = Credentials {
            access_key_id: secret(provided.access_key_id())?,
            secret_access_key: secret(provided.secret_access_key())?,
            session_token: provided.session_token().map(secret).transpose()?,
        };
        *cached = Some((credentials.clone(), provided.expiry()));
        Ok(Some(credentials))
    }

    async fn current(&self) -> Result<Credentials, Error> {
        match self.environment.credentials().await {
            Err(error) if self.environment.is_unset() => {
                self.chain_credentials(None).await?.ok_or(error)
            }
            result => result,
        }
    }

    async fn newer_than(&self, stale: &Credentials) -> Result<Option<Credentials>, Error> {
        if !self.environment.is_unset() {
            return Ok(None);
        }
        let credentials = self.chain_credentials(Some(stale)).await?;
        Ok(credentials.filter(|credentials| !is_same(credentials, stale)))
    }
}

impl CredentialSource for StandardChain {
    fn credentials(&self) -> PortFuture<'_, Result<Credentials, Error>> {
        Box::pin(self.current())
    }

    fn renewed<'a>(
        &'a self,
        stale: &'a Credentials,
    ) -> PortFuture<'a, Result<Option<Credentials>, Error>> {
        Box::pin(self.newer_than(stale))
    }
}

async fn create_chain() -> SharedCredentialsProvider {
    let tls = Provider::Rustls(CryptoMode::Ring);
    let http = Builder::new().tls_provider(tls).build_https();
    let config = ProviderConfig::default().with_http_client(http);
    let chain = DefaultCredentialsChain::builder().configure(config).build().await;
    SharedCredentialsProvider::new(chain)
}

fn is_same(a: &Credentials, b: &Credentials) -> bool {
    a.secret_access_key.expose() == b.secret_access_key.expose()
        && a.session_token.as_ref().map(Secret::expose)
            == b.session_token.as_ref().map(Secret::expose)
}

/// Returns the region of the selected AWS profile, or `None` if it has none or can't be read.
pub(crate) async fn profile_region() -> Option<String> {
    Some(profiles().await.ok()?.get("region")?.to_owned())
}

/// Reads the profiles from the config file and the credentials file.
async fn profiles() -> Result<ProfileSet, ProfileFileLoadError> {
    let (files, environment) = (Default::default(), Default::default());
    aws_config::profile::load(&files, &environment, &Default::default(), None).await
}

/// Returns an error if `AWS_PROFILE` names a profile that does not exist. Without this check, the
/// chain would report that a source of credentials failed.
async fn check_profile(name: Option<&str>) -> Result<(), Error> {
    let (Some(name), Ok(profiles)) = (name, profiles().await) else {
        return Ok(());
    };
    if profiles.get_profile(name).is_some() {
        return Ok(());
    }
    let mut names: Vec<&str> = profiles.profiles().collect();
    names.sort_unstable();
    let existing = match names.as_slice() {
        [] => "there are no profiles".to_owned(),
        names => format!("existing profiles: {}", shorten(&names.join(", "), 200)),
    };
    let message = format!(
        "AWS_PROFILE: the profile {} is neither in the AWS config file (AWS_CONFIG_FILE, \
         ~/.aws/config) nor in the credentials file (AWS_SHARED_CREDENTIALS_FILE, \
         ~/.aws/credentials); {existing}",
        json::quoted(name)
    );
    Err(Error::new(ErrorKind::SecretNotFound, message))
}

fn chain_error(reason: &str) -> Error {
    Error::new(ErrorKind::SecretUnavailable, chain_message(reason))
}

fn chain_message(reason: &str) -> String {
    format!("can't get AWS credentials from the default credential provider chain: {reason}")
}

/// Returns the message of the innermost cause. The outer errors only state that a credential
/// provider failed.
fn innermost_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
