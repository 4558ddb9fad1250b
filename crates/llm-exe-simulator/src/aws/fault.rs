//! What goes wrong on demand: which calls, how many of them, and in which way.
//!
//! In: faults as tests write them, and a call. Out: what happens to it instead of, before or after
//! what it asked for.

use std::time::Duration;

/// What a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// S3: an object's content.
    GetObject,
    /// S3: what is known of an object.
    HeadObject,
    /// S3: writing an object.
    PutObject,
    /// SQS: a message for a queue.
    SendMessage,
    /// EventBridge: events for buses.
    PutEvents,
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Refused with this status and code; nothing is done.
    Refuse(u16, String),
    /// Done after a while.
    Delay(Duration),
    /// Nothing is done, and the connection closes.
    Drop,
    /// Nothing is done, and no answer ever comes.
    Hang,
    /// It is done, and the connection closes without an answer.
    DoneThenDrop,
    /// It is done, and no answer ever comes.
    DoneThenHang,
    /// It is done, and yet answered with this status and code.
    DoneThenRefuse(u16, String),
    /// PutEvents answers 200, and that it failed to take its entries, with this code. Any other
    /// operation is done as always.
    FailEntries(String),
}

/// A fault: `Fault::on(Operation::PutObject, "*/records/*", Action::Drop).times(2)`.
#[derive(Debug, Clone)]
pub struct Fault {
    operation: Operation,
    pattern: String,
    deed: Action,
    left: u64,
    every: u64,
    seen: u64,
}

impl Fault {
    /// A fault of calls of this operation whose name fits a pattern, in which `*` is any text: an
    /// object's `bucket/key`, a queue's URL, the bus of the first event. It happens to all that
    /// come.
    pub fn on(operation: Operation, pattern: &str, deed: Action) -> Self {
        let pattern = pattern.to_owned();
        Self { operation, pattern, deed, left: u64::MAX, every: 1, seen: 0 }
    }

    /// The same, but no more than so many times.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { left: times, ..self }
    }

    /// The same, but only to every nth of the calls that fit: the nth, the 2nth, …
    #[must_use]
    pub fn every(self, nth: u64) -> Self {
        Self { every: nth.max(1), ..self }
    }

    /// What happens to this call, if anything does.
    fn meets(&mut self, operation: Operation, name: &str) -> Option<Action> {
        if self.operation != operation || self.left == 0 || !fits(&self.pattern, name.as_bytes()) {
            return None;
        }
        self.seen += 1;
        if !self.seen.is_multiple_of(self.every) {
            return None;
        }
        self.left -= 1;
        Some(self.deed.clone())
    }
}

/// What happens to a call, by the first fault that it meets.
pub(super) fn met(faults: &mut [Fault], operation: Operation, name: &str) -> Option<Action> {
    faults.iter_mut().find_map(|fault| fault.meets(operation, name))
}

/// Whether a name fits a pattern, in which `*` is any text.
pub(super) fn fits(pattern: &str, name: &[u8]) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default().as_bytes();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&[u8]> = pieces.map(str::as_bytes).collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        let found =
            (0..=rest.len()).find(|at| rest.get(*at..).unwrap_or_default().starts_with(piece));
        match found.and_then(|at| rest.get(at + piece.len()..)) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_fit_or_not() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "a/b", true),
            ("", "a", false),
            ("a/b", "a/b", true),
            ("a/b", "a/bc", false),
            ("a*", "ab/c", true),
            ("*c", "ab/c", true),
            ("*/records/*", "b/p/records/x.json", true),
            ("*/records/*", "b/p/idempotency/x.json", false),
            ("ab*bc", "abc", false),
            ("a*b*c", "a-b-b-c", true),
        ] {
            assert_eq!(fits(pattern, name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
