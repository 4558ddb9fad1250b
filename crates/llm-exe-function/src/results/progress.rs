//! Stores the progress of runs with tools or steps, so that a run that is repeated after its
//! process ended continues where it stopped.
//!
//! The objects of a run are in `{prefix}/progress/{hash}/`. `start.json` names the process that
//! owns the run and when the ownership expires. All other objects are entries, which are written
//! once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use llm_exe::json::hash_json;
use llm_exe::ports::{PortFuture, ProgressStore, RunProgress};
use llm_exe::{Deadline, Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::stored_result::hash_parts;
use super::{GRACE, Results, milliseconds, now, unreadable};
use crate::destination::{ResultPlace, ResultPrefix};
use crate::ports::{MAX_OBJECT_BYTES, Precondition, ResultStore, StoredObject, WriteOutcome};

/// Maximum length of an entry's name in an object key, in bytes. A key has at most 1,024 bytes, of
/// which the prefix and the hash take up to 600. A longer name is replaced by its hash.
const MAX_NAME_BYTES: usize = 400;

/// What identifies a run when it is repeated, besides its request.
#[derive(Debug, Clone, Copy)]
pub(super) enum RunIdentity<'a> {
    /// A record, which may be delivered again.
    Record { source: &'a str, id: &'a str },
    /// The `idempotencyKey` of a caller.
    Key { caller: &'a str, key: &'a str },
    /// A stored conversation that a caller continues. Other results of its tools start another
    /// branch.
    Conversation { caller: &'a str, id: &'a str, tool_results: &'a Value },
}

impl RunIdentity<'_> {
    fn to_parts(self) -> Vec<String> {
        let parts = match self {
            RunIdentity::Record { source, id } => vec!["record", source, id],
            RunIdentity::Key { caller, key } => vec!["key", caller, key],
            RunIdentity::Conversation { caller, id, .. } => vec!["continue", caller, id],
        };
        let mut parts: Vec<String> = parts.into_iter().map(str::to_owned).collect();
        if let RunIdentity::Conversation { tool_results, .. } = self {
            parts.push(hash_json(tool_results));
        }
        parts
    }
}

impl Results {
    /// Returns the store for the progress of one run.
    pub(super) fn progress_store(
        &self,
        prefix: &ResultPrefix,
        identity: RunIdentity<'_>,
    ) -> Arc<dyn ProgressStore> {
        let (store, prefix) = (Arc::clone(&self.store), prefix.clone());
        Arc::new(StoredProgress { store, prefix, identity: identity.to_parts() })
    }
}

/// Stores the progress of one run in a [`ResultStore`].
struct StoredProgress {
    store: Arc<dyn ResultStore>,
    prefix: ResultPrefix,
    identity: Vec<String>,
}

/// A run that this process owns until the deadline of the run.
struct OwnedRun {
    store: Arc<dyn ResultStore>,
    prefix: ResultPrefix,
    id: String,
    is_repeated: bool,
    /// The random id of this owner.
    holder: String,
    /// The ETag of `start.json`.
    etag: String,
    /// Whether an entry could not be stored. Further ones are not stored, because a repeated run
    /// gets another reply in place of the missing one, and they would not belong to it.
    has_gap: AtomicBool,
}

/// The content of `start.json`.
#[derive(Debug, Serialize, Deserialize)]
struct StartEntry {
    /// The random id of the process that owns the run.
    holder: String,
    /// When the ownership expires, in milliseconds since the Unix epoch. Zero if the run has ended.
    #[serde(rename = "until")]
    expires_at: u64,
}

