//! Hosted configs are requests, or parts of requests, that are stored in S3 or at an https URL.
//!
//! A request points to a config with `key` or `url`. `resolve` fetches the config from a
//! [`DocumentStore`], parses it as JSON, YAML or Markdown, and merges it with the caller's fields.
//! The error for an invalid config contains the line and column of the problem.
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
mod nested;
mod origin;
mod pointer;
mod position;
mod resolve;
mod scalar;
mod stores;
mod text;
mod yaml;

pub use crate::gzip::{is_gzip, is_gzip_encoding};
pub use access::HostedRules;
pub use cache::{CachedDocuments, MAX_CACHED_BYTES};
pub use config::{HostedConfig, MAX_CONFIG_BYTES};
pub use error::{ConfigError, Position};
pub use format::Format;
pub use merge::merge;
pub(crate) use nested::{NestedOrigin, resolve_nested};
pub use origin::{ConfigSource, Origin};
pub use pointer::{InvalidLocation, check_bucket, parse_config_url, parse_object};
pub use resolve::MAX_FETCH_TIME;
pub(crate) use resolve::{Resolved, resolve};
pub use stores::DocumentStores;
pub use text::decode_text;
