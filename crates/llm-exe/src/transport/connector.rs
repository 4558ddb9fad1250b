//! A connection pool for HTTP and HTTPS. TLS and its certificates are set up on the first `https`
//! URL, so programs that use only plain HTTP do not pay for them.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http_body_util::Full;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tower_service::Service;

use super::preconnect::PendingConnections;

/// Maximum time to open a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum time that an idle connection stays in the pool. A server may close the connection
/// earlier, for example while Lambda has frozen the process.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An HTTP client with a connection pool.
#[derive(Clone)]
pub(crate) struct Client {
    pool: HyperClient<Connector, Full<Bytes>>,
    connector: Connector,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Default for Client {
    fn default() -> Self {
        let connector = Connector::new();
        let pool = HyperClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector.clone());
        Client { pool, connector }
    }
}

impl Client {
    pub(crate) fn request(
        &self,
        request: http::Request<Full<Bytes>>,
    ) -> hyper_util::client::legacy::ResponseFuture {
        self.pool.request(request)
    }

    /// Starts opening a connection to a host in the background, unless this client has already
    /// connected to that host.
    pub(crate) fn preconnect(&self, uri: &Uri) {
        self.connector.pending.begin(uri, || self.connector.open(uri.clone()));
    }
}

/// Whether a connection has served a request. The mark is attached to the connection, which lets
/// the client detect that a request reused it.
#[derive(Clone, Debug, Default)]
pub(crate) struct UsedMark(Arc<AtomicBool>);

impl UsedMark {
    /// Sets the mark after a response.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns whether the connection has served a request.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Clone)]
struct Connector {
    plain: HttpConnector,
    tls: Arc<OnceLock<HttpsConnector<HttpConnector>>>,
    pending: PendingConnections<Result<MarkedStream, BoxError>>,
}

type ConnectFuture = Pin<Box<dyn Future<Output = Result<MarkedStream, BoxError>> + Send>>;

impl Connector {
    fn new() -> Self {
        let mut plain = HttpConnector::new();
        plain.enforce_http(false);
        plain.set_nodelay(true);
        plain.set_connect_timeout(Some(CONNECT_TIMEOUT));
        Connector { plain, tls: Arc::default(), pending: PendingConnections::default() }
    }

    fn open(&self, uri: Uri) -> ConnectFuture {
        if uri.scheme_str() == Some("https") {
            let plain = &self.plain;
            let tls = self.tls.get_or_init(|| {
                HttpsConnectorBuilder::new()
                    .with_tls_config(crate::tls::client_config())
                    .https_only()
                    .enable_http1()
                    .wrap_connector(plain.clone())
            });
            let connecting = tls.clone().call(uri);
            return Box::pin(async move {
                let stream = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await??;
                Ok(MarkedStream { stream, used: UsedMark::default() })
            });
        }
        let connecting = self.plain.clone().call(uri);
        Box::pin(async move {
            let stream = MaybeHttpsStream::Http(connecting.await?);
            Ok(MarkedStream { stream, used: UsedMark::default() })
        })
    }
}

impl Service<Uri> for Connector {
    type Response = MarkedStream;
    type Error = BoxError;
    type Future = ConnectFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Some(opening) = self.pending.take(&uri) else {
            return self.open(uri);
        };
        let connector = self.clone();
        Box::pin(async move {
            match opening.await {
                Ok(Ok(stream)) => Ok(stream),
                _ => connector.open(uri).await,
            }
        })
    }
}

/// A stream that carries the mark of its connection.
struct MarkedStream {
    stream: Stream,
    used: UsedMark,
}

impl Connection for MarkedStream {
    fn connected(&self) -> Connected {
        // The details of the inner stream, such as its addresses, are not used.
        Connected::new().extra(self.used.clone())
    }
}

impl Read for MarkedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl Write for MarkedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
