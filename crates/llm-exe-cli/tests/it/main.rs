//! Runs the `llm-exe` program and checks its output and exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bedrock;
mod commands;
mod completions;
mod costs;
mod docs;
mod events;
mod examples;
mod exit_codes;
mod formats;
mod harness;
mod health;
mod keys;
mod limits;
mod models;
mod overrides;
mod pipes;
mod schema_differential;
mod serve;
mod serve_stop;
mod serve_streams;
mod simulate;
mod streams;
mod tools;
mod validate;
