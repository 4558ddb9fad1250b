//! Spans of a run: what it did, when, and for how long. A [`Trace`] collects them while the run is
//! in progress, and the program exports them. Without a trace, a run records nothing.
//!
//! The names follow OpenTelemetry's conventions for generative AI: `invoke_workflow` for the run
//! and for each step of a chain, `chat` for each call of a provider, and `execute_tool` for each
//! run of a tool.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use std::time::Duration;
//!
//! use llm_exe::trace::{Trace, TraceId};
//! use llm_exe::{Context, Deadline};
//! use serde_json::json;
//!
//! let client = llm_exe::Client::builder().build()?;
//! let trace = Trace::new(TraceId::random(), None);
//! let deadline = Deadline::after(Duration::from_secs(10));
//! let context = Context::new(deadline).with_trace(trace.clone());
//! client.run_with(context, json!({ "provider": "ollama", "message": "Hi" })).await;
//! let spans = trace.take_spans();
//! assert_eq!(spans[0].name, "invoke_workflow");
//! let error = spans[0].error.as_ref().expect("the request has no model");
//! assert_eq!(error.kind, "InvalidRequest");
//! # Ok::<(), llm_exe::BuildError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod content;
mod names;
mod parent;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

pub use content::MAX_CONTENT_BYTES;
pub(crate) use content::{input_messages, output_messages, text as content_text};
pub(crate) use names::*;
pub use names::{
    CONTENT_ATTRIBUTES, INPUT_MESSAGES, OUTPUT_MESSAGES, SCHEMA_URL, TOOL_CALL_ARGUMENTS,
    TOOL_CALL_RESULT,
};
pub use parent::{InvalidTraceParent, SpanId, TraceId, TraceParent};

use crate::chat::Usage;
use crate::error::Error;

/// Maximum number of spans of a trace. Further spans are only counted.
pub const MAX_SPANS: usize = 1_000;

/// Maximum size of the contents of a trace in bytes. Further contents are not recorded.
pub const MAX_TRACE_CONTENT_BYTES: usize = 1024 * 1024;

/// How a span relates to its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanKind {
    /// An operation in this process.
    Internal,
    /// A request to another service.
    Client,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AttributeValue {
    /// A text.
    Text(Cow<'static, str>),
    /// A list of texts.
    Texts(Vec<String>),
    /// An integer.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A boolean.
    Flag(bool),
}

impl From<&'static str> for AttributeValue {
    fn from(text: &'static str) -> Self {
        AttributeValue::Text(Cow::Borrowed(text))
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        AttributeValue::Text(Cow::Owned(text))
    }
}

