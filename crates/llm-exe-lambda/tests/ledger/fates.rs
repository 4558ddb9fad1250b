//! What is to become of each message: most are answered, some have providers that fail for a while,
//! for ever, or for good reason.

use llm_exe_simulator::{Fault, Step};
use serde_json::{Value, json};

use crate::Numbers;
use crate::harness::merge;
use crate::world::{of, saying};

/// How often a request is sent within one delivery while it fails.
const ATTEMPTS: u32 = 3;

/// How a provider fails.
#[derive(Debug)]
pub(crate) struct Fate {
    pub(crate) name: &'static str,
    step: fn() -> Step,
    /// How many calls it is for.
    times: u32,
    pub(crate) end: End,
}

/// How a message ends that nothing else befalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Answered, after so many deliveries that failed at most.
    Passes(usize),
    /// Never, though each failure might have passed.
    Never,
    /// Refused, once and for all.
    Refused,
}

/// All ways to fail; messages that fail take them in turn.
const FATES: &[Fate] = &[
    Fate { name: "429, then fine", step: limited, times: ATTEMPTS, end: End::Passes(1) },
    Fate { name: "400", step: refused, times: u32::MAX, end: End::Refused },
    Fate { name: "500, then fine", step: broken, times: ATTEMPTS, end: End::Passes(1) },
    Fate { name: "500 for ever", step: broken, times: u32::MAX, end: End::Never },
    Fate { name: "hangs, then fine", step: silent, times: 1, end: End::Passes(1) },
    Fate { name: "422", step: unprocessable, times: u32::MAX, end: End::Refused },
    Fate { name: "half an answer, then fine", step: half, times: 1, end: End::Passes(1) },
    Fate { name: "429 for ever", step: limited, times: u32::MAX, end: End::Never },
    Fate { name: "drops the line, then fine", step: dropped, times: 2, end: End::Passes(1) },
    Fate { name: "500 twice, then fine", step: broken, times: 2 * ATTEMPTS, end: End::Passes(2) },
];

fn limited() -> Step {
    Step::status(429)
}

fn broken() -> Step {
    Step::status(500)
}

fn refused() -> Step {
    Step::status(400)
}

fn unprocessable() -> Step {
    Step::status(422)
}

fn silent() -> Step {
    Step::fault(Fault::Hang)
}

fn half() -> Step {
    Step::fault(Fault::Truncate)
}

fn dropped() -> Step {
    Step::fault(Fault::Drop)
}

/// Every message's fate.
pub(crate) struct Fates(Vec<Option<&'static Fate>>);

impl Fates {
    pub(crate) fn new(numbers: &Numbers) -> Fates {
        let mut drawn: Vec<(f64, usize)> =
            (0..numbers.messages).map(|at| (numbers.roll("fate", at as u64), at)).collect();
        drawn.sort_by(|a, b| a.0.total_cmp(&b.0));
        let failing = (numbers.messages as f64 * numbers.failures / 100.0).round() as usize;
        let mut fates = vec![None; numbers.messages];
        for (turn, (_, at)) in drawn.into_iter().take(failing).enumerate() {
            fates[at] = Some(&FATES[turn % FATES.len()]);
        }
        Fates(fates)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn failing(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// How a message ends that nothing else befalls, and the name of its fate.
    pub(crate) fn of(&self, at: usize) -> (End, &'static str) {
        self.0[at].map_or((End::Passes(0), "fine"), |fate| (fate.end, fate.name))
    }

    /// The providers' script.
    pub(crate) fn script(&self) -> Vec<Step> {
        let step = |(at, fate): (usize, &Option<&'static Fate>)| {
            let fate = (*fate)?;
            Some(of(&id(at), (fate.step)()).times(fate.times))
        };
        self.0.iter().enumerate().filter_map(step).collect()
    }

    /// The request of a message; one that hangs is not waited for long.
    pub(crate) fn request(&self, at: usize) -> Value {
        let mut request = saying(&id(at));
        if self.of(at).1.starts_with("hangs") {
            merge(&mut request, &json!({ "options": { "timeout": 1000 } }));
        }
        request
    }
}

/// The id of a message.
pub(crate) fn id(at: usize) -> String {
    format!("m{at:06}")
}

/// The message of a prompt.
pub(crate) fn at(prompt: &str) -> Option<usize> {
    let (_, rest) = prompt.split_once("<m")?;
    rest.split_once('>')?.0.parse().ok()
}
