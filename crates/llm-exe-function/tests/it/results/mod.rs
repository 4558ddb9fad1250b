//! Stored results, notifications and idempotency keys, with a store in memory that can fail.

mod destinations;
mod fixture;
mod idempotency;
mod lost_results;
mod offloading;
mod records;
