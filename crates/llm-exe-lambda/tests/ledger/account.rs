//! The ledger itself: what became of each message, which calls were repeated and why, and whether
//! all of that is as it should be.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use llm_exe_simulator::Call;
use llm_exe_testkit::aws::Operation;
use serde_json::Value;

use crate::Numbers;
use crate::fates::{self, End, Fates};
use crate::play::{Played, place};
use crate::queue::{Fortune, MOST_RECEIVES};
use crate::world::{KEPT, said};

/// The most calls of one delivery: three attempts, and one for a connection that had closed.
const MOST_CALLS: usize = 4;

#[derive(Debug, Default)]
pub(crate) struct Account {
    messages: usize,
    failing: usize,
    deliveries: u64,
    redelivered: usize,
    kills: usize,
    escaped: usize,
    store_faults: usize,
    /// Acknowledged, with a good result.
    ok: usize,
    /// In the dead-letter queue, with the error kept.
    dead_with_error: usize,
    /// In the dead-letter queue though the result is kept: lost after it was written.
    dead_with_result: usize,
    /// In the dead-letter queue, and no delivery could keep anything.
    dead_with_none: usize,
    objects: usize,
    calls: usize,
    /// Repeated because the call before had failed in a way that may pass.
    after_failure: usize,
    /// Repeated because the process was killed before the answer was kept.
    after_kill: usize,
    /// Repeated because S3 did not keep the answer.
    after_store: usize,
    ends: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    wrong: Vec<String>,
}

/// What is known of one message.
struct Message<'a> {
    id: String,
    end: End,
    fortune: &'a Fortune,
    kept: Option<&'a Value>,
    /// Whether each of its calls was answered for good.
    calls: &'a [bool],
    /// How often S3 failed to read or write its result.
    store_faults: usize,
}

impl Account {
    pub(crate) fn of(played: &Played, fates: &Fates) -> Account {
        let Played { world, fortunes, deliveries, redelivered, kills, escaped, needless } = played;
        let results = world.results();
        let calls = calls(&world.simulator.journal());
        let store = store_faults(played);
        let mut account = Account {
            messages: fates.len(),
            failing: fates.failing(),
            deliveries: *deliveries,
            redelivered: *redelivered,
            kills: *kills,
            escaped: *escaped,
            store_faults: store.values().sum(),
            objects: world.aws.objects().len(),
            calls: calls.values().map(Vec::len).sum(),
            ..Account::default()
        };
        let needless = needless.iter().map(|call| format!("asked although it is final: {call}"));
        account.wrong.extend(needless);
        if account.objects != results.len() {
            account.wrong.push(format!("{} objects, {} results", account.objects, results.len()));
        }
        for (at, fortune) in fortunes.iter().enumerate() {
            let (end, fate) = fates.of(at);
            let id = fates::id(at);
            let (bucket, key) = place(&id);
            let message = Message {
                end,
                fortune,
                kept: results.get(&id),
                calls: calls.get(&at).map_or(&[], Vec::as_slice),
                store_faults: store.get(&format!("{bucket}/{key}")).copied().unwrap_or(0),
                id,
            };
            let ended = account.settle(&message);
            *account.ends.entry(fate).or_default().entry(ended).or_default() += 1;
            account.explain(&message);
        }
        let (kept, settled) = (results.len(), account.messages - account.dead_with_none);
        if kept != settled {
            account.wrong.push(format!("{kept} results of {settled} messages that have one"));
        }
        account
    }

