//! Handles an event: detects its source, authorizes the caller, runs the requests in its records
//! and builds the response. Errors and panics are reported in the response or fail the invocation.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use llm_exe::hosted::CachedDocuments;
use llm_exe::ports::{DocumentStore, FunctionInvoker, Signer};
use llm_exe::transport::HttpClient;
use llm_exe::{Deadline, Error, ErrorKind, Keys, Providers, Runner, json, request_schema_with};
use llm_exe_events::{
    EndpointAuth, EventSource, Invocation, Outcome, RecordRequest, Route, StreamingEntryPoint,
    detect,
};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::auth::EndpointAuthenticator;
use crate::batch::{Batch, RequestRunner};
use crate::log_line::LogLine;
use crate::metric_tags::MetricTags;
use crate::outcome::RequestOutcome;
use crate::ports::{Messenger, ResultStore};
use crate::record_result::RecordResult;
use crate::response;
use crate::results::{Caller, Results};
use crate::settings::Settings;
use crate::streaming::ResponseSender;
use crate::traces::{EventTraces, Tracer, xray_root};

/// The part of a gateway's timeout that is reserved for the gateway itself. Its clock starts before
/// the invocation and stops after the response was transferred.
const GATEWAY_RESERVE: Duration = Duration::from_millis(500);

/// Maximum number of JSON values in the results of one event, which stay in memory until all
/// records are done.
const MAX_RESULT_VALUES: usize = 500_000;

/// The warning that results are lost although they were paid for.
const LOST_RESULTS: &str = "the results of this event are lost, because they are neither stored \
                            nor sent; set RESULT_PREFIX to store them or RESULT_DESTINATION to \
                            send them";

/// Handles events. Create one `Function` per process, so that invocations share its connections and
/// caches.
pub struct Function {
    runner: Runner,
    providers: Providers,
    config_cache: Duration,
    results: Results,
    record_concurrency: usize,
    authenticator: EndpointAuthenticator,
    endpoint_auth: EndpointAuth,
    http_deadline: Duration,
    metric_tags: MetricTags,
    response_streaming: Vec<StreamingEntryPoint>,
    /// Records the requests, if traces are exported or prompts are logged.
    tracer: Option<Box<Tracer>>,
    is_warm: AtomicBool,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function").field("runner", &self.runner).finish_non_exhaustive()
    }
}

/// The outcome of handling an event, and the log line about it.
#[derive(Debug)]
pub struct HandledEvent {
    /// The response to the event's source as JSON, or the error that fails the invocation.
    pub outcome: Result<Box<RawValue>, Error>,
    /// The log line about the event.
    pub line: LogLine,
}

impl HandledEvent {
    /// Parses the response to the event's source.
    ///
    /// # Errors
    /// Returns the error that fails the invocation.
    pub fn response(&self) -> Result<Value, Error> {
        let response = self.outcome.as_ref().map_err(Clone::clone)?;
        json::parse(response.get().as_bytes())
            .map_err(|error| Error::new(ErrorKind::Internal, format!("the response is {error}")))
    }
}

impl Function {
    /// Creates a function with these settings, which reads API keys from `keys`.
    pub fn new(settings: &Settings, keys: Arc<dyn Keys>) -> Self {
        let endpoints = settings.endpoints.clone();
        let tracer = Tracer::new(settings.traces.as_deref(), settings.logs_contents(), &keys);
        Function {
            runner: Runner::new(endpoints, Arc::clone(&keys), settings.rules.clone()),
            providers: settings.rules.providers.clone(),
            config_cache: settings.config_cache,
            results: Results::new(settings.results.clone()),
            record_concurrency: settings.record_concurrency,
            authenticator: EndpointAuthenticator::new(keys),
            endpoint_auth: settings.endpoint_auth,
            http_deadline: settings.http_deadline,
            metric_tags: MetricTags::new(&settings.metric_tags),
            response_streaming: settings.response_streaming.clone(),
            tracer,
            is_warm: AtomicBool::new(false),
        }
    }

