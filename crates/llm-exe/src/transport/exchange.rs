//! Adds the API key or the AWS signature to a request, sends it to a provider, and reads the
//! response.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};

use super::http::{HttpError, MAX_REPLY_BYTES};
use super::http_transport::Sender;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::ports::{Secret, Signer, UnsignedRequest};
use crate::wire::{Auth, WireReply, WireRequest};

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
            ExchangeError::Sign(_) => false,
            ExchangeError::Http(error) => error.is_transient() && !error.may_have_arrived(),
        }
    }

    /// Returns whether the provider may have received the request.
    pub(crate) fn may_have_arrived(&self) -> bool {
        matches!(self, ExchangeError::Http(error) if error.may_have_arrived())
    }
}

/// Sends one request and reads the complete response.
pub(crate) async fn exchange(
    sender: &Sender,
    wire: &WireRequest,
    secret: Option<&Secret>,
    signer: &dyn Signer,
    deadline: Deadline,
) -> Result<WireReply, ExchangeError> {
    let request = build_http_request(wire, secret, signer).await?;
    let mut reply = sender.send(request, MAX_REPLY_BYTES, deadline).await?;
    if reply.body.starts_with(BYTE_ORDER_MARK) {
        reply.body = reply.body.slice(BYTE_ORDER_MARK.len()..);
    }
    Ok(reply)
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
