//! Traces of requests: which span is around a request, which requests are traced, and the export of
//! their spans.

mod exporter;
mod otlp;
mod parent;
mod sampler;

use std::sync::{Arc, Mutex, PoisonError};

use llm_exe::ports::Signer;
use llm_exe::trace::{self, AttributeValue, Trace, TraceId, TraceParent};
use llm_exe::transport::HttpClient;
use llm_exe::{Deadline, Keys};
use serde_json::Value;

use crate::log_line::{LogLine, LoggedContent};
use crate::settings::TraceSettings;
use exporter::Exporter;
use parent::xray_parent;
pub(crate) use parent::xray_root;
pub use sampler::Sampler;

/// Maximum number of spans of one event that are exported.
const MAX_EXPORTED_SPANS: usize = 5_000;

/// Maximum size of the contents of one event that are exported, in bytes. CloudWatch accepts
/// requests of at most 5 MB.
const MAX_EXPORTED_CONTENT_BYTES: usize = 3 * 1024 * 1024;

/// Records requests: exports their spans and logs their contents.
pub(crate) struct Tracer {
    exporter: Option<Exporter>,
    logs_contents: bool,
}

impl Tracer {
    /// Creates a tracer, or returns `None` if neither traces are exported nor contents are logged.
    pub(crate) fn new(
        settings: Option<&TraceSettings>,
        logs_contents: bool,
        keys: &Arc<dyn Keys>,
    ) -> Option<Box<Self>> {
        let new_exporter = |it: &TraceSettings| Exporter::new(it.clone(), Arc::clone(keys));
        let exporter = settings.map(new_exporter);
        let is_used = exporter.is_some() || logs_contents;
        is_used.then(|| Box::new(Tracer { exporter, logs_contents }))
    }

    /// Sets the HTTP client of the exporter.
    pub(crate) fn set_http(&mut self, client: HttpClient) {
        if let Some(exporter) = &mut self.exporter {
            exporter.set_http(client);
        }
    }

    /// Sets the signer of the exporter.
    pub(crate) fn set_signer(&mut self, signer: Arc<dyn Signer>) {
        if let Some(exporter) = &mut self.exporter {
            exporter.set_signer(signer);
        }
    }

    /// Starts recording an event. `xray` is the value of `X-Amzn-Trace-Id`.
    pub(crate) fn start_event(&self, xray: Option<&str>) -> EventTraces<'_> {
        if let Some(exporter) = &self.exporter {
            exporter.prepare();
        }
        EventTraces {
            tracer: self,
            xray: xray.map(str::to_owned),
            header: Mutex::default(),
            traces: Mutex::default(),
        }
    }
}

/// The traces of the requests of one event.
pub(crate) struct EventTraces<'a> {
    tracer: &'a Tracer,
    /// The value of `X-Amzn-Trace-Id` of the invocation.
    xray: Option<String>,
    /// The value of the header `traceparent` of an HTTP request.
    header: Mutex<Option<TraceParent>>,
    traces: Mutex<Vec<RecordedTrace>>,
}

impl std::fmt::Debug for EventTraces<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventTraces").finish_non_exhaustive()
    }
}

struct RecordedTrace {
    trace: Trace,
    is_exported: bool,
}

impl EventTraces<'_> {
    /// Sets the value of the header `traceparent` of an HTTP request. One that is not valid is
    /// ignored, as W3C Trace Context requires.
    pub(crate) fn set_header(&self, header: Option<&str>) {
        let parent = header.and_then(|header| header.parse().ok());
        *self.header.lock().unwrap_or_else(PoisonError::into_inner) = parent;
    }

    /// Starts the trace of a request, or returns `None` if nothing is recorded about it.
    pub(crate) fn start(&self, request: &Value) -> Option<Trace> {
        let field = request.get("traceparent").and_then(Value::as_str);
        let header = || *self.header.lock().unwrap_or_else(PoisonError::into_inner);
        let exporter = self.tracer.exporter.as_ref();
        let parent = field.and_then(|text| text.parse().ok()).or_else(header).or_else(|| {
            // A parent that is not sampled was not exported to X-Ray. It decides about exports to
            // X-Ray only.
            let parent = self.xray.as_deref().and_then(xray_parent)?;
            let counts = parent.is_sampled || exporter.is_some_and(Exporter::is_xray);
            counts.then_some(parent)
        });
        let id = parent.map_or_else(TraceId::random, |parent| parent.trace_id);
        let is_sampled = parent.map(|parent| parent.is_sampled);
        let is_exported = exporter.is_some_and(|it| it.settings().sampler.samples(id, is_sampled));
        let logs_contents = self.tracer.logs_contents;
        if !is_exported && !logs_contents {
            return None;
        }
        let mut trace = Trace::new(id, parent.map(|parent| parent.span_id));
        if logs_contents || exporter.is_some_and(|it| it.settings().has_content) {
            trace = trace.with_content();
        }
        let recorded = RecordedTrace { trace: trace.clone(), is_exported };
        self.traces.lock().unwrap_or_else(PoisonError::into_inner).push(recorded);
        Some(trace)
    }

    /// Exports the spans, and adds the contents to the log line. Errors of the export are counted
    /// in the line.
    pub(crate) async fn finish(self, line: &mut LogLine, deadline: Deadline) {
        let traces = self.traces.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut exported = Vec::new();
        for RecordedTrace { trace, is_exported } in traces {
            let spans = trace.take_spans();
            if self.tracer.logs_contents {
                line.contents.extend(spans.iter().filter_map(LoggedContent::from_span));
            }
            if !is_exported {
                continue;
            }
            line.dropped_spans += trace.dropped_spans();
            line.trace_id.get_or_insert_with(|| trace.id());
            if exported.len() + spans.len() > MAX_EXPORTED_SPANS {
                line.dropped_spans += u32::try_from(spans.len()).unwrap_or(u32::MAX);
                continue;
            }
            for mut span in spans {
                if span.parent == trace.parent() {
                    let id = line.request_id.clone().into();
                    span.attributes.push(("faas.invocation_id".into(), id));
                }
                exported.push((trace.id(), span));
            }
        }
        let Some(exporter) = self.tracer.exporter.as_ref().filter(|_| !exported.is_empty()) else {
            return;
        };
        let mut bytes_left = match exporter.settings().has_content {
            true => MAX_EXPORTED_CONTENT_BYTES,
            false => 0,
        };
        for (_, span) in &mut exported {
            span.attributes.retain(|(name, value)| match value {
                AttributeValue::Text(text) if trace::CONTENT_ATTRIBUTES.contains(&&**name) => {
                    let left = bytes_left.checked_sub(text.len());
                    bytes_left = left.unwrap_or(bytes_left);
                    left.is_some()
                }
                _ => true,
            });
        }
        if let Err(error) = exporter.export(&exported, deadline).await {
            line.dropped_spans += u32::try_from(error.dropped).unwrap_or(u32::MAX);
            line.trace_error = Some(error.reason);
        }
    }
}
