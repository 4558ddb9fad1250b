//! The records of an event, side by side: so many at a time, those of a group in order, and none
//! that would not end in time.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use llm_exe::{Deadline, Error, ErrorKind};
use llm_exe_events::{Outcome, Record, RecordRequest};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::outcome::RequestOutcome;

/// What became of a record: of each of its requests, in order.
#[derive(Debug, Clone)]
pub(crate) struct RecordOutcome {
    pub(crate) id: String,
    pub(crate) asks: Vec<RequestOutcome>,
}

/// What one request is run by: the request, the group of its record, and the deadline.
pub(crate) trait Runs {
    /// Runs it.
    async fn run(&self, ask: RecordRequest, group: Option<&str>) -> RequestOutcome;
}

/// How many at a time, and until when.
pub(crate) struct Batch<'a, R> {
    permits: Semaphore,
    deadline: Deadline,
    /// The longest that a request took so far.
    longest: Mutex<Duration>,
    runs: &'a R,
}

impl<'a, R: Runs> Batch<'a, R> {
    pub(crate) fn new(concurrency: usize, deadline: Deadline, runs: &'a R) -> Self {
        let permits = Semaphore::new(concurrency.max(1));
        Batch { permits, deadline, longest: Mutex::default(), runs }
    }

    /// Runs all records; what became of them comes in their order.
    pub(crate) async fn run(&self, records: Vec<Record>) -> Vec<RecordOutcome> {
        let mut lanes: Vec<Vec<(usize, Record)>> = Vec::new();
        let mut groups: HashMap<String, usize> = HashMap::new();
        for (at, record) in records.into_iter().enumerate() {
            let known = record.group.as_ref().and_then(|group| groups.get(group)).copied();
            match known.and_then(|lane| lanes.get_mut(lane)) {
                Some(lane) => lane.push((at, record)),
                None => {
                    if let Some(group) = &record.group {
                        groups.insert(group.clone(), lanes.len());
                    }
                    lanes.push(vec![(at, record)]);
                }
            }
        }
        let mut running: FuturesUnordered<_> =
            lanes.into_iter().map(|lane| self.lane(lane)).collect();
        let mut ran: Vec<(usize, RecordOutcome)> = Vec::new();
        while let Some(lane) = running.next().await {
            ran.extend(lane);
        }
        ran.sort_unstable_by_key(|(at, _)| *at);
        ran.into_iter().map(|(_, ran)| ran).collect()
    }

    /// The records of a group, one after the other; after one that failed, none.
    async fn lane(&self, records: Vec<(usize, Record)>) -> Vec<(usize, RecordOutcome)> {
        let mut done = Vec::new();
        let mut broken: Option<Error> = None;
        for (at, Record { id, group, asks }) in records {
            let asks = match &broken {
                Some(error) => vec![RequestOutcome::failed(error.clone())],
                None => {
                    let group = group.as_deref();
                    join_all(asks.into_iter().map(|ask| self.ask(ask, group))).await
                }
            };
            if let (None, Some(error)) = (&broken, asks.iter().find_map(RequestOutcome::error)) {
                let text = format!("not run: the record {id} of its group failed before it");
                broken = Some(Error::new(error.kind(), text));
            }
            done.push((at, RecordOutcome { id, asks }));
        }
        done
    }

    async fn ask(&self, ask: RecordRequest, group: Option<&str>) -> RequestOutcome {
        let permit = self.permits.acquire().await;
        let longest = *self.longest.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.deadline.left();
        if permit.is_err() || left < longest {
            let text = format!(
                "not started: {} ms are left, and a record of this batch took {} ms",
                left.as_millis(),
                longest.as_millis()
            );
            return RequestOutcome::failed(Error::new(ErrorKind::Timeout, text));
        }
        let started = Instant::now();
        let ended = self.runs.run(ask, group).await;
        let mut longest = self.longest.lock().unwrap_or_else(PoisonError::into_inner);
        *longest = started.elapsed().max(*longest);
        ended
    }
}

impl RecordOutcome {
    /// The results, one for each request that has one.
    pub(crate) fn results(&self) -> impl Iterator<Item = &Value> {
        self.asks.iter().filter_map(|ended| match &ended.outcome {
            Outcome::Done(value) => Some(value),
            Outcome::Failed(_) | Outcome::Skipped => None,
        })
    }

    /// Why it failed, if it did: a failure of any of its requests is the record's.
    pub(crate) fn error(&self) -> Option<&Error> {
        self.asks.iter().find_map(RequestOutcome::error)
    }

    /// What became of the record, by its id.
    pub(crate) fn into_outcome(self) -> (String, Outcome) {
        if let Some(error) = self.error() {
            let error = error.clone();
            return (self.id, Outcome::Failed(error));
        }
        let done = self.asks.into_iter().filter_map(|ended| match ended.outcome {
            Outcome::Done(value) => Some(value),
            Outcome::Failed(_) | Outcome::Skipped => None,
        });
        let mut results: Vec<Value> = done.collect();
        let outcome = match results.len() {
            0 => Outcome::Skipped,
            1 => Outcome::Done(results.pop().unwrap_or_default()),
            _ => Outcome::Done(Value::Array(results)),
        };
        (self.id, outcome)
    }
}
