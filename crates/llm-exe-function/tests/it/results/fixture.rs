//! A test function with a simulated provider, an in-memory store and an in-memory messenger.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use llm_exe::ports::{
    Document, DocumentLocation, DocumentStore, FunctionCall, FunctionInvoker, PortFuture,
};
use llm_exe::{Deadline, EnvironmentKeys, Error, ErrorKind, FunctionName};
use llm_exe_events::Invocation;
use llm_exe_function::destination::{Destination, ResultPlace};
use llm_exe_function::ports::{
    Messenger, Notification, Precondition, ResultStore, StoredObject, WriteOutcome,
};
use llm_exe_function::{
    Function, HandledEvent, LogLevel, Settings, StartedResponse, start_response,
};
use llm_exe_simulator::{Call, Fault, Simulator, Step};
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};

/// Counts the invocations, so that request ids are unique across all functions of a test.
static INVOCATIONS: AtomicU64 = AtomicU64::new(0);

/// The environment variable that sets the result prefix.
pub(crate) const PREFIX: (&str, &str) = ("RESULT_PREFIX", "s3://stored/results");

/// The URL of the SQS queue that results are sent to.
pub(crate) const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/results";

/// The ARN of the function under test.
const FUNCTION_ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:llm-exe:live";

/// How the store handles a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteBehavior {
    /// The write fails and nothing is written.
    Fail,
    /// The object is written, but the write returns an error.
    FailWritten,
    /// The object is written, but its precondition is reported as unmet. This happens if the
    /// response to the first of two attempts is lost.
    UnmetWritten,
    /// The write succeeds after this many milliseconds.
    Delay(u64),
    /// The store panics during the write.
    Panic,
    /// The write succeeds.
    Write,
}

/// The points at which a test can kill an invocation: before and after each call to the store or to
/// a Lambda function, and while the provider sends a reply.
#[derive(Debug, Default)]
pub(crate) struct KillPoints {
    passed: AtomicUsize,
    last: Mutex<Option<usize>>,
    killed: Notify,
}

impl KillPoints {
    /// Counts a point. Returns whether the invocation is killed here.
    fn reach(&self) -> bool {
        let number = self.passed.fetch_add(1, Ordering::Relaxed);
        let is_last = *self.last.lock().unwrap() == Some(number);
        if is_last {
            self.killed.notify_one();
        }
        is_last
    }

    async fn pass(&self) {
        if self.reach() {
            std::future::pending::<()>().await;
        }
    }

    /// Returns the number of points since the last call of this function.
    pub(crate) fn take_passed(&self) -> usize {
        self.passed.swap(0, Ordering::Relaxed)
    }
}

/// An in-memory store for configs and results, which also serves as the messenger.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore {
    /// The content and the ETag of each object, by URL. The number of writes serves as the ETag.
    pub(crate) objects: Mutex<BTreeMap<String, (Bytes, u64)>>,
    /// The behavior of the next writes. All later writes succeed.
    pub(crate) next_writes: Mutex<VecDeque<WriteBehavior>>,
    /// The notifications that were sent, with their destinations.
    pub(crate) notifications: Mutex<Vec<(String, Value)>>,
    /// Whether sending a notification fails.
    pub(crate) sending_fails: Mutex<bool>,
    /// The name, the event and the trace id of each call of a Lambda function.
    pub(crate) function_calls: Mutex<Vec<(String, Value, Option<String>)>>,
    /// How often a document was fetched.
    pub(crate) fetches: AtomicUsize,
    /// How long fetching a document takes.
    pub(crate) fetch_time: Mutex<Duration>,
    pub(crate) kill_points: KillPoints,
}

