//! Parses error responses from the Bedrock runtime.
//!
//! Source: the exceptions and their statuses in the npm package `@aws-sdk/client-bedrock-runtime`
//! 3.1164.

use crate::error::ErrorKind;
use crate::providers::error_body::ErrorBody;
use crate::providers::failure::{self, Failure};
use crate::wire::WireReply;

/// A part of the message if an IAM policy does not allow a call.
const NOT_AUTHORIZED: &str = "is not authorized to perform";

/// Parses an error response. The error kind is determined by the name of the AWS exception, or by
/// the status if the name is missing or unknown.
pub(crate) fn read_failure(wire: &WireReply) -> Failure {
    let body = ErrorBody::parse(&wire.body);
    let kind = wire.header("x-amzn-errortype").or(body.root_text("__type")).unwrap_or_default();
    let root_message = body.root_text("message").or(body.root_text("Message"));
    // The APIs of OpenAI report an error in the field `error`.
    let message = root_message.or(body.error_text("message")).unwrap_or_default();
    let exception = match exception_name(kind) {
        "" if message.contains(NOT_AUTHORIZED) => "AccessDeniedException",
        "" if root_message.is_none() => return failure::read_failure(wire),
        // Without an exception and a message, the response is not from AWS but from a gateway in
        // front of it.
        "" if message.is_empty() => return failure::read_failure(wire),
        name => name,
    };
    let (kind, retry) = match exception {
        // A daily quota does not reset during the short wait before a retry.
        "ThrottlingException" | "TooManyRequestsException" => {
            (ErrorKind::ProviderRateLimited, !message.contains("per day"))
        }
        "ServiceQuotaExceededException" => (ErrorKind::ProviderRateLimited, false),
        "ModelNotReadyException" | "ModelTimeoutException" => {
            (ErrorKind::ProviderUnavailable, true)
        }
        "ModelErrorException" => (ErrorKind::ProviderUnavailable, false),
        "AccessDeniedException" | "AccessDenied" => (ErrorKind::AccessDenied, false),
        // All other exceptions are classified by their status. For 403, the cause is the
        // credentials or the signature.
        _ => failure::classify_status(wire.status),
    };
    Failure::new(kind, message).with_retry(retry)
}

/// Returns the name of an exception without its namespace and URL, for example
/// `ValidationException` for `com.amazon.coral.service#ValidationException:http://…`.
fn exception_name(kind: &str) -> &str {
    let name = kind.split(':').next().unwrap_or_default();
    name.rsplit('#').next().unwrap_or_default().trim()
}
