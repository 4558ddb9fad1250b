//! The interface for reading a response body while it arrives.

use bytes::Bytes;

use crate::error::Error;
use crate::ports::PortFuture;
use crate::wire::StreamState;

/// Reads the body of a successful response while it arrives.
pub(crate) trait BodyReader: Send {
    /// Reads the next bytes. The next ones are received when the future ends.
    ///
    /// # Errors
    /// Returns an error if the stream can't be read.
    fn push<'a>(&'a mut self, bytes: &'a [u8]) -> PortFuture<'a, Result<StreamState, Error>>;

    /// Returns the number of bytes that are stored.
    fn stored_bytes(&self) -> usize;

    /// Returns the body of the response as if it had been received in one piece. The next bytes are
    /// those of another response.
    ///
    /// # Errors
    /// Returns an error if the stream ended early.
    fn finish(&mut self) -> Result<Bytes, Error>;
}
