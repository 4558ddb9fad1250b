//! Tests the Lambda binary as a process, with a local Runtime API and simulated services.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and its output is shown then"
)]

mod backend;
mod connections;
mod deadlines;
mod errors;
mod events;
mod examples;
mod faults;
mod harness;
mod hostile;
mod http;
mod logs;
mod settings;
mod sizes;
mod sources;
mod streaming;
