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

/// A function that parses the `destination` field of a request. Its error message describes the
/// expected formats.
pub type DestinationParser = fn(&str) -> Result<ParsedDestination, String>;
