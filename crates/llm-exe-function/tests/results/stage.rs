//! A function between a simulated provider and a store in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use llm_exe::ports::{Document, DocumentLocation, DocumentStore, PortFuture};
use llm_exe::results::{
    Destination, Messenger, Note, ResultPlace, ResultStore, Stored, When, Wrote,
};
use llm_exe::{Deadline, Error, ErrorKind};
use llm_exe_events::Invocation;
use llm_exe_function::{Answered, EnvironmentKeys, Function, LogLevel, Settings};
use llm_exe_simulator::{Fault, Simulator, Step};
use serde_json::{Value, json};

/// Lambda gives each invocation an id of its own, whichever process it goes to.
static CALLS: AtomicU64 = AtomicU64::new(0);

/// What the store does to the next writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Fails, and nothing is written.
    Fail,
    /// Fails, and it is written all the same.
    FailWritten,
    /// Says that the condition does not hold, though it is written: what a try again hears.
    UnmetWritten,
    /// Takes so many milliseconds.
    Delay(u64),
    /// Panics, which no store should.
    Panic,
    /// Does as it should.
    Write,
}

/// Objects by place, with the number of their writes as ETag; and what was told.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) objects: Mutex<BTreeMap<String, (Bytes, u64)>>,
    pub(crate) deeds: Mutex<VecDeque<Deed>>,
    pub(crate) told: Mutex<Vec<(String, Value)>>,
    pub(crate) refuses_to_tell: Mutex<bool>,
}

impl Memory {
    pub(crate) fn names(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    pub(crate) fn only(&self) -> Value {
        let objects = self.objects.lock().unwrap();
        assert_eq!(objects.len(), 1, "{objects:?}");
        serde_json::from_slice(&objects.values().next().unwrap().0).unwrap()
    }

    pub(crate) fn put(&self, name: &str, value: &Value) {
        let body = Bytes::from(value.to_string());
        self.objects.lock().unwrap().insert(name.to_owned(), (body, 1));
    }

    pub(crate) fn will(&self, deeds: &[Deed]) {
        self.deeds.lock().unwrap().extend(deeds);
    }

    fn write_now(&self, place: &ResultPlace, body: Bytes, when: &When) -> Wrote {
        let mut objects = self.objects.lock().unwrap();
        let known = objects.get(&place.to_string()).map(|(_, etag)| *etag);
        let is_met = match when {
            When::Always => true,
            When::Absent => known.is_none(),
            When::Unchanged(etag) => known.map(|known| known.to_string()).as_ref() == Some(etag),
        };
        if !is_met {
            return Wrote::Unmet;
        }
        let etag = known.unwrap_or(0) + 1;
        objects.insert(place.to_string(), (body, etag));
        Wrote::Done(Some(etag.to_string()))
    }
}

impl DocumentStore for Memory {
    fn fetch<'a>(
        &'a self,
        place: &'a DocumentLocation,
        _: Option<&'a str>,
        _: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>> {
        let DocumentLocation::Object { bucket, key, .. } = place else { panic!("{place:?}") };
        let objects = self.objects.lock().unwrap();
        let found = objects.get(&format!("s3://{bucket}/{key}"));
        let missing = || Error::new(ErrorKind::ConfigNotFound, "there is no such object");
        let document = found.map(|(body, etag)| {
            Some(Document { body: body.clone(), version: None, etag: Some(etag.to_string()) })
        });
        Box::pin(std::future::ready(document.ok_or_else(missing)))
    }
}

impl ResultStore for Memory {
    fn read<'a>(
        &'a self,
        place: &'a ResultPlace,
        _: Deadline,
    ) -> PortFuture<'a, Result<Option<Stored>, Error>> {
        let objects = self.objects.lock().unwrap();
        let found = objects.get(&place.to_string());
        let stored =
            found.map(|(body, etag)| Stored { body: body.clone(), etag: etag.to_string() });
        Box::pin(std::future::ready(Ok(stored)))
    }

    fn write<'a>(
        &'a self,
        place: &'a ResultPlace,
        body: Bytes,
        when: When,
        _: Deadline,
    ) -> PortFuture<'a, Result<Wrote, Error>> {
        let deed = self.deeds.lock().unwrap().pop_front().unwrap_or(Deed::Write);
        Box::pin(async move {
            let failed = || Error::new(ErrorKind::ResultUnavailable, "the store failed");
            match deed {
                Deed::Fail => Err(failed()),
                Deed::FailWritten => {
                    self.write_now(place, body, &when);
                    Err(failed())
                }
                Deed::UnmetWritten => {
                    self.write_now(place, body, &when);
                    Ok(Wrote::Unmet)
                }
                Deed::Delay(milliseconds) => {
                    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                    Ok(self.write_now(place, body, &when))
                }
                Deed::Panic => panic!("the store panicked"),
                Deed::Write => Ok(self.write_now(place, body, &when)),
            }
        })
    }
}