    /// Sets the signer for AWS requests, which Amazon Bedrock requires.
    #[must_use]
    pub fn with_signer(mut self, signer: Arc<dyn Signer>) -> Self {
        if let Some(tracer) = &mut self.tracer {
            tracer.set_signer(Arc::clone(&signer));
        }
        Function { runner: self.runner.with_signer(signer), ..self }
    }

    /// Sets the HTTP client, which allows the function to share connections with other users of the
    /// client.
    #[must_use]
    pub fn with_http(mut self, client: HttpClient) -> Self {
        if let Some(tracer) = &mut self.tracer {
            tracer.set_http(client.clone());
        }
        Function { runner: self.runner.with_http(client), ..self }
    }

    /// Sets the store that hosted configs are read from. The function caches the configs.
    #[must_use]
    pub fn with_documents(self, documents: Arc<dyn DocumentStore>) -> Self {
        let documents = Arc::new(CachedDocuments::new(documents, self.config_cache));
        Function { runner: self.runner.with_documents(documents), ..self }
    }

    /// Sets the invoker of the Lambda functions that tools call.
    #[must_use]
    pub fn with_functions(self, functions: Arc<dyn FunctionInvoker>) -> Self {
        Function { runner: self.runner.with_functions(functions), ..self }
    }

    /// Sets the store for results and the messenger that sends them to destinations.
    #[must_use]
    pub fn with_results(self, store: Arc<dyn ResultStore>, messenger: Arc<dyn Messenger>) -> Self {
        Function { results: self.results.with_ports(store, messenger), ..self }
    }

    /// Handles an event and returns by the deadline or shortly after it. A panic becomes an
    /// `Internal` error.
    pub async fn handle(
        &self,
        event: &[u8],
        invocation: Invocation,
        deadline: Deadline,
    ) -> HandledEvent {
        self.handle_event(event, invocation, deadline, Outputs::default()).await
    }

    /// Handles an event and also returns the result of each record, which the response to some
    /// sources, such as SQS, does not contain. The list is empty for direct and HTTP events,
    /// because their response is the result.
    pub async fn handle_with_records(
        &self,
        event: &[u8],
        invocation: Invocation,
        deadline: Deadline,
    ) -> (HandledEvent, Vec<RecordResult>) {
        let mut records = Vec::new();
        let outputs = Outputs { records: Some(&mut records), ..Outputs::default() };
        let handled = self.handle_event(event, invocation, deadline, outputs).await;
        (handled, records)
    }

    /// Returns whether the responses of any entry point can be streamed.
    pub fn can_stream(&self) -> bool {
        !self.response_streaming.is_empty()
    }

    /// Handles an event whose caller may be able to receive a stream. Pass this method to
    /// [`start_response`](crate::start_response). The outcome of an event whose response is
    /// streamed is its result.
    pub async fn handle_streamed(
        &self,
        event: &[u8],
        invocation: Invocation,
        deadline: Deadline,
        stream: &ResponseSender,
    ) -> HandledEvent {
        let outputs = Outputs { stream: Some(stream), ..Outputs::default() };
        self.handle_event(event, invocation, deadline, outputs).await
    }

    /// Handles an event, and records its requests if they are traced or logged.
    async fn handle_event(
        &self,
        event: &[u8],
        invocation: Invocation,
        deadline: Deadline,
        outputs: Outputs<'_>,
    ) -> HandledEvent {
        match &self.tracer {
            None => self.handle_with(event, invocation, deadline, outputs).await,
            // The future is boxed, because most functions record nothing.
            Some(tracer) => {
                Box::pin(self.handle_traced(tracer, event, invocation, deadline, outputs)).await
            }
        }
    }

