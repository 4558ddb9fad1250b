//! A client for Amazon S3. It supports only the operations `GetObject` and `PutObject`.

mod client;
mod get_object;
mod put_object;

pub use client::S3;
pub use get_object::{GetObject, Object};
pub use put_object::{PutObject, PutOutcome};
