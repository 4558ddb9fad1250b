//! Event sources of AWS Lambda. This crate detects the source of an event from its fields, extracts
//! the requests, and builds the response that the source expects.
//!
//! The crate neither runs requests nor performs I/O.

mod authorization;
mod batch;
mod callers;
mod entry_point;
mod envelopes;
mod foreign;
mod http;
mod record;
mod s3_object;
mod shapes;
mod source;
mod sources;

pub use authorization::{Authorization, EndpointAuth, endpoint_key};
pub use entry_point::StreamingEntryPoint;
pub use envelopes::{RESULT_MARK_FIELD, RESULT_MARK_VALUE};
pub use http::{MAX_BODY_BYTES, WARNINGS_HEADER, error_object, http_failure};
pub use record::{FinishedRecord, Invocation, Outcome, Record, RecordRequest};
pub use source::{EventSource, MAX_RESPONSE_BYTES, Route};
pub use sources::{DIRECT, SOURCES, detect};
