//! Connections: plain HTTP or TLS, on one pool. The TLS side, its certificates included, is made
//! when the first `https` URL needs it: a request over plain HTTP never pays for it.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
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

use super::preconnect::Ahead;

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept. A frozen function finds it closed all the same.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The pooled client.
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

    /// Begins to open the first connection to a host, for the request that is about to come.
    pub(crate) fn open_ahead(&self, uri: &Uri) {
        self.connector.ahead.begin(uri, || self.connector.open(uri.clone()));
    }
}

/// How often a connection has been used, noted on the connection itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uses(Arc<AtomicUsize>);

impl Uses {
    /// Counts one use; answers how many there were before.
    pub(crate) fn count(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

#[derive(Clone)]
struct Connector {
    plain: HttpConnector,
    tls: Arc<OnceLock<HttpsConnector<HttpConnector>>>,
    ahead: Ahead<Result<Counted, BoxError>>,
}

type Opening = Pin<Box<dyn Future<Output = Result<Counted, BoxError>> + Send>>;

impl Connector {
    fn new() -> Self {
        let mut plain = HttpConnector::new();
        plain.enforce_http(false);
        plain.set_nodelay(true);
        plain.set_connect_timeout(Some(CONNECT_TIMEOUT));
        Connector { plain, tls: Arc::default(), ahead: Ahead::default() }
    }

    fn open(&self, uri: Uri) -> Opening {
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
                let opened = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await??;
                Ok(Counted { stream: opened, uses: Uses::default() })
            });
        }
        let connecting = self.plain.clone().call(uri);
        Box::pin(async move {
            let stream = MaybeHttpsStream::Http(connecting.await?);
            Ok(Counted { stream, uses: Uses::default() })
        })
    }
}

impl Service<Uri> for Connector {
    type Response = Counted;
    type Error = BoxError;
    type Future = Opening;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Some(opening) = self.ahead.take(&uri) else {
            return self.open(uri);
        };
        let connector = self.clone();
        Box::pin(async move {
            match opening.await {
                Ok(Ok(opened)) => Ok(opened),
                _ => connector.open(uri).await,
            }
        })
    }
}

/// A stream whose uses are counted.
struct Counted {
    stream: Stream,
    uses: Uses,
}

impl Connection for Counted {
    fn connected(&self) -> Connected {
        self.stream.connected().extra(self.uses.clone())
    }
}

impl Read for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl Write for Counted {
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
