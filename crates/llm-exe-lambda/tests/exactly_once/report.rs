//! The report of a run. It contains the final states of the messages, the causes of repeated
//! provider calls, and every unexpected observation.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use llm_exe_simulator::Call;
use llm_exe_testkit::aws::Operation;
use serde_json::Value;

use crate::Parameters;
use crate::backend::{RESULTS, reply_for};
use crate::failures::{self, Expected, Failures};
use crate::queue::{MAX_RECEIVES, MessageState};
use crate::run::{FinishedRun, result_place};

/// The maximum number of provider calls for a message in one delivery: three attempts, and another
/// call if a reused connection was closed.
const MAX_CALLS: usize = 4;

#[derive(Debug, Default)]
pub(crate) struct Report {
    messages: usize,
    failing: usize,
    deliveries: u64,
    redelivered: usize,
    kills: usize,
    missed_kills: usize,
    store_faults: usize,
    /// Messages that were deleted from the queue and have a successful result.
    ok: usize,
    /// Messages in the dead-letter queue with a stored error.
    dead_with_error: usize,
    /// Messages in the dead-letter queue with a stored result, because the response was lost after
    /// the result was written.
    dead_with_result: usize,
    /// Messages in the dead-letter queue without a stored result or error.
    dead_with_none: usize,
    objects: usize,
    calls: usize,
    /// Provider calls that were repeated after a retryable error.
    after_failure: usize,
    /// Provider calls that were repeated because the process was killed before it stored the
    /// result.
    after_kill: usize,
    /// Provider calls that were repeated because S3 did not store the result.
    after_store: usize,
    ends: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    problems: Vec<String>,
}

/// The observations about a message during the run.
struct Message<'a> {
    id: String,
    expected: Expected,
    state: &'a MessageState,
    result: Option<&'a Value>,
    /// For each provider call, whether its reply was final.
    calls: &'a [bool],
    /// The number of failed reads and writes of the result.
    store_faults: usize,
}

impl Report {
    pub(crate) fn new(run: &FinishedRun, failures: &Failures) -> Report {
        let FinishedRun { backend, messages, deliveries, redelivered, kills, .. } = run;
        let results = backend.results();
        let calls = final_calls(&backend.simulator.journal());
        let store_faults = store_faults(run);
        let mut report = Report {
            messages: failures.len(),
            failing: failures.failing(),
            deliveries: *deliveries,
            redelivered: *redelivered,
            kills: *kills,
            missed_kills: run.missed_kills,
            store_faults: store_faults.values().sum(),
            objects: backend.aws.objects().len(),
            calls: calls.values().map(Vec::len).sum(),
            ..Report::default()
        };
        let unnecessary = run.unnecessary_calls.iter();
        report
            .problems
            .extend(unnecessary.map(|call| format!("called after a final result: {call}")));
        if report.objects != results.len() {
            let text = format!("{} objects, {} results", report.objects, results.len());
            report.problems.push(text);
        }
        for (index, state) in messages.iter().enumerate() {
            let (expected, failure) = failures.expected(index);
            let id = failures::id(index);
            let (bucket, key) = result_place(&id);
            let message = Message {
                expected,
                state,
                result: results.get(&id),
                calls: calls.get(&index).map_or(&[], Vec::as_slice),
                store_faults: store_faults.get(&format!("{bucket}/{key}")).copied().unwrap_or(0),
                id,
            };
            let end = report.add_end(&message);
            *report.ends.entry(failure).or_default().entry(end).or_default() += 1;
            report.add_repeated_calls(&message);
        }
        let expected = report.messages - report.dead_with_none;
        if results.len() != expected {
            report.problems.push(format!("{} results, expected {expected}", results.len()));
        }
        report
    }

