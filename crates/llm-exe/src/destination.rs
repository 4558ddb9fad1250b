//! The destination of a result, as far as the core checks it. Programs that send results define its
//! syntax.

use std::fmt::{Debug, Display};
use std::sync::Arc;

/// A destination of results, for example a queue. `Display` writes it as requests name it.
pub trait ResultDestination: Debug + Display + Send + Sync {
    /// Whether the ARN names this destination, or the bucket of its objects.
    fn matches_arn(&self, arn: &str) -> bool;
}

/// A destination that a [`DestinationParser`] accepted.
pub type ParsedDestination = Arc<dyn ResultDestination>;

/// Parses the field `destination` of a request. The error describes the expected forms.
pub type DestinationParser = fn(&str) -> Result<ParsedDestination, String>;
