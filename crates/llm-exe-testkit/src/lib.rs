//! Simulated AWS services and shared helpers for the tests and benchmarks of this workspace.
//!
//! [`runtime_api`] simulates AWS Lambda's Runtime API, under which the function runs. [`aws`]
//! simulates S3, SQS, EventBridge and Lambda, which the function calls. The providers are simulated
//! by `llm-exe-simulator`, a separate crate that users can use for their own tests.
//! [`event_sources`] reads the data files of the event sources, [`generated`] compares generated
//! files with the checked-in ones, and [`program`] finds the Lambda binary to test.

mod accept;
pub mod aws;
pub mod event_sources;
pub mod generated;
pub mod program;
pub mod runtime_api;
