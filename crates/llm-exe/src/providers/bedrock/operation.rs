//! Builds requests to the Bedrock runtime, which are signed with AWS credentials.

use crate::error::Error;
use crate::providers::dialect::Endpoint;
use crate::wire::{Auth, Body, WireRequest, path_segment};

/// The service name in AWS signatures.
pub(crate) const SERVICE: &str = "bedrock";

/// The service name in signatures for the hosts that serve only OpenAI-compatible APIs.
pub(crate) const MANTLE: &str = "bedrock-mantle";

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
    let path = format!("/model/{}/{operation}", path_segment(model));
    signed_request(endpoint, &path, body, SERVICE, None)
}

/// Creates a signed request to a path below the base URL. Without `region`, the signature contains
/// the configured region.
///
/// # Errors
/// `SecretNotFound` if no AWS region is known, because the signature requires a region.
pub(crate) fn signed_request(
    endpoint: &Endpoint,
    path: &str,
    body: Body,
    service: &'static str,
    region: Option<&str>,
) -> Result<WireRequest, Error> {
    let Some(region) = region.or(endpoint.region.as_deref()) else {
        let message = "the AWS region is not known; set AWS_REGION in the environment";
        return Err(Error::setting_not_set(message));
    };
    let auth = Auth::SigV4 { service, region: region.to_owned() };
    Ok(WireRequest::new([&endpoint.base_url, path].concat(), body, auth))
}
