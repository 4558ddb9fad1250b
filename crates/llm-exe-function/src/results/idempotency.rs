//! `idempotencyKey`: a repeated call is answered with the first one's answer, and two at once are
//! one call.
//!
//! An object stands for the key. Whoever writes it first runs the request, and holds the key until
//! the answer is written or its own deadline has passed; all others wait for the answer.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use llm_exe::results::{ResultPlace, ResultPrefix, Stored, When, Wrote};
use llm_exe::{Deadline, Error, ErrorKind, Run};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::stored_result::{Kept, hashed, request_hash};
use super::{Results, unreadable};
use crate::outcome::RequestOutcome;

/// The longest key, in characters.
const LONGEST_KEY: usize = 255;

/// The waits between looks at a key that another holds, doubled each time.
const FIRST_LOOK: Duration = Duration::from_millis(100);
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// A call under a key.
#[derive(Debug, Clone)]
pub(crate) struct Keyed {
    key: String,
    request: String,
}

/// What stands for a key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Holding {
    /// The hash of the request; none, where the call before did not get as far as to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    /// Who holds the key.
    holder: String,
    /// Until when, in milliseconds since 1970; the answer ends the hold.
    until: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Kept>,
}

/// What a look at a key says.
enum Look {
    /// Run the request, and write the answer over this state.
    Run(Option<String>),
    /// It ended so.
    RequestOutcome(Box<Kept>),
    /// Another holds it.
    Wait,
}

impl Keyed {
    /// Takes the key out of a request; `None` where it has none, or where nobody would be asked.
    ///
    /// # Errors
    /// `InvalidRequest` for what can't be a key.
    pub(crate) fn take(body: &mut Value) -> Result<Option<Keyed>, Error> {
        const NAME: &str = "idempotencyKey";
        let is_dry = body.get("dryRun").and_then(Value::as_bool) == Some(true);
        let taken = body.as_object_mut().and_then(|fields| fields.shift_remove(NAME));
        let key = match taken {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(key)) => key,
            Some(other) => {
                let came = llm_exe::json::shown(&other);
                return Err(Error::invalid(NAME, format!("expected a string, got {came}")));
            }
        };
        let length = key.chars().count();
        if !(1..=LONGEST_KEY).contains(&length) {
            let text = format!("expected 1 to {LONGEST_KEY} characters, got {length}");
            return Err(Error::invalid(NAME, text));
        }
        Ok((!is_dry).then(|| Keyed { key, request: request_hash(body) }))
    }

    /// The object that stands for the key of this caller.
    pub(crate) fn place(&self, prefix: &ResultPrefix, caller: &str) -> ResultPlace {
        let name = hashed(&[caller, &self.key]);
        prefix.object(&format!("idempotency/{name}.json"))
    }
}

impl Results {
    /// Runs a request under a key, or gives the answer that the key stands for.
    pub(crate) async fn once(
        &self,
        keyed: &Keyed,
        place: ResultPlace,
        holder: &str,
        deadline: Deadline,
        run: impl AsyncFnOnce(Deadline) -> Run,
        kept_of: impl FnOnce(&Run) -> Kept,
    ) -> (RequestOutcome, Option<Kept>) {
        let name = format!("{} {}", place.key, keyed.request);
        if let Some(kept) = self.paid_for(&name, keyed, &place, holder, deadline).await {
            return (kept.clone().replayed(), Some(kept));
        }
        let etag = match self.hold(&place, keyed, holder, deadline).await {
            Ok(Held::Ours(etag)) => etag,
            Ok(Held::Answered(kept)) => return (kept.clone().replayed(), Some(*kept)),
            Err(error) => return (RequestOutcome::failed(error), None),
        };
        let run = run(self.before(deadline)).await;
        let kept = kept_of(&run);
        let asked = run.report.attempts > 0;
        // Whoever mends a request that asked nobody may send another under the key.
        let request = (asked || run.outcome.is_ok()).then(|| keyed.request.clone());
        let answer = request.is_some().then(|| kept.clone());
        let holding = Holding { request, holder: holder.to_owned(), until: 0, answer };
        let wrote = self.store.write(&place, holding.to_bytes(), When::Unchanged(etag), deadline);
        let mut ended = RequestOutcome::of(run);
        match wrote.await {
            Ok(Wrote::Done(_)) => {}
            Ok(Wrote::Unmet) => match self.look(&place, keyed, holder, deadline).await {
                // Our own first try, of which we were not told.
                Ok(Look::RequestOutcome(theirs)) if *theirs == kept => {}
                Ok(Look::RequestOutcome(theirs)) if theirs.is_ok() => {
                    ended = RequestOutcome { report: ended.report, ..theirs.clone().replayed() };
                    return (ended, Some(*theirs));
                }
                _ => ended.warn("idempotencyKey: another call holds the key by now"),
            },
            // What was paid for is given, here also to who calls again.
            Err(error) => {
                ended.warn(&format!("idempotencyKey: the answer is not kept: {}", error.message()));
                if asked && kept.is_final() {
                    self.remember(&name, kept.clone());
                }
            }
        }
        (ended, Some(kept))
    }

