//! Builds requests to the Bedrock runtime, which are signed with AWS credentials.

use crate::error::Error;
use crate::providers::dialect::Endpoint;
use crate::wire::{Auth, Body, WireRequest, path_segment};

/// The service name in AWS signatures.
const SERVICE: &str = "bedrock";

/// Creates the request for an operation on a model. `operation` is the last segment of the URL
/// path.
///
/// # Errors
/// `SecretNotFound` if no AWS region is configured, because the signature requires a region.
pub(super) fn operation_request(
    endpoint: &Endpoint,
    model: &str,
    operation: &str,
    body: Body,
) -> Result<WireRequest, Error> {
    let Some(region) = endpoint.region.clone() else {
        let message = "the AWS region is not known; set AWS_REGION in the environment";
        return Err(Error::setting_not_set(message));
    };
    Ok(WireRequest {
        url: format!("{}/model/{}/{operation}", endpoint.base_url, path_segment(model)),
        headers: Vec::new(),
        body,
        auth: Auth::SigV4 { service: SERVICE, region },
    })
}
