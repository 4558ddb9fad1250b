//! Runs the request of a record and stores its result, so that a repeated delivery of the record
//! returns the stored result instead of running the request again.

use llm_exe::{Deadline, Error, ErrorKind, Report, Run, Runner, json};
use llm_exe_events::RecordRequest;
use serde_json::Value;

use super::calls::RunScope;
use super::progress::RunIdentity;
use super::run_mark::RunPermit;
use super::stored_result::{StoredResult, hash_parts};
use super::{Caller, Results};
use crate::destination::{ResultPlace, ResultPrefix};
use crate::outcome::RequestOutcome;
use crate::ports::{Precondition, WriteOutcome};

/// Maximum number of attempts to write an object that other processes write at the same time.
const MAX_WRITES: usize = 5;

impl Results {
    /// Runs the request of a record, stores the result and sends it to the destination. If a final
    /// result is already stored, the request is not run, and the stored result is sent and returned
    /// instead.
    pub(crate) async fn run_record(
        &self,
        runner: &Runner,
        request: RecordRequest,
        caller: &Caller<'_>,
        group: Option<&str>,
        deadline: Deadline,
    ) -> RequestOutcome {
        if self.prefix().is_some_and(|prefix| is_own_object(&request, prefix)) {
            return RequestOutcome::skipped();
        }
        if let Err(error) = self.check_origins(&request.origins) {
            return RequestOutcome::failed(error);
        }
        match self.prefix() {
            Some(prefix) => {
                let name = hash_parts(&[request.source, &request.id]);
                let place = prefix.object(&format!("records/{name}.json"));
                let _guard = self.flights.acquire(&name).await;
                let outcome = self
                    .run_and_store(runner, request, caller, (&name, &place), group, deadline)
                    .await;
                RequestOutcome { place: Some(place), ..outcome }
            }
            None => {
                let (source, id) = (request.source, request.id.clone());
                let run = match self.run(runner, request, caller, deadline).await {
                    Ok(run) => run,
                    Err(outcome) => return *outcome,
                };
                if !self.has_destination(&run) {
                    return RequestOutcome::from_run(run);
                }
                let result = StoredResult::from_run(&id, source, None, &run);
                let sent = self.send_record(&result, None, group, deadline).await;
                RequestOutcome::from_run(run).with_sent(sent)
            }
        }
    }

    async fn run_and_store(
        &self,
        runner: &Runner,
        request: RecordRequest,
        caller: &Caller<'_>,
        (name, place): (&str, &ResultPlace),
        group: Option<&str>,
        deadline: Deadline,
    ) -> RequestOutcome {
        // A new record acquires its permit before it waits for anything else, so that a record that
        // may end the process runs only after it.
        let mut permit = match request.received_before {
            false => Some(RunPermit::Shared(self.run_lock.read().await)),
            true => None,
        };
        let mut stored = match self.read_result(place, deadline).await {
            Ok(stored) => stored,
            Err(error) => return RequestOutcome::failed(error),
        };
        let hash = request.body.as_ref().ok().map(json::hash_request);
        if stored.as_ref().is_some_and(|(result, _)| result.is_for_different_request(hash.as_ref()))
        {
            let id = json::quoted(&request.id);
            let message = format!("a different request was already run with the id {id}");
            return RequestOutcome::failed(Error::invalid("", message));
        }
        if let Some((result, _)) = stored.take_if(|(result, _)| result.is_final()) {
            let sent = self.send_record(&result, Some(place), group, deadline).await;
            return result.into_replay().with_sent(sent);
        }
        let unstored = self.take_unstored(name);
        if permit.is_none() {
            let left_no_result = stored.is_none() && unstored.is_none();
            permit = Some(match left_no_result {
                false => RunPermit::Shared(self.run_lock.read().await),
                true => match self.start_alone(&request, name, deadline).await {
                    Ok(permit) => permit,
                    Err(error) => return RequestOutcome::failed(error),
                },
            });
        }
        let (outcome, result) = match unstored {
            Some(result) => (result.clone().into_replay(), result),
            None => {
                let (source, id) = (request.source, request.id.clone());
                let run = match self.run(runner, request, caller, deadline).await {
                    Ok(run) => run,
                    Err(outcome) => return *outcome,
                };
                let result = StoredResult::from_run(&id, source, hash, &run);
                (RequestOutcome::from_run(run), result)
            }
        };
        let written =
            self.store_result(place, &result, stored.map(|(_, etag)| etag), deadline).await;
        drop(permit);
        match written {
            Ok(None) => {
                let sent = self.send_record(&result, Some(place), group, deadline).await;
                outcome.with_sent(sent)
            }
            // Another process ran the same record and stored its result first.
            Ok(Some(earlier)) => {
                let sent = self.send_record(&earlier, Some(place), group, deadline).await;
                RequestOutcome { report: outcome.report, ..earlier.into_replay() }.with_sent(sent)
            }
            Err(error) => {
                if result.is_final() {
                    self.remember_unstored(name, result);
                }
                outcome.with_error(error)
            }
        }
    }