    /// Handles an event, and records its requests. The spans are sent before the response is
    /// complete, because Lambda stops the process after it.
    async fn handle_traced(
        &self,
        tracer: &Tracer,
        event: &[u8],
        invocation: Invocation,
        deadline: Deadline,
        outputs: Outputs<'_>,
    ) -> HandledEvent {
        let traces = tracer.start_event(invocation.trace_id.as_deref());
        let outputs = Outputs { traces: Some(&traces), ..outputs };
        let mut handled = self.handle_with(event, invocation, deadline, outputs).await;
        traces.finish(&mut handled.line, deadline).await;
        handled
    }

    async fn handle_with(
        &self,
        event: &[u8],
        invocation: Invocation,
        deadline: Deadline,
        outputs: Outputs<'_>,
    ) -> HandledEvent {
        let started = Instant::now();
        let stream = outputs.stream;
        let mut line = LogLine::new(String::new());
        line.cold = !self.is_warm.swap(true, Ordering::Relaxed);
        let outcome = match json::parse(event) {
            Ok(event) => {
                let handled = {
                    // The future is large, so it is pinned here and not moved.
                    let handle = std::pin::pin!(async {
                        let source = detect(&event);
                        line.source = source.name();
                        line.is_http = source.responds_with_status();
                        self.handle_source(source, event, &invocation, deadline, &mut line, outputs)
                            .await
                    });
                    AssertUnwindSafe(handle).catch_unwind().await
                };
                match handled {
                    Ok(outcome) => outcome,
                    Err(_) => {
                        let error = Error::new(ErrorKind::Internal, "the function panicked");
                        line.error = Some(error.clone());
                        Err(error)
                    }
                }
            }
            Err(error) => {
                let error = Error::invalid("", format!("the event is {error}"));
                line.error = Some(error.clone());
                Err(error)
            }
        };
        line.duration = started.elapsed();
        line.xray_trace_id = invocation.trace_id.as_deref().and_then(xray_root).map(str::to_owned);
        line.request_id = invocation.request_id;
        line.function_arn = invocation.function_arn;
        if let Some(stream) = stream {
            stream.finish(&outcome, &line);
        }
        HandledEvent { outcome, line }
    }

    async fn handle_source(
        &self,
        source: &'static dyn EventSource,
        event: Value,
        invocation: &Invocation,
        deadline: Deadline,
        line: &mut LogLine,
        outputs: Outputs<'_>,
    ) -> Result<Box<RawValue>, Error> {
        let Outputs { records: results, stream, traces } = outputs;
        let stream = stream.filter(|stream| self.streams(source, &event, stream));
        let schema = || request_schema_with(&self.providers);
        if let Route::Respond { status, response } = source.route(&event, invocation, &schema)? {
            line.status = Some(status);
            return Ok(response);
        }
        let timeout = self.http_deadline.saturating_sub(GATEWAY_RESERVE);
        let is_behind_gateway = stream.is_none() && source.is_behind_gateway(&event);
        let timeout = is_behind_gateway.then_some(timeout);
        let deadline = deadline.within(timeout);
        if let Some(traces) = traces {
            traces.set_header(source.traceparent(&event));
        }
        let caller = source.caller(&event);
        let authorization = source.authorize(&event, self.endpoint_auth);
        let authorized = self.authenticator.check(authorization, deadline).await;
        let records = match authorized.and_then(|()| source.records(event, invocation)) {
            Ok(records) => records,
            Err(error) => {
                line.error = Some(error.clone());
                return source.respond_with_error(invocation, error);
            }
        };
        let mut outcomes = {
            let result_use = match (source.responds_with_results(), &results) {
                (true, _) => ResultUse::InResponse,
                (false, Some(_)) => ResultUse::InList,
                (false, None) => ResultUse::None,
            };
            let (caller, values_left) = (caller.as_deref(), AtomicUsize::new(MAX_RESULT_VALUES));
            let runner = EventRunner {
                function: self,
                caller: Caller::new(caller, invocation, stream, traces),
                result_use,
                values_left,
                deadline,
            };
            Batch::new(self.record_concurrency, deadline, &runner).run(records).await
        };
        // No result is lost if a caller waits for the response, because the response contains the
        // result.
        let is_unsent =
            || outcomes.iter().flat_map(|record| &record.requests).any(RequestOutcome::is_unsent);
        if caller.is_none() && !self.results.has_place_for_records() && is_unsent() {
            line.warnings.push(LOST_RESULTS);
        }
        if let Some(results) = results.filter(|_| caller.is_none()) {
            *results = RecordResult::list(&outcomes);
        }
        line.set_records(&mut outcomes);
        if let Some(tags) = &line.report.tags {
            line.tag_dimensions = self.metric_tags.dimensions(tags);
        }
        let results = &self.results;
        match stream {
            None => response::build(source, outcomes, results, invocation, deadline, line).await,
            Some(stream) => {
                let response = response::build_streamed(
                    stream, source, outcomes, results, invocation, deadline, line,
                );
                Box::pin(response).await
            }
        }
    }

