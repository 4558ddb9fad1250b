//! Imitations of AWS for the tests and benchmarks of this workspace.
//!
//! [`runtime_api`] imitates AWS Lambda's Runtime API, under which the function runs. [`aws`]
//! imitates S3, SQS and EventBridge, to which the function writes. The providers are imitated by
//! `llm-exe-simulator`, which users get, too.

mod accept;
pub mod aws;
pub mod runtime_api;
