//! Spans in OTLP, encoded as JSON.
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use std::time::{Duration, SystemTime};

use llm_exe::trace::{AttributeValue, SCHEMA_URL, Span, SpanKind, TraceId};
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

/// A span with the id of its trace.
pub(super) type TracedSpan = (TraceId, Span);

/// Returns the body of an export request.
pub(super) fn to_json(resource: &[(String, String)], spans: &[TracedSpan]) -> Vec<u8> {
    let request = Request { resource_spans: [ResourceSpans { resource, spans }] };
    // Serializing values of these types does not fail.
    serde_json::to_vec(&request).unwrap_or_default()
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    resource_spans: [ResourceSpans<'a>; 1],
}

struct ResourceSpans<'a> {
    resource: &'a [(String, String)],
    spans: &'a [TracedSpan],
}

impl Serialize for ResourceSpans<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let attributes = self.resource.iter().map(|(key, value)| {
            let value = Value::Text(value);
            Attribute { key, value }
        });
        let spans = self.spans.iter().map(EncodedSpan);
        let scope_spans = ScopeSpans {
            scope: Scope { name: "llm-exe", version: env!("CARGO_PKG_VERSION") },
            spans: spans.collect(),
            schema_url: SCHEMA_URL,
        };
        let mut fields = serializer.serialize_struct("ResourceSpans", 2)?;
        fields.serialize_field("resource", &Attributes { attributes: attributes.collect() })?;
        fields.serialize_field("scopeSpans", &[scope_spans])?;
        fields.end()
    }
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct ScopeSpans<'a> {
    scope: Scope,
    spans: Vec<EncodedSpan<'a>>,
    schema_url: &'static str,
}

#[derive(serde::Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(serde::Serialize)]
struct Attributes<'a> {
    attributes: Vec<Attribute<'a>>,
}

#[derive(serde::Serialize)]
struct Attribute<'a> {
    key: &'a str,
    value: Value<'a>,
}

enum Value<'a> {
    Text(&'a str),
    Other(&'a AttributeValue),
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut value = serializer.serialize_map(Some(1))?;
        match self {
            Value::Text(text) => value.serialize_entry("stringValue", text)?,
            Value::Other(AttributeValue::Text(text)) => {
                value.serialize_entry("stringValue", text)?
            }
            // 64-bit integers are strings in protobuf's JSON.
            Value::Other(AttributeValue::Integer(number)) => {
                value.serialize_entry("intValue", &number.to_string())?;
            }
            Value::Other(AttributeValue::Number(number)) => {
                value.serialize_entry("doubleValue", number)?;
            }
            Value::Other(AttributeValue::Flag(flag)) => value.serialize_entry("boolValue", flag)?,
            Value::Other(AttributeValue::Texts(texts)) => {
                let values: Vec<Value<'_>> = texts.iter().map(|text| Value::Text(text)).collect();
                value.serialize_entry("arrayValue", &ArrayValue { values })?;
            }
            // Another crate's enum can get more variants.
            Value::Other(_) => value.serialize_entry("stringValue", "")?,
        }
        value.end()
    }
}

#[derive(serde::Serialize)]
struct ArrayValue<'a> {
    values: Vec<Value<'a>>,
}

struct EncodedSpan<'a>(&'a TracedSpan);

impl Serialize for EncodedSpan<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (trace_id, span) = self.0;
        let Span { id, parent, name, kind, start, duration, .. } = span;
        let attributes = span.attributes.iter().map(|(key, value)| {
            let value = Value::Other(value);
            Attribute { key, value }
        });
        let mut fields = serializer.serialize_struct("Span", 9)?;
        fields.serialize_field("traceId", &trace_id.to_string())?;
        fields.serialize_field("spanId", &id.to_string())?;
        if let Some(parent) = parent {
            fields.serialize_field("parentSpanId", &parent.to_string())?;
        }
        fields.serialize_field("name", name)?;
        let kind = if *kind == SpanKind::Client { 3 } else { 1 };
        fields.serialize_field("kind", &kind)?;
        fields.serialize_field("startTimeUnixNano", &nanoseconds(*start))?;
        fields.serialize_field("endTimeUnixNano", &nanoseconds(*start + *duration))?;
        fields.serialize_field("attributes", &attributes.collect::<Vec<_>>())?;
        if let Some(error) = &span.error {
            let status = Status { code: 2, message: &error.message };
            fields.serialize_field("status", &status)?;
        }
        fields.end()
    }
}

/// The status of a failed operation.
#[derive(serde::Serialize)]
struct Status<'a> {
    code: u8,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
}

fn nanoseconds(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    since.as_nanos().to_string()
}
