//! Reads a provider's response: the reply, or the error that the response reports.

use crate::chat::{Chat, Reply, Usage};
use crate::error::{Error, ErrorKind};
use crate::json;
use crate::providers::{Dialect, FailedResponse, Failure, reported_error};
use crate::transport::RetryAdvice;
use crate::wire::WireReply;

/// Maximum size of an unreadable response that is repaired, in bytes.
const MAX_REPAIRED_BYTES: usize = 1024 * 1024;

/// The contents of a response.
pub(super) enum ParsedResponse {
    /// A reply of the model.
    Reply(Reply),
    /// An error of the provider.
    Failed(ResponseFailure),
    /// A successful response that is neither a reply nor an error.
    Unreadable(Error),
}

/// An error of the provider, and how the response reports it.
pub(super) struct ResponseFailure {
    pub(super) failure: Failure,
    /// Whether the request may be sent again. This is false for a rate limit after a part of a
    /// reply, which `failure.retry` does not consider.
    pub(super) may_retry: bool,
    /// A description of the HTTP status and, for an error with status 200, of the error code.
    pub(super) status: String,
    /// Whether the response contains a part of a reply.
    pub(super) may_be_billed: bool,
    /// The token counts of a reply that the provider aborted.
    pub(super) usage: Usage,
}

impl ParsedResponse {
    /// Parses a response to the request for `chat`.
    pub(super) fn new(dialect: &dyn Dialect, chat: &Chat, response: &WireReply) -> Self {
        if !(200..300).contains(&response.status) {
            if let Some(reply) = dialect.read_failed_reply(response, chat) {
                return ParsedResponse::Reply(reply);
            }
            let failure = dialect.read_failure(response);
            let status = response.status.to_string();
            let (may_retry, may_be_billed) = (failure.retry, false);
            let usage = Usage::default();
            let failed = ResponseFailure { failure, may_retry, status, may_be_billed, usage };
            return ParsedResponse::Failed(failed);
        }
        if json::find_excess_value(&response.body).is_some() {
            let max = json::MAX_VALUES;
            let size = response.body.len();
            let text = format!(
                "the response body of {size} bytes has more than {max} JSON values and names"
            );
            return ParsedResponse::Unreadable(Error::new(ErrorKind::ProviderUnavailable, text));
        }
        match ParsedResponse::read_successful(dialect, chat, response) {
            ParsedResponse::Unreadable(error) => {
                let repaired = repair(response);
                let read = repaired.map(|it| ParsedResponse::read_successful(dialect, chat, &it));
                let readable = read.filter(|it| !matches!(it, ParsedResponse::Unreadable(_)));
                readable.unwrap_or(ParsedResponse::Unreadable(error))
            }
            read => read,
        }
    }

    fn read_successful(dialect: &dyn Dialect, chat: &Chat, response: &WireReply) -> Self {
        match dialect.read_reply(response, chat) {
            Ok(reply) => ParsedResponse::Reply(reply),
            Err(error) => match read_reported_error(dialect, response) {
                Some(failure) => ParsedResponse::Failed(failure),
                None => ParsedResponse::Unreadable(error),
            },
        }
    }

    /// Lets an error in a response be retried like one with its own status, because no part of a
    /// reply was generated before it.
    pub(super) fn retry_as_without_reply(&mut self) {
        if let ParsedResponse::Failed(failed) = self {
            failed.may_retry |= failed.failure.retry && !failed.may_be_billed;
        }
    }

    /// Returns whether the request may be sent again.
    pub(super) fn retry_advice(&self) -> RetryAdvice {
        match self {
            ParsedResponse::Failed(ResponseFailure { failure, may_retry, .. }) => {
                RetryAdvice { may_retry: *may_retry, wait: failure.wait }
            }
            ParsedResponse::Reply(_) | ParsedResponse::Unreadable(_) => RetryAdvice::default(),
        }
    }
}

/// Reads an error in a response with a success status. Only a rate limit and a failed response
/// without token counts are retried, because after other errors the request may have been billed.
fn read_reported_error(dialect: &dyn Dialect, response: &WireReply) -> Option<ResponseFailure> {
    let reported = reported_error(response)?;
    let mut failure = dialect.read_failure(&reported.response);
    let is_rate_limit = failure.kind == ErrorKind::ProviderRateLimited && failure.retry;
    let failed_response = reported.failed_response;
    let usage = dialect.read_failure_usage(response);
    let is_transient =
        failed_response == Some(FailedResponse::Transient) && usage == Usage::default();
    let may_retry = (is_rate_limit || is_transient) && !reported.may_be_billed;
    match failure.kind {
        ErrorKind::ProviderRateLimited | ErrorKind::OutputRefused => {}
        ErrorKind::ProviderRejected if failed_response == Some(FailedResponse::Rejected) => {}
        _ => failure.kind = ErrorKind::ProviderUnavailable,
    }
    let status = match reported.code {
        Some(code) => format!("error {code} in a response with status {}", response.status),
        None => format!("an error in a response with status {}", response.status),
    };
    let may_be_billed = reported.may_be_billed;
    Some(ResponseFailure { failure, may_retry, status, may_be_billed, usage })
}

/// Writes the JSON of an unreadable response again, without fields that occur twice in an object
/// and halves of surrogate pairs. The reply has been billed, and these defects are usually outside
/// of it. Returns `None` if the body is not JSON.
fn repair(response: &WireReply) -> Option<WireReply> {
    if response.body.len() > MAX_REPAIRED_BYTES {
        return None;
    }
    let body = json::parse_lossy(&response.body)?.to_string().into();
    Some(WireReply { status: response.status, headers: response.headers.clone(), body })
}
