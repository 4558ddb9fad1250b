//! The API for Rust programs: a client, which is configured once, and the requests to it.

mod builder;
#[cfg(feature = "env")]
mod env;
mod handle;
mod keys;
mod request;
#[cfg(feature = "schemars")]
mod result_type;
#[cfg(feature = "schemars")]
mod type_schema;
#[cfg(feature = "schemars")]
mod typed;

pub use builder::{BuildError, ClientBuilder};
pub use handle::Client;
pub use request::{RequestBuilder, Response};
#[cfg(feature = "schemars")]
pub use typed::Executor;
