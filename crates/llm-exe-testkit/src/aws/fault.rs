//! Faults that tests inject into calls to the simulated AWS services.

use std::time::Duration;

/// An operation of an AWS service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Reads an S3 object.
    GetObject,
    /// Reads the headers of an S3 object.
    HeadObject,
    /// Writes an S3 object.
    PutObject,
    /// Sends a message to an SQS queue.
    SendMessage,
    /// Puts events onto an EventBridge bus.
    PutEvents,
    /// Invokes a Lambda function.
    Invoke,
}

/// The effect of a fault on a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The call is not executed, and the response is an error with this status and error code.
    Refuse(u16, String),
    /// The call is executed after this delay.
    Delay(Duration),
    /// The call is not executed, and the response is Lambda's error for too many calls, with this
    /// number of seconds in `Retry-After`.
    Throttle(u64),
    /// The call is not executed, and the connection is closed without a response.
    Drop,
    /// The connection is closed before the body of the request is read. The target of a message or
    /// an event is in the body, so the pattern must match an empty target.
    DropEarly,
    /// The call is not executed, and no response is sent.
    Hang,
    /// The call is executed, but the connection is closed without a response.
    DoneThenDrop,
    /// The call is executed, but no response is sent.
    DoneThenHang,
    /// The call is executed, but the response is an error with this status and error code.
    DoneThenRefuse(u16, String),
    /// `PutEvents` responds with 200, but all entries fail with this error code. Other operations
    /// are not affected.
    FailEntries(String),
}

/// A fault that is injected into calls, for example
/// `AwsFault::on(Operation::PutObject, "*/records/*", Action::Drop).times(2)`.
#[derive(Debug, Clone)]
pub struct AwsFault {
    operation: Operation,
    pattern: String,
    action: Action,
    remaining: u64,
    every: u64,
    matched: u64,
}

impl AwsFault {
    /// Creates a fault that occurs in every call to this operation whose target matches the
    /// pattern. The target is the `bucket/key` of an object, the URL of a queue, the bus of the
    /// first event, or the name of a function, with its qualifier after a colon. In the pattern,
    /// `*` matches any string.
    pub fn on(operation: Operation, pattern: &str, action: Action) -> Self {
        let pattern = pattern.to_owned();
        Self { operation, pattern, action, remaining: u64::MAX, every: 1, matched: 0 }
    }

    /// Limits how many times the fault occurs.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { remaining: times, ..self }
    }

    /// Limits the fault to every nth matching call.
    #[must_use]
    pub fn every(self, nth: u64) -> Self {
        Self { every: nth.max(1), ..self }
    }

    /// Counts the call if it matches. Returns the action if the fault occurs in this call.
    fn apply(&mut self, operation: Operation, name: &str) -> Option<Action> {
        if self.operation != operation
            || self.remaining == 0
            || !matches_pattern(&self.pattern, name.as_bytes())
        {
            return None;
        }
        self.matched += 1;
        if !self.matched.is_multiple_of(self.every) {
            return None;
        }
        self.remaining -= 1;
        Some(self.action.clone())
    }
}

/// Returns the action of the first fault that occurs in a call whose body was read.
pub(super) fn next_action(
    faults: &mut [AwsFault],
    operation: Operation,
    name: &str,
) -> Option<Action> {
    let mut faults = faults.iter_mut().filter(|fault| fault.action != Action::DropEarly);
    faults.find_map(|fault| fault.apply(operation, name))
}

/// Whether the connection is closed before the body of a call is read.
pub(super) fn drops_early(faults: &mut [AwsFault], operation: Operation, name: &str) -> bool {
    let mut faults = faults.iter_mut().filter(|fault| fault.action == Action::DropEarly);
    faults.any(|fault| fault.apply(operation, name).is_some())
}

/// Whether a name matches a pattern, in which `*` matches any string.
pub(super) fn matches_pattern(pattern: &str, name: &[u8]) -> bool {
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
        let position =
            (0..=rest.len()).find(|at| rest.get(*at..).unwrap_or_default().starts_with(piece));
        match position.and_then(|at| rest.get(at + piece.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches_pattern;

    #[test]
    fn stars_match_any_text() {
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
            let matches = matches_pattern(pattern, name.as_bytes());
            assert_eq!(matches, expected, "{pattern} {name}");
        }
    }
}
