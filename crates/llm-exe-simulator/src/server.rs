//! The HTTP server: accepts connections, reads requests, carries out what was decided.
//!
//! In: a listener. Out: replies, or the faults that replace them. What to answer is decided in
//! `state`; how a fault looks on the wire is in `deed`.

use crate::action::{self, Body, Dropped};
use crate::state::{Arrived, State};
use crate::{control, dialects};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A limit for paths that no dialect serves.
const DEFAULT_BODY_LIMIT: usize = 32 * 1024 * 1024;

/// Serves until `stop` says so or the task is aborted.
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
                // Out of file descriptors, most likely: wait for some to be closed.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
            () = told(&mut stopping) => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Done when `stop` says so.
async fn told(stop: &mut watch::Receiver<bool>) {
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
    // Only a matter of latency; a socket that refuses it works all the same.
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
            // An error here is a fault that was asked for, or a client that went away.
            _ = served.as_mut() => return,
            () = &mut close_idle => return,
            () = told(&mut stop), if !stopping => {
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
) -> Result<Response<Body>, Dropped> {
    let (head, body) = request.into_parts();
    let dialect = dialects::by_path(head.uri.path());
    if let Some(dialect) = dialect
        && head.method == http::Method::POST
        && state.drop_early(dialect, &head, connection)
    {
        return Err(Dropped);
    }
    let limit = dialect.map_or(DEFAULT_BODY_LIMIT, |dialect| dialect.body_limit());
    let (raw, too_large) = read(body, limit).await?;
    if control::serves(head.uri.path()) {
        return Ok(control::answer(&head, &raw, &state));
    }
    let arrived = Arrived { head: &head, raw: &raw, too_large, connection };
    let decided = state.decide(dialect, &arrived);
    if let Some(wait) = decided.close_after {
        close.send_replace(Some(wait));
    }
    action::carry_out(decided).await
}

/// Reads the body to its end, keeping at most `limit` bytes: a client that is still writing when
/// it is answered would see a broken connection instead of the answer.
async fn read(mut body: Incoming, limit: usize) -> Result<(Bytes, bool), Dropped> {
    let mut kept = BytesMut::new();
    let mut too_large = false;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Dropped)?.into_data() else {
            continue;
        };
        too_large |= kept.len() + data.len() > limit;
        if too_large {
            kept.clear();
        } else {
            kept.extend_from_slice(&data);
        }
    }
    Ok((kept.freeze(), too_large))
}
