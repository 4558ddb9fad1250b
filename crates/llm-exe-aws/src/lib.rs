//! The ports on AWS: what the core asks of AWS, done with AWS's own crates.
//!
//! In: requests to sign, and a look-up of environment variables. Out: the headers that carry a
//! signature. Nothing is read or computed before the first request needs it.

mod credentials;
mod signer;

pub use credentials::{CredentialSource, Credentials, EnvironmentCredentials, VARIABLES};
pub use signer::SigV4Signer;
