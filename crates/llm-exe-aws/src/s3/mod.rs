//! A client for Amazon S3 that supports the operations `GetObject` and `PutObject`.

mod client;
mod get_object;
mod put_object;

pub use client::S3;
pub use get_object::{GetObject, Object};
pub use put_object::{PutObject, PutOutcome};
