//! Hosted configs: what stands in a bucket or on a page instead of in the request.
//!
//! In: a request that may hold a pointer (`key`, or `url`), and a [`DocumentStore`] to fetch with;
//! nothing is fetched here otherwise. Out: the request with the config merged in and no pointer
//! left, and where each came from. A config is read as JSON, YAML or Markdown; of whatever bytes,
//! it ends in a config or in an error with a line and column.
//!
//! [`DocumentStore`]: crate::ports::DocumentStore

mod access;
mod cache;
mod config;
mod dialogue;
mod error;
mod format;
mod json;
mod markdown;
mod merge;
mod origin;
mod pointer;
mod resolve;
mod scalar;
mod stores;
mod yaml;

pub use access::HostedRules;
pub use cache::{CachedDocuments, MOST_CACHED_BYTES};
pub use config::HostedConfig;
pub use error::ConfigError;
pub use format::Format;
pub use merge::merge;
pub use origin::{ConfigSource, Origin};
pub use pointer::{check_bucket, place_of_url};
pub(crate) use resolve::{Resolved, resolve};
pub use stores::Stores;

/// The most bytes of a hosted document.
pub const MOST_BYTES: usize = 1024 * 1024;

/// The most seconds that fetching one may take.
pub const MOST_FETCH_TIME: std::time::Duration = std::time::Duration::from_millis(7500);
