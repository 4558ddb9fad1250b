//! Integration tests of the simulator.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod client;
mod continuation;
mod control;
mod faults;
#[cfg(unix)]
mod program;
mod sample;
mod tools;
mod validation;