impl StartEntry {
    fn to_bytes(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Who owns a run.
enum Owner {
    /// No process. Contains the ETag of `start.json`, if the object exists.
    None(Option<String>),
    /// This process. Contains the ETag of `start.json`.
    This(String),
    /// Another process, which may be running the request for this time.
    Other(Duration),
}

impl StoredProgress {
    /// Acquires the run. Returns whether it is repeated, and the ETag of `start.json`.
    async fn acquire(
        &self,
        place: &ResultPlace,
        holder: &str,
        deadline: Deadline,
    ) -> Result<(bool, String), Error> {
        // The run is cancelled when the grace period ends.
        let expires_at = now().saturating_add(milliseconds(deadline.left() + GRACE));
        let body = StartEntry { holder: holder.to_owned(), expires_at }.to_bytes();
        let mut condition = Precondition::Absent;
        loop {
            let is_repeated = condition != Precondition::Absent;
            let written = self.store.write(place, body.clone(), condition.clone(), deadline).await;
            if let Ok(WriteOutcome::Done(Some(etag))) = written {
                return Ok((is_repeated, etag));
            }
            // A response may be lost after the object was written.
            match (self.read_owner(place, holder, deadline).await, written) {
                (Ok(Owner::This(etag)), _) => return Ok((is_repeated, etag)),
                (_, Err(error)) | (Err(error), _) => return Err(error),
                (Ok(Owner::Other(wait)), _) => return Err(still_running(wait)),
                (Ok(Owner::None(Some(etag))), _) if !is_repeated => {
                    condition = Precondition::Unchanged(etag);
                }
                // Another process acquired the run and has released it since.
                (Ok(Owner::None(_)), _) => return Err(still_running(Duration::ZERO)),
            }
        }
    }

    async fn read_owner(
        &self,
        place: &ResultPlace,
        holder: &str,
        deadline: Deadline,
    ) -> Result<Owner, Error> {
        let Some(StoredObject { body, etag }) = self.store.read(place, deadline).await? else {
            return Ok(Owner::None(None));
        };
        let entry: StartEntry = serde_json::from_slice(&body).map_err(|_| unreadable(place))?;
        Ok(match entry.expires_at.checked_sub(now()) {
            _ if entry.holder == holder => Owner::This(etag),
            None | Some(0) => Owner::None(Some(etag)),
            Some(left) => Owner::Other(Duration::from_millis(left)),
        })
    }
}

impl ProgressStore for StoredProgress {
    fn open<'a>(
        &'a self,
        request: &'a str,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Box<dyn RunProgress>, Error>> {
        Box::pin(async move {
            let mut parts: Vec<&str> = self.identity.iter().map(String::as_str).collect();
            parts.push(request);
            let id = hash_parts(&parts);
            let holder = format!("{:032x}", fastrand::u128(..));
            let place = self.prefix.object(&object_name(&id, START));
            let (is_repeated, etag) = self.acquire(&place, &holder, deadline).await?;
            let (store, prefix) = (Arc::clone(&self.store), self.prefix.clone());
            let has_gap = AtomicBool::new(false);
            let run = OwnedRun { store, prefix, id, is_repeated, holder, etag, has_gap };
            Ok(Box::new(run) as Box<dyn RunProgress>)
        })
    }
}

impl OwnedRun {
    async fn write_entry(&self, name: &str, entry: Bytes, deadline: Deadline) -> Result<(), Error> {
        let place = self.prefix.object(&object_name(&self.id, name));
        let failed = |text| Error::new(ErrorKind::ResultUnavailable, text);
        // A larger entry could be written but not be read, so that no repeat could succeed.
        if entry.len() > MAX_OBJECT_BYTES {
            let (bytes, max) = (entry.len(), MAX_OBJECT_BYTES);
            return Err(failed(format!("{place} has {bytes} bytes, and at most {max} are stored")));
        }
        let condition = Precondition::Absent;
        if let WriteOutcome::Done(_) =
            self.store.write(&place, entry.clone(), condition, deadline).await?
        {
            return Ok(());
        }
        match self.store.read(&place, deadline).await? {
            // The response to an earlier attempt was lost.
            Some(stored) if stored.body == entry => Ok(()),
            _ => Err(failed(format!("another process that ran this request stored {place}"))),
        }
    }
}

impl RunProgress for OwnedRun {
    fn id(&self) -> &str {
        &self.id
    }

    fn is_repeated(&self) -> bool {
        self.is_repeated
    }

    fn read<'a>(
        &'a self,
        name: &'a str,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<Bytes>, Error>> {
        Box::pin(async move {
            let place = self.prefix.object(&object_name(&self.id, name));
            let object = self.store.read(&place, deadline).await?;
            Ok(object.map(|object| object.body))
        })
    }