    /// Runs a request. Returns `Err` with the outcome if there is no result to store, either
    /// because the request is a dry run or because it is an S3 notification about a result that
    /// llm-exe wrote.
    async fn run(
        &self,
        runner: &Runner,
        request: RecordRequest,
        caller: &Caller<'_>,
        deadline: Deadline,
    ) -> Result<Run, Box<RequestOutcome>> {
        let RecordRequest { source, id, origins, body, .. } = request;
        let run = match body {
            Ok(body) => {
                let until = self.run_deadline(deadline);
                let identity = Some(RunIdentity::Record { source, id: &id });
                let scope = RunScope { origins: &origins, caller, identity, until, deadline };
                self.run_request(runner, body, scope).await
            }
            Err(error) => Run { outcome: Err(error), report: Report::default() },
        };
        let is_of_own_result = run.outcome.as_ref().is_err_and(Error::is_of_own_result);
        if is_of_own_result && is_from_s3(&origins) {
            return Err(Box::new(RequestOutcome::skipped()));
        }
        if run.report.dry_run {
            return Err(Box::new(RequestOutcome::from_run(run)));
        }
        Ok(run)
    }

    /// Stores the result of a record. If another process has already stored a final result, that
    /// result takes precedence and is returned.
    async fn store_result(
        &self,
        place: &ResultPlace,
        result: &StoredResult,
        mut etag: Option<String>,
        deadline: Deadline,
    ) -> Result<Option<StoredResult>, Error> {
        for _ in 0..MAX_WRITES {
            let condition = etag.take().map_or(Precondition::Absent, Precondition::Unchanged);
            let written = self.store.write(place, result.to_bytes(), condition, deadline).await?;
            if let WriteOutcome::Done(_) = written {
                return Ok(None);
            }
            match self.read_result(place, deadline).await? {
                // An earlier attempt at this write succeeded, but its response was lost.
                Some((current, _)) if current == *result => return Ok(None),
                Some((current, _)) if current.is_final() => return Ok(Some(current)),
                Some((_, current_etag)) => etag = Some(current_etag),
                None => {}
            }
        }
        let message = format!(
            "the result could not be stored, because other processes keep writing to {place}"
        );
        Err(Error::new(ErrorKind::ResultUnavailable, message))
    }
}

/// Returns true if one of the request's origins is an S3 bucket.
fn is_from_s3(origins: &[String]) -> bool {
    origins.iter().any(|arn| arn.split(':').nth(2) == Some("s3"))
}

/// Returns true if the request is an S3 notification about an object below the result prefix, which
/// only the function itself writes to.
fn is_own_object(request: &RecordRequest, prefix: &ResultPrefix) -> bool {
    let field = |name: &str| {
        request.body.as_ref().ok().and_then(|body| body.get(name)).and_then(Value::as_str)
    };
    let (Some(bucket), Some(key)) = (field("bucket"), field("key")) else {
        return false;
    };
    is_from_s3(&request.origins) && prefix.contains(bucket, key)
}