    /// Returns whether the responses of the event's entry point are sent in streaming mode.
    fn streams(&self, source: &dyn EventSource, event: &Value, stream: &ResponseSender) -> bool {
        let entry_point = source.streaming_entry_point(event);
        let entry_point = entry_point.filter(|it| self.response_streaming.contains(it));
        let entry_point = entry_point.filter(|it| stream.allows(*it));
        entry_point.inspect(|it| stream.set_entry_point(*it)).is_some()
    }
}

/// Where an event's results go besides its response.
#[derive(Default)]
struct Outputs<'a> {
    /// The list of the results of records.
    records: Option<&'a mut Vec<RecordResult>>,
    /// The stream, if the caller may be able to receive one.
    stream: Option<&'a ResponseSender>,
    /// The traces of the requests, if they are traced.
    traces: Option<&'a EventTraces<'a>>,
}

/// Runs the requests of one event.
struct EventRunner<'a> {
    function: &'a Function,
    caller: Caller<'a>,
    result_use: ResultUse,
    /// The number of JSON values that the results of further records may have.
    values_left: AtomicUsize,
    deadline: Deadline,
}

/// What the results of records are used for after they are stored and sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ResultUse {
    /// They are not used.
    None,
    /// The response to the event contains them.
    InResponse,
    /// The list of [`Function::handle_with_records`] contains them.
    InList,
}

impl EventRunner<'_> {
    /// Drops a result that is not used, and replaces one that would use too much memory together
    /// with the results of the other records.
    fn limit_result(&self, outcome: &mut RequestOutcome) {
        let Outcome::Done(result) = &mut outcome.outcome else { return };
        let values = count_values(result);
        let take = |left: usize| left.checked_sub(values);
        let fits = self.values_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        match (self.result_use, fits) {
            (ResultUse::None, _) => *result = Value::Null,
            (_, Ok(_)) => {}
            (ResultUse::InList, Err(_)) => *result = Value::from("(too large to be shown)"),
            (ResultUse::InResponse, Err(_)) => {
                let message = format!(
                    "the results of this event have more than {MAX_RESULT_VALUES} JSON values; \
                     reduce the batch size"
                );
                let error = Error::new(ErrorKind::ResultTooLarge, message);
                outcome.outcome = Outcome::Failed(outcome.report.add_details_to(error));
            }
        }
    }
}

/// Returns the number of values in a JSON value.
fn count_values(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count_values).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(count_values).sum::<usize>(),
        _ => 1,
    }
}

impl RequestRunner for EventRunner<'_> {
    async fn run(&self, request: RecordRequest, group: Option<&str>) -> RequestOutcome {
        let Function { runner, results, .. } = self.function;
        match self.caller.name {
            Some(_) => results.run_call(runner, request, &self.caller, self.deadline).await,
            None => {
                let caller = &self.caller;
                let run = results.run_record(runner, request, caller, group, self.deadline);
                // The future of a record is larger than that of a call, so it is boxed by itself.
                let mut outcome = Box::pin(run).await;
                self.limit_result(&mut outcome);
                outcome
            }
        }
    }
}
