//! One exchange with a provider: a wire request written, its key or signature added, and sent.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, header};

use super::MOST_REPLY_BYTES;
use super::http::{HttpClient, HttpError};
use crate::error::Error;
use crate::ports::{Secret, Signer, UnsignedRequest};
use crate::wire::{Auth, WireReply, WireRequest};

/// Why a call gave no whole answer.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The request could not be signed.
    NotSigned(Error),
    /// What the client says.
    Http(HttpError),
}

impl From<HttpError> for Fault {
    fn from(fault: HttpError) -> Self {
        Fault::Http(fault)
    }
}

impl Fault {
    /// Whether asking again can't be a second paid call.
    pub(crate) fn may_retry(&self) -> bool {
        match self {
            Fault::NotSigned(_) => false,
            Fault::Http(fault) => fault.may_pass() && !fault.may_have_arrived(),
        }
    }
}

/// Sends one request and reads the whole answer.
pub(crate) async fn exchange(
    client: &HttpClient,
    wire: &WireRequest,
    secret: Option<&Secret>,
    signer: &dyn Signer,
) -> Result<WireReply, Fault> {
    let request = written(wire, secret, signer).await?;
    Ok(client.once(request, MOST_REPLY_BYTES).await?)
}

async fn written(
    wire: &WireRequest,
    secret: Option<&Secret>,
    signer: &dyn Signer,
) -> Result<Request<Bytes>, Fault> {
    let unusable = |what: String| Fault::Http(HttpError::Unusable(what));
    let body = serde_json::to_vec(&wire.body).map_err(|error| unusable(error.to_string()))?;
    let body = Bytes::from(body);
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(&wire.url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, concat!("llm-exe-lambda/", env!("CARGO_PKG_VERSION")))
        .body(body.clone())
        .map_err(|error| unusable(format!("the URL can't be used: {error}")))?;
    let headers = request.headers_mut();
    for (name, value) in &wire.headers {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let (name, text) = match (&wire.auth, secret) {
        (Auth::SigV4 { service, region }, _) => {
            // AWS wants the content's type signed where it is sent.
            let mut covered = vec![("content-type", "application/json")];
            covered.extend(&wire.headers);
            let unsigned =
                UnsignedRequest { url: &wire.url, headers: &covered, body: &body, service, region };
            let signed = signer.sign(unsigned).await.map_err(Fault::NotSigned)?;
            headers.extend(signed);
            return Ok(request);
        }
        (Auth::None, _) | (_, None) => return Ok(request),
        (Auth::Bearer(_), Some(key)) => (header::AUTHORIZATION, format!("Bearer {}", key.expose())),
        (Auth::Header(name, _), Some(key)) => {
            (HeaderName::from_static(name), key.expose().to_owned())
        }
    };
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| unusable("the key does not fit into a header".to_owned()))?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(request)
}