impl MemoryStore {
    /// Returns the URLs of all objects.
    pub(crate) fn names(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    /// Returns the content of the only object in the store.
    pub(crate) fn only(&self) -> Value {
        let objects = self.objects.lock().unwrap();
        assert_eq!(objects.len(), 1, "{objects:?}");
        serde_json::from_slice(&objects.values().next().unwrap().0).unwrap()
    }

    pub(crate) fn put(&self, name: &str, value: &Value) {
        let body = Bytes::from(value.to_string());
        self.objects.lock().unwrap().insert(name.to_owned(), (body, 1));
    }

    /// Returns the content of an object as JSON.
    pub(crate) fn get(&self, name: &str) -> Value {
        serde_json::from_slice(&self.objects.lock().unwrap()[name].0).unwrap()
    }

    /// Lets the deadlines of all processes that own a key or a run pass.
    pub(crate) fn expire(&self) {
        for (body, etag) in self.objects.lock().unwrap().values_mut() {
            let mut value: Value = serde_json::from_slice(body).unwrap();
            if value.get("until").is_some() {
                value["until"] = json!(0);
                (*body, *etag) = (Bytes::from(value.to_string()), *etag + 1);
            }
        }
    }

    /// Sets the behavior of the next writes.
    pub(crate) fn inject(&self, behaviors: &[WriteBehavior]) {
        self.next_writes.lock().unwrap().extend(behaviors);
    }

    fn write_now(
        &self,
        place: &ResultPlace,
        body: Bytes,
        condition: &Precondition,
    ) -> WriteOutcome {
        let mut objects = self.objects.lock().unwrap();
        let known = objects.get(&place.to_string()).map(|(_, etag)| *etag);
        let is_met = match condition {
            Precondition::None => true,
            Precondition::Absent => known.is_none(),
            Precondition::Unchanged(etag) => {
                known.map(|known| known.to_string()).as_ref() == Some(etag)
            }
        };
        if !is_met {
            return WriteOutcome::Unmet;
        }
        let etag = known.unwrap_or(0) + 1;
        objects.insert(place.to_string(), (body, etag));
        WriteOutcome::Done(Some(etag.to_string()))
    }
}

impl DocumentStore for MemoryStore {
    fn fetch<'a>(
        &'a self,
        place: &'a DocumentLocation,
        _: Option<&'a str>,
        _: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>> {
        let DocumentLocation::Object { bucket, key, .. } = place else { panic!("{place:?}") };
        let objects = self.objects.lock().unwrap();
        let object = objects.get(&format!("s3://{bucket}/{key}"));
        let missing = || Error::new(ErrorKind::ConfigNotFound, "the object does not exist");
        let document = object.map(|(body, etag)| {
            Some(Document { body: body.clone(), version: None, etag: Some(etag.to_string()) })
        });
        let document = document.ok_or_else(missing);
        self.fetches.fetch_add(1, Ordering::Relaxed);
        let time = *self.fetch_time.lock().unwrap();
        if time.is_zero() {
            return Box::pin(std::future::ready(document));
        }
        Box::pin(async move {
            tokio::time::sleep(time).await;
            document
        })
    }
}

impl ResultStore for MemoryStore {
    fn read<'a>(
        &'a self,
        place: &'a ResultPlace,
        _: Deadline,
    ) -> PortFuture<'a, Result<Option<StoredObject>, Error>> {
        Box::pin(async move {
            self.kill_points.pass().await;
            let object = self.objects.lock().unwrap().get(&place.to_string()).cloned();
            self.kill_points.pass().await;
            Ok(object.map(|(body, etag)| StoredObject { body, etag: etag.to_string() }))
        })
    }

    fn write<'a>(
        &'a self,
        place: &'a ResultPlace,
        body: Bytes,
        condition: Precondition,
        _: Deadline,
    ) -> PortFuture<'a, Result<WriteOutcome, Error>> {
        let behavior = self.next_writes.lock().unwrap().pop_front();
        Box::pin(async move {
            self.kill_points.pass().await;
            let failed = || Error::new(ErrorKind::ResultUnavailable, "the store failed");
            let written = match behavior.unwrap_or(WriteBehavior::Write) {
                WriteBehavior::Fail => Err(failed()),
                WriteBehavior::FailWritten => {
                    self.write_now(place, body, &condition);
                    Err(failed())
                }
                WriteBehavior::UnmetWritten => {
                    self.write_now(place, body, &condition);
                    Ok(WriteOutcome::Unmet)
                }
                WriteBehavior::Delay(milliseconds) => {
                    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                    Ok(self.write_now(place, body, &condition))
                }
                WriteBehavior::Panic => panic!("the store panicked"),
                WriteBehavior::Write => Ok(self.write_now(place, body, &condition)),
            };
            self.kill_points.pass().await;
            written
        })
    }
}

