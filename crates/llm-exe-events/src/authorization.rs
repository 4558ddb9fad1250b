//! Authorization of callers of the HTTP endpoint.

use llm_exe::{Error, ErrorKind, KeyName};

/// How callers of the HTTP endpoint authenticate, as `ENDPOINT_AUTH` sets it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EndpointAuth {
    /// AWS authenticated the caller, and the event contains its identity.
    #[default]
    AwsIam,
    /// The caller sends the endpoint key, in `x-api-key` or as a bearer token.
    ApiKey,
    /// Every caller is allowed.
    None,
}

impl EndpointAuth {
    /// The values of the setting, in the order of the documentation.
    pub const WORDS: &'static [(&'static str, EndpointAuth)] = &[
        ("AWS_IAM", EndpointAuth::AwsIam),
        ("API_KEY", EndpointAuth::ApiKey),
        ("NONE", EndpointAuth::None),
    ];
}

/// The name of the endpoint key, in Parameter Store and in the environment.
pub fn endpoint_key() -> KeyName {
    KeyName::new("KeyEndpoint", &["ENDPOINT_API_KEY"])
}

/// Whether a caller may run requests.
#[derive(Debug, Clone)]
pub enum Authorization {
    /// The caller is allowed.
    Granted,
    /// The caller is allowed if this is the endpoint key. The function, which can look up the
    /// endpoint key, compares the two in constant time.
    RequiresKey(String),
    /// The caller is rejected with this error.
    Denied(Error),
}

impl Authorization {
    pub(crate) fn denied(message: &str) -> Self {
        Authorization::Denied(Error::new(ErrorKind::Unauthorized, message))
    }
}
