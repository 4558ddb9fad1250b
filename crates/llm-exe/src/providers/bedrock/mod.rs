//! The dialects of Amazon Bedrock: InvokeModel for Anthropic models, and Converse for all models.
//!
//! Source:
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html>
//! and the npm package `@aws-sdk/client-bedrock-runtime` 3.1164.

mod converse;
mod failure;
mod invoke;
pub(super) mod models;
mod operation;
mod stream;

pub(crate) use converse::Converse;
pub(crate) use failure::read_failure;
pub(crate) use invoke::InvokeAnthropic;
pub(crate) use operation::{MANTLE, SERVICE, signed_request};
