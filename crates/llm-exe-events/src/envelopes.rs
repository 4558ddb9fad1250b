//! Extracts requests from envelopes, which are events that contain a request or another event. An
//! example is an S3 notification in an SNS message in an SQS message. Each request receives the
//! source and the id of its innermost envelope.

use llm_exe::{Error, json};
use serde_json::Value;

use crate::foreign;
use crate::record::RecordRequest;
use crate::s3_object::S3Object;
use crate::shapes::{self, non_empty_string, string};

/// The field that marks a message as a notification about an llm-exe result.
pub const RESULT_MARK_FIELD: &str = "llmExe";

/// The value that [`RESULT_MARK_FIELD`] has in such a notification.
pub const RESULT_MARK_VALUE: &str = "result";

/// Maximum nesting depth of events, which allows an S3 notification in an SNS message in an SQS
/// message.
const MAX_DEPTH: usize = 3;

/// The `source` field of the EventBridge events that llm-exe sends about its own results.
const OWN_EVENT_SOURCE: &str = "llm-exe";

/// A kind of record that is supported in `Records` and in nested events.
struct RecordKind {
    /// The `eventSource` of such a record.
    event_source: &'static str,
    /// The field that contains the message or the object.
    payload: &'static str,
    /// Returns the requests in a record.
    requests: fn(Provenance, Value) -> Vec<RecordRequest>,
}

const RECORD_KINDS: &[RecordKind] = &[
    RecordKind { event_source: "aws:sqs", payload: "body", requests: requests_in_queue_message },
    RecordKind { event_source: "aws:sns", payload: "Sns", requests: requests_in_topic_record },
    RecordKind { event_source: "aws:s3", payload: "s3", requests: requests_in_s3_record },
];

/// Returns the kind of a record, or `None` if its source is not supported.
fn kind_of(item: &Value) -> Option<&'static RecordKind> {
    let source = shapes::source_of(item)?;
    RECORD_KINDS.iter().find(|kind| kind.event_source == source)
}

/// Returns the supported values of `eventSource` for error messages, such as `aws:sqs or aws:s3`.
pub(crate) fn supported_sources() -> String {
    let names: Vec<&str> = RECORD_KINDS.iter().map(|kind| kind.event_source).collect();
    match names.split_last() {
        Some((last, names)) if !names.is_empty() => format!("{} or {last}", names.join(", ")),
        _ => names.concat(),
    }
}

/// The origin of a request, according to the envelopes around it.
#[derive(Debug, Clone)]
pub(crate) struct Provenance {
    source: &'static str,
    /// The id of the innermost envelope that has an id.
    id: String,
    origins: Vec<String>,
    received_before: bool,
    depth: usize,
}

impl Provenance {
    /// Creates the provenance of a request before any envelope is added. `delivery` is the id to
    /// use if no envelope has one.
    pub(crate) fn new(source: &'static str, delivery: &str) -> Self {
        let (id, origins) = (delivery.to_owned(), Vec::new());
        Provenance { source, id, origins, received_before: false, depth: 0 }
    }

    /// Adds an envelope nested in the current one.
    fn enter(self, source: &'static str, id: Option<&str>, origin: Option<&str>) -> Self {
        let id = id.map_or(self.id, str::to_owned);
        let mut origins = self.origins;
        origins.extend(origin.map(str::to_owned));
        Provenance { source, id, origins, depth: self.depth + 1, ..self }
    }

    fn request(self, body: Result<Value, Error>) -> Vec<RecordRequest> {
        let Provenance { source, id, origins, received_before, .. } = self;
        vec![RecordRequest { source, id, origins, received_before, body }]
    }

    fn invalid(self, path: &str, message: String) -> Vec<RecordRequest> {
        self.request(Err(Error::invalid(path, message)))
    }
}

/// Returns the requests in a record.
pub(crate) fn requests_in_record(provenance: Provenance, item: Value) -> Vec<RecordRequest> {
    match (kind_of(&item), shapes::source_of(&item)) {
        (Some(kind), _) => (kind.requests)(provenance, item),
        (None, Some(source)) => {
            let message = format!(
                "records from {} are not supported; expected {}",
                json::quoted(source),
                supported_sources()
            );
            provenance.invalid("eventSource", message)
        }
        (None, None) => provenance.invalid("eventSource", "is missing or not a string".to_owned()),
    }
}

