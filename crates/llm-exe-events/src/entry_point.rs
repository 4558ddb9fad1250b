//! The entry points through which a response can be streamed.

/// An entry point whose callers receive a streamed response if it is set up for that. Events do not
/// show whether it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamingEntryPoint {
    /// The function URL.
    Url,
    /// A REST API of API Gateway.
    Rest,
    /// The API operation `InvokeWithResponseStream`. Events of `Invoke` look the same.
    Invoke,
}

impl StreamingEntryPoint {
    /// The words for the entry points in the setting `RESPONSE_STREAMING`.
    pub const WORDS: &[(&str, StreamingEntryPoint)] = &[
        ("url", StreamingEntryPoint::Url),
        ("rest", StreamingEntryPoint::Rest),
        ("invoke", StreamingEntryPoint::Invoke),
    ];
}
