//! AWS credentials of a laptop: the environment and `.env`, else AWS's own standard chain of
//! profiles, SSO, processes, containers and instances, by AWS's own crates.
//!
//! The chain is asked when credentials are first needed, and again before they expire. The Lambda
//! binary holds none of it: there the environment has them.

use std::time::{Duration, SystemTime};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use llm_exe::ports::PortFuture;
use llm_exe::{Error, ErrorKind, Secret};
use llm_exe_aws::{CredentialSource, Credentials, EnvironmentCredentials};
use tokio::sync::Mutex;

/// For a chain that is configured: a process may be run, a service asked.
const PATIENCE: Duration = Duration::from_secs(30);
/// For one of which nothing is: what is left of it is an instance's own service, or nobody.
const LITTLE_PATIENCE: Duration = Duration::from_secs(2);
/// Credentials that expire sooner are fetched anew.
const MARGIN: Duration = Duration::from_secs(300);

type Kept = (Credentials, Option<SystemTime>);

/// The environment's, else the chain's.
pub(crate) struct StandardChain {
    environment: EnvironmentCredentials,
    is_configured: bool,
    /// Locked while the chain is asked, so that others wait.
    state: Mutex<(Option<SharedCredentialsProvider>, Option<Kept>)>,
}

impl StandardChain {
    /// A chain behind the environment; whether anything of it is configured decides how long it
    /// is waited for.
    pub(crate) fn after(environment: EnvironmentCredentials, is_configured: bool) -> Self {
        StandardChain { environment, is_configured, state: Mutex::default() }
    }

    async fn found(&self, stale: Option<&Credentials>) -> Result<Option<Credentials>, Error> {
        let mut state = self.state.lock().await;
        let (chain, kept) = &mut *state;
        if let Some((known, until)) = kept
            && until.is_none_or(|until| until > SystemTime::now() + MARGIN)
            && stale.is_none_or(|stale| !is_same(stale, known))
        {
            return Ok(Some(known.clone()));
        }
        let patience = if self.is_configured { PATIENCE } else { LITTLE_PATIENCE };
        let asking = async {
            let chain = match chain {
                Some(chain) => chain.clone(),
                None => chain.insert(standard_chain().await).clone(),
            };
            chain.provide_credentials().await
        };
        let found = match tokio::time::timeout(patience, asking).await {
            Ok(Ok(found)) => found,
            Ok(Err(CredentialsError::CredentialsNotLoaded(_))) => return Ok(None),
            // Whatever answers where nothing is configured, it was not meant.
            Ok(Err(_)) | Err(_) if !self.is_configured => return Ok(None),
            Ok(Err(error)) => return Err(failed(&deepest(&error))),
            Err(_) => return Err(failed("no answer in time")),
        };
        let secret = |text: &str| {
            Secret::new(text).map_err(|why| failed(&format!("what it has can't be used: {why}")))
        };
        let credentials = Credentials {
            access_key_id: secret(found.access_key_id())?,
            secret_access_key: secret(found.secret_access_key())?,
            session_token: found.session_token().map(secret).transpose()?,
        };
        *kept = Some((credentials.clone(), found.expiry()));
        Ok(Some(credentials))
    }

    async fn first(&self) -> Result<Credentials, Error> {
        match self.environment.credentials().await {
            Err(error) if self.environment.is_unset() => self.found(None).await?.ok_or(error),
            environment => environment,
        }
    }

    async fn newer(&self, stale: &Credentials) -> Result<Option<Credentials>, Error> {
        if !self.environment.is_unset() {
            return Ok(None);
        }
        let found = self.found(Some(stale)).await?;
        Ok(found.filter(|found| !is_same(found, stale)))
    }
}

impl CredentialSource for StandardChain {
    fn credentials(&self) -> PortFuture<'_, Result<Credentials, Error>> {
        Box::pin(self.first())
    }

    fn renewed<'a>(
        &'a self,
        stale: &'a Credentials,
    ) -> PortFuture<'a, Result<Option<Credentials>, Error>> {
        Box::pin(self.newer(stale))
    }
}

async fn standard_chain() -> SharedCredentialsProvider {
    let tls = Provider::Rustls(CryptoMode::Ring);
    let http = Builder::new().tls_provider(tls).build_https();
    let config = ProviderConfig::default().with_http_client(http);
    let chain = DefaultCredentialsChain::builder().configure(config).build().await;
    SharedCredentialsProvider::new(chain)
}

fn is_same(one: &Credentials, other: &Credentials) -> bool {
    one.secret_access_key.expose() == other.secret_access_key.expose()
        && one.session_token.as_ref().map(Secret::expose)
            == other.session_token.as_ref().map(Secret::expose)
}

fn failed(why: &str) -> Error {
    let text = format!("the standard chain of AWS credentials failed: {why}");
    Error::new(ErrorKind::SecretUnavailable, text)
}

/// The deepest cause's text: the outer ones only say that a provider failed.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
