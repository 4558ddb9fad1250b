//! Integration tests of the core.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod broken_replies;
mod chains;
mod client_tools;
mod clients;
mod coercion;
mod common;
mod continuations;
mod conversations;
mod cost_limits;
mod docs;
mod fallbacks;
mod hosted;
mod hosted_cache;
mod hosted_properties;
mod http_transports;
mod look_ahead;
mod malformed_replies;
mod matrix;
mod model_data;
mod models;
mod numbers;
mod parsers;
mod progress;
mod prompt_limits;
mod prompt_ours;
mod prompts;
mod properties;
mod provider_strings;
mod recorded;
mod registered;
mod rejections;
mod rendering;
mod request_schema;
mod requests;
mod responses;
mod responses_api;
mod result_costs;
mod resumed;
mod runs;
mod schema_suite;
mod schemas;
mod stream_decoders;
mod stream_ends;
mod stream_failures;
mod streams;
mod strict_property;
mod strict_requests;
mod templates;
mod tool_references;
mod tools;
mod torture;
mod turns;
mod typed_results;
mod unknown_models;
mod wire;