    /// Where a message ended, and whether it may.
    fn settle(&mut self, message: &Message<'_>) -> &'static str {
        let Message { id, end, fortune, kept, store_faults, .. } = message;
        let lost = fortune.kills + store_faults;
        let status = kept.and_then(|kept| kept["status"].as_str());
        let (ended, is_fine) = match (fortune.is_deleted, fortune.is_dead, status) {
            (true, false, Some("ok")) => {
                let is_right = kept.is_some_and(|kept| kept["result"] == said(id).as_str());
                self.ok += 1;
                ("ok", is_right && matches!(end, End::Passes(_)))
            }
            (false, true, Some("error")) => {
                self.dead_with_error += 1;
                let is_final = kept.is_some_and(|kept| kept["error"]["retryable"] == false);
                ("dead, error kept", (*end == End::Refused) == is_final && dies(*end, lost))
            }
            (false, true, Some("ok")) => {
                self.dead_with_result += 1;
                ("dead, result kept", fortune.is_killed || *store_faults > 0)
            }
            (false, true, None) => {
                self.dead_with_none += 1;
                ("dead, nothing kept", lost >= MOST_RECEIVES)
            }
            _ => ("unaccounted for", false),
        };
        if !is_fine {
            self.wrong.push(format!(
                "{id} is {ended}: {end:?}, {fortune:?}, {store_faults} faults of S3, {kept:?}"
            ));
        }
        ended
    }

    /// Why a message's calls were repeated.
    fn explain(&mut self, message: &Message<'_>) {
        let Message { id, fortune, calls, store_faults, .. } = message;
        let Some((_, repeated)) = calls.split_last() else {
            return;
        };
        let paid = repeated.iter().filter(|is_answered| **is_answered).count();
        let by_kill = paid.min(fortune.kills);
        let by_store = paid - by_kill;
        self.after_failure += repeated.len() - paid;
        self.after_kill += by_kill;
        self.after_store += by_store;
        if by_store > *store_faults {
            self.wrong.push(format!(
                "{id} was paid for {paid} times more than once: {fortune:?}, {store_faults} faults \
                 of S3"
            ));
        }
        if calls.len() > MOST_CALLS * fortune.receives {
            self.wrong.push(format!("{id} was asked {} times: {fortune:?}", calls.len()));
        }
    }

    /// Fails unless everything is accounted for.
    pub(crate) fn check(&self, numbers: &Numbers) {
        let dead = self.dead_with_error + self.dead_with_result + self.dead_with_none;
        assert_eq!(self.wrong, Vec::<String>::new());
        assert_eq!(self.ok + dead, self.messages);
        assert_eq!(self.objects, self.messages - self.dead_with_none);
        let repeated = self.after_failure + self.after_kill + self.after_store;
        assert!(self.calls - repeated <= self.messages, "{self:?}");
        // Nothing was proved where nothing went wrong.
        let due = self.deliveries as f64 * numbers.kills / 100.0;
        assert!(due < 2.0 || self.kills > 0, "no process was killed");
        assert_eq!(self.failing > 0, self.after_failure > 0);
    }
}

/// Whether a message may be dead with an error, of which so many deliveries were lost.
fn dies(end: End, lost: usize) -> bool {
    match end {
        End::Passes(failures) => failures + lost >= MOST_RECEIVES,
        End::Never | End::Refused => true,
    }
}

/// The calls of each message, in order, and whether they were answered for good: with a result or
/// a refusal, but not with what may pass.
fn calls(journal: &[Call]) -> HashMap<usize, Vec<bool>> {
    let mut calls: HashMap<usize, Vec<bool>> = HashMap::new();
    for call in journal {
        let prompt = call.body["messages"][0]["content"].as_str().unwrap();
        let is_whole = matches!(call.answered.fault.as_deref(), None | Some("slow"));
        let is_answered = is_whole && matches!(call.answered.status, Some(200 | 400 | 422));
        calls.entry(fates::at(prompt).unwrap()).or_default().push(is_answered);
    }
    calls
}

/// How often S3 failed at each result; a condition that did not hold is no failure.
fn store_faults(played: &Played) -> HashMap<String, usize> {
    let mut faults: HashMap<String, usize> = HashMap::new();
    for call in played.world.aws.calls() {
        let is_fine = matches!(call.status, Some(200 | 304 | 404 | 412));
        let is_store = matches!(call.operation, Operation::GetObject | Operation::PutObject);
        if is_store && !is_fine && call.name.starts_with(KEPT) {
            *faults.entry(call.name).or_default() += 1;
        }
    }
    faults
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dead = self.dead_with_error + self.dead_with_result + self.dead_with_none;
        let repeated = self.after_failure + self.after_kill + self.after_store;
        let rows = [
            ("messages", self.messages),
            ("  whose providers fail", self.failing),
            ("deliveries of batches", usize::try_from(self.deliveries).unwrap_or(usize::MAX)),
            ("  with their process killed", self.kills),
            ("  answered before their kill", self.escaped),
            ("messages delivered again", self.redelivered),
            ("faults of S3", self.store_faults),
            ("results ok", self.ok),
            ("in the dead-letter queue", dead),
            ("  with their error kept", self.dead_with_error),
            ("  with their result kept", self.dead_with_result),
            ("  with nothing kept", self.dead_with_none),
            ("result objects", self.objects),
            ("calls of providers", self.calls),
            ("  repeated", repeated),
            ("    after a failure that may pass", self.after_failure),
            ("    after a kill", self.after_kill),
            ("    after a fault of S3", self.after_store),
            ("unexplained", self.wrong.len()),
        ];
        for (name, number) in rows {
            writeln!(f, "{name:<36}{number:>8}")?;
        }
        for (fate, ends) in &self.ends {
            let ends: Vec<String> =
                ends.iter().map(|(end, count)| format!("{count} {end}")).collect();
            writeln!(f, "  {fate:<34}{}", ends.join(", "))?;
        }
        Ok(())
    }
}