fn requests_in_queue_message(provenance: Provenance, mut item: Value) -> Vec<RecordRequest> {
    let id = non_empty_string(&item, "/messageId");
    let arn = non_empty_string(&item, "/eventSourceARN");
    let received_before = was_received_before(&item);
    let provenance = Provenance { received_before, ..provenance.enter("sqs", id, arn) };
    requests_in_message(provenance, "body", take(&mut item, "body"))
}

/// Returns true if the queue has delivered the message before.
fn was_received_before(message: &Value) -> bool {
    let count = non_empty_string(message, "/attributes/ApproximateReceiveCount");
    count.and_then(|count| count.parse().ok()).is_some_and(|count: u64| count > 1)
}

fn requests_in_topic_record(provenance: Provenance, mut item: Value) -> Vec<RecordRequest> {
    let topic = non_empty_string(&item, "/EventSubscriptionArn").and_then(topic_arn);
    let topic = topic.map(str::to_owned);
    requests_in_notification(provenance, take(&mut item, "Sns").unwrap_or_default(), topic)
}

/// Returns the requests in an EventBridge event.
pub(crate) fn requests_in_bus_event(
    provenance: Provenance,
    mut event: Value,
) -> Vec<RecordRequest> {
    let provenance = provenance.enter("eventbridge", non_empty_string(&event, "/id"), None);
    match (string(&event, "/source"), string(&event, "/detail-type")) {
        (Some(OWN_EVENT_SOURCE), _) => Vec::new(),
        (Some("aws.s3"), Some("Object Created")) => {
            request_for_object(provenance, S3Object::from_bus_event(&event))
        }
        (Some("aws.s3"), _) => Vec::new(),
        _ => match take(&mut event, "detail") {
            Some(detail) if has_no_request(&detail) => {
                let name = |path| json::quoted(string(&event, path).unwrap_or_default());
                let message = format!(
                    "expected a request, got the detail of an event of {} with the detail-type {}",
                    name("/source"),
                    name("/detail-type")
                );
                provenance.invalid("detail", message)
            }
            Some(detail) => requests_in_payload(provenance, "detail", detail),
            None => provenance.invalid("detail", "is missing".to_owned()),
        },
    }
}

/// Returns true if the value is an object that is neither a request nor an envelope, such as the
/// detail of an event of another AWS service.
fn has_no_request(value: &Value) -> bool {
    value.is_object()
        && !shapes::is_request(value)
        && !is_envelope(value)
        && !is_skipped(value)
        && foreign::service_of(value).is_none()
}

/// Returns the request for a created S3 object. Other S3 events, such as deletions, contain no
/// requests.
fn requests_in_s3_record(provenance: Provenance, item: Value) -> Vec<RecordRequest> {
    let Some(name) = non_empty_string(&item, "/eventName") else {
        return provenance.invalid("eventName", "is missing or not a string".to_owned());
    };
    if !name.trim_start_matches("s3:").starts_with("ObjectCreated:") {
        return Vec::new();
    }
    request_for_object(provenance.enter("s3", None, None), S3Object::from_notification(&item))
}

/// Returns the request for an S3 object. Its id is derived from the object, so that it does not
/// depend on how the event was delivered.
fn request_for_object(
    provenance: Provenance,
    object: Result<S3Object, Error>,
) -> Vec<RecordRequest> {
    match object {
        Ok(object) => {
            let id = object.id(&provenance.id);
            let mut origins = provenance.origins;
            origins.push(object.bucket_arn());
            let (received_before, body) = (provenance.received_before, Ok(object.to_request()));
            vec![RecordRequest { source: "s3", id, origins, received_before, body }]
        }
        Err(error) => provenance.request(Err(error)),
    }
}

