//! A request that its caller waits for: run, or answered under its `idempotencyKey`, and told to
//! the destination that it names.

use llm_exe::{Deadline, Executor, Run};
use llm_exe_events::RecordRequest;

use super::Results;
use super::idempotency::Keyed;
use super::once::run;
use super::records::but;
use super::stored_result::Kept;
use crate::outcome::RequestOutcome;

impl Results {
    /// Answers a caller.
    pub(crate) async fn call(
        &self,
        executor: &Executor,
        ask: RecordRequest,
        caller: &str,
        deadline: Deadline,
    ) -> RequestOutcome {
        let RecordRequest { source, id, origins, body } = ask;
        let taken = body.and_then(|mut body| match self.prefix() {
            Some(prefix) => {
                let keyed = Keyed::take(&mut body)?;
                Ok((body, keyed.map(|keyed| (keyed, prefix))))
            }
            // The executor refuses the field, and says what else is wrong.
            None => Ok((body, None)),
        });
        let (body, keyed) = match taken {
            Ok(taken) => taken,
            Err(error) => return RequestOutcome::failed(error),
        };
        // Who names a destination needs time to have it told.
        let names = body.get("destination").or(body.get("key")).or(body.get("url")).is_some();
        let asked = async |until: Deadline| run(executor, body, &origins, until).await;
        let kept_of = |run: &Run| Kept::of(&id, source, None, run);
        let (ended, kept) = match keyed {
            Some((keyed, prefix)) => {
                let place = keyed.place(prefix, caller);
                // Lambda may deliver one event twice at once, under one id.
                let holder = format!("{id} {:016x}", fastrand::u64(..));
                self.once(&keyed, place, &holder, deadline, asked, kept_of).await
            }
            None => {
                let until = if names { self.before(deadline) } else { deadline };
                let run = asked(until).await;
                let kept = run.report.destination.is_some().then(|| kept_of(&run));
                (RequestOutcome::of(run), kept)
            }
        };
        let Some(kept) = kept.filter(|_| !ended.report.dry_run) else {
            return ended;
        };
        let Some(destination) = kept.destination() else {
            return ended;
        };
        let told = self.tell(&destination, &kept, ended.place.as_ref(), None, deadline).await;
        but(ended, told.map(|()| Some(destination)))
    }
}
