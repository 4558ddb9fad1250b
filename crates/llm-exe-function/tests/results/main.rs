//! What becomes of results, against a store in memory that can fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod destinations;
mod idempotency;
mod offloading;
mod records;
mod stage;
mod unstored;
