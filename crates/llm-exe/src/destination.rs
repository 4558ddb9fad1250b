//! The interface for destinations of results. The programs that send results define the syntax of
//! destinations.

use std::fmt::{Debug, Display};
use std::sync::Arc;

/// A destination to which results are sent, for example an SQS queue. `Display` writes the
/// destination as it is written in requests.
pub trait ResultDestination: Debug + Display + Send + Sync {
    /// Whether the ARN identifies this destination, or the S3 bucket that contains its objects.
    fn matches_arn(&self, arn: &str) -> bool;
}

/// A destination that a [`DestinationParser`] accepted.
pub type ParsedDestination = Arc<dyn ResultDestination>;

/// Parses the `destination` field of a request. The error message describes the expected formats.
pub type DestinationParser = fn(&str) -> Result<ParsedDestination, String>;
