//! The interface for programs that send requests with an HTTP client of their own, or that test
//! without a network.

use std::future::ready;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, header};

use super::body_budget::BodyBudget;
use super::http::{HttpClient, MAX_REPLY_BYTES};
use super::http_error::HttpError;
use super::response_body::ResponseBody;
use crate::deadline::Deadline;
use crate::ports::PortFuture;
use crate::wire::{UserAgent, WireReply};

/// Sends a single HTTP request. Retries, timeouts and limits remain the task of the
/// [`Transport`](super::Transport).
///
/// A closure that returns the response at once is a transport too, which is useful in tests:
///
/// ```
/// use llm_exe::bytes::Bytes;
/// use llm_exe::http::{Request, Response};
/// use llm_exe::transport::{HttpError, HttpTransport};
///
/// fn fake() -> impl HttpTransport {
///     |request: Request<Bytes>| -> Result<Response<Bytes>, HttpError> {
///         assert_eq!(request.uri().path(), "/v1/chat/completions");
///         Ok(Response::new(Bytes::from_static(b"{}")))
///     }
/// }
/// ```
pub trait HttpTransport: Send + Sync {
    /// Sends a request, which contains all headers, including that with the API key. Returns the
    /// complete response, which may have any status; redirects must not be followed.
    ///
    /// The future is dropped after the deadline, or if the caller no longer needs the response. A
    /// transport that works in the background uses the deadline to end by itself.
    ///
    /// # Errors
    /// Returns an error if there is no complete response. [`HttpError::NotConnected`] and
    /// [`HttpError::NotSent`] cause a retry. After the other errors the request may have been
    /// billed, so it is not sent again.
    fn send(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> PortFuture<'_, Result<Response<Bytes>, HttpError>>;

    /// Sends a request like [`send`](HttpTransport::send), and returns the response as soon as its
    /// headers have arrived. It is called for requests whose replies are streamed. By default, the
    /// body arrives in one piece.
    ///
    /// # Errors
    /// The same as for [`send`](HttpTransport::send). The body reports errors after the headers,
    /// none of which causes a retry.
    fn open(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> PortFuture<'_, Result<Response<ResponseBody>, HttpError>> {
        let response = self.send(request, deadline);
        Box::pin(async move { Ok(response.await?.map(ResponseBody::from)) })
    }

    /// Starts connecting to the host of a URL in the background, to make a later request faster. By
    /// default, this does nothing.
    fn preconnect(&self, _url: &str) {}
}

impl<F> HttpTransport for F
where
    F: Fn(Request<Bytes>) -> Result<Response<Bytes>, HttpError> + Send + Sync,
{
    fn send(
        &self,
        request: Request<Bytes>,
        _: Deadline,
    ) -> PortFuture<'_, Result<Response<Bytes>, HttpError>> {
        Box::pin(ready(self(request)))
    }
}

impl HttpTransport for HttpClient {
    fn send(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> PortFuture<'_, Result<Response<Bytes>, HttpError>> {
        Box::pin(async move {
            let reply = self.exchange(request, MAX_REPLY_BYTES, deadline).await?;
            let mut response = Response::new(reply.body);
            *response.status_mut() = http::StatusCode::from_u16(reply.status)
                .map_err(|error| HttpError::IncompleteResponse(error.to_string()))?;
            *response.headers_mut() = reply.headers;
            Ok(response)
        })
    }

    fn open(
        &self,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> PortFuture<'_, Result<Response<ResponseBody>, HttpError>> {
        Box::pin(async move {
            let opened = self.open_once(request);
            match tokio::time::timeout_at(deadline.instant().into(), opened).await {
                Ok(response) => response,
                Err(_) => Err(HttpError::TimedOut),
            }
        })
    }

    fn preconnect(&self, url: &str) {
        HttpClient::preconnect(self, url);
    }
}

/// What a [`Transport`](super::Transport) sends its requests with. The built-in client is not
/// called through the trait, so that its futures need no allocation.
#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "there is one sender per client")]
pub(super) enum Sender {
    BuiltIn(HttpClient),
    Custom(Arc<dyn HttpTransport>),
}

impl Sender {
    pub(super) fn preconnect(&self, url: &str) {
        match self {
            Sender::BuiltIn(client) => client.preconnect(url),
            Sender::Custom(transport) => transport.preconnect(url),
        }
    }

    /// Sends a request and receives the headers of the response. The caller ensures that the future
    /// ends at the deadline.
    pub(super) async fn open(
        &self,
        mut request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<ResponseBody>, HttpError> {
        match self {
            Sender::BuiltIn(client) => client.open_once(request).await,
            Sender::Custom(transport) => {
                insert_user_agent(&mut request);
                transport.open(request, deadline).await
            }
        }
    }

    /// Returns the space for large response bodies. A custom transport has none.
    pub(super) fn budget(&self) -> Option<&BodyBudget> {
        match self {
            Sender::BuiltIn(client) => Some(client.budget()),
            Sender::Custom(_) => None,
        }
    }

    /// Decodes a body in gzip. A large one occupies space of the budget.
    pub(super) async fn decode(
        &self,
        reply: WireReply,
        max_bytes: usize,
    ) -> Result<WireReply, HttpError> {
        match self {
            _ if !reply.is_gzip() => Ok(reply),
            Sender::BuiltIn(client) => client.decode(reply, max_bytes).await,
            Sender::Custom(_) => reply.decode_response(max_bytes).map_err(|_| HttpError::TooLarge),
        }
    }

    /// Sends a request. The caller ensures that the future ends at the deadline.
    pub(super) async fn send(
        &self,
        mut request: Request<Bytes>,
        max_bytes: usize,
        deadline: Deadline,
    ) -> Result<WireReply, HttpError> {
        let transport = match self {
            Sender::BuiltIn(client) => return client.send_once(request, max_bytes).await,
            Sender::Custom(transport) => transport,
        };
        insert_user_agent(&mut request);
        let (head, mut body) = transport.send(request, deadline).await?.into_parts();
        if body.len() > max_bytes {
            if head.status.is_success() {
                return Err(HttpError::TooLarge);
            }
            body = Bytes::new();
        }
        let reply = WireReply { status: head.status.as_u16(), headers: head.headers, body };
        self.decode(reply, max_bytes).await
    }
}

fn insert_user_agent(request: &mut Request<Bytes>) {
    let user_agent = || UserAgent::default().header_value().clone();
    request.headers_mut().entry(header::USER_AGENT).or_insert_with(user_agent);
}
