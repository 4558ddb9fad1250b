//! Authentication and authorization of callers of the HTTP endpoint.

use llm_exe::{Error, ErrorKind, KeyName};

/// How callers of the HTTP endpoint authenticate. The setting `ENDPOINT_AUTH` selects the method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EndpointAuth {
    /// AWS has authenticated the caller, whose identity is in the event.
    #[default]
    AwsIam,
    /// The caller sends the endpoint key in the header `x-api-key` or as a bearer token.
    ApiKey,
    /// Every caller is allowed.
    None,
}

impl EndpointAuth {
    /// The values of the setting `ENDPOINT_AUTH`, in the order of the documentation.
    pub const WORDS: &'static [(&'static str, EndpointAuth)] = &[
        ("AWS_IAM", EndpointAuth::AwsIam),
        ("API_KEY", EndpointAuth::ApiKey),
        ("NONE", EndpointAuth::None),
    ];
}

/// Returns the name of the endpoint key in Parameter Store and in the environment.
pub fn endpoint_key() -> KeyName {
    KeyName::new("KeyEndpoint", &["ENDPOINT_API_KEY"])
}

/// The result of authorizing a caller.
#[derive(Debug, Clone)]
pub enum Authorization {
    /// The caller is allowed.
    Granted,
    /// The caller sent this key, which must equal the endpoint key. The function compares the keys,
    /// because only the function can look up the endpoint key.
    RequiresKey(String),
    /// The caller is rejected with this error.
    Denied(Error),
}

impl Authorization {
    pub(crate) fn denied(message: &str) -> Self {
        Authorization::Denied(Error::new(ErrorKind::Unauthorized, message))
    }
}