    fn write<'a>(
        &'a self,
        name: &'a str,
        entry: Bytes,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            if self.has_gap.load(Ordering::Relaxed) {
                return Ok(());
            }
            let written = self.write_entry(name, entry, deadline).await;
            if written.is_err() {
                self.has_gap.store(true, Ordering::Relaxed);
            }
            written
        })
    }

    fn release(&self, deadline: Deadline) -> PortFuture<'_, ()> {
        Box::pin(async move {
            let place = self.prefix.object(&object_name(&self.id, START));
            let body = StartEntry { holder: self.holder.clone(), expires_at: 0 }.to_bytes();
            let condition = Precondition::Unchanged(self.etag.clone());
            // If the write fails, the ownership expires at the deadline of the run.
            drop(self.store.write(&place, body, condition, deadline).await);
        })
    }
}

/// The name of the object that is written before anything is paid for.
const START: &str = "start";

/// Returns the name of an object of a run below the result prefix.
fn object_name(run: &str, name: &str) -> String {
    if name.len() > MAX_NAME_BYTES {
        return format!("progress/{run}/{}.json", hash_parts(&[name]));
    }
    format!("progress/{run}/{name}.json")
}

fn still_running(wait: Duration) -> Error {
    let text = format!(
        "another process may be running this request; it ends within {} ms",
        wait.as_millis()
    );
    Error::new(ErrorKind::ResultUnavailable, text).with_retry_after(Some(wait))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

    use std::collections::{BTreeMap, VecDeque};
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;

    /// How the store handles a write.
    enum Fault {
        None,
        /// Nothing is written.
        Fail,
        /// The object is written, but the response is lost.
        FailWritten,
        /// The object is written by the first of two attempts, whose response is lost.
        UnmetWritten,
        /// Another process writes this object first.
        Race(StartEntry),
    }

    #[derive(Default)]
    struct FakeStore {
        objects: Mutex<BTreeMap<String, (Bytes, u64)>>,
        faults: Mutex<VecDeque<Fault>>,
    }

    impl FakeStore {
        fn inject(&self, fault: Fault) {
            self.faults.lock().unwrap().push_back(fault);
        }

        fn names(&self) -> Vec<String> {
            self.objects.lock().unwrap().keys().cloned().collect()
        }

        /// Replaces the content of the only `start.json`.
        fn replace_start(&self, body: &'static [u8]) {
            let mut objects = self.objects.lock().unwrap();
            let mut starts = objects.iter_mut().filter(|(name, _)| name.ends_with("/start.json"));
            let (_, (content, etag)) = starts.next().unwrap();
            (*content, *etag) = (Bytes::from_static(body), *etag + 1);
            assert!(starts.next().is_none());
        }

        fn put(&self, key: &str, body: Bytes, condition: &Precondition) -> WriteOutcome {
            let mut objects = self.objects.lock().unwrap();
            let etag = objects.get(key).map(|(_, etag)| *etag);
            let is_met = match condition {
                Precondition::None => true,
                Precondition::Absent => etag.is_none(),
                Precondition::Unchanged(known) => {
                    etag.is_some_and(|etag| etag.to_string() == *known)
                }
            };
            if !is_met {
                return WriteOutcome::Unmet;
            }
            let etag = etag.unwrap_or(0) + 1;
            objects.insert(key.to_owned(), (body, etag));
            WriteOutcome::Done(Some(etag.to_string()))
        }
    }

    impl ResultStore for FakeStore {
        fn read<'a>(
            &'a self,
            place: &'a ResultPlace,
            _: Deadline,
        ) -> PortFuture<'a, Result<Option<StoredObject>, Error>> {
            let objects = self.objects.lock().unwrap();
            let object = objects.get(&place.key);
            let object = object
                .map(|(body, etag)| StoredObject { body: body.clone(), etag: etag.to_string() });
            Box::pin(std::future::ready(Ok(object)))
        }

        fn write<'a>(
            &'a self,
            place: &'a ResultPlace,
            body: Bytes,
            condition: Precondition,
            _: Deadline,
        ) -> PortFuture<'a, Result<WriteOutcome, Error>> {
            let failed = || Err(Error::new(ErrorKind::ResultUnavailable, "the store failed"));
            let written = match self.faults.lock().unwrap().pop_front().unwrap_or(Fault::None) {
                Fault::None => Ok(self.put(&place.key, body, &condition)),
                Fault::Fail => failed(),
                Fault::FailWritten => {
                    self.put(&place.key, body, &condition);
                    failed()
                }
                Fault::UnmetWritten => {
                    self.put(&place.key, body, &condition);
                    Ok(WriteOutcome::Unmet)
                }
                Fault::Race(entry) => {
                    self.put(&place.key, entry.to_bytes(), &Precondition::None);
                    Ok(self.put(&place.key, body, &condition))
                }
            };
            Box::pin(std::future::ready(written))
        }
    }

    const LONG: Duration = Duration::from_secs(60);

    fn progress(store: &Arc<FakeStore>, identity: RunIdentity<'_>) -> StoredProgress {
        let prefix = ResultPrefix::parse("s3://stored/results").unwrap();
        StoredProgress { store: Arc::clone(store) as _, prefix, identity: identity.to_parts() }
    }

    async fn open_within(
        store: &Arc<FakeStore>,
        time: Duration,
    ) -> Result<Box<dyn RunProgress>, Error> {
        let identity = RunIdentity::Record { source: "sqs", id: "1" };
        progress(store, identity).open("request", Deadline::after(time)).await
    }

    async fn open(store: &Arc<FakeStore>) -> Result<Box<dyn RunProgress>, Error> {
        open_within(store, LONG).await
    }

    fn deadline() -> Deadline {
        Deadline::after(LONG)
    }

    fn assert_unavailable(opened: Result<Box<dyn RunProgress>, Error>, text: &str) -> Error {
        let error = opened.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::ResultUnavailable, "{error}");
        assert!(error.message().contains(text), "{error}");
        error
    }

    fn entry(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[tokio::test]
    async fn entries_are_written_once_below_the_hash_of_the_run() {
        let store = Arc::default();
        let run = open(&store).await.unwrap();
        assert!(!run.is_repeated());
        run.write("call-1-0/turn-2", entry("1"), deadline()).await.unwrap();
        // A repeated attempt is not an error.
        run.write("call-1-0/turn-2", entry("1"), deadline()).await.unwrap();
        let read = async |name| run.read(name, deadline()).await.unwrap();
        assert_eq!(read("call-1-0/turn-2").await, Some(entry("1")));
        assert_eq!(read("turn-2").await, None);
        let folder = format!("results/progress/{}", run.id());
        let expected = [format!("{folder}/call-1-0/turn-2.json"), format!("{folder}/start.json")];
        assert_eq!(store.names(), expected);
    }

    #[tokio::test]
    async fn another_process_waits_until_the_deadline_or_the_release() {
        let store = Arc::default();
        let first = open_within(&store, Duration::from_millis(300)).await.unwrap();
        first.write("turn-1", entry("1"), deadline()).await.unwrap();
        let error = assert_unavailable(open(&store).await, "another process may be running");
        let wait = error.retry_after().unwrap();
        assert!(wait > Duration::ZERO && wait <= Duration::from_millis(300) + GRACE, "{wait:?}");
        tokio::time::sleep(wait + Duration::from_millis(2)).await;
        let second = open(&store).await.unwrap();
        assert!(second.is_repeated());
        assert_eq!(second.id(), first.id());
        assert_eq!(second.read("turn-1", deadline()).await.unwrap(), Some(entry("1")));
        // The first process does not own the run any more.
        first.release(deadline()).await;
        assert_unavailable(open(&store).await, "another process may be running");
        second.release(deadline()).await;
        assert!(open(&store).await.unwrap().is_repeated());
    }

    #[tokio::test]
    async fn start_that_was_written_counts_although_its_response_was_lost() {
        for fault in [Fault::FailWritten, Fault::UnmetWritten] {
            let store: Arc<FakeStore> = Arc::default();
            store.inject(fault);
            assert!(!open(&store).await.unwrap().is_repeated());
            assert_unavailable(open(&store).await, "another process");
        }
        // The same for the write that takes the run over.
        for fault in [Fault::FailWritten, Fault::UnmetWritten] {
            let store = Arc::default();
            open(&store).await.unwrap().release(deadline()).await;
            store.inject(Fault::None);
            store.inject(fault);
            assert!(open(&store).await.unwrap().is_repeated());
            assert_unavailable(open(&store).await, "another process");
        }
    }

    #[tokio::test]
    async fn run_does_not_start_if_the_start_cannot_be_written() {
        let store: Arc<FakeStore> = Arc::default();
        store.inject(Fault::Fail);
        assert_unavailable(open(&store).await, "the store failed");
        assert!(store.names().is_empty());
        let run = open(&store).await.unwrap();
        store.inject(Fault::Fail);
        assert!(run.write("turn-1", entry("1"), deadline()).await.is_err());
        assert_eq!(run.read("turn-1", deadline()).await.unwrap(), None);
        // A later entry would not belong to the reply that a repeated run gets instead.
        run.write("turn-2", entry("2"), deadline()).await.unwrap();
        assert_eq!(run.read("turn-2", deadline()).await.unwrap(), None);
        // The ownership then expires at the deadline of the run.
        store.inject(Fault::Fail);
        run.release(deadline()).await;
        assert_unavailable(open(&store).await, "another process");
    }

    #[tokio::test]
    async fn one_of_two_processes_takes_a_run_over() {
        for expires_at in [0, u64::MAX] {
            let store = Arc::default();
            open(&store).await.unwrap().release(deadline()).await;
            store.inject(Fault::None);
            store.inject(Fault::Race(StartEntry { holder: "other".to_owned(), expires_at }));
            assert_unavailable(open(&store).await, "another process");
        }
    }

    /// The other process continued although it did not own the run any more.
    #[tokio::test]
    async fn entries_of_two_processes_are_not_mixed() {
        let store = Arc::default();
        let first = open_within(&store, Duration::ZERO).await.unwrap();
        tokio::time::sleep(GRACE + Duration::from_millis(2)).await;
        let second = open(&store).await.unwrap();
        first.write("turn-1", entry("1"), deadline()).await.unwrap();
        let error = second.write("turn-1", entry("2"), deadline()).await.unwrap_err();
        assert!(error.message().starts_with("another process that ran this request"), "{error}");
        second.write("call-1-0", entry("3"), deadline()).await.unwrap();
        assert_eq!(second.read("turn-1", deadline()).await.unwrap(), Some(entry("1")));
        assert_eq!(second.read("call-1-0", deadline()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn damaged_start_is_reported() {
        for body in [&b""[..], b"{\"until\": 0}", b"null"] {
            let store: Arc<FakeStore> = Arc::default();
            open(&store).await.unwrap();
            store.replace_start(body);
            assert_unavailable(open(&store).await, "is damaged or was not written by llm-exe");
        }
    }

    #[tokio::test]
    async fn other_runs_do_not_see_the_progress() {
        let store = Arc::default();
        let (one, two) = (json!([{"id": "a", "result": 1}]), json!([{"id": "a", "result": 2}]));
        let conversation =
            |id, tool_results| RunIdentity::Conversation { caller: "a", id, tool_results };
        let identities = [
            RunIdentity::Record { source: "a", id: "k" },
            RunIdentity::Record { source: "b", id: "k" },
            RunIdentity::Key { caller: "a", key: "k" },
            RunIdentity::Key { caller: "b", key: "k" },
            RunIdentity::Key { caller: "ak", key: "" },
            conversation("k", &one),
            conversation("k", &two),
            conversation("l", &one),
            RunIdentity::Conversation { caller: "b", id: "k", tool_results: &one },
        ];
        for identity in identities {
            for request in ["r", "changed"] {
                let run = progress(&store, identity).open(request, deadline()).await.unwrap();
                assert!(!run.is_repeated());
                assert_eq!(run.read("turn-1", deadline()).await.unwrap(), None);
                run.write("turn-1", entry("1"), deadline()).await.unwrap();
            }
            let again = progress(&store, identity).open("r", deadline()).await;
            assert_unavailable(again, "another process");
        }
    }

    #[tokio::test]
    async fn entries_are_limited_to_what_the_store_reads_and_s3_names() {
        let store = Arc::default();
        let run = open(&store).await.unwrap();
        let names = [400, 401, 5000].map(|length| "x".repeat(length));
        for (number, name) in names.iter().enumerate() {
            let entry = Bytes::from(number.to_string());
            run.write(name, entry.clone(), deadline()).await.unwrap();
            assert_eq!(run.read(name, deadline()).await.unwrap(), Some(entry));
        }
        let large = |bytes| Bytes::from(vec![b' '; bytes]);
        run.write("turn-1", large(MAX_OBJECT_BYTES), deadline()).await.unwrap();
        let error = run.write("turn-2", large(MAX_OBJECT_BYTES + 1), deadline()).await.unwrap_err();
        assert!(error.message().contains("at most 8388608"), "{error}");
        let longest = store.names().iter().map(String::len).max().unwrap();
        assert!(longest - "results".len() + 512 <= 1024, "{longest}");
    }
}