impl Messenger for Memory {
    fn tell<'a>(
        &'a self,
        destination: &'a Destination,
        note: Note<'a>,
        _: Deadline,
    ) -> PortFuture<'a, Result<(), Error>> {
        let refused = *self.refuses_to_tell.lock().unwrap();
        let told = if refused {
            Err(Error::new(ErrorKind::ResultUnavailable, "the queue failed"))
        } else {
            let mut body: Value = serde_json::from_str(note.body).unwrap();
            body["noteId"] = json!(note.id);
            body["group"] = json!(note.group);
            self.told.lock().unwrap().push((destination.to_string(), body));
            Ok(())
        };
        Box::pin(std::future::ready(told))
    }
}

/// The function, its provider and its store.
pub(crate) struct Stage {
    pub(crate) function: Function,
    pub(crate) simulator: Simulator,
    pub(crate) memory: Arc<Memory>,
}

impl Stage {
    /// With a result prefix.
    pub(crate) async fn new() -> Stage {
        Stage::with(&[("RESULT_PREFIX", "s3://kept/here")]).await
    }

    pub(crate) async fn with(variables: &[(&str, &str)]) -> Stage {
        Stage::over(variables, Arc::default()).await
    }

    /// On what another function left behind.
    pub(crate) async fn over(variables: &[(&str, &str)], memory: Arc<Memory>) -> Stage {
        let simulator = Simulator::start().await.unwrap();
        let base = simulator.openai_base_url();
        let look_up = |name: &str| {
            let known = variables.iter().find(|(known, _)| *known == name);
            match name {
                "OPENAI_BASE_URL" => Some(base.clone()),
                "ENDPOINT_AUTH" => Some("NONE".to_owned()),
                _ => known.map(|(_, value)| (*value).to_owned()),
            }
        };
        let settings = Settings::read(&look_up).unwrap();
        let keys = EnvironmentKeys::new(|_| Some("a-key".to_owned()));
        let function = Function::new(&settings, Arc::new(keys))
            .with_results(memory.clone(), memory.clone())
            .with_documents(memory.clone());
        Stage { function, simulator, memory }
    }

    pub(crate) async fn answered(&self, event: &Value, deadline: Duration) -> Answered {
        let number = CALLS.fetch_add(1, Ordering::Relaxed);
        self.answered_as(&format!("call-{number}"), event, deadline).await
    }

    pub(crate) async fn answered_as(
        &self,
        request_id: &str,
        event: &Value,
        deadline: Duration,
    ) -> Answered {
        let invocation = Invocation { request_id: request_id.to_owned(), version: "1".to_owned() };
        let event = event.to_string();
        self.function.answer(event.as_bytes(), &invocation, Deadline::after(deadline)).await
    }

    /// The outcome, and the line as it is logged.
    pub(crate) async fn ask(&self, event: &Value) -> (Result<Value, Error>, Value) {
        let Answered { outcome, line } = self.answered(event, Duration::from_secs(20)).await;
        let text = line.to_json(LogLevel::Debug).unwrap();
        (outcome, serde_json::from_str(&text).unwrap())
    }

    pub(crate) fn calls(&self) -> usize {
        self.simulator.journal().len()
    }
}

pub(crate) fn request(text: &str) -> Value {
    json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": text,
        "options": { "numOfAttempts": 1 }
    })
}

pub(crate) fn with(mut value: Value, name: &str, field: Value) -> Value {
    value[name] = field;
    value
}

/// A step that answers this text.
pub(crate) fn says(text: &str) -> Step {
    Step::text(text)
}

/// A step that waits first, and answers as usual.
pub(crate) fn slowly(milliseconds: u64) -> Step {
    Step::fault(Fault::Slow(Duration::from_millis(milliseconds)))
}

pub(crate) fn kind(outcome: &Result<Value, Error>) -> ErrorKind {
    outcome.as_ref().unwrap_err().kind()
}
