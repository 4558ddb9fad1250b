//! The scripted failures of the simulated provider: temporary failures, permanent failures and
//! rejections of the request.

use llm_exe_simulator::{Fault, Step};
use serde_json::{Value, json};

use crate::Parameters;
use crate::backend::{request_for, step_for};
use crate::harness::merge;

/// The number of attempts to call the provider for each delivery.
const ATTEMPTS: u32 = 3;

/// A way in which the provider fails for a message.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) name: &'static str,
    step: fn() -> Step,
    /// The number of provider calls that fail.
    times: u32,
    pub(crate) expected: Expected,
}

/// The expected outcome of a message if only the provider fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The message succeeds after at most the given number of failed deliveries.
    Succeeds(usize),
    /// The message never succeeds, even though each error is retryable.
    NeverSucceeds,
    /// The message fails with a final error.
    Rejected,
}

/// All failures. They are assigned to messages in turn.
const FAILURES: &[Failure] = &[
    Failure {
        name: "429, then success",
        step: rate_limited,
        times: ATTEMPTS,
        expected: Expected::Succeeds(1),
    },
    Failure { name: "400", step: bad_request, times: u32::MAX, expected: Expected::Rejected },
    Failure {
        name: "500, then success",
        step: server_error,
        times: ATTEMPTS,
        expected: Expected::Succeeds(1),
    },
    Failure {
        name: "500 every time",
        step: server_error,
        times: u32::MAX,
        expected: Expected::NeverSucceeds,
    },
    Failure { name: "hangs, then success", step: hang, times: 1, expected: Expected::Succeeds(1) },
    Failure { name: "422", step: unprocessable, times: u32::MAX, expected: Expected::Rejected },
    Failure {
        name: "truncated response, then success",
        step: truncated,
        times: 1,
        expected: Expected::Succeeds(1),
    },
    Failure {
        name: "429 every time",
        step: rate_limited,
        times: u32::MAX,
        expected: Expected::NeverSucceeds,
    },
    Failure {
        name: "dropped connection, then success",
        step: dropped,
        times: 2,
        expected: Expected::Succeeds(1),
    },
    Failure {
        name: "500 in two deliveries, then success",
        step: server_error,
        times: 2 * ATTEMPTS,
        expected: Expected::Succeeds(2),
    },
];

fn rate_limited() -> Step {
    Step::status(429)
}

fn server_error() -> Step {
    Step::status(500)
}

fn bad_request() -> Step {
    Step::status(400)
}

fn unprocessable() -> Step {
    Step::status(422)
}

fn hang() -> Step {
    Step::fault(Fault::Hang)
}

fn truncated() -> Step {
    Step::fault(Fault::Truncate)
}

fn dropped() -> Step {
    Step::fault(Fault::Drop)
}

/// The failure of each message, by message index.
pub(crate) struct Failures(Vec<Option<&'static Failure>>);

impl Failures {
    pub(crate) fn new(parameters: &Parameters) -> Failures {
        let mut shuffled: Vec<(f64, usize)> = (0..parameters.messages)
            .map(|index| (parameters.random("failure", index as u64), index))
            .collect();
        shuffled.sort_by(|a, b| a.0.total_cmp(&b.0));
        let failing = (parameters.messages as f64 * parameters.failures / 100.0).round() as usize;
        let mut failures = vec![None; parameters.messages];
        for (turn, (_, index)) in shuffled.into_iter().take(failing).enumerate() {
            failures[index] = Some(&FAILURES[turn % FAILURES.len()]);
        }
        Failures(failures)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the number of messages for which the provider fails.
    pub(crate) fn failing(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// Returns the expected outcome of a message and the name of its failure.
    pub(crate) fn expected(&self, index: usize) -> (Expected, &'static str) {
        self.0[index]
            .map_or((Expected::Succeeds(0), "none"), |failure| (failure.expected, failure.name))
    }

    /// Returns the script for the simulated provider.
    pub(crate) fn script(&self) -> Vec<Step> {
        let step = |(index, failure): (usize, &Option<&'static Failure>)| {
            let failure = (*failure)?;
            Some(step_for(&id(index), (failure.step)()).times(failure.times))
        };
        self.0.iter().enumerate().filter_map(step).collect()
    }

    /// Returns the request of a message. It has a short timeout if the provider hangs.
    pub(crate) fn request(&self, index: usize) -> Value {
        let mut request = request_for(&id(index));
        if self.expected(index).1.starts_with("hangs") {
            merge(&mut request, &json!({ "options": { "timeout": 1000 } }));
        }
        request
    }
}

/// Returns the id of the message with the given index.
pub(crate) fn id(index: usize) -> String {
    format!("m{index:06}")
}

/// Returns the index of the message that a prompt belongs to.
pub(crate) fn index(prompt: &str) -> Option<usize> {
    let (_, rest) = prompt.split_once("<m")?;
    rest.split_once('>')?.0.parse().ok()
}