impl Messenger for MemoryStore {
    fn send<'a>(
        &'a self,
        destination: &'a Destination,
        notification: Notification<'a>,
        _: Deadline,
    ) -> PortFuture<'a, Result<(), Error>> {
        let fails = *self.sending_fails.lock().unwrap();
        let sent = if fails {
            Err(Error::new(ErrorKind::ResultUnavailable, "the queue failed"))
        } else {
            let mut body: Value = serde_json::from_str(notification.body).unwrap();
            body["notificationId"] = json!(notification.id);
            body["group"] = json!(notification.group);
            self.notifications.lock().unwrap().push((destination.to_string(), body));
            Ok(())
        };
        Box::pin(std::future::ready(sent))
    }
}

impl FunctionInvoker for MemoryStore {
    fn invoke<'a>(
        &'a self,
        call: FunctionCall<'a>,
        _: Deadline,
    ) -> PortFuture<'a, Result<Bytes, Error>> {
        let FunctionName { name, qualifier, .. } = call.function;
        let name = match qualifier {
            Some(qualifier) => format!("{name}:{qualifier}"),
            None => name.clone(),
        };
        let event = serde_json::from_slice(call.event).unwrap();
        let trace_id = call.trace_id.map(str::to_owned);
        Box::pin(async move {
            self.kill_points.pass().await;
            self.function_calls.lock().unwrap().push((name, event, trace_id));
            self.kill_points.pass().await;
            Ok(Bytes::from_static(b"{\"total\": 5.40}"))
        })
    }
}

/// A function under test, with its simulated provider and its store.
pub(crate) struct TestFunction {
    inner: Function,
    pub(crate) simulator: Arc<Simulator>,
    pub(crate) store: Arc<MemoryStore>,
    /// The value of `X-Amzn-Trace-Id` of the next invocations.
    pub(crate) trace_id: Mutex<String>,
}

impl TestFunction {
    /// Creates a function with a result prefix.
    pub(crate) async fn new() -> TestFunction {
        TestFunction::with(&[PREFIX]).await
    }

    /// Creates a function with these settings.
    pub(crate) async fn with(variables: &[(&str, &str)]) -> TestFunction {
        TestFunction::with_store(variables, Arc::default()).await
    }

    /// Creates a function with these settings that uses `store`, which it may share with other
    /// functions.
    pub(crate) async fn with_store(
        variables: &[(&str, &str)],
        store: Arc<MemoryStore>,
    ) -> TestFunction {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let points = Arc::clone(&store);
        let observer = Arc::new(move |_: &Call| {
            points.kill_points.reach();
        });
        let simulator = Simulator::start_with(address, observer).await.unwrap();
        TestFunction::with_simulator(variables, store, Arc::new(simulator))
    }

    /// Creates a function for another process that shares the store and the provider of others.
    pub(crate) fn with_simulator(
        variables: &[(&str, &str)],
        store: Arc<MemoryStore>,
        simulator: Arc<Simulator>,
    ) -> TestFunction {
        let base = simulator.openai_base_url();
        let look_up = |name: &str| {
            let known = variables.iter().find(|(known, _)| *known == name);
            match name {
                "OPENAI_BASE_URL" => Some(base.clone()),
                "ENDPOINT_AUTH" => Some("NONE".to_owned()),
                _ => known.map(|(_, value)| (*value).to_owned()),
            }
        };
        let settings = Settings::parse(&look_up).unwrap();
        let keys = EnvironmentKeys::new(|_| Some("a-key-of-some-length".to_owned()));
        let inner = Function::new(&settings, Arc::new(keys))
            .with_results(store.clone(), store.clone())
            .with_documents(store.clone())
            .with_functions(store.clone());
        let trace_id = Mutex::new("Root=1-2-3".to_owned());
        TestFunction { inner, simulator, store, trace_id }
    }

    /// Handles an event with this time limit.
    pub(crate) async fn handle(&self, event: &Value, timeout: Duration) -> HandledEvent {
        let number = INVOCATIONS.fetch_add(1, Ordering::Relaxed);
        self.handle_as(&format!("call-{number}"), event, timeout).await
    }

