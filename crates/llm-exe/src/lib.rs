//! llm-exe: from one request (provider, model, prompt, data, output, schema) to a checked answer.
//!
//! The line that every request takes is [`Executor::run`]: the request as written
//! ([`Request`]), validated ([`Plan`]), rendered ([`prompt`]), asked over a provider's dialect
//! ([`providers`]) by the one HTTP client ([`transport`]), and read by a parser ([`parsers`]).
//! Nothing here reads the environment, knows AWS, or holds a credential for longer than a call.

#![doc = include_str!("../../../docs/library.md")]

pub mod chat;
mod deadline;
mod destination;
mod endpoints;
pub mod error;
pub mod hosted;
pub mod json;
pub mod parsers;
mod plan;
pub mod ports;
pub mod prompt;
pub mod providers;
mod request;
mod run;
pub mod schema;
mod scrub;
mod tls;
pub mod transport;
mod web_config;
pub mod wire;

pub use chat::{Message, Part, Role, StopReason, Usage};
pub use deadline::Deadline;
pub use destination::{DestinationParser, ParsedDestination, ResultDestination};
pub use endpoints::{Endpoints, check_region};
pub use error::{Error, ErrorKind, Problem};
pub use hosted::{ConfigSource, HostedRules};
pub use plan::{ModelPatterns, Output, Plan, Prompt, RenderedChat, Returns, Rules, Target};
pub use ports::{KeyName, Keys, Secret};
pub use request::{
    ParsedRequest, Request, RequestFallback, RequestImage, RequestMessage, RequestOptions,
    RequestPart, TextOr, field_names, request_schema,
};
pub use run::{Durations, Executor, PassedOver, Report, Run};
pub use scrub::scrub;
pub use web_config::{ConfigHosts, ConfigHostsError, Resolver, WebConfigs};
