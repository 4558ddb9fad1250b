//! A request that a record carries: run once, whoever delivers it how often.

use llm_exe::results::{Destination, ResultPlace, ResultPrefix, When, Wrote};
use llm_exe::{Deadline, Error, ErrorKind, Executor, Report, Run, json};
use llm_exe_events::RecordRequest;
use serde_json::Value;

use super::Results;
use super::once::run;
use super::stored_result::{Kept, hashed, request_hash};
use crate::outcome::RequestOutcome;

/// How often a place that others write to is looked at again.
const MOST_LOOKS: usize = 5;

impl Results {
    /// Runs the request of a record, unless it ended before; keeps how it ends, and tells of it.
    pub(crate) async fn record(
        &self,
        executor: &Executor,
        ask: RecordRequest,
        group: Option<&str>,
        deadline: Deadline,
    ) -> RequestOutcome {
        if self.prefix().is_some_and(|prefix| is_own(&ask, prefix)) {
            return RequestOutcome::skipped();
        }
        if let Err(error) = self.check_origins(&ask.origins) {
            return RequestOutcome::failed(error);
        }
        match self.prefix() {
            Some(prefix) => {
                let name = hashed(&[ask.source, &ask.id]);
                let place = prefix.object(&format!("records/{name}.json"));
                let turn = self.turn(&name);
                let _turn = turn.lock().await;
                let ended = self.keeping(executor, ask, &name, &place, group, deadline).await;
                RequestOutcome { place: Some(place), ..ended }
            }
            None => {
                let (source, id) = (ask.source, ask.id.clone());
                let run = match self.ran(executor, ask, deadline).await {
                    Ok(run) => run,
                    Err(ended) => return *ended,
                };
                if !self.is_told(&run) {
                    return RequestOutcome::of(run);
                }
                let kept = Kept::of(&id, source, None, &run);
                let told = self.tell_of_record(&kept, None, group, deadline).await;
                but(RequestOutcome::of(run), told)
            }
        }
    }

    async fn keeping(
        &self,
        executor: &Executor,
        ask: RecordRequest,
        name: &str,
        place: &ResultPlace,
        group: Option<&str>,
        deadline: Deadline,
    ) -> RequestOutcome {
        let mut found = match self.kept(place, deadline).await {
            Ok(found) => found,
            Err(error) => return RequestOutcome::failed(error),
        };
        let request = ask.body.as_ref().ok().map(request_hash);
        if found.as_ref().is_some_and(|(kept, _)| kept.is_of_another(request.as_ref())) {
            let text = format!("another request was run under the id {}", json::quoted(&ask.id));
            return RequestOutcome::failed(Error::invalid("", text));
        }
        if let Some((kept, _)) = found.take_if(|(kept, _)| kept.is_final()) {
            let told = self.tell_of_record(&kept, Some(place), group, deadline).await;
            return but(kept.replayed(), told);
        }
        let (ended, kept) = match self.recall(name) {
            Some(kept) => (kept.clone().replayed(), kept),
            None => {
                let (source, id) = (ask.source, ask.id.clone());
                let run = match self.ran(executor, ask, deadline).await {
                    Ok(run) => run,
                    Err(ended) => return *ended,
                };
                let kept = Kept::of(&id, source, request, &run);
                (RequestOutcome::of(run), kept)
            }
        };
        match self.keep(place, &kept, found.map(|(_, etag)| etag), deadline).await {
            Ok(None) => {
                let told = self.tell_of_record(&kept, Some(place), group, deadline).await;
                but(ended, told)
            }
            // Another was at it, too, and was first: there is one result.
            Ok(Some(theirs)) => {
                let told = self.tell_of_record(&theirs, Some(place), group, deadline).await;
                but(RequestOutcome { report: ended.report, ..theirs.replayed() }, told)
            }
            Err(error) => {
                if kept.is_final() {
                    self.remember(name, kept);
                }
                ended.but(error)
            }
        }
    }

    /// Runs a request that is to be kept and told; else how it ends without.
    async fn ran(
        &self,
        executor: &Executor,
        ask: RecordRequest,
        deadline: Deadline,
    ) -> Result<Run, Box<RequestOutcome>> {
        let RecordRequest { origins, body, .. } = ask;
        let run = match body {
            Ok(body) => run(executor, body, &origins, self.before(deadline)).await,
            Err(error) => Run { outcome: Err(error), report: Report::default() },
        };
        let is_of_own_result = run.outcome.as_ref().is_err_and(Error::is_of_own_result);
        if is_of_own_result && is_notified(&origins) {
            return Err(Box::new(RequestOutcome::skipped()));
        }
        // Nobody was asked, on purpose: there is no result.
        if run.report.dry_run {
            return Err(Box::new(RequestOutcome::of(run)));
        }
        Ok(run)
    }

    /// Keeps what a record ended with; where another end is there that stays, that one.
    async fn keep(
        &self,
        place: &ResultPlace,
        kept: &Kept,
        mut known: Option<String>,
        deadline: Deadline,
    ) -> Result<Option<Kept>, Error> {
        for _ in 0..MOST_LOOKS {
            let when = known.take().map_or(When::Absent, When::Unchanged);
            if let Wrote::Done(_) = self.store.write(place, kept.to_bytes(), when, deadline).await?
            {
                return Ok(None);
            }
            match self.kept(place, deadline).await? {
                // Our own first try, of which we were not told.
                Some((theirs, _)) if theirs == *kept => return Ok(None),
                Some((theirs, _)) if theirs.is_final() => return Ok(Some(theirs)),
                Some((_, etag)) => known = Some(etag),
                None => {}
            }
        }
        let text = format!("{place} is written to by others all the time");
        Err(Error::new(ErrorKind::ResultUnavailable, text))
    }
}

/// The end with where it was sent, unless sending it failed; a failure before stays what it is.
pub(super) fn but(
    ended: RequestOutcome,
    sent: Result<Option<Destination>, Error>,
) -> RequestOutcome {
    match sent {
        Ok(sent_to) => RequestOutcome { sent_to, ..ended },
        Err(error) if ended.error().is_none() => ended.but(error),
        Err(_) => ended,
    }
}

/// Whether a bucket told of an object.
fn is_notified(origins: &[String]) -> bool {
    origins.iter().any(|arn| arn.split(':').nth(2) == Some("s3"))
}

/// Whether it is a notification of an object that we wrote: nothing is run for that.
fn is_own(ask: &RecordRequest, prefix: &ResultPrefix) -> bool {
    let text =
        |name: &str| ask.body.as_ref().ok().and_then(|body| body.get(name)).and_then(Value::as_str);
    let (Some(bucket), Some(key)) = (text("bucket"), text("key")) else {
        return false;
    };
    is_notified(&ask.origins) && prefix.holds(bucket, key)
}
