//! Splits a stream of text into events: server-sent events, or lines of JSON.
//!
//! Source: <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>

use super::event::{OnEvent, StreamEvent};
use crate::error::Error;
use crate::wire::{MAX_REPLY_BYTES, too_large};

/// The byte order mark in UTF-8, which may begin a stream.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Maximum length of the type of an event in bytes. The rest is dropped.
const MAX_NAME_BYTES: usize = 128;

/// Reads the lines of a stream, which can be cut anywhere.
#[derive(Debug)]
pub(super) struct TextEventReader {
    /// Whether an event ends at a blank line. Otherwise, it is a line.
    has_fields: bool,
    /// The beginning of the current line.
    line: Vec<u8>,
    /// The lines with the data of the current event, each with a line feed.
    data: Vec<u8>,
    /// The type of the current event.
    name: Vec<u8>,
    /// Whether the last byte was a carriage return, which a line feed may follow.
    is_after_return: bool,
    is_first_line: bool,
}

impl TextEventReader {
    /// Creates a reader of server-sent events, or of lines.
    pub(super) fn new(has_fields: bool) -> Self {
        TextEventReader {
            has_fields,
            line: Vec::new(),
            data: Vec::new(),
            name: Vec::new(),
            is_after_return: false,
            is_first_line: true,
        }
    }

    /// Returns the size of the event that is not complete, in bytes.
    pub(super) fn buffered(&self) -> usize {
        self.line.len() + self.data.len()
    }

