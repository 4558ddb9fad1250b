//! Joins the halves of a character that a server sends in two events.
//!
//! JSON can escape a character outside of the Basic Multilingual Plane as two halves (a surrogate
//! pair, RFC 8259, section 7). Servers that cut texts between UTF-16 code units send the first half
//! at the end of one text and the second one at the beginning of the next.

use super::event::{OnEvent, StreamEvent};
use crate::error::Error;

/// The length of an escaped half, such as `\ud83d`.
const ESCAPE_BYTES: usize = 6;

/// Holds back an event whose text ends with the first half of a character, until the next event
/// shows whether the second half follows.
#[derive(Debug, Default)]
pub(in crate::providers) struct PairJoiner {
    held: Option<Box<HeldEvent>>,
}

/// A [`StreamEvent`] that owns its parts.
#[derive(Debug)]
struct HeldEvent {
    name: String,
    is_exception: bool,
    data: String,
}

impl HeldEvent {
    fn as_event(&self) -> StreamEvent<'_> {
        let HeldEvent { name, is_exception, data } = self;
        StreamEvent { name, is_exception: *is_exception, data }
    }
}

impl PairJoiner {
    /// Passes the next event on, and the one that was held back before it.
    ///
    /// # Errors
    /// The errors of `on_event`.
    pub(in crate::providers) fn push(
        &mut self,
        event: &StreamEvent<'_>,
        on_event: &mut OnEvent<'_>,
    ) -> Result<(), Error> {
        let StreamEvent { name, is_exception, data } = *event;
        let Some(mut held) = self.held.take() else {
            if find_first_half(data).is_none() {
                return on_event(event);
            }
            let (name, data) = (name.to_owned(), data.to_owned());
            self.held = Some(Box::new(HeldEvent { name, is_exception, data }));
            return Ok(());
        };
        let halves = (find_first_half(&held.data), find_second_half(data));
        let (Some(first), Some(second)) = halves else {
            on_event(&held.as_event())?;
            return self.push(event, on_event);
        };
        let half: String = held.data.drain(first..first + ESCAPE_BYTES).collect();
        on_event(&held.as_event())?;
        let mut joined = data.to_owned();
        joined.insert_str(second, &half);
        self.push(&StreamEvent { name, is_exception, data: &joined }, on_event)
    }

    /// Returns the size of the event that is held back, in bytes.
    pub(in crate::providers) fn held_bytes(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.data.len())
    }

    /// Passes on the event that was held back.
    ///
    /// # Errors
    /// The errors of `on_event`.
    pub(in crate::providers) fn flush(&mut self, on_event: &mut OnEvent<'_>) -> Result<(), Error> {
        self.held.take().map_or(Ok(()), |held| on_event(&held.as_event()))
    }
}

/// Returns the position of an escaped first half at the end of a string.
fn find_first_half(json: &str) -> Option<usize> {
    find_half(json, b"89abAB", |start| json.as_bytes().get(start + ESCAPE_BYTES) == Some(&b'"'))
}

/// Returns the position of an escaped second half at the beginning of a string.
fn find_second_half(json: &str) -> Option<usize> {
    let begins_string = |start: usize| {
        let quote = start.checked_sub(1)?;
        let is_quote = json.as_bytes().get(quote) == Some(&b'"');
        (is_quote && !is_escaped(json, quote)).then_some(())
    };
    find_half(json, b"cdefCDEF", |start| begins_string(start).is_some())
}

/// Returns the position of the first escape `\udXYY` whose X is one of the digits and which fits.
fn find_half(json: &str, digits: &[u8], fits: impl Fn(usize) -> bool) -> Option<usize> {
    let bytes = json.as_bytes();
    let mut from = 0;
    while let Some(found) = memchr::memchr(b'\\', bytes.get(from..)?) {
        let start = from + found;
        let is_half = matches!(bytes.get(start + 1..start + 4), Some([b'u', b'd' | b'D', digit])
            if digits.contains(digit));
        if is_half && bytes.len() >= start + ESCAPE_BYTES && fits(start) {
            return Some(start);
        }
        // The character after a backslash is escaped, so it does not begin an escape.
        from = start + 2;
    }
    None
}

/// Returns whether an odd number of backslashes precedes a position.
fn is_escaped(json: &str, position: usize) -> bool {
    let before = json.as_bytes().get(..position).unwrap_or_default();
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::{PairJoiner, StreamEvent};

    fn join(events: &[&str]) -> Vec<String> {
        let mut joined = Vec::new();
        let mut joiner = PairJoiner::default();
        let mut add = |event: &StreamEvent<'_>| {
            joined.push(event.data.to_owned());
            Ok(())
        };
        for data in events {
            joiner.push(&StreamEvent { name: "", is_exception: false, data }, &mut add).unwrap();
        }
        joiner.flush(&mut add).unwrap();
        joined
    }

    #[test]
    fn halves_of_a_character_are_joined() {
        for (events, expected) in [
            (
                vec![r#"{"a":"x\ud83d"}"#, r#"{"a":"\ude00y"}"#],
                vec![r#"{"a":"x"}"#, r#"{"a":"\ud83d\ude00y"}"#],
            ),
            // Each event ends with a half.
            (
                vec![r#"["\uD83D"]"#, r#"["\uDE00\ud83d"]"#, r#"["\ude01"]"#, "{}"],
                vec![r#"[""]"#, r#"["\uD83D\uDE00"]"#, r#"["\ud83d\ude01"]"#, "{}"],
            ),
            // Halves without the other one, whole pairs, and escaped backslashes and quotes.
            (vec![r#"["\ud83d"]"#, r#"["\u00e9"]"#], vec![r#"["\ud83d"]"#, r#"["\u00e9"]"#]),
            (vec![r#"["\ude00"]"#, r#"["\ud83d"]"#], vec![r#"["\ude00"]"#, r#"["\ud83d"]"#]),
            (vec![r#"["\ud83d\ude00"]"#, "[]"], vec![r#"["\ud83d\ude00"]"#, "[]"]),
            (vec![r#"["\\ud83d"]"#, r#"["\ude00"]"#], vec![r#"["\\ud83d"]"#, r#"["\ude00"]"#]),
            (vec![r#"["\ud83d"]"#, r#"["\"\ude00"]"#], vec![r#"["\ud83d"]"#, r#"["\"\ude00"]"#]),
            (vec![r#"["\\\ud83d"]"#, r#"["\ude00"]"#], vec![r#"["\\"]"#, r#"["\ud83d\ude00"]"#]),
            (vec![r#"["\ud83d"#, r"\"], vec![r#"["\ud83d"#, r"\"]),
        ] {
            assert_eq!(join(&events), expected);
        }
    }

    #[test]
    fn only_an_event_that_ends_within_a_character_is_held_back() {
        let mut joiner = PairJoiner::default();
        let mut count = 0;
        for (data, expected) in [(r#"["\ud83d x"]"#, 1), (r#"["\ud83d"]"#, 1), ("ping", 3)] {
            let event = StreamEvent { name: "", is_exception: false, data };
            let mut add = |_: &StreamEvent<'_>| {
                count += 1;
                Ok(())
            };
            joiner.push(&event, &mut add).unwrap();
            assert_eq!(count, expected, "{data}");
        }
    }
}
