//! Who may call the HTTP endpoint.

use llm_exe::{Error, ErrorKind, KeyName};

/// How the endpoint's callers prove themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EndpointAuth {
    /// AWS checked the caller, and the event says so.
    #[default]
    AwsIam,
    /// The endpoint's own key, in `x-api-key` or as a bearer token.
    ApiKey,
    /// Anybody.
    None,
}

impl EndpointAuth {
    /// The setting's words, in the order of the documentation.
    pub const WORDS: &'static [(&'static str, EndpointAuth)] = &[
        ("AWS_IAM", EndpointAuth::AwsIam),
        ("API_KEY", EndpointAuth::ApiKey),
        ("NONE", EndpointAuth::None),
    ];
}

/// The name of the endpoint's own key.
pub fn endpoint_key() -> KeyName {
    KeyName::new("KeyEndpoint", &["ENDPOINT_API_KEY"])
}

/// Whether a caller is let in.
#[derive(Debug, Clone)]
pub enum Admission {
    /// Yes.
    Granted,
    /// If this is the endpoint's key; compared in constant time by whoever holds the real one.
    IfKey(String),
    /// No.
    Refused(Error),
}

impl Admission {
    pub(crate) fn refused(message: &str) -> Self {
        Admission::Refused(Error::new(ErrorKind::Unauthorized, message))
    }
}
