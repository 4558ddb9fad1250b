//! Tests the AWS clients without access to AWS. The tests compare signatures with recorded ones and
//! send requests to an AWS simulator or to a proxy that injects failures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod buses;
mod credentials;
mod documents;
mod functions;
mod queues;
mod result_faults;
mod signatures;
mod simulator;
#[path = "../support/mod.rs"]
mod support;
