//! Defines how callers of the HTTP endpoint are authorized.

use llm_exe::{Error, ErrorKind, KeyName};

/// How callers of the HTTP endpoint authenticate. The setting `ENDPOINT_AUTH` selects the method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EndpointAuth {
    /// AWS has authenticated the caller, and the event contains the caller's identity.
    #[default]
    AwsIam,
    /// The caller sends the endpoint key in the header `x-api-key` or as a bearer token.
    ApiKey,
    /// Every caller is allowed.
    None,
}

impl EndpointAuth {
    /// The values of `ENDPOINT_AUTH`, in the order in which the documentation lists them.
    pub const WORDS: &'static [(&'static str, EndpointAuth)] = &[
        ("AWS_IAM", EndpointAuth::AwsIam),
        ("API_KEY", EndpointAuth::ApiKey),
        ("NONE", EndpointAuth::None),
    ];
}

/// The name of the endpoint key in Parameter Store and in the environment.
pub fn endpoint_key() -> KeyName {
    KeyName::new("KeyEndpoint", &["ENDPOINT_API_KEY"])
}

/// Whether a caller may run requests.
#[derive(Debug, Clone)]
pub enum Authorization {
    /// The caller is allowed.
    Granted,
    /// The caller sent this key and is allowed if it equals the endpoint key. The function makes
    /// the comparison, because it can look up the endpoint key.
    RequiresKey(String),
    /// The caller is rejected with this error.
    Denied(Error),
}

impl Authorization {
    pub(crate) fn denied(message: &str) -> Self {
        Authorization::Denied(Error::new(ErrorKind::Unauthorized, message))
    }
}
