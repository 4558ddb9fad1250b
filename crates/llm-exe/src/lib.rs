//! Runs LLM requests and checks their results. A request names a provider and a model, and contains
//! a prompt, its data, and the expected output format and schema.
//!
//! Programs start with a [`Client`]. Below it, a [`Runner`] validates a [`Request`] into a [`Plan`]
//! and renders its templates ([`prompt`]). It then builds the provider's HTTP request
//! ([`providers`]), sends it ([`transport`]) and parses the reply ([`parsers`]).
//!
//! This crate does not store credentials, and reads environment variables only with the feature
//! `env`. Its callers supply API keys and AWS signatures through the traits in [`ports`].

#![doc = include_str!("../README.md")]

pub mod chat;
pub mod client;
mod deadline;
mod destination;
mod endpoints;
pub mod error;
mod function_name;
mod glob;
mod gzip;
mod hex;
pub mod hosted;
pub mod json;
mod keys;
pub mod parsers;
mod plan;
pub mod ports;
pub mod prompt;
pub mod providers;
mod region;
mod request;
mod run;
pub mod schema;
mod scrub;
mod single_flight;
mod tls;
pub mod trace;
pub mod transport;
mod web_config;
pub mod wire;
mod word_list;

// Types of these crates are part of the API.
pub use bytes;
pub use http;

pub use chat::{Chat, Media, Message, Part, Reply, Role, StopReason, Tags, ToolChoice, Usage};
pub use client::{
    BuildError, Client, ClientBuilder, Json, PendingCall, PendingCalls, RequestBuilder, Response,
    ResponseStream, RunStream, StreamItem, Tool, ToolOutput,
};
#[cfg(feature = "schemars")]
pub use client::{Executor, TypedItem, TypedStream};
pub use deadline::Deadline;
pub use destination::{
    DestinationParser, InvalidDestination, ParsedDestination, ResultDestination,
};
pub use endpoints::Endpoints;
pub use error::{Error, ErrorKind, Problem};
pub use function_name::FunctionName;
pub use glob::matches as matches_glob;
pub use hex::hex;
pub use hosted::{ConfigSource, HostedRules};
#[cfg(feature = "env")]
pub use keys::EnvironmentKeys;
pub use keys::{ConstantKey, KeyFn};
pub use parsers::{OutputError, OutputParser};
pub use plan::{
    ChainStep, InvalidModelPatterns, ModelPatterns, Output, Plan, Prompt, RenderedChat, Returns,
    Rules, StreamFormat, Target, ToolRules, config_schema, is_tag, request_schema_with,
};
pub use ports::{InvalidSecret, KeyName, Keys, Secret};
pub use providers::{
    BuiltRequest, Cost, Dialect, Endpoint, InvalidPrices, InvalidProvider, PriceList, Provider,
    Providers,
};
pub use region::{InvalidRegion, aws_domain, check_region};
pub use request::{
    ParsedRequest, Request, RequestFallback, RequestImage, RequestMessage, RequestOptions,
    RequestPart, RequestTool, RequestToolChoice, RequestToolResult, RequestToolRun, TextOr,
    field_names, request_schema, suggestion,
};
pub use run::{
    CallerContext, Context, ContinuedConversation, Durations, EventSink, FailedTarget,
    HandBackPolicy, Observer, Report, RequestChange, Run, RunEvent, Runner, StepReport,
    StreamRequest, ToolRunReport, Turn, UNKNOWN_CONVERSATION,
};
pub use scrub::scrub;
pub use single_flight::SingleFlight;
pub use web_config::{ConfigHosts, ConfigHostsError, LOCAL_NAMES, Resolver, WebConfigFetcher};
pub use wire::{InvalidUserAgent, UserAgent, WireReply};
