//! Integration tests for the function crate.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod docs;
mod keys;
mod properties;
mod results;
mod settings;
