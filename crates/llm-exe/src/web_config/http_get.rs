//! Sends one GET request over a connection and interprets the response.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::Response;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::error::{FetchError, failed, forbidden};
use super::limited_stream::ReadLimitExceeded;
use super::target::Target;
use crate::gzip::{is_gzip, is_gzip_encoding};
use crate::wire::UserAgent;

/// Maximum size of a response body in bytes.
pub(super) const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Maximum size of the response headers in bytes. Because hyper checks the size only after each
/// read, the actual size can reach twice this limit.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Maximum number of response headers.
const MAX_HEADERS: usize = 100;
/// Maximum length of an ETag in bytes. Longer ETags are ignored.
const MAX_ETAG_BYTES: usize = 256;

/// The outcome of a successful GET request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum GetOutcome {
    /// The server returned a document and possibly an ETag.
    Document { body: Bytes, etag: Option<String> },
    /// The document still has the ETag that the request contained.
    NotModified,
    /// The server redirects to another URL, which may be relative.
    Redirect { location: String },
}

/// Sends a GET request for the target and reads the response. If `known_etag` is set, the server
/// sends the document only if its ETag differs.
pub(super) async fn http_get<S>(
    stream: S,
    target: &Target,
    known_etag: Option<&str>,
    user_agent: &UserAgent,
) -> Result<GetOutcome, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let request = build_request(target, known_etag, user_agent)?;
    let is_conditional = request.headers().contains_key(header::IF_NONE_MATCH);
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| connection_error(&error))?;
    let request = async {
        let response = sender.send_request(request).await;
        read_response(response.map_err(|error| connection_error(&error))?, is_conditional).await
    };
    // Both futures run in the current task, so a timeout also stops reading from the connection.
    let (mut request, mut connection) = (pin!(request), pin!(connection));
    let mut is_open = true;
    poll_fn(|cx| {
        if is_open && connection.as_mut().poll(cx).is_ready() {
            is_open = false;
        }
        match request.as_mut().poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(outcome),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Builds a request with only the necessary headers. It contains no API key, cookie or referrer.
fn build_request(
    target: &Target,
    known_etag: Option<&str>,
    user_agent: &UserAgent,
) -> Result<Request<Empty<Bytes>>, FetchError> {
    let mut request = Request::get(target.path_and_query())
        .header(header::HOST, target.host_header())
        .header(header::ACCEPT, "*/*")
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::USER_AGENT, user_agent.header_value())
        .body(Empty::new())
        .map_err(|_| forbidden("the path of the URL is not valid in an HTTP request"))?;
    let known_etag = known_etag.filter(|etag| is_etag(etag)).map(HeaderValue::from_str);
    if let Some(Ok(etag)) = known_etag {
        request.headers_mut().insert(header::IF_NONE_MATCH, etag);
    }
    Ok(request)
}

async fn read_response(
    response: Response<Incoming>,
    is_conditional: bool,
) -> Result<GetOutcome, FetchError> {
    let (head, body) = response.into_parts();
    match head.status {
        StatusCode::OK => {}
        StatusCode::NOT_MODIFIED if is_conditional => return Ok(GetOutcome::NotModified),
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => return redirect(&head.headers),
        status => return Err(status_error(status)),
    }
    // A response whose content-length exceeds the limit is rejected before its body is read.
    if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
        return Err(too_large());
    }
    let body = Limited::new(body, MAX_BODY_BYTES).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() { too_large() } else { connection_error(error.as_ref()) }
    })?;
    let body = body.to_bytes();
    check_encoding(&head.headers, &body)?;
    Ok(GetOutcome::Document { body, etag: etag(&head.headers) })
}

fn redirect(headers: &HeaderMap) -> Result<GetOutcome, FetchError> {
    let mut locations = headers.get_all(header::LOCATION).iter();
    match (locations.next().map(HeaderValue::to_str), locations.next()) {
        (Some(Ok(location)), None) => Ok(GetOutcome::Redirect { location: location.to_owned() }),
        (None, _) => Err(FetchError::NotFound("the redirect has no location header".to_owned())),
        _ => Err(forbidden("the redirect does not have exactly one valid location header")),
    }
}

fn status_error(status: StatusCode) -> FetchError {
    let code = status.as_u16();
    match code {
        401 | 403 | 407 => forbidden(format!(
            "the server returned status {code}; configs are fetched without credentials"
        )),
        408 | 425 | 429 | 500.. => failed(format!("the server returned status {code}")),
        400..500 => FetchError::NotFound(format!("the server returned status {code}")),
        304 => failed("the server returned status 304 to a request without an ETag"),
        _ => failed(format!("the server returned status {code}; expected 200")),
    }
}

/// Rejects responses with an encoding other than gzip. The body stays compressed: it is decoded
/// when the document is parsed, up to the maximum size of a document.
fn check_encoding(headers: &HeaderMap, body: &[u8]) -> Result<(), FetchError> {
    let all = |name, is_allowed: &dyn Fn(&str) -> bool| {
        let mut values = headers.get_all(name).iter();
        values.all(|value| value.to_str().is_ok_and(is_allowed))
    };
    let is_identity = |value: &str| value.eq_ignore_ascii_case("identity");
    let message = if !all(header::TRANSFER_ENCODING, &|value| value.eq_ignore_ascii_case("chunked"))
        || !all(header::CONTENT_ENCODING, &|value| is_identity(value) || is_gzip_encoding(value))
    {
        "the response is compressed or encoded in a way other than gzip, which is not supported"
    } else if !all(header::CONTENT_ENCODING, &is_identity) && !is_gzip(body) {
        "the response has the encoding gzip, but its body is not gzip"
    } else {
        return Ok(());
    };
    Err(FetchError::InvalidResponse(message.to_owned()))
}

fn etag(headers: &HeaderMap) -> Option<String> {
    let etag = headers.get(header::ETAG)?.to_str().ok()?;
    is_etag(etag).then(|| etag.to_owned())
}

fn is_etag(text: &str) -> bool {
    let quoted = text.strip_prefix("W/").unwrap_or(text);
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let is_valid = |inner: &str| inner.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    text.len() <= MAX_ETAG_BYTES && inner.is_some_and(is_valid)
}

fn too_large() -> FetchError {
    let message = format!(
        "the response is larger than {} MiB, which is the limit",
        MAX_BODY_BYTES / 1024 / 1024
    );
    FetchError::InvalidResponse(message)
}

/// Converts a connection error. The chain of causes shows whether the response exceeded a limit or
/// was not valid HTTP.
pub(super) fn connection_error(error: &(dyn std::error::Error + 'static)) -> FetchError {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io_error: Option<&std::io::Error> = error.downcast_ref();
        let inner = io_error.and_then(std::io::Error::get_ref);
        if inner.is_some_and(|inner| inner.is::<ReadLimitExceeded>()) {
            return too_large();
        }
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return FetchError::InvalidResponse(format!(
                "the response is not HTTP/1.1, or has more than {MAX_HEADERS} headers or {} KiB \
                 of headers",
                MAX_HEAD_BYTES / 1024
            ));
        }
        cause = error.source();
    }
    failed("the connection was closed before the response was complete")
}
