//! Splits a stream of AWS (`application/vnd.amazon.eventstream`) into frames.
//!
//! A frame consists of its length, the length of its headers, a checksum of both, the headers, the
//! payload and a checksum of the whole. Numbers are big-endian. Source: the crate
//! `aws-smithy-eventstream` 0.61.

use super::event::{OnEvent, StreamEvent};
use crate::error::{Error, ErrorKind};
use crate::gzip::crc32;
use crate::wire::{MAX_REPLY_BYTES, too_large};

/// The size of the two lengths and their checksum, in bytes.
const PRELUDE_BYTES: usize = 12;
/// The size of a frame without headers and payload, in bytes.
const MIN_FRAME_BYTES: usize = PRELUDE_BYTES + 4;

/// Reads the frames of a stream, which can be cut anywhere.
#[derive(Debug, Default)]
pub(super) struct FrameReader {
    /// The bytes of the frame that is not complete.
    buffer: Vec<u8>,
}

impl FrameReader {
    /// Reads the next bytes.
    ///
    /// # Errors
    /// `ProviderUnavailable` if a frame is too large or damaged, and the errors of `on_event`.
    pub(super) fn push(&mut self, bytes: &[u8], on_event: &mut OnEvent<'_>) -> Result<(), Error> {
        self.buffer.extend_from_slice(bytes);
        let mut rest = self.buffer.as_slice();
        while let Some((frame, after)) = split_frame(rest)? {
            read_frame(frame, on_event)?;
            rest = after;
        }
        let read = self.buffer.len() - rest.len();
        self.buffer.drain(..read);
        Ok(())
    }

    /// Returns the size of the frame that is not complete, in bytes.
    pub(super) fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Returns whether the last frame is complete.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }
}

fn damaged(what: &str) -> Error {
    let text = format!("the stream is damaged: {what}");
    Error::new(ErrorKind::ProviderUnavailable, text)
}

/// Reads a number at the start of some bytes.
fn number(bytes: &[u8]) -> Option<usize> {
    let (number, _) = bytes.split_first_chunk()?;
    usize::try_from(u32::from_be_bytes(*number)).ok()
}

/// A frame and the bytes after it.
type SplitBytes<'a> = (&'a [u8], &'a [u8]);

/// Splits off the first frame, if it is complete. Checks its lengths as soon as they are known, so
/// that a damaged length does not make the reader wait for more bytes.
fn split_frame(bytes: &[u8]) -> Result<Option<SplitBytes<'_>>, Error> {
    let Some(prelude) = bytes.get(..PRELUDE_BYTES) else { return Ok(None) };
    let (lengths, checksum) = prelude.split_at(8);
    if number(checksum).and_then(|sum| u32::try_from(sum).ok()) != Some(crc32(lengths)) {
        return Err(damaged("the checksum of a frame's length is wrong"));
    }
    let length = number(lengths).unwrap_or_default();
    if length > MAX_REPLY_BYTES {
        return Err(too_large());
    }
    if length < MIN_FRAME_BYTES {
        return Err(damaged("a frame is too short"));
    }
    Ok(bytes.split_at_checked(length))
}

/// Checks a frame and passes its event on.
fn read_frame(frame: &[u8], on_event: &mut OnEvent<'_>) -> Result<(), Error> {
    let (content, checksum) = frame.split_at(frame.len().saturating_sub(4));
    if number(checksum).and_then(|sum| u32::try_from(sum).ok()) != Some(crc32(content)) {
        return Err(damaged("the checksum of a frame is wrong"));
    }
    let headers = content.get(4..).and_then(number).unwrap_or_default();
    let body = content.get(PRELUDE_BYTES..).unwrap_or_default();
    let (headers, payload) =
        body.split_at_checked(headers).ok_or_else(|| damaged("the headers exceed their frame"))?;
    let headers = read_headers(headers).ok_or_else(|| damaged("a header is unreadable"))?;
    let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|it| it.1);
    let payload = String::from_utf8_lossy(payload);
    match header(":message-type") {
        Some("exception") => {
            let name = header(":exception-type").unwrap_or_default();
            on_event(&StreamEvent { name, is_exception: true, data: &payload })
        }
        Some("error") => {
            let name = header(":error-code").unwrap_or_default();
            let message = header(":error-message").unwrap_or_default();
            let data = serde_json::json!({ "message": message }).to_string();
            on_event(&StreamEvent { name, is_exception: true, data: &data })
        }
        _ => {
            let name = header(":event-type").unwrap_or_default();
            on_event(&StreamEvent { name, is_exception: false, data: &payload })
        }
    }
}

