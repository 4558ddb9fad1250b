//! The HTTP client and its errors. This module does not depend on providers, so AWS clients in the
//! same process can share the connection pool.

use bytes::{Bytes, BytesMut};
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Error as ClientError;

use super::body_budget::{BodyBudget, SMALL_BODY_BYTES};
use super::connector::{Client, UsedMark};
pub use super::http_error::HttpError;
use super::http_error::innermost;
use super::response_body::ResponseBody;
use crate::deadline::Deadline;
pub use crate::wire::MAX_REPLY_BYTES;
use crate::wire::{UserAgent, WireReply};

/// An HTTP client whose clones share one connection pool. Creating a client is cheap, because
/// connections and certificates are set up on first use. The client does not follow redirects and
/// does not use proxies.
#[derive(Debug, Clone, Default)]
pub struct HttpClient {
    client: Client,
    user_agent: UserAgent,
    /// The space for large response bodies.
    budget: BodyBudget,
}

impl HttpClient {
    /// Replaces the user agent. Requests that have a `user-agent` header of their own keep it.
    #[must_use]
    pub fn with_user_agent(self, user_agent: UserAgent) -> Self {
        HttpClient { user_agent, ..self }
    }

    /// Sends a request and reads the response, whose body may have at most `max_bytes` bytes. A
    /// larger body of an error response is replaced with an empty one. If a pooled connection turns
    /// out to be closed, the request is sent once more.
    ///
    /// # Errors
    /// Returns an error if no complete response is received before the deadline. A response with an
    /// error status is not an error.
    pub async fn exchange(
        &self,
        request: Request<Bytes>,
        max_bytes: usize,
        deadline: Deadline,
    ) -> Result<WireReply, HttpError> {
        let exchange = async {
            match self.send(request.clone(), max_bytes, None).await {
                Err(HttpError::Stale) => self.send(request, max_bytes, None).await,
                outcome => outcome,
            }
        };
        match tokio::time::timeout_at(deadline.instant().into(), exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(HttpError::TimedOut),
        }
    }

    /// Sends a request like [`exchange`](HttpClient::exchange), but never twice. If a pooled
    /// connection is closed without a response, the server may have processed the request.
    ///
    /// # Errors
    /// The same as for [`exchange`](HttpClient::exchange).
    pub async fn exchange_once(
        &self,
        request: Request<Bytes>,
        max_bytes: usize,
        deadline: Deadline,
    ) -> Result<WireReply, HttpError> {
        let exchange = self.send(request, max_bytes, None);
        match tokio::time::timeout_at(deadline.instant().into(), exchange).await {
            Ok(Err(HttpError::Stale)) => {
                let text = "the server closed the connection without a response";
                Err(HttpError::IncompleteResponse(text.to_owned()))
            }
            Ok(outcome) => outcome,
            Err(_) => Err(HttpError::TimedOut),
        }
    }

    /// Starts connecting to the host of a URL in the background to make a later request faster.
    /// Does nothing if this client has already connected to the host. Errors are ignored, because
    /// the later request connects again.
    pub fn preconnect(&self, url: &str) {
        if let Ok(uri) = url.parse() {
            self.client.preconnect(&uri);
        }
    }

    /// Sends the request once, without a deadline, and decodes a response in gzip. The large bodies
    /// of all responses share one budget: without it, the responses to many concurrent requests
    /// could exhaust the memory. The caller must drop the body soon, so it must not store it.
    pub(crate) async fn send_once(
        &self,
        request: Request<Bytes>,
        max_bytes: usize,
    ) -> Result<WireReply, HttpError> {
        let reply = self.send(request, max_bytes, Some(&self.budget)).await?;
        if !reply.is_gzip() {
            return Ok(reply);
        }
        self.decode(reply, max_bytes).await
    }

    /// Decodes a response in gzip. A large one occupies space of the budget like a large body.
    pub(super) async fn decode(
        &self,
        reply: WireReply,
        max_bytes: usize,
    ) -> Result<WireReply, HttpError> {
        let small = reply.clone().decode_gzip(max_bytes.min(SMALL_BODY_BYTES));
        if let Ok(reply) = small {
            return Ok(reply);
        }
        // A copy of the compressed body gives up the space that it occupies, because responses that
        // wait for space while they occupy some could wait for each other.
        let body = Bytes::copy_from_slice(&reply.body);
        let reply = WireReply { body, ..reply };
        let space = self.budget.acquire(max_bytes).await;
        let reply = reply.decode_response(max_bytes).map_err(|_| HttpError::TooLarge)?;
        let body = space.hold(reply.body);
        Ok(WireReply { body, ..reply })
    }

