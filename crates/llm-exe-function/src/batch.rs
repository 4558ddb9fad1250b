//! Runs the records of an event concurrently. Records of the same message group run one after
//! another, in order.

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

/// The id of a record and the outcomes of its requests, in order.
#[derive(Debug, Clone)]
pub(crate) struct RecordOutcome {
    pub(crate) id: String,
    pub(crate) requests: Vec<RequestOutcome>,
    /// The number of warnings about the requests. The log line takes the warnings themselves.
    pub(crate) warning_count: usize,
}

/// Runs the requests that a [`Batch`] schedules.
pub(crate) trait RequestRunner {
    /// Runs one request. `group` is the message group of the request's record.
    async fn run(&self, request: RecordRequest, group: Option<&str>) -> RequestOutcome;
}

/// Schedules the records of one event.
pub(crate) struct Batch<'a, R> {
    permits: Semaphore,
    deadline: Deadline,
    /// The duration of the slowest request that has finished so far.
    slowest: Mutex<Duration>,
    runner: &'a R,
}

impl<'a, R: RequestRunner> Batch<'a, R> {
    pub(crate) fn new(concurrency: usize, deadline: Deadline, runner: &'a R) -> Self {
        let permits = Semaphore::new(concurrency.max(1));
        Batch { permits, deadline, slowest: Mutex::default(), runner }
    }

    /// Runs all records and returns their outcomes in the order of `records`.
    pub(crate) async fn run(&self, records: Vec<Record>) -> Vec<RecordOutcome> {
        if records.len() == 1 {
            return self.run_lane(records).await;
        }
        let mut lanes: Vec<(Vec<usize>, Vec<Record>)> = Vec::new();
        let mut lane_of_group: HashMap<String, usize> = HashMap::new();
        for (index, record) in records.into_iter().enumerate() {
            let known = record.group.as_ref().and_then(|group| lane_of_group.get(group)).copied();
            match known.and_then(|lane| lanes.get_mut(lane)) {
                Some((indexes, records)) => {
                    indexes.push(index);
                    records.push(record);
                }
                None => {
                    if let Some(group) = &record.group {
                        lane_of_group.insert(group.clone(), lanes.len());
                    }
                    lanes.push((vec![index], vec![record]));
                }
            }
        }
        // Records that may have ended the process start last, because they run alone.
        let was_received_before = |lane: &(Vec<usize>, Vec<Record>)| {
            let mut requests = lane.1.iter().flat_map(|record| &record.requests);
            requests.any(|request| request.received_before)
        };
        lanes.sort_by_key(was_received_before);
        let run = |(indexes, records)| async move { (indexes, self.run_lane(records).await) };
        let mut running: FuturesUnordered<_> = lanes.into_iter().map(run).collect();
        let mut outcomes: Vec<(usize, RecordOutcome)> = Vec::new();
        while let Some((indexes, lane)) = running.next().await {
            outcomes.extend(indexes.into_iter().zip(lane));
        }
        outcomes.sort_unstable_by_key(|(index, _)| *index);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    /// Runs the records of one group in order. After a failure, the remaining records of the group
    /// fail without being run.
    async fn run_lane(&self, records: Vec<Record>) -> Vec<RecordOutcome> {
        let mut outcomes = Vec::with_capacity(records.len());
        let mut group_error: Option<Error> = None;
        for Record { id, group, mut requests } in records {
            let group = group.as_deref();
            let requests = match (&group_error, requests.pop()) {
                (Some(error), _) => vec![RequestOutcome::failed(error.clone())],
                (None, None) => Vec::new(),
                (None, Some(request)) if requests.is_empty() => {
                    vec![self.run_request(request, group).await]
                }
                (None, Some(last)) => {
                    let requests = requests.into_iter().chain([last]);
                    join_all(requests.map(|request| self.run_request(request, group))).await
                }
            };
            let failure = requests.iter().find_map(RequestOutcome::error);
            if let (None, Some(error)) = (&group_error, failure) {
                let message = format!(
                    "not run, because an earlier record in the same message group ({id}) failed"
                );
                group_error = Some(Error::new(error.kind(), message));
            }
            let warnings = requests.iter().map(|request| request.report.warnings.len());
            let warning_count = warnings.sum();
            outcomes.push(RecordOutcome { id, requests, warning_count });
        }
        outcomes
    }

    /// Runs a request. Returns a `Timeout` error immediately if the slowest request so far took
    /// longer than the remaining time.
    async fn run_request(&self, request: RecordRequest, group: Option<&str>) -> RequestOutcome {
        let permit = self.permits.acquire().await;
        let slowest = *self.slowest.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.deadline.left();
        if permit.is_err() || left < slowest {
            let message = format!(
                "not started, because only {} ms are left and another record in this batch took \
                 {} ms",
                left.as_millis(),
                slowest.as_millis()
            );
            return RequestOutcome::failed(Error::new(ErrorKind::Timeout, message));
        }
        let started = Instant::now();
        // The future is large, so it is created only for the records that are running.
        let outcome = Box::pin(self.runner.run(request, group)).await;
        let mut slowest = self.slowest.lock().unwrap_or_else(PoisonError::into_inner);
        *slowest = started.elapsed().max(*slowest);
        outcome
    }
}

impl RecordOutcome {
    /// Returns the error of the first failed request. A record fails if any of its requests fails.
    pub(crate) fn error(&self) -> Option<&Error> {
        self.requests.iter().find_map(RequestOutcome::error)
    }

    /// Combines the outcomes of the record's requests into one, and returns it with the record's
    /// id.
    pub(crate) fn into_outcome(self) -> (String, Outcome) {
        if let Some(error) = self.error() {
            let error = error.clone();
            return (self.id, Outcome::Failed(error));
        }
        let results = self.requests.into_iter().filter_map(|request| match request.outcome {
            Outcome::Done(value) => Some(value),
            Outcome::Failed(_) | Outcome::Skipped => None,
        });
        let mut results: Vec<Value> = results.collect();
        let outcome = match results.len() {
            0 => Outcome::Skipped,
            1 => Outcome::Done(results.pop().unwrap_or_default()),
            _ => Outcome::Done(Value::Array(results)),
        };
        (self.id, outcome)
    }
}
