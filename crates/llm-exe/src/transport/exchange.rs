//! Adds the API key or the AWS signature to a request, sends it to a provider, and reads the
//! response.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};

use super::body_budget::{BodyBudget, BodySpace};
use super::body_reader::BodyReader;
use super::http::{HttpError, MAX_REPLY_BYTES};
use super::http_transport::Sender;
use super::response_body::ResponseBody;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::ports::{Secret, Signer, UnsignedRequest};
use crate::wire::{Auth, StreamState, WireReply, WireRequest};

/// Maximum time to wait for the end of a stream whose reply is complete. Its connection can be used
/// again only after its end.
const MAX_END_WAIT: Duration = Duration::from_millis(100);

/// Maximum time to wait for the token counts that follow a complete reply. Some servers neither
/// send them nor close the connection.
const MAX_USAGE_WAIT: Duration = Duration::from_secs(1);

/// The time before the deadline at which the waits after a complete reply end, so that the reply
/// can be returned.
const DEADLINE_MARGIN: Duration = Duration::from_millis(50);

/// The byte order mark in UTF-8. Parsers of JSON may skip it.
/// <https://www.rfc-editor.org/rfc/rfc8259#section-8.1>
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Why a request did not produce a complete response.
#[derive(Debug)]
pub(crate) enum ExchangeError {
    /// The request could not be signed.
    Sign(Error),
    /// The HTTP client failed.
    Http(HttpError),
    /// The stream ended early, or could not be read.
    Stream(Error),
}

impl From<HttpError> for ExchangeError {
    fn from(error: HttpError) -> Self {
        ExchangeError::Http(error)
    }
}

impl ExchangeError {
    /// Returns whether the request can be sent again without the risk of being billed twice.
    pub(crate) fn may_retry(&self) -> bool {
        match self {
            ExchangeError::Sign(_) | ExchangeError::Stream(_) => false,
            ExchangeError::Http(error) => error.is_transient() && !error.may_have_arrived(),
        }
    }

    /// Returns whether the provider may have received the request.
    pub(crate) fn may_have_arrived(&self) -> bool {
        match self {
            ExchangeError::Sign(_) => false,
            ExchangeError::Stream(_) => true,
            ExchangeError::Http(error) => error.may_have_arrived(),
        }
    }
}

/// Sends one request and reads the complete response. Passes the body of a successful response to
/// the reader, if there is one.
pub(crate) async fn exchange(
    sender: &Sender,
    (wire, secret): (&WireRequest, Option<&Secret>),
    signer: &dyn Signer,
    deadline: Deadline,
    body_reader: Option<&mut dyn BodyReader>,
) -> Result<WireReply, ExchangeError> {
    let request = build_http_request(wire, secret, signer).await?;
    let mut reply = match body_reader {
        None => sender.send(request, MAX_REPLY_BYTES, deadline).await?,
        // The future is boxed, so that it does not make the others larger.
        Some(reader) => Box::pin(send_streamed(sender, request, reader, deadline)).await?,
    };
    if reply.body.starts_with(BYTE_ORDER_MARK) {
        reply.body = reply.body.slice(BYTE_ORDER_MARK.len()..);
    }
    Ok(reply)
}

/// Sends a request whose response may be a stream.
async fn send_streamed(
    sender: &Sender,
    request: Request<Bytes>,
    reader: &mut dyn BodyReader,
    deadline: Deadline,
) -> Result<WireReply, ExchangeError> {
    let (head, mut body) = sender.open(request, deadline).await?.into_parts();
    let reply =
        WireReply { status: head.status.as_u16(), headers: head.headers, body: Bytes::new() };
    let is_success = head.status.is_success();
    let limits = (sender.budget(), deadline);
    if is_success && !reply.is_gzip() && !(is_json(&reply) && has_json(&mut body).await) {
        let body = read_streamed(&mut body, reader, limits).await?;
        return Ok(WireReply { body, ..reply });
    }
    let body = match body.read_all(MAX_REPLY_BYTES, sender.budget()).await {
        // The status is enough to classify an error response.
        Err(HttpError::TooLarge) if !is_success => Bytes::new(),
        body => body?,
    };
    let reply = WireReply { body, ..reply };
    let is_gzip = reply.is_gzip();
    let reply = sender.decode(reply, MAX_REPLY_BYTES).await?;
    if !is_success || is_single_value(&reply.body) || (is_gzip && reply.is_gzip()) {
        return Ok(reply);
    }
    // Several lines of JSON, or a stream in gzip, which arrives in one piece. The copy gives up its
    // space in the budget, which the reader may need.
    let mut body = ResponseBody::from(Bytes::copy_from_slice(&reply.body));
    let reply = WireReply { body: Bytes::new(), ..reply };
    let body = read_streamed(&mut body, reader, limits).await?;
    Ok(WireReply { body, ..reply })
}