    /// Reads the next bytes.
    ///
    /// # Errors
    /// `ProviderUnavailable` if an event is too large, and the errors of `on_event`.
    pub(super) fn push(
        &mut self,
        mut bytes: &[u8],
        on_event: &mut OnEvent<'_>,
    ) -> Result<(), Error> {
        while let Some(first) = bytes.first() {
            if std::mem::take(&mut self.is_after_return) && *first == b'\n' {
                bytes = bytes.get(1..).unwrap_or_default();
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            if self.line.len() + self.data.len() + line.len() > MAX_REPLY_BYTES {
                return Err(too_large());
            }
            let Some((line_end, rest)) = rest.split_first() else {
                self.line.extend_from_slice(line);
                return Ok(());
            };
            self.is_after_return = *line_end == b'\r';
            bytes = rest;
            if self.line.is_empty() {
                self.end_line(line, on_event)?;
            } else {
                let mut joined = std::mem::take(&mut self.line);
                joined.extend_from_slice(line);
                self.end_line(&joined, on_event)?;
            }
        }
        Ok(())
    }

    /// Reads the last event, if it has no end.
    ///
    /// # Errors
    /// The errors of `on_event`.
    pub(super) fn finish(&mut self, on_event: &mut OnEvent<'_>) -> Result<(), Error> {
        let line = std::mem::take(&mut self.line);
        self.end_line(&line, on_event)?;
        self.end_event(on_event)
    }

    fn end_line(&mut self, mut line: &[u8], on_event: &mut OnEvent<'_>) -> Result<(), Error> {
        if std::mem::take(&mut self.is_first_line) {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if !self.has_fields {
            return send(b"", line, on_event);
        }
        if line.is_empty() {
            return self.end_event(on_event);
        }
        if let Some(value) = field_value(line, b"data") {
            self.data.extend_from_slice(value);
            self.data.push(b'\n');
        } else if let Some(value) = field_value(line, b"event") {
            self.name.clear();
            self.name.extend_from_slice(value.get(..MAX_NAME_BYTES).unwrap_or(value));
        }
        // Other fields and comments are skipped.
        Ok(())
    }

    fn end_event(&mut self, on_event: &mut OnEvent<'_>) -> Result<(), Error> {
        let mut data = std::mem::take(&mut self.data);
        if let Some((_, event)) = data.split_last() {
            send(&self.name, event, on_event)?;
        }
        // The next event reuses the memory.
        data.clear();
        self.data = data;
        self.name.clear();
        Ok(())
    }
}

/// Returns the value of a line if it is that of the field.
fn field_value<'a>(line: &'a [u8], field: &[u8]) -> Option<&'a [u8]> {
    match line.strip_prefix(field)? {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}

/// Passes an event on. Bytes that are not UTF-8 are replaced.
fn send(name: &[u8], data: &[u8], on_event: &mut OnEvent<'_>) -> Result<(), Error> {
    let data = String::from_utf8_lossy(data);
    let name = str::from_utf8(name).unwrap_or_default();
    on_event(&StreamEvent { name, is_exception: false, data: &data })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{StreamEvent, TextEventReader};
    use crate::wire::MAX_REPLY_BYTES;

    /// Returns the events of a stream that arrives in these pieces.
    fn events<'a>(has_fields: bool, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let mut reader = TextEventReader::new(has_fields);
        let mut events = Vec::new();
        let mut add = |event: &StreamEvent<'_>| {
            events.push(event.data.to_owned());
            Ok(())
        };
        for piece in pieces {
            reader.push(piece, &mut add).unwrap();
        }
        reader.finish(&mut add).unwrap();
        events
    }

    #[test]
    fn lines_end_in_three_ways_and_comments_are_skipped() {
        let stream = "\u{feff}: hi\r\nevent: x\ndata: a\rdata:b\r\n\r\ndata\n\n: ping\n\nid: 1\n\n\
                      data:  {\"é\"}\n\ndatabase: no\n\ndata: [DONE]";
        assert_eq!(events(true, [stream.as_bytes()]), ["a\nb", "", " {\"é\"}", "[DONE]"]);
        assert_eq!(events(false, [b"{}\n[1]\r\n\n7".as_slice()]), ["{}", "[1]", "", "7"]);
    }

    #[test]
    fn the_type_belongs_to_one_event() {
        let stream = b"event: a\ndata: 1\n\ndata: 2\nevent:b\n\nevent: c\n\ndata: 3\n\n";
        let mut reader = TextEventReader::new(true);
        let mut events = Vec::new();
        let mut add = |event: &StreamEvent<'_>| {
            events.push(format!("{}{}", event.name, event.data));
            Ok(())
        };
        reader.push(stream, &mut add).unwrap();
        assert_eq!(events, ["a1", "b2", "3"]);
    }

    #[test]
    fn invalid_utf8_is_replaced_in_any_pieces() {
        let stream = b"data: a\xF0\x9F\x98\x80\xFF\xE2\x82b\n\n";
        let expected = ["a\u{1f600}\u{fffd}\u{fffd}b"];
        for at in 0..stream.len() {
            let (first, second) = stream.split_at(at);
            assert_eq!(events(true, [first, second]), expected, "{at}");
        }
    }

    #[test]
    fn an_event_above_the_limit_is_rejected_before_it_is_stored() {
        for prefix in ["data: ", "data: a\ndata: "] {
            let mut reader = TextEventReader::new(true);
            reader.push(prefix.as_bytes(), &mut |_| Ok(())).unwrap();
            let piece = vec![b'x'; 64 * 1024];
            let pushed = (0..160).find_map(|_| reader.push(&piece, &mut |_| Ok(())).err());
            assert!(pushed.unwrap().message().contains("8 MiB"));
            assert!(reader.line.capacity() <= 2 * MAX_REPLY_BYTES);
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_change_the_events(
            lines in prop::collection::vec("(data|data:|data: |:|event: |)[a{é😀]{0,6}", 0..12),
            ends in prop::collection::vec(0..4usize, 12),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
            has_fields in any::<bool>(),
        ) {
            let ends = ends.iter().map(|at| ["\n", "\r\n", "\r", "\n\n"][*at]);
            let lines = lines.iter().zip(ends);
            let stream: String = lines.flat_map(|(line, end)| [line, end]).collect();
            let whole = events(has_fields, [stream.as_bytes()]);
            let mut cuts: Vec<usize> = cuts.iter().map(|at| at.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| &stream.as_bytes()[cut[0]..cut[1]]);
            prop_assert_eq!(events(has_fields, pieces), whole);
        }
    }
}
