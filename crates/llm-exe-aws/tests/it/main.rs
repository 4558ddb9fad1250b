//! Tests the AWS ports without AWS. The tests compare signatures with recorded ones, and call an
//! AWS simulator or a proxy that injects failures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod buses;
mod credentials;
mod documents;
mod queues;
mod result_faults;
mod signatures;
mod simulator;
#[path = "../support/mod.rs"]
mod support;
