//! The API for Rust programs: a client, which is configured once, and the requests to it.

mod builder;
mod callbacks;
mod deserialize;
#[cfg(feature = "env")]
mod env;
mod handle;
mod keys;
mod pending;
mod request;
mod request_tools;
#[cfg(feature = "schemars")]
mod result_type;
mod stream;
mod tool;
mod tool_output;
#[cfg(feature = "schemars")]
mod type_schema;
#[cfg(feature = "schemars")]
mod typed;
#[cfg(feature = "schemars")]
mod typed_stream;
#[cfg(feature = "schemars")]
mod typed_tool;

pub use builder::{BuildError, ClientBuilder};
pub use handle::Client;
pub use pending::{PendingCall, PendingCalls};
pub use request::{RequestBuilder, Response};
pub use stream::{ResponseStream, RunStream, StreamItem};
pub use tool::Tool;
pub use tool_output::{Json, ToolOutput};
#[cfg(feature = "schemars")]
pub use typed::Executor;
#[cfg(feature = "schemars")]
pub use typed_stream::{TypedItem, TypedStream};
