//! The interface to the destinations of results, such as queues. The crates that send results
//! define the syntax of a destination.

use std::fmt::{Debug, Display};
use std::sync::Arc;

/// A destination for results, such as an SQS queue. Its `Display` output is a valid `destination`
/// field of a request.
pub trait ResultDestination: Debug + Display + Send + Sync {
    /// Returns whether the ARN identifies this destination or, for an S3 prefix, its bucket.
    fn matches_arn(&self, arn: &str) -> bool;
}

/// A destination that a [`DestinationParser`] has parsed.
pub type ParsedDestination = Arc<dyn ResultDestination>;

/// The error for a `destination` field that can't be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidDestination(String);

impl InvalidDestination {
    /// Creates the error with a message that describes the expected formats.
    pub fn new(message: impl Into<String>) -> Self {
        InvalidDestination(message.into())
    }
}

/// A function that parses the `destination` field of a request.
pub type DestinationParser = fn(&str) -> Result<ParsedDestination, InvalidDestination>;
