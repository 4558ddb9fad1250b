//! llm-exe: from one request (provider, model, prompt, data, output, schema) to a checked answer.
//!
//! The line that every request takes is [`Executor::run`]: the request as written
//! ([`Request`]), validated ([`Job`]), rendered ([`prompt`]), asked over a provider's dialect
//! ([`providers`]) by the one HTTP client ([`transport`]), and read by a parser ([`parsers`]).
//! Nothing here reads the environment, knows AWS, or holds a credential for longer than a call.

#![doc = include_str!("../../../docs/library.md")]

pub mod chat;
mod deadline;
mod endpoints;
pub mod error;
mod executor;
pub mod hosted;
mod job;
pub mod json;
mod pages;
pub mod parsers;
pub mod ports;
pub mod prompt;
pub mod providers;
mod request;
pub mod results;
pub mod schema;
mod scrub;
mod tls;
pub mod transport;
pub mod wire;

pub use chat::{Message, Part, Role, StopReason, Usage};
pub use deadline::Deadline;
pub use endpoints::{Endpoints, check_region};
pub use error::{Error, ErrorKind, Problem};
pub use executor::{Durations, Executor, PassedOver, Report, Run};
pub use hosted::{ConfigSource, HostedRules};
pub use job::{Conversation, Job, ModelPatterns, Output, RenderedChat, Returns, Rules, Target};
pub use pages::{PageHosts, PageHostsFault, Pages, Resolver};
pub use ports::{KeyName, Keys, Secret};
pub use request::{
    Request, TextOr, Written, WrittenFallback, WrittenImage, WrittenMessage, WrittenOptions,
    WrittenPart, field_names, request_schema,
};
pub use scrub::scrub;
