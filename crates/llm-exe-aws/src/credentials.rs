//! AWS credentials and where they come from.

use std::sync::OnceLock;

use llm_exe::ports::PortFuture;
use llm_exe::{Error, ErrorKind, Secret};

const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";

/// The environment variables that hold credentials.
pub const VARIABLES: &[&str] = &[ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN];

/// Credentials of AWS: redacted when printed, wiped when dropped.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Who signs. It is no secret by itself, and told to nobody all the same.
    pub access_key_id: Secret,
    /// The key that signatures are made with.
    pub secret_access_key: Secret,
    /// Goes with temporary credentials, such as a function's.
    pub session_token: Option<Secret>,
}

/// Where credentials come from. A source keeps what it found for as long as it holds.
pub trait CredentialSource: Send + Sync {
    /// Credentials that are good now.
    ///
    /// # Errors
    /// `SecretNotFound` where there are none, `SecretUnavailable` where their source failed.
    fn credentials(&self) -> PortFuture<'_, Result<Credentials, Error>>;

    /// Newer ones than `stale`, after AWS said that those expired; `None` where there are none.
    ///
    /// # Errors
    /// As [`CredentialSource::credentials`].
    fn renewed<'a>(
        &'a self,
        stale: &'a Credentials,
    ) -> PortFuture<'a, Result<Option<Credentials>, Error>> {
        let _ = stale;
        Box::pin(std::future::ready(Ok(None)))
    }
}

type LookUp = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Credentials of environment variables, read when first asked for. Lambda sets them anew for each
/// process, so they are read once.
pub struct EnvironmentCredentials {
    look_up: Box<LookUp>,
    found: OnceLock<Credentials>,
}

impl std::fmt::Debug for EnvironmentCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnvironmentCredentials")
    }
}

impl EnvironmentCredentials {
    /// Credentials by a look-up of variable names.
    pub fn new(look_up: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        EnvironmentCredentials { look_up: Box::new(look_up), found: OnceLock::new() }
    }

    /// Whether no variable of credentials is set at all.
    pub fn is_unset(&self) -> bool {
        let is_set = |name: &&str| (self.look_up)(name).is_some_and(|text| !text.trim().is_empty());
        !VARIABLES.iter().any(is_set)
    }

    fn find(&self) -> Result<Credentials, Error> {
        if let Some(found) = self.found.get() {
            return Ok(found.clone());
        }
        let (id, key) = (self.variable(ACCESS_KEY_ID)?, self.variable(SECRET_ACCESS_KEY)?);
        let missing: Vec<&str> = [(ACCESS_KEY_ID, &id), (SECRET_ACCESS_KEY, &key)]
            .iter()
            .filter_map(|(name, value)| value.is_none().then_some(*name))
            .collect();
        let (Some(access_key_id), Some(secret_access_key)) = (id, key) else {
            let text =
                format!("no AWS credentials: set {} in the environment", missing.join(" and "));
            return Err(Error::new(ErrorKind::SecretNotFound, text));
        };
        let session_token = self.variable(SESSION_TOKEN)?;
        let found = Credentials { access_key_id, secret_access_key, session_token };
        Ok(self.found.get_or_init(|| found).clone())
    }

    /// A variable that is set but empty is not set.
    fn variable(&self, name: &str) -> Result<Option<Secret>, Error> {
        let Some(value) = (self.look_up)(name).filter(|value| !value.trim().is_empty()) else {
            return Ok(None);
        };
        Secret::new(&value).map(Some).map_err(|why| {
            let text = format!("the AWS credentials in {name} can't be used: {why}");
            Error::new(ErrorKind::SecretNotFound, text)
        })
    }
}

impl CredentialSource for EnvironmentCredentials {
    fn credentials(&self) -> PortFuture<'_, Result<Credentials, Error>> {
        Box::pin(std::future::ready(self.find()))
    }
}
