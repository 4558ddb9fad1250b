//! A stream that fails if more than a maximum number of bytes is read from it. It stops endless
//! handshakes, 1xx responses, chunk headers and trailers, which the body size limit does not cover.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream and the number of bytes that may still be read from it.
#[derive(Debug)]
pub(super) struct LimitedStream<S> {
    stream: S,
    bytes_left: usize,
}

impl<S> LimitedStream<S> {
    pub(super) fn new(stream: S, max_bytes: usize) -> Self {
        LimitedStream { stream, bytes_left: max_bytes }
    }
}

/// The error that a [`LimitedStream`] returns if it receives more bytes than its limit.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("received more bytes than the limit")]
pub(super) struct ReadLimitExceeded;

impl<S: AsyncRead + Unpin> AsyncRead for LimitedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let received = buffer.filled().len() - before;
        match self.bytes_left.checked_sub(received) {
            Some(bytes_left) => {
                self.bytes_left = bytes_left;
                Poll::Ready(Ok(()))
            }
            None => Poll::Ready(Err(io::Error::other(ReadLimitExceeded))),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for LimitedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
