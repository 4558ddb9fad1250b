//! What the shape of a value says of it: an event, one wrapped into another, or a request.

use serde_json::Value;

/// Fields that a request has and no event of AWS. With one of them at its top a value is a
/// request, whatever else it carries.
const OF_REQUESTS: &[&str] =
    &["provider", "providor", "model", "message", "output", "schema", "key", "url", "steps"];

/// Whether a value is a caller's request and not an event that looks like one.
pub(crate) fn is_request(value: &Value) -> bool {
    OF_REQUESTS.iter().any(|name| value.get(name).is_some())
}

/// A text somewhere within a value.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// A text that says something.
pub(crate) fn said<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    text(value, pointer).filter(|text| !text.is_empty())
}

/// The items of `Records`, of a value that is no request.
pub(crate) fn records(value: &Value) -> Option<&Vec<Value>> {
    let records = value.get("Records").and_then(Value::as_array)?;
    (!is_request(value)).then_some(records)
}

/// The items of `Records` or of the list, by value.
pub(crate) fn into_items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        Value::Object(mut fields) => match fields.remove("Records") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// `Records` without a record and beside nothing else.
pub(crate) fn is_empty_batch(value: &Value) -> bool {
    let is_alone = value.as_object().is_some_and(|fields| fields.len() == 1);
    is_alone && records(value).is_some_and(Vec::is_empty)
}

/// What a record says of its source, like `aws:sqs`; SNS alone writes the name with a capital.
pub(crate) fn source_of(item: &Value) -> Option<&str> {
    text(item, "/eventSource").or_else(|| text(item, "/EventSource"))
}

/// Whether all records, of which there is one at least, are of this source.
pub(crate) fn all_of(items: &[Value], source: &str) -> bool {
    !items.is_empty() && items.iter().all(|item| source_of(item) == Some(source))
}

/// An event of EventBridge, or what a template made to look like one.
pub(crate) fn is_bus_event(value: &Value) -> bool {
    text(value, "/detail-type").is_some() && value.get("detail").is_some() && !is_request(value)
}

/// What S3 sends to try a notification that was just configured.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
pub(crate) fn is_test_event(value: &Value) -> bool {
    text(value, "/Event") == Some("s3:TestEvent") && !is_request(value)
}

/// What SNS wraps around a message for a queue.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html>
pub(crate) fn is_notification(value: &Value) -> bool {
    text(value, "/Type") == Some("Notification")
        && text(value, "/MessageId").is_some()
        && value.get("Message").is_some()
        && !is_request(value)
}

/// A single record, out of the list in which its source delivers it.
pub(crate) fn is_record(value: &Value) -> bool {
    let holds = match source_of(value) {
        Some("aws:sqs") => "body",
        Some("aws:sns") => "Sns",
        Some("aws:s3") => "s3",
        _ => return false,
    };
    value.get(holds).is_some() && !is_request(value)
}
