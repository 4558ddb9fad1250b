//! Integration tests of the simulated AWS services.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod aws;
mod client;
mod lambda;
mod runtime_api;
