//! The HTTP server. It accepts connections, reads requests and delivers the responses that
//! [`State`] chooses.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::response::{self, Body, ConnectionDropped};
use crate::state::{ReceivedCall, State};
use crate::{control, dialects};

/// The maximum body size in bytes for paths that no dialect serves.
const DEFAULT_BODY_LIMIT: usize = 32 * 1024 * 1024;

/// Serves connections until `stop` becomes true or the task is aborted.
pub(crate) async fn run(listener: TcpListener, state: Arc<State>, stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let mut stopping = stop.clone();
    let mut number = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    number += 1;
                    connections.spawn(connection(stream, number, Arc::clone(&state), stop.clone()));
                }
                // The process probably has no free file descriptors, so wait until some are closed.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
            () = stop_requested(&mut stopping) => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Waits until `stop` becomes true.
async fn stop_requested(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn connection(
    stream: TcpStream,
    number: u64,
    state: Arc<State>,
    mut stop: watch::Receiver<bool>,
) {
    // Ignore errors, because TCP_NODELAY only reduces the latency.
    drop(stream.set_nodelay(true));
    let (close, mut closing) = watch::channel(None::<Duration>);
    let close = Arc::new(close);
    let service =
        service_fn(move |request| serve(request, Arc::clone(&state), number, Arc::clone(&close)));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(served);
    let close_idle = async {
        let wait = closing.wait_for(Option::is_some).await.map(|wait| *wait);
        match wait {
            Ok(Some(wait)) => tokio::time::sleep(wait).await,
            _ => std::future::pending().await,
        }
    };
    tokio::pin!(close_idle);
    let mut stopping = false;
    loop {
        tokio::select! {
            // An error means that a scripted fault closed the connection or that the client
            // disconnected.
            _ = served.as_mut() => return,
            () = &mut close_idle => return,
            () = stop_requested(&mut stop), if !stopping => {
                stopping = true;
                served.as_mut().graceful_shutdown();
            }
        }
    }
}

async fn serve(
    request: Request<Incoming>,
    state: Arc<State>,
    connection: u64,
    close: Arc<watch::Sender<Option<Duration>>>,
) -> Result<Response<Body>, ConnectionDropped> {
    let (head, body) = request.into_parts();
    let dialect = dialects::by_path(head.uri.path());
    if let Some(dialect) = dialect
        && head.method == http::Method::POST
        && state.drop_early(dialect, &head, connection)
    {
        return Err(ConnectionDropped);
    }
    let limit = dialect.map_or(DEFAULT_BODY_LIMIT, |dialect| dialect.body_limit());
    let (raw, too_large) = read_body(body, limit).await?;
    if control::serves(head.uri.path()) {
        return Ok(control::handle(&head, &raw, &state));
    }
    let call = ReceivedCall { head: &head, raw: &raw, too_large, connection };
    let planned = state.decide(dialect, &call);
    if let Some(wait) = planned.close_after {
        close.send_replace(Some(wait));
    }
    response::deliver(planned).await
}

/// Reads the whole body. Returns an empty body and `true` if the body exceeds `limit`. Even then,
/// the body is read to its end; otherwise, a client that is still writing would see a broken
/// connection instead of the response.
async fn read_body(mut body: Incoming, limit: usize) -> Result<(Bytes, bool), ConnectionDropped> {
    let mut buffer = BytesMut::new();
    let mut too_large = false;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| ConnectionDropped)?.into_data() else {
            continue;
        };
        too_large |= buffer.len() + data.len() > limit;
        if too_large {
            buffer.clear();
        } else {
            buffer.extend_from_slice(&data);
        }
    }
    Ok((buffer.freeze(), too_large))
}
