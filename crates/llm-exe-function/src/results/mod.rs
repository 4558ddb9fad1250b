//! Stores the results of requests, replays stored results, and sends results to destinations.

mod calls;
mod conversations;
mod idempotency;
mod notify;
mod progress;
mod records;
mod run_mark;
mod stored_result;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use llm_exe::ports::PortFuture;
use llm_exe::{CallerContext, Deadline, Error, ErrorKind, FunctionName, SingleFlight};
use llm_exe_events::Invocation;
use tokio::sync::RwLock;

use crate::destination::{Destination, ResultPlace, ResultPrefix};
use crate::ports::{
    Messenger, Notification, Precondition, ResultStore, StoredObject, WriteOutcome,
};
use crate::settings::ResultSettings;
use crate::streaming::ResponseSender;
use crate::traces::EventTraces;
use stored_result::StoredResult;

/// Maximum number of results held in memory because they could not be stored. `MAX_UNSTORED_BYTES`
/// limits their total size.
const MAX_UNSTORED: usize = 64;
const MAX_UNSTORED_BYTES: usize = 16 * 1024 * 1024;

/// How long a run may exceed its deadline before it is cancelled.
const GRACE: Duration = Duration::from_millis(100);

/// Stores results, replays stored results, and sends results to destinations.
pub(crate) struct Results {
    settings: ResultSettings,
    store: Arc<dyn ResultStore>,
    messenger: Arc<dyn Messenger>,
    /// Results that could not be stored, oldest first. If such a request is repeated, its result is
    /// returned from here, so that it is not paid for twice.
    unstored: Mutex<VecDeque<UnstoredResult>>,
    /// Ensures that only one task in this process works on an object at a time.
    flights: SingleFlight<String>,
    /// Readers are the records that run at the same time. A writer is a record that runs alone,
    /// because it may have ended the process when it ran before.
    run_lock: RwLock<()>,
}

/// The caller of a request.
#[derive(Debug)]
pub(crate) struct Caller<'a> {
    /// The name of the caller. `None` for events that deliver records, because no caller waits for
    /// the response.
    pub(crate) name: Option<&'a str>,
    invocation: &'a Invocation,
    /// Receives the events of the run, if the caller can receive a stream.
    stream: Option<&'a ResponseSender>,
    /// The traces of the event, if its requests are traced.
    traces: Option<&'a EventTraces<'a>>,
}

impl<'a> Caller<'a> {
    pub(crate) fn new(
        name: Option<&'a str>,
        invocation: &'a Invocation,
        stream: Option<&'a ResponseSender>,
        traces: Option<&'a EventTraces<'a>>,
    ) -> Self {
        Caller { name, invocation, stream, traces }
    }

    /// Returns where a request with tools comes from and where it runs.
    fn context(&self) -> CallerContext {
        let is_http = self.name.is_some_and(|name| name != DIRECT);
        let arn = self.invocation.function_arn.as_deref();
        let function = arn.and_then(|arn| FunctionName::parse(arn).ok());
        let trace_id = self.invocation.trace_id.clone();
        CallerContext { is_http, function, trace_id }
    }
}

/// The name of the caller of direct requests. It also owns the conversations of records, which have
/// no caller of their own, because both need a permission in IAM.
const DIRECT: &str = "direct";

struct UnstoredResult {
    name: String,
    result: StoredResult,
    bytes: usize,
}

impl Results {
    pub(crate) fn new(settings: ResultSettings) -> Self {
        Results {
            settings,
            store: Arc::new(NoPorts),
            messenger: Arc::new(NoPorts),
            unstored: Mutex::default(),
            flights: SingleFlight::default(),
            run_lock: RwLock::default(),
        }
    }

    pub(crate) fn with_ports(
        self,
        store: Arc<dyn ResultStore>,
        messenger: Arc<dyn Messenger>,
    ) -> Self {
        Results { store, messenger, ..self }
    }

    /// Returns the value of `RESULT_PREFIX`, below which results are stored.
    pub(crate) fn prefix(&self) -> Option<&ResultPrefix> {
        self.settings.prefix.as_ref()
    }

    /// Returns true if the result of every record is stored or sent because of a setting.
    pub(crate) fn has_place_for_records(&self) -> bool {
        self.settings.prefix.is_some() || self.settings.destination.is_some()
    }

    /// Returns the maximum size of a response in bytes, which is the lower of the source's limit
    /// and `OFFLOAD_RESULTS_OVER`.
    pub(crate) fn max_response_bytes(&self, source_limit: usize) -> usize {
        self.settings.offload_over.map_or(source_limit, |limit| limit.min(source_limit))
    }

    /// Derives an object name from the parts that identify the object.
    pub(crate) fn object_name(parts: &[&str]) -> String {
        stored_result::hash_parts(parts)
    }

    /// Reads a stored result, together with the ETag of its object.
    async fn read_result(
        &self,
        place: &ResultPlace,
        deadline: Deadline,
    ) -> Result<Option<(StoredResult, String)>, Error> {
        let Some(StoredObject { body, etag }) = self.store.read(place, deadline).await? else {
            return Ok(None);
        };
        let result = serde_json::from_slice(&body).map_err(|_| unreadable(place))?;
        Ok(Some((result, etag)))
    }

    /// Keeps a result in memory because it could not be stored. Drops the oldest results if the
    /// limits are exceeded.
    fn remember_unstored(&self, name: &str, result: StoredResult) {
        let mut unstored = self.unstored.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = result.to_bytes().len();
        unstored.push_back(UnstoredResult { name: name.to_owned(), result, bytes });
        let mut total: usize = unstored.iter().map(|result| result.bytes).sum();
        while (unstored.len() > MAX_UNSTORED || total > MAX_UNSTORED_BYTES)
            && let Some(oldest) = unstored.pop_front()
        {
            total -= oldest.bytes;
        }
    }

    /// Removes and returns the result of an earlier run that could not be stored, if there is one.
    fn take_unstored(&self, name: &str) -> Option<StoredResult> {
        let mut unstored = self.unstored.lock().unwrap_or_else(PoisonError::into_inner);
        let index = unstored.iter().position(|result| result.name == name)?;
        unstored.remove(index).map(|result| result.result)
    }
}

fn unreadable(place: &ResultPlace) -> Error {
    let message = format!("the object {place} is damaged or was not written by llm-exe");
    Error::new(ErrorKind::ResultUnavailable, message)
}

/// Returns the time in milliseconds since the Unix epoch, which processes compare with each other.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    milliseconds(since)
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The store and messenger of a function that was created without them. Every call fails.
struct NoPorts;

fn no_port<'a, T: 'a + Send>() -> PortFuture<'a, Result<T, Error>> {
    let message = "this function was created without a result store";
    Box::pin(std::future::ready(Err(Error::new(ErrorKind::Internal, message))))
}

impl ResultStore for NoPorts {
    fn read<'a>(
        &'a self,
        _: &'a ResultPlace,
        _: Deadline,
    ) -> PortFuture<'a, Result<Option<StoredObject>, Error>> {
        no_port()
    }

    fn write<'a>(
        &'a self,
        _: &'a ResultPlace,
        _: bytes::Bytes,
        _: Precondition,
        _: Deadline,
    ) -> PortFuture<'a, Result<WriteOutcome, Error>> {
        no_port()
    }
}

impl Messenger for NoPorts {
    fn send<'a>(
        &'a self,
        _: &'a Destination,
        _: Notification<'a>,
        _: Deadline,
    ) -> PortFuture<'a, Result<(), Error>> {
        no_port()
    }
}
