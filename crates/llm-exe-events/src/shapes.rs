//! Tells events and requests apart by their fields.

use serde_json::Value;

/// Fields that requests have but AWS events do not. A value with any of these fields at its top
/// level is treated as a request.
const REQUEST_FIELDS: &[&str] =
    &["provider", "providor", "model", "message", "output", "schema", "key", "url", "steps"];

/// Returns true if the value is a request and not an AWS event.
pub(crate) fn is_request(value: &Value) -> bool {
    REQUEST_FIELDS.iter().any(|name| value.get(name).is_some())
}

/// Returns the value at a path of field names, such as `/detail/bucket/name`. Unlike
/// [`Value::pointer`], it allocates nothing and supports neither escapes nor indexes. Objects in
/// events have few fields, so comparing their names is faster than hashing the one to find.
pub(crate) fn field<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('/').skip(1).try_fold(value, |value, name| {
        let mut fields = value.as_object()?.iter();
        fields.find(|(known, _)| *known == name).map(|(_, value)| value)
    })
}

/// Returns the string at a path of field names.
pub(crate) fn string<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    field(value, path).and_then(Value::as_str)
}

/// Returns the string at a path of field names, unless it is empty.
pub(crate) fn non_empty_string<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    string(value, path).filter(|text| !text.is_empty())
}

/// Returns the items of the `Records` array. Returns `None` if the array is missing or the value is
/// a request.
pub(crate) fn records(value: &Value) -> Option<&Vec<Value>> {
    let records = value.get("Records").and_then(Value::as_array)?;
    (!is_request(value)).then_some(records)
}

/// Returns the items of an array, or of the `Records` array in an object.
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

/// Returns true if the value is `{"Records": []}`.
pub(crate) fn is_empty_batch(value: &Value) -> bool {
    let is_only_field = value.as_object().is_some_and(|fields| fields.len() == 1);
    is_only_field && records(value).is_some_and(Vec::is_empty)
}

/// Returns the event source that a record names, such as `aws:sqs`. SNS is the only source that
/// capitalizes the field name.
pub(crate) fn source_of(item: &Value) -> Option<&str> {
    string(item, "/eventSource").or_else(|| string(item, "/EventSource"))
}

/// Returns true if there is at least one record and all records are from this source.
pub(crate) fn all_from(items: &[Value], source: &str) -> bool {
    !items.is_empty() && items.iter().all(|item| source_of(item) == Some(source))
}

/// Returns true if the value is an EventBridge event, or if an input template gave it the same
/// fields.
pub(crate) fn is_bus_event(value: &Value) -> bool {
    string(value, "/detail-type").is_some() && value.get("detail").is_some() && !is_request(value)
}

/// Returns true if the value is the test event that S3 sends when a notification is configured.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
pub(crate) fn is_test_event(value: &Value) -> bool {
    string(value, "/Event") == Some("s3:TestEvent") && !is_request(value)
}

/// Returns true if the value is the envelope in which SNS delivers a message to a queue.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html>
pub(crate) fn is_notification(value: &Value) -> bool {
    string(value, "/Type") == Some("Notification")
        && string(value, "/MessageId").is_some()
        && value.get("Message").is_some()
        && !is_request(value)
}
