//! Implements the ports of llm-exe with AWS services: S3, Parameter Store, SQS and EventBridge.
//!
//! AWS's own crate `aws-sigv4` signs the requests, and the HTTP client of the `llm-exe` crate sends
//! them. To keep startup fast, this crate reads no credentials and opens no connection until a
//! request needs them.

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
