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
mod paid_calls;
mod progress;
mod records;
mod stored_prices;
mod streams;
mod traces;
