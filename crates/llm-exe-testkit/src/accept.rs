//! Accepts connections and serves the requests that arrive on them.

use std::error::Error;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Serves requests with `handler` until the task is aborted, which closes all connections.
pub(crate) async fn serve<F, A, B, E>(listener: TcpListener, handler: F)
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Result<Response<B>, E>> + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    drop(stream.set_nodelay(true));
                    let service = service_fn(handler.clone());
                    let connection = http1::Builder::new();
                    connections.spawn(async move {
                        // An error means that a scripted fault closed the connection or that the
                        // client disconnected.
                        drop(connection.serve_connection(TokioIo::new(stream), service).await);
                    });
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