impl From<u64> for AttributeValue {
    fn from(number: u64) -> Self {
        AttributeValue::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanError {
    /// The type of the error, such as `Timeout`, or `cancelled` if the operation did not end.
    pub kind: Cow<'static, str>,
    /// The error message, without prompts and replies. It is empty if there is none.
    pub message: String,
}

/// An operation that ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Span {
    /// The id.
    pub id: SpanId,
    /// The span around this one.
    pub parent: Option<SpanId>,
    /// The name, such as `chat gpt-4o-mini`.
    pub name: String,
    /// How the span relates to its parent.
    pub kind: SpanKind,
    /// When the operation started.
    pub start: SystemTime,
    /// How long the operation took.
    pub duration: Duration,
    /// The attributes.
    pub attributes: Vec<(Cow<'static, str>, AttributeValue)>,
    /// Why the operation failed, or `None` if it succeeded.
    pub error: Option<SpanError>,
}

/// Collects the spans of one run. Clones share them.
#[derive(Debug, Clone)]
pub struct Trace(Arc<SharedTrace>);

#[derive(Debug)]
struct SharedTrace {
    id: TraceId,
    parent: Option<SpanId>,
    has_content: bool,
    spans: Mutex<CollectedSpans>,
}

#[derive(Debug, Default)]
struct CollectedSpans {
    spans: Vec<Span>,
    /// The number of spans that have started.
    started: usize,
    /// The number of spans that were not recorded.
    dropped: u32,
    content_bytes: usize,
}

impl Trace {
    /// Creates a trace, whose first span has the given parent.
    pub fn new(id: TraceId, parent: Option<SpanId>) -> Self {
        let spans = Mutex::default();
        Trace(Arc::new(SharedTrace { id, parent, has_content: false, spans }))
    }

    /// Also records prompts, replies, and the arguments and results of tools, each with at most
    /// [`MAX_CONTENT_BYTES`]. API keys are removed from them.
    #[must_use]
    pub fn with_content(self) -> Self {
        let (id, parent, spans) = (self.0.id, self.0.parent, Mutex::default());
        Trace(Arc::new(SharedTrace { id, parent, has_content: true, spans }))
    }

    /// Returns the id of the trace.
    pub fn id(&self) -> TraceId {
        self.0.id
    }

    /// Returns the parent of the first span.
    pub fn parent(&self) -> Option<SpanId> {
        self.0.parent
    }

    /// Returns the spans that ended since the last call, in the order in which they ended.
    pub fn take_spans(&self) -> Vec<Span> {
        std::mem::take(&mut self.lock().spans)
    }

    /// Returns the number of spans that were not recorded, because the trace had [`MAX_SPANS`].
    pub fn dropped_spans(&self) -> u32 {
        self.lock().dropped
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, CollectedSpans> {
        self.0.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether a span that starts now is recorded. This is decided at the start, so that
    /// the outer spans, which end last, are.
    fn accept_span(&self) -> bool {
        let mut collected = self.lock();
        let accepts = collected.started < MAX_SPANS;
        match accepts {
            true => collected.started += 1,
            false => collected.dropped += 1,
        }
        accepts
    }

    /// Reserves space for a content, and returns whether there is enough.
    fn reserve_content(&self, bytes: usize) -> bool {
        let mut collected = self.lock();
        let size = collected.content_bytes + bytes;
        let fits = size <= MAX_TRACE_CONTENT_BYTES;
        if fits {
            collected.content_bytes = size;
        }
        fits
    }
}

/// The place of a run in a trace: the span in which its own spans are.
#[derive(Debug, Clone)]
pub(crate) struct TraceScope {
    trace: Trace,
    parent: Option<SpanId>,
}

impl TraceScope {
    /// Creates the scope of the outermost run.
    pub(crate) fn new(trace: Trace) -> Self {
        let parent = trace.0.parent;
        TraceScope { trace, parent }
    }

    /// Starts a span in this scope. `operation` is its name in the conventions, and `target` is
    /// what it operates on, such as a model.
    pub(crate) fn start(&self, operation: &'static str, target: Option<&str>) -> OpenSpan {
        let kind = if operation == CHAT { SpanKind::Client } else { SpanKind::Internal };
        let name = match target {
            Some(target) => format!("{operation} {target}"),
            None => operation.to_owned(),
        };
        let attributes = vec![(Cow::Borrowed(OPERATION_NAME), operation.into())];
        let (id, start, duration) = (SpanId::random(), SystemTime::now(), Duration::ZERO);
        let (trace, parent) = (self.trace.clone(), self.parent);
        let span = Span { id, parent, name, kind, start, duration, attributes, error: None };
        let span = trace.accept_span().then(|| Box::new(span));
        OpenSpan { trace, span, id, started: Instant::now() }
    }
}

/// A span whose operation has not ended. If it is dropped before, the operation was cancelled.
#[derive(Debug)]
pub(crate) struct OpenSpan {
    trace: Trace,
    /// `None` once the span has ended.
    span: Option<Box<Span>>,
    id: SpanId,
    started: Instant,
}

impl OpenSpan {
    /// Returns the scope of the operations in this one.
    pub(crate) fn scope(&self) -> TraceScope {
        TraceScope { trace: self.trace.clone(), parent: Some(self.id) }
    }

    /// Appends what the operation operates on to the name of the span.
    pub(crate) fn set_target(&mut self, target: &str) {
        if let Some(span) = &mut self.span {
            span.name.push(' ');
            span.name.push_str(target);
        }
    }

    /// Adds an attribute.
    pub(crate) fn add(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<AttributeValue>,
    ) {
        if let Some(span) = &mut self.span {
            span.attributes.push((name.into(), value.into()));
        }
    }

    /// Adds an attribute, unless the value is missing.
    pub(crate) fn add_some<V: Into<AttributeValue>>(
        &mut self,
        name: &'static str,
        value: Option<V>,
    ) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    /// Adds a content, if the trace records contents and has space for it.
    pub(crate) fn add_content(&mut self, name: &'static str, content: impl FnOnce() -> String) {
        if !self.trace.0.has_content {
            return;
        }
        let content = content();
        if self.trace.reserve_content(content.len()) {
            self.add(name, content);
        }
    }

    /// Adds token counts. As the conventions require, the input includes cached tokens, and the
    /// output includes those of the reasoning.
    pub(crate) fn add_usage(&mut self, usage: Usage) {
        let Usage { input_tokens, output_tokens, cached_input_tokens, .. } = usage;
        let Usage { cache_write_tokens, reasoning_tokens, .. } = usage;
        let input = input_tokens.saturating_add(cached_input_tokens);
        self.add(USAGE_INPUT_TOKENS, input.saturating_add(cache_write_tokens));
        self.add(USAGE_OUTPUT_TOKENS, output_tokens.saturating_add(reasoning_tokens));
        for (name, count) in [
            (USAGE_CACHE_READ, cached_input_tokens),
            (USAGE_CACHE_CREATION, cache_write_tokens),
            (USAGE_REASONING, reasoning_tokens),
        ] {
            self.add_some(name, (count > 0).then_some(count));
        }
    }

    /// Sets the duration to the time since the start.
    pub(crate) fn stop_clock(&mut self) {
        let duration = self.started.elapsed();
        if let Some(span) = &mut self.span {
            span.duration = duration;
        }
    }

    /// Ends the operation with an error.
    pub(crate) fn fail(self, error: &Error) {
        let (kind, message) = (Cow::Borrowed(error.kind().name()), error.for_log());
        self.end(Some(SpanError { kind, message }));
    }

    /// Ends the operation with a type of error, but without a message.
    pub(crate) fn fail_as(self, kind: &'static str) {
        self.end(Some(SpanError { kind: Cow::Borrowed(kind), message: String::new() }));
    }

    /// Ends the operation.
    pub(crate) fn succeed(self) {
        self.end(None);
    }

    fn end(mut self, error: Option<SpanError>) {
        self.record(error);
    }

    fn record(&mut self, error: Option<SpanError>) {
        let Some(mut span) = self.span.take() else { return };
        if span.duration.is_zero() {
            span.duration = self.started.elapsed();
        }
        if let Some(error) = &error {
            let kind = AttributeValue::Text(error.kind.clone());
            span.attributes.push((Cow::Borrowed(ERROR_TYPE), kind));
        }
        span.error = error;
        self.trace.lock().spans.push(*span);
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        let kind = Cow::Borrowed("cancelled");
        self.record(Some(SpanError { kind, message: String::new() }));
    }
}

#[cfg(test)]
mod tests {
    use super::{CHAT, INVOKE_WORKFLOW, MAX_SPANS, Trace, TraceId, TraceScope};

    #[test]
    fn outer_spans_are_recorded_although_they_end_last() {
        let trace = Trace::new(TraceId::random(), None);
        let outer = TraceScope::new(trace.clone()).start(INVOKE_WORKFLOW, None);
        for _ in 0..MAX_SPANS + 10 {
            outer.scope().start(CHAT, Some("m")).succeed();
        }
        outer.succeed();
        let spans = trace.take_spans();
        assert_eq!((spans.len(), trace.dropped_spans()), (MAX_SPANS, 11));
        let last = spans.last().unwrap();
        assert_eq!((&*last.name, last.parent), (INVOKE_WORKFLOW, None));
    }

    #[test]
    fn a_span_that_is_dropped_was_cancelled() {
        let trace = Trace::new(TraceId::random(), None).with_content();
        let mut span = TraceScope::new(trace.clone()).start(CHAT, None);
        span.add_content("a", || "content".to_owned());
        span.add_content("b", || "x".repeat(super::MAX_TRACE_CONTENT_BYTES));
        drop(span);
        let span = trace.take_spans().remove(0);
        assert_eq!(span.error.unwrap().kind, "cancelled");
        let names: Vec<_> = span.attributes.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["gen_ai.operation.name", "a", "error.type"]);
    }
}