    /// Returns the space for large response bodies.
    pub(super) fn budget(&self) -> &BodyBudget {
        &self.budget
    }

    /// Sends the request once, without a deadline, and returns the response as soon as its headers
    /// have arrived.
    pub(super) async fn open_once(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<ResponseBody>, HttpError> {
        Ok(self.receive_head(request).await?.map(ResponseBody::from_incoming))
    }

    async fn receive_head(&self, request: Request<Bytes>) -> Result<Response<Incoming>, HttpError> {
        let mut request = request.map(Full::new);
        let user_agent = || self.user_agent.header_value().clone();
        request.headers_mut().entry(header::USER_AGENT).or_insert_with(user_agent);
        let response = self.client.request(request).await.map_err(|error| classify(&error))?;
        if let Some(used) = response.extensions().get::<UsedMark>() {
            used.set();
        }
        Ok(response)
    }

    async fn send(
        &self,
        request: Request<Bytes>,
        max_bytes: usize,
        budget: Option<&BodyBudget>,
    ) -> Result<WireReply, HttpError> {
        let (head, body) = self.receive_head(request).await?.into_parts();
        let body = match read_body(body, max_bytes, budget).await {
            // The status is enough to classify an error response.
            Err(HttpError::TooLarge) if !head.status.is_success() => Bytes::new(),
            body => body?,
        };
        Ok(WireReply { status: head.status.as_u16(), headers: head.headers, body })
    }
}

/// Reads a response body. A large one occupies space of the budget until it is dropped.
async fn read_body(
    mut body: Incoming,
    max_bytes: usize,
    budget: Option<&BodyBudget>,
) -> Result<Bytes, HttpError> {
    let max_size = body.size_hint().upper().and_then(|size| usize::try_from(size).ok());
    let max_size = max_size.unwrap_or(max_bytes);
    if max_size > max_bytes {
        return Err(HttpError::TooLarge);
    }
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    let mut space = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| HttpError::IncompleteResponse(innermost(&error)))?;
        let Ok(data) = frame.into_data() else { continue };
        let size = first.len() + joined.len() + data.len();
        if size > max_bytes {
            return Err(HttpError::TooLarge);
        }
        if size > SMALL_BODY_BYTES
            && space.is_none()
            && let Some(budget) = budget
        {
            // The future is boxed, so that it does not make those of small bodies larger.
            space = Some(Box::pin(budget.acquire(max_size)).await);
        }
        // Most bodies have a single frame, which is not copied.
        if first.is_empty() && joined.is_empty() {
            first = data;
        } else {
            joined.extend_from_slice(&std::mem::take(&mut first));
            joined.extend_from_slice(&data);
        }
    }
    let bytes = if joined.is_empty() { first } else { joined.freeze() };
    Ok(match space {
        Some(space) => space.hold(bytes),
        None => bytes,
    })
}

/// Returns whether the connection of a failed request had already served another request.
fn was_used_before(error: &ClientError) -> bool {
    let Some(connected) = error.connect_info() else {
        return false;
    };
    let mut extras = http::Extensions::new();
    connected.get_extras(&mut extras);
    extras.get::<UsedMark>().is_some_and(UsedMark::is_set)
}

fn classify(error: &ClientError) -> HttpError {
    if error.is_connect() {
        return HttpError::NotConnected(innermost(error));
    }
    let cause = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    let Some(cause): Option<&hyper::Error> = cause else {
        return HttpError::IncompleteResponse(innermost(error));
    };
    // The pool cancels a request only if none of its bytes were sent.
    if cause.is_canceled() {
        return HttpError::NotSent(innermost(error));
    }
    if is_closed(cause) && was_used_before(error) {
        return HttpError::Stale;
    }
    if cause.is_body_write_aborted() || cause.is_closed() {
        return HttpError::NotSent(innermost(error));
    }
    HttpError::IncompleteResponse(innermost(error))
}

