//! The ports on AWS: what the core asks of AWS, signed by AWS's own crate, sent by the core's one
//! HTTP client.
//!
//! In: requests to sign, documents and keys to fetch, results to keep and to tell of, and a look-up
//! of environment variables. Out: signatures, documents, keys, results. Nothing is read, connected
//! or computed before the first request needs it.

mod attempt;
mod call;
mod credentials;
mod documents;
mod endpoint;
pub mod events;
#[cfg(test)]
mod golden;
mod keys;
mod messenger;
mod refusal;
mod results;
pub mod s3;
mod signer;
pub mod sqs;
pub mod ssm;
mod xml;

pub use call::{Aws, CallError};
pub use credentials::{CredentialSource, Credentials, EnvironmentCredentials, VARIABLES};
pub use documents::S3Documents;
pub use keys::SsmKeys;
pub use messenger::AwsMessenger;
pub use refusal::Refusal;
pub use results::S3Results;
pub use signer::SigV4Signer;