/// Reads the headers whose values are texts. Returns `None` if one of the headers is cut off.
fn read_headers(mut bytes: &[u8]) -> Option<Vec<(&str, &str)>> {
    let mut headers = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let (kind, rest) = rest.split_first()?;
        let (size, rest) = match kind {
            0 | 1 => (0, rest),
            2 => (1, rest),
            3 => (2, rest),
            4 => (4, rest),
            5 | 8 => (8, rest),
            6 | 7 => {
                let (size, rest) = rest.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(*size)), rest)
            }
            9 => (16, rest),
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(size)?;
        if *kind == 7 {
            headers.push((str::from_utf8(name).ok()?, str::from_utf8(value).ok()?));
        }
        bytes = rest;
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::{FrameReader, StreamEvent};
    use crate::gzip::crc32;

    /// Encodes a frame with headers whose values are texts.
    fn encode(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
        let mut header_bytes = Vec::new();
        for (name, value) in headers {
            header_bytes.push(u8::try_from(name.len()).unwrap());
            header_bytes.extend(name.bytes());
            header_bytes.push(7);
            header_bytes.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            header_bytes.extend(value.bytes());
        }
        // A header of another type.
        header_bytes.extend([1, b'n', 4, 0, 0, 0, 9]);
        let length = 16 + header_bytes.len() + payload.len();
        let mut frame = u32::try_from(length).unwrap().to_be_bytes().to_vec();
        frame.extend(u32::try_from(header_bytes.len()).unwrap().to_be_bytes());
        frame.extend(crc32(&frame).to_be_bytes());
        frame.extend(header_bytes);
        frame.extend(payload.bytes());
        frame.extend(crc32(&frame).to_be_bytes());
        frame
    }

    fn read(reader: &mut FrameReader, bytes: &[u8]) -> Result<Vec<String>, String> {
        let mut events = Vec::new();
        let mut add = |event: &StreamEvent<'_>| {
            events.push(format!("{} {} {}", event.name, event.is_exception, event.data));
            Ok(())
        };
        let read = reader.push(bytes, &mut add).map_err(|error| error.message().to_owned());
        read.map(|()| events)
    }

    fn stream() -> Vec<u8> {
        let event = [(":message-type", "event"), (":event-type", "chunk")];
        let exception =
            [(":exception-type", "throttlingException"), (":message-type", "exception")];
        let error = [(":message-type", "error"), (":error-code", "C"), (":error-message", "é")];
        let frames = [encode(&event, "{}"), encode(&exception, "{1}"), encode(&error, "")];
        frames.concat()
    }

    #[test]
    fn frames_are_read_in_any_pieces() {
        let stream = stream();
        let expected =
            ["chunk false {}", "throttlingException true {1}", "C true {\"message\":\"é\"}"];
        for at in 0..=stream.len() {
            let mut reader = FrameReader::default();
            let mut events = read(&mut reader, &stream[..at]).unwrap();
            events.extend(read(&mut reader, &stream[at..]).unwrap());
            assert_eq!(events, expected, "{at}");
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let frame = encode(&[(":message-type", "event"), (":event-type", "chunk")], "{\"a\":1}");
        for at in 0..frame.len() {
            let mut changed = frame.clone();
            changed[at] ^= 0x10;
            let error = read(&mut FrameReader::default(), &changed).unwrap_err();
            assert!(error.starts_with("the stream is damaged: the checksum of a frame"), "{error}");
        }
    }

    #[test]
    fn lengths_are_checked_before_the_frame_is_stored() {
        for (length, expected) in [
            (10_000_000_u32, "the response body is larger than the maximum of 8 MiB"),
            (15, "the stream is damaged: a frame is too short"),
        ] {
            let mut prelude = [length.to_be_bytes(), [0; 4]].concat();
            prelude.extend(crc32(&prelude).to_be_bytes());
            assert_eq!(read(&mut FrameReader::default(), &prelude).unwrap_err(), expected);
        }
    }
}