/// Returns the requests in an SNS message. `envelope` is the `Sns` field of a record or the body of
/// an SQS message.
fn requests_in_notification(
    provenance: Provenance,
    mut envelope: Value,
    subscription_topic: Option<String>,
) -> Vec<RecordRequest> {
    let topic = non_empty_string(&envelope, "/TopicArn").map(str::to_owned).or(subscription_topic);
    let id = non_empty_string(&envelope, "/MessageId");
    let provenance = provenance.enter("sns", id, topic.as_deref());
    requests_in_message(provenance, "Message", take(&mut envelope, "Message"))
}

/// Returns the requests in the body of a message. The body is a string that contains JSON, unless
/// an EventBridge Pipes input template has already parsed it into an object.
fn requests_in_message(
    provenance: Provenance,
    field: &str,
    value: Option<Value>,
) -> Vec<RecordRequest> {
    let name = if field == "body" { "body" } else { "message" };
    match value {
        Some(Value::String(text)) => match json::parse(text.as_bytes()) {
            Ok(value) => requests_in_payload(provenance, name, value),
            Err(error) => {
                // The parser's message gives a position but quotes no content, so it may be logged.
                let message = format!("the {name} is {error}");
                provenance.request(Err(Error::invalid("", message.clone()).logged_as(message)))
            }
        },
        Some(value @ Value::Object(_)) => requests_in_payload(provenance, name, value),
        Some(other) => {
            let message =
                format!("expected a string that contains JSON, got {}", json::shown(&other));
            provenance.invalid(field, message)
        }
        None => provenance.invalid(field, "is missing".to_owned()),
    }
}

/// Returns the requests in the payload of an envelope, which is a request or a nested envelope.
fn requests_in_payload(provenance: Provenance, name: &str, value: Value) -> Vec<RecordRequest> {
    if is_skipped(&value) {
        return Vec::new();
    }
    if !is_envelope(&value) {
        if let Some(service) = foreign::service_of(&value) {
            return provenance.request(Err(foreign::unsupported(service)));
        }
        if value.is_object() {
            return provenance.request(Ok(value));
        }
        let message =
            format!("the {name} is {}; expected a request (a JSON object)", json::shown(&value));
        return provenance.invalid("", message);
    }
    if provenance.depth >= MAX_DEPTH {
        let message = format!(
            "events are nested too deeply in the {name}; at most {MAX_DEPTH} levels are supported"
        );
        return provenance.invalid("", message);
    }
    if has_records(&value) {
        let items = shapes::into_items(value).into_iter();
        return items.flat_map(|item| requests_in_record(provenance.clone(), item)).collect();
    }
    if is_record(&value) {
        return requests_in_record(provenance, value);
    }
    if shapes::is_notification(&value) {
        return requests_in_notification(provenance, value, None);
    }
    requests_in_bus_event(provenance, value)
}

/// Returns true if the payload of an envelope succeeds without running anything.
fn is_skipped(value: &Value) -> bool {
    shapes::is_test_event(value) || shapes::is_empty_batch(value) || is_own_result(value)
}

/// Returns true if the value contains requests or other events.
fn is_envelope(value: &Value) -> bool {
    has_records(value)
        || is_record(value)
        || shapes::is_notification(value)
        || shapes::is_bus_event(value)
}

fn has_records(value: &Value) -> bool {
    shapes::records(value).is_some_and(|items| !items.is_empty())
}

/// Returns true if the value is a single record outside of a `Records` array.
fn is_record(value: &Value) -> bool {
    kind_of(value).is_some_and(|kind| value.get(kind.payload).is_some())
        && !shapes::is_request(value)
}

/// Returns true if the value is a notification about an llm-exe result. If it were run as a
/// request, the run would fail and send another notification.
fn is_own_result(value: &Value) -> bool {
    value.get(RESULT_MARK_FIELD).and_then(Value::as_str) == Some(RESULT_MARK_VALUE)
}

/// Returns the topic ARN of an SNS subscription, which is the subscription ARN without its last
/// part.
fn topic_arn(subscription: &str) -> Option<&str> {
    let (topic, _) = subscription.rsplit_once(':')?;
    (topic.matches(':').count() == 5).then_some(topic)
}

fn take(value: &mut Value, field: &str) -> Option<Value> {
    value.get_mut(field).map(Value::take)
}