    /// Counts a message by its final state, and reports a problem if the state is not expected.
    fn add_end(&mut self, message: &Message<'_>) -> &'static str {
        let Message { id, expected, state, result, store_faults, .. } = message;
        let lost = state.kills + store_faults;
        let status = result.and_then(|result| result["status"].as_str());
        let (end, is_expected) = match (state.is_deleted, state.is_dead, status) {
            (true, false, Some("ok")) => {
                let is_right =
                    result.is_some_and(|result| result["result"] == reply_for(id).as_str());
                self.ok += 1;
                ("ok", is_right && matches!(expected, Expected::Succeeds(_)))
            }
            (false, true, Some("error")) => {
                self.dead_with_error += 1;
                let is_final = result.is_some_and(|result| result["error"]["retryable"] == false);
                let is_rejected = *expected == Expected::Rejected;
                ("dead, error stored", is_rejected == is_final && may_die(*expected, lost))
            }
            (false, true, Some("ok")) => {
                self.dead_with_result += 1;
                ("dead, result stored", state.is_killed || *store_faults > 0)
            }
            (false, true, None) => {
                self.dead_with_none += 1;
                ("dead, nothing stored", lost >= MAX_RECEIVES)
            }
            _ => ("lost", false),
        };
        if !is_expected {
            self.problems.push(format!(
                "{id} is {end}: {expected:?}, {state:?}, {store_faults} S3 faults, {result:?}"
            ));
        }
        end
    }

    /// Counts the repeated provider calls for a message by their cause.
    fn add_repeated_calls(&mut self, message: &Message<'_>) {
        let Message { id, state, calls, store_faults, .. } = message;
        let Some((_, repeated)) = calls.split_last() else {
            return;
        };
        let paid = repeated.iter().filter(|is_final| **is_final).count();
        let by_kill = paid.min(state.kills);
        let by_store = paid - by_kill;
        self.after_failure += repeated.len() - paid;
        self.after_kill += by_kill;
        self.after_store += by_store;
        if by_store > *store_faults {
            self.problems.push(format!(
                "{id} was paid for {paid} additional times: {state:?}, {store_faults} S3 faults"
            ));
        }
        if calls.len() > MAX_CALLS * state.receives {
            self.problems.push(format!("{id} has {} calls: {state:?}", calls.len()));
        }
    }

    /// Fails if there are problems, or if too few faults were injected to prove anything.
    pub(crate) fn check(&self, parameters: &Parameters) {
        let dead = self.dead_with_error + self.dead_with_result + self.dead_with_none;
        assert_eq!(self.problems, Vec::<String>::new());
        assert_eq!(self.ok + dead, self.messages);
        assert_eq!(self.objects, self.messages - self.dead_with_none);
        let repeated = self.after_failure + self.after_kill + self.after_store;
        assert!(self.calls - repeated <= self.messages, "{self:?}");
        let expected_kills = self.deliveries as f64 * parameters.kills / 100.0;
        assert!(expected_kills < 2.0 || self.kills > 0, "no process was killed");
        assert_eq!(self.failing > 0, self.after_failure > 0);
    }
}

/// Returns whether a message with a stored error may be in the dead-letter queue if `lost` of its
/// deliveries failed because of kills or S3 faults.
fn may_die(expected: Expected, lost: usize) -> bool {
    match expected {
        Expected::Succeeds(failures) => failures + lost >= MAX_RECEIVES,
        Expected::NeverSucceeds | Expected::Rejected => true,
    }
}

/// Returns for each message whether the replies to its provider calls were final, in the order of
/// the calls. Results and rejections are final, but retryable errors are not.
fn final_calls(journal: &[Call]) -> HashMap<usize, Vec<bool>> {
    let mut calls: HashMap<usize, Vec<bool>> = HashMap::new();
    for call in journal {
        let prompt = call.body["messages"][0]["content"].as_str().unwrap();
        let is_complete = matches!(call.answered.fault.as_deref(), None | Some("slow"));
        let is_final = is_complete && matches!(call.answered.status, Some(200 | 400 | 422));
        calls.entry(failures::index(prompt).unwrap()).or_default().push(is_final);
    }
    calls
}

/// Returns the number of failed reads and writes of each result. An unmet precondition is not a
/// failure.
fn store_faults(run: &FinishedRun) -> HashMap<String, usize> {
    let mut faults: HashMap<String, usize> = HashMap::new();
    for call in run.backend.aws.calls() {
        let is_success = matches!(call.status, Some(200 | 304 | 404 | 412));
        let is_store = matches!(call.operation, Operation::GetObject | Operation::PutObject);
        if is_store && !is_success && call.name.starts_with(RESULTS) {
            *faults.entry(call.name).or_default() += 1;
        }
    }
    faults
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dead = self.dead_with_error + self.dead_with_result + self.dead_with_none;
        let repeated = self.after_failure + self.after_kill + self.after_store;
        let rows = [
            ("messages", self.messages),
            ("  with a failing provider", self.failing),
            ("delivered batches", usize::try_from(self.deliveries).unwrap_or(usize::MAX)),
            ("  with a killed process", self.kills),
            ("  finished before the kill", self.missed_kills),
            ("messages delivered again", self.redelivered),
            ("S3 faults", self.store_faults),
            ("successful results", self.ok),
            ("in the dead-letter queue", dead),
            ("  with a stored error", self.dead_with_error),
            ("  with a stored result", self.dead_with_result),
            ("  with nothing stored", self.dead_with_none),
            ("result objects", self.objects),
            ("provider calls", self.calls),
            ("  repeated", repeated),
            ("    after a retryable error", self.after_failure),
            ("    after a kill", self.after_kill),
            ("    after an S3 fault", self.after_store),
            ("problems", self.problems.len()),
        ];
        for (name, number) in rows {
            writeln!(f, "{name:<36}{number:>8}")?;
        }
        for (failure, ends) in &self.ends {
            let ends: Vec<String> =
                ends.iter().map(|(end, count)| format!("{count} {end}")).collect();
            writeln!(f, "  {failure:<34}{}", ends.join(", "))?;
        }
        Ok(())
    }
}
