//! Tests for stored results, notifications and idempotency keys, with an in-memory store that can
//! fail.

mod collector;
mod conversations;
mod costs;
mod destinations;
mod fixture;
mod idempotency;
mod lost_results;
mod offloading;
mod progress;
mod records;
mod streams;
mod traces;
