//! AWS credentials and the sources that provide them.

use std::sync::OnceLock;

use llm_exe::ports::PortFuture;
use llm_exe::{Error, ErrorKind, Secret};

const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";

/// The environment variables that hold AWS credentials.
pub const CREDENTIAL_VARIABLES: &[&str] = &[ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN];

/// AWS credentials. They are redacted in debug output and wiped from memory when dropped.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The access key id. It is not a secret, but it is redacted anyway.
    pub access_key_id: Secret,
    /// The secret key that is used to sign requests.
    pub secret_access_key: Secret,
    /// The session token. Only temporary credentials have one, such as those of a Lambda function.
    pub session_token: Option<Secret>,
}

/// A source of AWS credentials. Implementations should cache valid credentials, because the client
/// requests them for every call.
pub trait CredentialSource: Send + Sync {
    /// Returns credentials that are currently valid.
    ///
    /// # Errors
    /// Returns `SecretNotFound` if no credentials are configured, and `SecretUnavailable` if the
    /// source fails to provide them.
    fn credentials(&self) -> PortFuture<'_, Result<Credentials, Error>>;

    /// Returns new credentials after AWS reported `stale` as expired, or `None` if the source has
    /// no newer ones.
    ///
    /// # Errors
    /// Returns the same errors as [`CredentialSource::credentials`].
    fn renewed<'a>(
        &'a self,
        stale: &'a Credentials,
    ) -> PortFuture<'a, Result<Option<Credentials>, Error>> {
        let _ = stale;
        Box::pin(std::future::ready(Ok(None)))
    }
}

type LookUp = dyn Fn(&str) -> Option<String> + Send + Sync;

/// A credential source that reads environment variables. It reads them once, on first use, because
/// Lambda sets new credentials only when it starts a new process.
pub struct EnvironmentCredentials {
    look_up: Box<LookUp>,
    cached: OnceLock<Credentials>,
}

impl std::fmt::Debug for EnvironmentCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnvironmentCredentials")
    }
}

impl EnvironmentCredentials {
    /// Creates a source that uses `look_up` to read environment variables.
    pub fn new(look_up: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        EnvironmentCredentials { look_up: Box::new(look_up), cached: OnceLock::new() }
    }

    /// Returns true if none of the [`CREDENTIAL_VARIABLES`] is set.
    pub fn is_unset(&self) -> bool {
        let is_set =
            |name: &&str| (self.look_up)(name).is_some_and(|value| !value.trim().is_empty());
        !CREDENTIAL_VARIABLES.iter().any(is_set)
    }

    fn read(&self) -> Result<Credentials, Error> {
        if let Some(credentials) = self.cached.get() {
            return Ok(credentials.clone());
        }
        let (id, key) = (self.variable(ACCESS_KEY_ID)?, self.variable(SECRET_ACCESS_KEY)?);
        let missing: Vec<&str> = [(ACCESS_KEY_ID, &id), (SECRET_ACCESS_KEY, &key)]
            .iter()
            .filter_map(|(name, value)| value.is_none().then_some(*name))
            .collect();
        let (Some(access_key_id), Some(secret_access_key)) = (id, key) else {
            let message =
                format!("no AWS credentials: set {} in the environment", missing.join(" and "));
            return Err(Error::secret_not_set(message));
        };
        let session_token = self.variable(SESSION_TOKEN)?;
        let credentials = Credentials { access_key_id, secret_access_key, session_token };
        Ok(self.cached.get_or_init(|| credentials).clone())
    }

    /// Returns the value of a variable, or `None` if it is not set or blank.
    fn variable(&self, name: &str) -> Result<Option<Secret>, Error> {
        let Some(value) = (self.look_up)(name).filter(|value| !value.trim().is_empty()) else {
            return Ok(None);
        };
        Secret::new(&value).map(Some).map_err(|reason| {
            let message = format!("invalid AWS credentials in {name}: {reason}");
            Error::new(ErrorKind::SecretNotFound, message)
        })
    }
}

impl CredentialSource for EnvironmentCredentials {
    fn credentials(&self) -> PortFuture<'_, Result<Credentials, Error>> {
        Box::pin(std::future::ready(self.read()))
    }
}
