//! Simulated AWS services for the tests and benchmarks of this workspace.
//!
//! [`runtime_api`] simulates AWS Lambda's Runtime API, under which the function runs. [`aws`]
//! simulates S3, SQS and EventBridge, to which the function writes. The providers are simulated by
//! `llm-exe-simulator`, a separate crate that users can use for their own tests.

mod accept;
pub mod aws;
pub mod runtime_api;
