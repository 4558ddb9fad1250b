//! Events wrapped into others, whatever their order: notifications of S3 in messages of SNS in
//! messages of SQS, and the like. What comes out is requests, and for each the innermost source
//! and its id.

use llm_exe::results::{OWN_MARK, OWN_WORD};
use llm_exe::{Error, json};
use serde_json::Value;

use crate::RecordRequest;
use crate::objects::Object;
use crate::shapes::{self, said, text};

/// How deep wrappings may go: S3 in SNS in SQS.
const MOST_DEEP: usize = 3;

/// The `source` of the events that tell of our own results.
const OURSELVES: &str = "llm-exe";

/// The way that a request came, so far.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    source: &'static str,
    /// Of the innermost wrapping that has an id.
    id: String,
    origins: Vec<String>,
    depth: usize,
}

impl Way {
    /// The way of what is not opened yet, of a delivery with this id.
    pub(crate) fn new(source: &'static str, delivery: &str) -> Self {
        Way { source, id: delivery.to_owned(), origins: Vec::new(), depth: 0 }
    }

    /// One wrapping further in.
    fn into_wrapping(self, source: &'static str, id: Option<&str>, origin: Option<&str>) -> Self {
        let id = id.map_or(self.id, str::to_owned);
        let mut origins = self.origins;
        origins.extend(origin.map(str::to_owned));
        Way { source, id, origins, depth: self.depth + 1 }
    }

    fn asks(self, body: Result<Value, Error>) -> Vec<RecordRequest> {
        vec![RecordRequest { source: self.source, id: self.id, origins: self.origins, body }]
    }

    fn refused(self, path: &str, message: String) -> Vec<RecordRequest> {
        self.asks(Err(Error::invalid(path, message)))
    }
}

/// What one record of SQS, SNS or S3 asks for.
pub(crate) fn record(way: Way, mut item: Value) -> Vec<RecordRequest> {
    match shapes::source_of(&item) {
        Some("aws:sqs") => {
            let arn = said(&item, "/eventSourceARN");
            let way = way.into_wrapping("sqs", said(&item, "/messageId"), arn);
            message(way, "body", taken(&mut item, "body"))
        }
        Some("aws:sns") => {
            let topic = said(&item, "/EventSubscriptionArn").and_then(topic_of).map(str::to_owned);
            notification(way, taken(&mut item, "Sns").unwrap_or_default(), topic)
        }
        Some("aws:s3") => object(way, &item),
        Some(other) => {
            let other = json::quoted(other);
            way.refused("eventSource", format!("records of {other} are not served"))
        }
        None => way.refused("eventSource", "is missing or not a string".to_owned()),
    }
}

/// What an event of EventBridge asks for.
pub(crate) fn bus_event(way: Way, mut event: Value) -> Vec<RecordRequest> {
    let way = way.into_wrapping("eventbridge", said(&event, "/id"), None);
    match (text(&event, "/source"), text(&event, "/detail-type")) {
        (Some(OURSELVES), _) => Vec::new(),
        (Some("aws.s3"), Some("Object Created")) => told(way, Object::created(&event)),
        (Some("aws.s3"), _) => Vec::new(),
        _ => match taken(&mut event, "detail") {
            Some(detail) => open(way, "the detail", detail),
            None => way.refused("detail", "is missing".to_owned()),
        },
    }
}

/// A record of a bucket: of a creation its object, of anything else nothing.
fn object(way: Way, item: &Value) -> Vec<RecordRequest> {
    let Some(name) = said(item, "/eventName") else {
        return way.refused("eventName", "is missing or not a string".to_owned());
    };
    if !name.trim_start_matches("s3:").starts_with("ObjectCreated:") {
        return Vec::new();
    }
    told(way.into_wrapping("s3", None, None), Object::notified(item))
}

/// One object has one id, whichever way its creation is told.
fn told(way: Way, object: Result<Object, Error>) -> Vec<RecordRequest> {
    match object {
        Ok(object) => {
            let id = object.id(&way.id);
            let mut origins = way.origins;
            origins.push(object.arn());
            vec![RecordRequest { source: "s3", id, origins, body: Ok(object.request()) }]
        }
        Err(error) => way.asks(Err(error)),
    }
}

/// A message of SNS, as `Sns` of a record or as the body of a queue's message.
fn notification(way: Way, mut envelope: Value, subscribed: Option<String>) -> Vec<RecordRequest> {
    let topic = said(&envelope, "/TopicArn").map(str::to_owned).or(subscribed);
    let way = way.into_wrapping("sns", said(&envelope, "/MessageId"), topic.as_deref());
    message(way, "Message", taken(&mut envelope, "Message"))
}

/// The text of a message; Pipes' templates may have made JSON of it already.
fn message(way: Way, field: &str, value: Option<Value>) -> Vec<RecordRequest> {
    let what = if field == "body" { "the body" } else { "the message" };
    match value {
        Some(Value::String(text)) => match json::parse(text.as_bytes()) {
            Ok(value) => open(way, what, value),
            Err(fault) => {
                // It tells places, not what stands there.
                let text = format!("{what} is {fault}");
                way.asks(Err(Error::invalid("", text.clone()).logged_as(text)))
            }
        },
        Some(value @ Value::Object(_)) => open(way, what, value),
        Some(other) => {
            let came = json::shown(&other);
            way.refused(field, format!("expected a text that is JSON, got {came}"))
        }
        None => way.refused(field, "is missing".to_owned()),
    }
}

/// A value that is a request, or one more wrapping.
fn open(way: Way, what: &str, value: Value) -> Vec<RecordRequest> {
    if shapes::is_test_event(&value) || shapes::is_empty_batch(&value) || is_own_note(&value) {
        return Vec::new();
    }
    let has_records = shapes::records(&value).is_some_and(|items| !items.is_empty());
    let is_record = shapes::is_record(&value);
    let is_notification = shapes::is_notification(&value);
    let is_bus_event = shapes::is_bus_event(&value);
    if !(has_records || is_record || is_notification || is_bus_event) {
        if value.is_object() {
            return way.asks(Ok(value));
        }
        let came = json::shown(&value);
        return way.refused("", format!("{what} is {came}; expected a request, a JSON object"));
    }
    if way.depth >= MOST_DEEP {
        let text = format!("{what} holds one more event; at most {MOST_DEEP} are opened");
        return way.refused("", text);
    }
    if has_records {
        let items = shapes::into_items(value).into_iter();
        return items.flat_map(|item| record(way.clone(), item)).collect();
    }
    if is_record {
        return record(way, value);
    }
    if is_notification {
        return notification(way, value, None);
    }
    bus_event(way, value)
}

/// Whether it tells of a result of ours: run, it would fail, and that would be told in turn.
fn is_own_note(value: &Value) -> bool {
    value.get(OWN_MARK).and_then(Value::as_str) == Some(OWN_WORD)
}

/// The topic of a subscription: its ARN less the last part.
fn topic_of(subscription: &str) -> Option<&str> {
    let (topic, _) = subscription.rsplit_once(':')?;
    (topic.matches(':').count() == 5).then_some(topic)
}

fn taken(value: &mut Value, field: &str) -> Option<Value> {
    value.get_mut(field).map(Value::take)
}
