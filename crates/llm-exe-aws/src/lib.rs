//! Implements llm-exe's interfaces to external services (its ports) with AWS: S3, Parameter Store,
//! SQS, EventBridge and Lambda.
//!
//! Requests are signed with AWS's `aws-sigv4` crate and sent with the HTTP client of the `llm-exe`
//! crate. To keep startup fast, credentials are read and connections are opened only when a request
//! needs them.

mod client;
mod credentials;
mod documents;
mod endpoint;
mod error_context;
mod error_response;
pub mod event_bridge;
#[cfg(test)]
mod golden;
mod keys;
pub mod lambda;
mod messenger;
mod ports;
mod results;
pub mod s3;
mod signer;
pub mod sqs;
pub mod ssm;
mod xml;

pub use client::{AwsClient, CallError};
pub use credentials::{
    CREDENTIAL_VARIABLES, CredentialSource, Credentials, EnvironmentCredentials,
};
pub use documents::S3Documents;
pub use error_response::ErrorResponse;
pub use keys::SsmKeys;
pub use messenger::AwsMessenger;
pub use ports::{AwsPorts, ServiceEndpoints};
pub use results::S3Results;
pub use signer::SigV4Signer;
