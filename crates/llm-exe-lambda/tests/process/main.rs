//! The Lambda binary as a process: a Runtime API in front of it, the simulator behind it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and what it printed is shown then"
)]

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
mod world;
