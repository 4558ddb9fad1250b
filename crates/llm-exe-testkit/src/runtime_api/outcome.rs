//! The results that a function posts to the Runtime API.

use bytes::Bytes;

/// The result of an invocation, as the function posted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvocationOutcome {
    /// The function succeeded with this body.
    Response(Bytes),
    /// The function failed.
    Error {
        /// The error type from the header, or from the body if the header is missing.
        error_type: String,
        /// The error message, from the body.
        error_message: String,
        /// The whole body.
        body: Bytes,
    },
}

/// How the Runtime API fails to receive a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseFault {
    /// It closes the connection after it has received at least this number of bytes.
    Close(usize),
    /// It rejects the response with this status before it reads the body.
    Reject(u16),
}

/// The error that a function posts if it could not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitError {
    /// The error type from the header, or from the body if the header is missing.
    pub error_type: String,
    /// The error message, from the body.
    pub error_message: String,
    /// The whole body.
    pub body: Bytes,
}
