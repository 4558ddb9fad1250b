//! One GET on one connection, and what its answer means.
//!
//! In: a connection and its target. Out: the page, that it is as it was, or where it is now.

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

use super::MOST_PAGE_BYTES;
use super::error::{Fault, failed, refused};
use super::metered::Exhausted;
use super::target::Target;

/// The most bytes of an answer's head; hyper may take as much again with its last read.
const MOST_HEAD_BYTES: usize = 32 * 1024;
/// The most headers of an answer.
const MOST_HEADERS: usize = 100;
/// The longest ETag that is kept.
const MOST_ETAG_BYTES: usize = 256;

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The page, and its ETag.
    Page(Bytes, Option<String>),
    /// It is what the ETag names.
    Unchanged,
    /// It is at this URL, which may be relative.
    Elsewhere(String),
}

/// Asks for a page; with an ETag, only for another one than that.
pub(super) async fn exchange<S>(
    stream: S,
    target: &Target,
    known: Option<&str>,
) -> Result<Answer, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let request = written(target, known)?;
    let conditional = request.headers().contains_key(header::IF_NONE_MATCH);
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MOST_HEAD_BYTES)
        .max_headers(MOST_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error))?;
    let asking = async {
        let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
        read(response, conditional).await
    };
    // Both on this task: when the time runs out, nothing is left that still reads.
    let (mut asking, mut connection) = (pin!(asking), pin!(connection));
    let mut open = true;
    poll_fn(|cx| {
        if open && connection.as_mut().poll(cx).is_ready() {
            open = false;
        }
        match asking.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(answer),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Nothing of ours but what it takes: no key, no cookie, no referrer.
fn written(target: &Target, known: Option<&str>) -> Result<Request<Empty<Bytes>>, Fault> {
    let mut request = Request::get(target.path_and_query())
        .header(header::HOST, target.host_header())
        .header(header::ACCEPT, "*/*")
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::USER_AGENT, crate::wire::USER_AGENT)
        .body(Empty::new())
        .map_err(|_| refused("its path can't be asked for"))?;
    let known = known.filter(|etag| is_etag(etag)).map(HeaderValue::from_str);
    if let Some(Ok(etag)) = known {
        request.headers_mut().insert(header::IF_NONE_MATCH, etag);
    }
    Ok(request)
}

async fn read(response: Response<Incoming>, conditional: bool) -> Result<Answer, Fault> {
    let (head, body) = response.into_parts();
    match head.status {
        StatusCode::OK => {}
        StatusCode::NOT_MODIFIED if conditional => return Ok(Answer::Unchanged),
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => return elsewhere(&head.headers),
        status => return Err(unwanted(status)),
    }
    check_encoding(&head.headers)?;
    // An announced length is refused before anything is read.
    if body.size_hint().lower() > MOST_PAGE_BYTES as u64 {
        return Err(too_large());
    }
    let body = Limited::new(body, MOST_PAGE_BYTES).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() { too_large() } else { broken(error.as_ref()) }
    })?;
    Ok(Answer::Page(body.to_bytes(), etag(&head.headers)))
}

fn elsewhere(headers: &HeaderMap) -> Result<Answer, Fault> {
    let mut locations = headers.get_all(header::LOCATION).iter();
    match (locations.next().map(HeaderValue::to_str), locations.next()) {
        (Some(Ok(location)), None) => Ok(Answer::Elsewhere(location.to_owned())),
        (None, _) => Err(Fault::Missing("it redirects without saying where".to_owned())),
        _ => Err(refused("it redirects to what is no single URL")),
    }
}

fn unwanted(status: StatusCode) -> Fault {
    let code = status.as_u16();
    match code {
        401 | 403 | 407 => {
            refused(format!("it answered {code}: pages are fetched without credentials"))
        }
        408 | 425 | 429 | 500.. => failed(format!("it answered {code}")),
        400..500 => Fault::Missing(format!("it answered {code}")),
        304 => failed("it answered 304 without having been asked for a change"),
        _ => failed(format!("it answered {code}, not 200")),
    }
}

/// Nothing is unpacked: a small answer can't become a large one.
fn check_encoding(headers: &HeaderMap) -> Result<(), Fault> {
    let only = |name, word: &str| {
        let mut values = headers.get_all(name).iter();
        values.all(|value| value.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
    };
    if only(header::CONTENT_ENCODING, "identity") && only(header::TRANSFER_ENCODING, "chunked") {
        return Ok(());
    }
    Err(Fault::Unusable("it came compressed, though it was asked for as it is".to_owned()))
}

fn etag(headers: &HeaderMap) -> Option<String> {
    let etag = headers.get(header::ETAG)?.to_str().ok()?;
    is_etag(etag).then(|| etag.to_owned())
}

fn is_etag(text: &str) -> bool {
    let quoted = text.strip_prefix("W/").unwrap_or(text);
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let fits = |inner: &str| inner.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    text.len() <= MOST_ETAG_BYTES && inner.is_some_and(fits)
}

fn too_large() -> Fault {
    Fault::Unusable(format!("it is larger than {} MiB", MOST_PAGE_BYTES / 1024 / 1024))
}

/// Why a connection broke, by its causes.
pub(super) fn broken(error: &(dyn std::error::Error + 'static)) -> Fault {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io: Option<&std::io::Error> = error.downcast_ref();
        let inner = io.and_then(std::io::Error::get_ref);
        if inner.is_some_and(|inner| inner.is::<Exhausted>()) {
            return too_large();
        }
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return Fault::Unusable(format!(
                "its answer is not HTTP/1.1, or has more than {MOST_HEADERS} headers or {} KiB of \
                 them",
                MOST_HEAD_BYTES / 1024
            ));
        }
        cause = error.source();
    }
    failed("the connection broke before the whole answer was there")
}