/// Returns whether the headers state that a response is not a stream. Some servers ignore that a
/// request asks for one, and others send streams with this type.
fn is_json(reply: &WireReply) -> bool {
    let content_type = reply.header("content-type").unwrap_or_default();
    let content_type = content_type.split(';').next().unwrap_or_default().trim();
    content_type.eq_ignore_ascii_case("application/json")
}

/// Returns whether the first bytes of a body are those of a JSON object or list.
async fn has_json(body: &mut ResponseBody) -> bool {
    // A byte order mark is also one of JSON.
    matches!(body.peek().await, None | Some(b'{' | b'[' | 0xEF))
}

fn is_single_value(body: &[u8]) -> bool {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// Passes a body to a reader, and returns the body in one piece. The bytes that the
/// reader stores occupy space of the budget.
async fn read_streamed(
    body: &mut ResponseBody,
    reader: &mut dyn BodyReader,
    (budget, deadline): (Option<&BodyBudget>, Deadline),
) -> Result<Bytes, ExchangeError> {
    let mut space = BodySpace::default();
    let mut state = StreamState::Open;
    let mut last_wait = None;
    while state != StreamState::Complete {
        let next = match state {
            StreamState::Ending => {
                // The wait is the same for all that follows the reply.
                let left = deadline.left().saturating_sub(DEADLINE_MARGIN);
                let end = *last_wait
                    .get_or_insert_with(|| tokio::time::Instant::now() + left.min(MAX_USAGE_WAIT));
                // The reply is complete, so the rest of the body is not needed.
                tokio::time::timeout_at(end, body.next()).await.ok().flatten().and_then(Result::ok)
            }
            _ => body.next().await.transpose()?,
        };
        let Some(bytes) = next else { break };
        state = reader.push(&bytes).await.map_err(ExchangeError::Stream)?;
        if let Some(budget) = budget {
            budget.grow(&mut space, reader.stored_bytes()).await;
        }
    }
    if state == StreamState::Complete {
        let end = async { while let Some(Ok(_)) = body.next().await {} };
        let wait = MAX_END_WAIT.min(deadline.left().saturating_sub(DEADLINE_MARGIN));
        // The reply is complete, so the rest of the body is not needed.
        drop(tokio::time::timeout(wait, end).await);
    }
    let body = reader.finish().map_err(ExchangeError::Stream)?;
    Ok(space.hold(body))
}

async fn build_http_request(
    wire: &WireRequest,
    secret: Option<&Secret>,
    signer: &dyn Signer,
) -> Result<Request<Bytes>, ExchangeError> {
    let invalid = |message: String| ExchangeError::Http(HttpError::InvalidRequest(message));
    let body = wire.body.to_bytes().map_err(|error| invalid(error.to_string()))?;
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::try_from(&wire.url)
        .map_err(|error| invalid(format!("the request URL is not valid: {error}")))?;
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in &wire.headers {
        let value = HeaderValue::from_str(value)
            .map_err(|_| invalid(format!("the value of the header {name:?} is not valid")))?;
        headers.insert(header_name(name)?, value);
    }
    let (name, text) = match (&wire.auth, secret) {
        (Auth::SigV4 { service, region }, _) => {
            // AWS requires the signature to cover the `content-type` header if it is sent.
            let mut signed_headers = vec![("content-type", "application/json")];
            signed_headers.extend(wire.headers.iter().map(|(name, value)| (&**name, &**value)));
            let (url, headers_to_sign) = (&wire.url, &signed_headers);
            let body = request.body();
            let unsigned = UnsignedRequest { url, headers: headers_to_sign, body, service, region };
            let signature = signer.sign(unsigned).await.map_err(ExchangeError::Sign)?;
            request.headers_mut().extend(signature);
            return Ok(request);
        }
        (Auth::None, _) | (_, None) => return Ok(request),
        (Auth::Bearer(_), Some(key)) => (header::AUTHORIZATION, ["Bearer ", key.expose()].concat()),
        (Auth::Header(name, _), Some(key)) => (header_name(name)?, key.expose().to_owned()),
    };
    let mut value = HeaderValue::try_from(text).map_err(|_| {
        invalid("the API key contains characters that are not allowed in an HTTP header".to_owned())
    })?;
    value.set_sensitive(true);
    request.headers_mut().insert(name, value);
    Ok(request)
}

/// Parses the name of a header, which a dialect of the program may have set.
fn header_name(name: &str) -> Result<HeaderName, HttpError> {
    HeaderName::try_from(name).map_err(|_| {
        HttpError::InvalidRequest(format!(
            "{} is not a valid header name",
            crate::json::quoted(name)
        ))
    })
}