    /// An answer of this process that the store did not take: kept now, if it takes it by now.
    /// `None` too where the key stands for something else by now.
    async fn paid_for(
        &self,
        name: &str,
        keyed: &Keyed,
        place: &ResultPlace,
        holder: &str,
        deadline: Deadline,
    ) -> Option<Kept> {
        let kept = self.recall(name)?;
        let is_kept = match self.store.read(place, deadline).await {
            Ok(Some(Stored { body, etag })) => {
                let holding: Holding = serde_json::from_slice(&body).ok()?;
                if holding.answer.is_some() || holding.request.as_ref() != Some(&keyed.request) {
                    return None;
                }
                let (request, answer) = (holding.request, Some(kept.clone()));
                let holding = Holding { request, holder: holder.to_owned(), until: 0, answer };
                let when = When::Unchanged(etag);
                self.store.write(place, holding.to_bytes(), when, deadline).await.is_ok()
            }
            Ok(None) => return None,
            Err(_) => false,
        };
        if !is_kept {
            self.remember(name, kept.clone());
        }
        Some(kept)
    }

    /// Takes the key, or waits for who has it.
    async fn hold(
        &self,
        place: &ResultPlace,
        keyed: &Keyed,
        holder: &str,
        deadline: Deadline,
    ) -> Result<Held, Error> {
        let holding = Holding {
            request: Some(keyed.request.clone()),
            holder: holder.to_owned(),
            until: now().saturating_add(milliseconds(deadline.left())),
            answer: None,
        };
        let mut when = When::Absent;
        let mut wait = FIRST_LOOK;
        loop {
            let wrote = self.store.write(place, holding.to_bytes(), when, deadline).await?;
            if let Wrote::Done(Some(etag)) = wrote {
                return Ok(Held::Ours(etag));
            }
            loop {
                match self.look(place, keyed, holder, deadline).await? {
                    Look::RequestOutcome(kept) => return Ok(Held::Answered(kept)),
                    Look::Run(etag) if matches!(wrote, Wrote::Unmet) => {
                        when = etag.map_or(When::Absent, When::Unchanged);
                        break;
                    }
                    // It is written, and the store did not tell its ETag.
                    Look::Run(Some(etag)) => return Ok(Held::Ours(etag)),
                    Look::Run(None) => return Err(unreadable(place)),
                    Look::Wait => {}
                }
                if wait >= deadline.left() {
                    let text = "another call with this idempotencyKey is being answered";
                    return Err(Error::new(ErrorKind::Timeout, text));
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_LOOK);
            }
        }
    }

    async fn look(
        &self,
        place: &ResultPlace,
        keyed: &Keyed,
        holder: &str,
        deadline: Deadline,
    ) -> Result<Look, Error> {
        let Some(Stored { body, etag }) = self.store.read(place, deadline).await? else {
            return Ok(Look::Run(None));
        };
        let holding: Holding = serde_json::from_slice(&body).map_err(|_| unreadable(place))?;
        if holding.request.as_ref().is_some_and(|request| *request != keyed.request) {
            let text = "this idempotencyKey was used for another request";
            return Err(Error::new(ErrorKind::IdempotencyConflict, text));
        }
        Ok(match holding.answer {
            Some(kept) if kept.is_final() => Look::RequestOutcome(Box::new(kept)),
            Some(_) => Look::Run(Some(etag)),
            None if holding.holder == holder || holding.until <= now() => Look::Run(Some(etag)),
            None => Look::Wait,
        })
    }
}

enum Held {
    /// The key is ours, in the state that this ETag names.
    Ours(String),
    /// It stands for this answer.
    Answered(Box<Kept>),
}

impl Holding {
    fn to_bytes(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(self).unwrap_or_default())
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    milliseconds(since)
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