    /// Handles an event with this request id.
    pub(crate) async fn handle_as(
        &self,
        request_id: &str,
        event: &Value,
        timeout: Duration,
    ) -> HandledEvent {
        let invocation = Invocation {
            request_id: request_id.to_owned(),
            version: "1",
            function_arn: Some(FUNCTION_ARN.to_owned()),
            trace_id: Some(self.trace_id.lock().unwrap().clone()),
        };
        let event = event.to_string();
        self.inner.handle(event.as_bytes(), invocation, Deadline::after(timeout)).await
    }

    /// Handles an event whose response may be streamed. Also returns a channel for the handled
    /// event.
    pub(crate) async fn start(
        self: &Arc<Self>,
        event: &Value,
        timeout: Duration,
    ) -> (StartedResponse<()>, oneshot::Receiver<HandledEvent>) {
        let (start, handled) = self.begin(event, timeout);
        (start.await, handled)
    }

    /// Returns the future that handles an event whose response may be streamed, and a channel for
    /// the handled event. A client that disconnects drops the future.
    pub(crate) fn begin(
        self: &Arc<Self>,
        event: &Value,
        timeout: Duration,
    ) -> (impl Future<Output = StartedResponse<()>> + use<>, oneshot::Receiver<HandledEvent>) {
        let (sender, handled) = oneshot::channel();
        let (function, event) = (Arc::clone(self), event.to_string());
        let request_id = format!("call-{}", INVOCATIONS.fetch_add(1, Ordering::Relaxed));
        let started = start_response(move |stream| async move {
            let invocation = Invocation { request_id, version: "1", ..Invocation::default() };
            let deadline = Deadline::after(timeout);
            let handled =
                function.inner.handle_streamed(event.as_bytes(), invocation, deadline, &stream);
            let _ = sender.send(handled.await);
        });
        (started, handled)
    }

    /// Handles an event. Returns the response and the log line.
    pub(crate) async fn invoke(&self, event: &Value) -> (Result<Value, Error>, Value) {
        let handled = self.handle(event, Duration::from_secs(20)).await;
        let text = handled.line.to_json(LogLevel::Debug).unwrap();
        (handled.response(), serde_json::from_slice(&text).unwrap())
    }

    /// Handles an event, and kills the process when it reaches the point with this number. Returns
    /// false if it was not killed.
    pub(crate) async fn kill_at(self, point: usize, event: &Value) -> bool {
        let points = &self.store.kill_points;
        points.take_passed();
        *points.last.lock().unwrap() = Some(point);
        let is_killed = tokio::select! {
            biased;
            () = points.killed.notified() => true,
            _ = self.invoke(event) => false,
        };
        *points.last.lock().unwrap() = None;
        is_killed
    }

    /// Returns the number of calls to the provider.
    pub(crate) fn calls(&self) -> usize {
        self.simulator.journal().len()
    }
}

/// Creates a request with this prompt, which is attempted only once.
pub(crate) fn request(text: &str) -> Value {
    json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": text,
        "options": { "numOfAttempts": 1 }
    })
}

/// Returns the event of a function URL.
pub(crate) fn url_event(request: &Value) -> Value {
    let context = json!({
        "domainName": "a.lambda-url.us-east-1.on.aws",
        "http": { "method": "POST", "path": "/" }
    });
    json!({ "version": "2.0", "requestContext": context, "body": request.to_string() })
}

/// Returns the JSON object with this field set.
pub(crate) fn with(mut value: Value, name: &str, field: Value) -> Value {
    value[name] = field;
    value
}

/// Creates a simulator step that replies with this text.
pub(crate) fn reply(text: &str) -> Step {
    Step::text(text)
}

/// Creates a simulator step that delays the default reply.
pub(crate) fn slow_reply(milliseconds: u64) -> Step {
    Step::fault(Fault::Slow(Duration::from_millis(milliseconds)))
}

/// Returns the kind of the error in a failed outcome.
pub(crate) fn kind(outcome: &Result<Value, Error>) -> ErrorKind {
    outcome.as_ref().unwrap_err().kind()
}
