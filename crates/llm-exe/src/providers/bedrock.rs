//! What every request to Amazon Bedrock's runtime has in common: the URL, the signature's terms,
//! and how AWS says that something went wrong.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html>;
//! errors and their statuses from npm `@aws-sdk/client-bedrock-runtime` 3.1164.

use serde::Deserialize;
use serde_json::Value;

use super::segment::segment;
use super::{Endpoint, Failure, failure};
use crate::error::{Error, ErrorKind};
use crate::wire::{Auth, WireReply, WireRequest};

/// The service that signatures are for.
const SERVICE: &str = "bedrock";

/// The request for an operation on a model.
///
/// # Errors
/// `SecretNotFound` where no region is known: nothing can be signed then.
pub(crate) fn request(
    endpoint: &Endpoint,
    model: &str,
    operation: &str,
    body: Value,
) -> Result<WireRequest, Error> {
    let Some(region) = endpoint.region.clone() else {
        let text = "no AWS region: set AWS_REGION in the environment";
        return Err(Error::setting_not_set(text));
    };
    Ok(WireRequest {
        url: format!("{}/model/{}/{operation}", endpoint.base_url, segment(model)),
        headers: Vec::new(),
        body,
        auth: Auth::SigV4 { service: SERVICE, region },
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    #[serde(alias = "Message")]
    message: Option<String>,
    #[serde(rename = "__type")]
    kind: Option<String>,
}

/// Reads a refusal by AWS's own name for it, else by its status.
pub(crate) fn failure(wire: &WireReply) -> Failure {
    let body = serde_json::from_slice::<Body>(&wire.body).unwrap_or_default();
    let told = wire.header("x-amzn-errortype").or(body.kind.as_deref()).unwrap_or_default();
    let message = body.message.unwrap_or_default();
    let known = match name(told) {
        "" if message.contains("is not authorized to perform") => "AccessDeniedException",
        // Whatever stands in front of AWS speaks for itself.
        "" if message.is_empty() => return failure::read(wire),
        name => name,
    };
    let (kind, retry) = match known {
        // A day's quota is no matter of seconds.
        "ThrottlingException" | "TooManyRequestsException" => {
            (ErrorKind::ProviderRateLimited, !message.contains("per day"))
        }
        "ServiceQuotaExceededException" => (ErrorKind::ProviderRateLimited, false),
        "ModelNotReadyException" | "ModelTimeoutException" => {
            (ErrorKind::ProviderUnavailable, true)
        }
        "ModelErrorException" => (ErrorKind::ProviderUnavailable, false),
        "AccessDeniedException" | "AccessDenied" => (ErrorKind::AccessDenied, false),
        // All others: of the credentials or the signature where the status is 403.
        _ => failure::by_status(wire.status),
    };
    Failure { kind, message, retry }
}

/// The bare name: `com.amazon.coral.service#ValidationException:http://…`.
fn name(told: &str) -> &str {
    let name = told.split(':').next().unwrap_or_default();
    name.rsplit('#').next().unwrap_or_default().trim()
}
