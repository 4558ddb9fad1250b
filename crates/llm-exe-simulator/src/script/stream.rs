//! How a reply is sent to a call that asks for a stream (`stream` in a step).

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;

/// How a reply is streamed. By default, each event is sent on its own, without a pause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StreamScript {
    /// The pause before each piece in milliseconds.
    pub milliseconds: u64,
    /// The size of the pieces in bytes, which cuts events and characters. Default: a piece is an
    /// event.
    pub piece_bytes: Option<usize>,
    /// The number of events that are sent. Default: all.
    pub events: Option<usize>,
    /// What happens after these events.
    pub end: StreamEnd,
}

/// What happens after the events of a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StreamEnd {
    /// The response ends.
    #[default]
    Close,
    /// The connection breaks.
    Drop,
    /// The service reports an error, and the response ends.
    Error,
    /// Nothing more is sent, and the connection stays open.
    Hang,
}

impl StreamScript {
    /// Returns the pieces of a stream. `error` is the event that reports an error.
    pub(crate) fn split(&self, mut events: Vec<Vec<u8>>, error: Vec<u8>) -> Vec<Bytes> {
        events.truncate(self.events.unwrap_or(usize::MAX));
        if self.end == StreamEnd::Error {
            events.push(error);
        }
        match self.piece_bytes {
            None => events.into_iter().map(Bytes::from).collect(),
            Some(size) => events.concat().chunks(size).map(Bytes::copy_from_slice).collect(),
        }
    }

    /// Returns the pause before each piece.
    pub(crate) fn pause(&self) -> Duration {
        Duration::from_millis(self.milliseconds)
    }
}
