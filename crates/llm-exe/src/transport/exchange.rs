//! One exchange over HTTP: request out, whole answer in, and every way in which that breaks.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Error as ClientError;
use hyper_util::client::legacy::connect::capture_connection;

use super::MOST_REPLY_BYTES;
use super::connector::{Client, Uses};
use crate::error::Error;
use crate::ports::{Secret, Signer, Unsigned};
use crate::wire::{Auth, WireReply, WireRequest};

/// Why an exchange gave no whole answer.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Ours: the request can't be written.
    Unusable(String),
    /// The request could not be signed.
    NotSigned(Error),
    /// No connection, so nothing was sent.
    NotConnected(String),
    /// The connection broke before the request was sent whole.
    NotSent(String),
    /// The request was sent; the answer did not come whole.
    NotAnswered(String),
    /// A pooled connection turned out closed.
    Stale,
    /// The answer is over the limit.
    TooLarge,
    /// The time ran out.
    TimedOut,
}

impl Fault {
    /// Whether asking again can't be a second paid call.
    pub(crate) fn may_retry(&self) -> bool {
        match self {
            Fault::NotConnected(_) | Fault::NotSent(_) | Fault::Stale => true,
            Fault::Unusable(_)
            | Fault::NotSigned(_)
            | Fault::NotAnswered(_)
            | Fault::TooLarge
            | Fault::TimedOut => false,
        }
    }
}

/// Sends one request and reads the whole answer.
pub(crate) async fn exchange(
    client: &Client,
    wire: &WireRequest,
    secret: Option<&Secret>,
    signer: &dyn Signer,
) -> Result<WireReply, Fault> {
    let mut request = written(wire, secret, signer).await?;
    let captured = capture_connection(&mut request);
    let answered = client.request(request).await;
    let reused = used_before(&captured);
    let response = answered.map_err(|error| fault(&error, reused))?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MOST_REPLY_BYTES).collect().await.map_err(|error| {
        if error.is::<http_body_util::LengthLimitError>() {
            Fault::TooLarge
        } else {
            Fault::NotAnswered(innermost(error.as_ref()))
        }
    })?;
    Ok(WireReply { status: head.status.as_u16(), headers: head.headers, body: body.to_bytes() })
}

async fn written(
    wire: &WireRequest,
    secret: Option<&Secret>,
    signer: &dyn Signer,
) -> Result<Request<Full<Bytes>>, Fault> {
    let unusable = |what: String| Fault::Unusable(what);
    let body = serde_json::to_vec(&wire.body).map_err(|error| unusable(error.to_string()))?;
    let body = Bytes::from(body);
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(&wire.url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, concat!("llm-exe-lambda/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(body.clone()))
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
                Unsigned { url: &wire.url, headers: &covered, body: &body, service, region };
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

fn used_before(captured: &hyper_util::client::legacy::connect::CaptureConnection) -> bool {
    let metadata = captured.connection_metadata();
    let Some(connected) = metadata.as_ref() else {
        return false;
    };
    let mut extras = http::Extensions::new();
    connected.get_extras(&mut extras);
    extras.get::<Uses>().is_some_and(|uses| uses.count() > 0)
}

fn fault(error: &ClientError, reused: bool) -> Fault {
    if error.is_connect() {
        return Fault::NotConnected(innermost(error));
    }
    let cause = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    let Some(cause): Option<&hyper::Error> = cause else {
        return Fault::NotAnswered(innermost(error));
    };
    // The pool gives back requests of which nothing was sent.
    if cause.is_canceled() {
        return Fault::NotSent(innermost(error));
    }
    if reused && closed(cause) {
        return Fault::Stale;
    }
    if cause.is_body_write_aborted() || cause.is_closed() {
        return Fault::NotSent(innermost(error));
    }
    Fault::NotAnswered(innermost(error))
}

/// Whether the other side had hung up: an end where an answer should begin, or a reset.
fn closed(error: &hyper::Error) -> bool {
    let io = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    let reset = io.is_some_and(|error: &std::io::Error| {
        use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
    });
    error.is_incomplete_message() || reset
}

/// The deepest cause's text: the outer ones only say that a client failed.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
