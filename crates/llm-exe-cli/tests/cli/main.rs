//! The command line as a process: files in, what it prints and its exit code out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bedrock;
mod commands;
mod events;
mod examples;
mod exit_codes;
mod formats;
mod harness;
mod keys;
mod limits;
mod pipes;
mod serve;
mod serve_stop;