/// Returns whether the server closed or reset the connection before it sent a complete response.
fn is_closed(error: &hyper::Error) -> bool {
    let io = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    let reset = io.is_some_and(|error: &std::io::Error| {
        use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
    });
    error.is_incomplete_message() || reset
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::{HeaderValue, Request, header};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::{HttpClient, HttpError, MAX_REPLY_BYTES};
    use crate::wire::WireReply;

    /// Starts a server that responds with bodies of this size and returns its URL.
    async fn serve(size: usize, has_length: bool) -> String {
        serve_status("200 OK", size, has_length).await
    }

    async fn serve_status(status: &'static str, size: usize, has_length: bool) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    let _ = stream.read(&mut request).await;
                    let length = if has_length {
                        format!("content-length: {size}\r\n")
                    } else {
                        String::new()
                    };
                    let head = format!("HTTP/1.1 {status}\r\n{length}connection: close\r\n\r\n");
                    let _ = stream.write_all(head.as_bytes()).await;
                    let _ = stream.write_all(&vec![b'x'; size]).await;
                });
            }
        });
        url
    }

    #[tokio::test]
    async fn large_bodies_share_a_budget() {
        for has_length in [true, false] {
            let client = HttpClient::default();
            let url = serve(MAX_REPLY_BYTES, has_length).await;
            let send = || {
                let request = Request::get(&url).body(Bytes::new()).unwrap();
                client.send_once(request, MAX_REPLY_BYTES)
            };
            let mut replies = Vec::new();
            for _ in 0..3 {
                replies.push(send().await.unwrap());
            }
            assert_eq!(replies[0].body.len(), MAX_REPLY_BYTES);
            let mut fourth = Box::pin(send());
            assert!(timeout(Duration::from_millis(300), &mut fourth).await.is_err());
            replies.pop();
            assert_eq!(fourth.await.unwrap().body.len(), MAX_REPLY_BYTES);
            // Small bodies never wait.
            let url = serve(60_000, has_length).await;
            for _ in 0..10 {
                let request = Request::get(&url).body(Bytes::new()).unwrap();
                let reply = client.send_once(request, MAX_REPLY_BYTES).await.unwrap();
                assert_eq!(reply.body.len(), 60_000);
                replies.push(reply);
            }
        }
    }

    /// Encodes zeros as a gzip member.
    fn gzip_of_zeros(size: usize) -> Vec<u8> {
        let data = vec![0; size];
        let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        bytes.extend(miniz_oxide::deflate::compress_to_vec(&data, 6));
        bytes.extend(crate::gzip::crc32(&data).to_le_bytes());
        bytes.extend((size as u32).to_le_bytes());
        bytes
    }

    #[tokio::test]
    async fn decoded_bodies_share_the_budget() {
        let client = HttpClient::default();
        let reply = |size| WireReply {
            status: 200,
            headers: [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))]
                .into_iter()
                .collect(),
            body: gzip_of_zeros(size).into(),
        };
        let decode = |size| client.decode(reply(size), MAX_REPLY_BYTES);
        let mut replies = Vec::new();
        for _ in 0..3 {
            replies.push(decode(MAX_REPLY_BYTES).await.unwrap());
        }
        assert_eq!(replies[0].body.len(), MAX_REPLY_BYTES);
        assert!(!replies[0].is_gzip());
        assert!(timeout(Duration::from_millis(300), decode(100_000)).await.is_err());
        assert_eq!(decode(60_000).await.unwrap().body.len(), 60_000);
        replies.pop();
        assert_eq!(decode(100_000).await.unwrap().body.len(), 100_000);
        let too_large = decode(MAX_REPLY_BYTES + 1).await;
        assert!(matches!(too_large, Err(HttpError::TooLarge)));
        let error = WireReply { status: 429, ..reply(MAX_REPLY_BYTES + 1) };
        drop(replies);
        let error = client.decode(error, MAX_REPLY_BYTES).await.unwrap();
        assert_eq!((error.status, error.body.len()), (429, 0));
    }

    #[tokio::test]
    async fn larger_bodies_of_errors_are_dropped() {
        for has_length in [true, false] {
            let url = serve_status("401 No", MAX_REPLY_BYTES + 1, has_length).await;
            let request = Request::get(&url).body(Bytes::new()).unwrap();
            let reply = HttpClient::default().send_once(request, MAX_REPLY_BYTES).await.unwrap();
            assert_eq!((reply.status, reply.body.len()), (401, 0));
        }
    }

    #[tokio::test]
    async fn larger_bodies_are_rejected() {
        for has_length in [true, false] {
            let url = serve(MAX_REPLY_BYTES + 1, has_length).await;
            let request = Request::get(&url).body(Bytes::new()).unwrap();
            let reply = HttpClient::default().send_once(request, MAX_REPLY_BYTES).await;
            assert!(matches!(reply, Err(HttpError::TooLarge)), "{has_length}");
        }
    }
}
