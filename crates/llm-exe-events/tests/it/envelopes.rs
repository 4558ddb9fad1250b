//! Property tests for nested events. Requests are extracted unchanged from any nesting, and their
//! ids are unique.

use llm_exe_events::{Invocation, Record, RecordRequest, detect};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::{Value, json};

/// An event that wraps a value. An envelope may itself be nested in another envelope.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Envelope {
    Queue,
    Topic,
    Bus,
}

const ENVELOPES: &[Envelope] = &[Envelope::Queue, Envelope::Topic, Envelope::Bus];

impl Envelope {
    fn source(self) -> &'static str {
        match self {
            Envelope::Queue => "sqs",
            Envelope::Topic => "sns",
            Envelope::Bus => "eventbridge",
        }
    }

    fn origin(self) -> Option<&'static str> {
        match self {
            Envelope::Queue => Some("arn:aws:sqs:us-east-2:123456789012:my-queue"),
            Envelope::Topic => Some("arn:aws:sns:us-east-1:123456789012:sns-lambda"),
            Envelope::Bus => None,
        }
    }

    /// Wraps a value in an event from this source. `is_outermost` is set if the event is delivered
    /// to the function directly.
    fn wrap(self, inner: &Value, id: &str, is_outermost: bool) -> Value {
        match self {
            Envelope::Queue => json!({ "Records": [{
                "messageId": id,
                "body": inner.to_string(),
                "attributes": { "ApproximateReceiveCount": "1" },
                "eventSource": "aws:sqs",
                "eventSourceARN": self.origin()
            }] }),
            Envelope::Topic => {
                let notification = json!({
                    "Type": "Notification",
                    "MessageId": id,
                    "TopicArn": self.origin(),
                    "Message": inner.to_string()
                });
                if !is_outermost {
                    return notification;
                }
                json!({ "Records": [{ "EventSource": "aws:sns", "Sns": notification }] })
            }
            Envelope::Bus => json!({
                "version": "0",
                "id": id,
                "detail-type": "a",
                "source": "b",
                "detail": inner
            }),
        }
    }
}

/// Wraps a value in several envelopes, beginning with the innermost. The id of each envelope
/// contains its position.
fn nested(inner: &Value, envelopes: &[Envelope]) -> Value {
    envelopes.iter().enumerate().fold(inner.clone(), |inner, (index, envelope)| {
        envelope.wrap(&inner, &format!("id-{index}"), index + 1 == envelopes.len())
    })
}

fn records(event: Value) -> Vec<Record> {
    let invocation =
        Invocation { request_id: "r".to_owned(), version: "", ..Invocation::default() };
    detect(&event).records(event, &invocation).unwrap()
}

/// Returns the only request of the only record.
fn only_request(event: Value) -> RecordRequest {
    let mut records = records(event);
    assert_eq!((records.len(), records[0].requests.len()), (1, 1), "{records:?}");
    records.remove(0).requests.remove(0)
}

fn s3_event(bucket: &str, key: &str, version: Option<&str>, etag: &str) -> Value {
    json!({ "Records": [{
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "bucket": { "name": bucket },
            "object": { "key": key, "versionId": version, "eTag": etag, "sequencer": "0" }
        }
    }] })
}

fn origins(envelopes: &[Envelope]) -> Vec<String> {
    envelopes.iter().rev().filter_map(|envelope| envelope.origin()).map(str::to_owned).collect()
}

fn envelopes(max: usize) -> impl Strategy<Value = Vec<Envelope>> {
    prop::collection::vec(prop::sample::select(ENVELOPES), 1..=max)
}

fn request() -> impl Strategy<Value = Value> {
    (any::<String>(), any::<String>(), any::<i64>()).prop_map(|(message, text, number)| {
        json!({ "message": message, "data": { "text": text, "number": number, "Records": [] } })
    })
}

/// Generates strings that could make the ids of two objects equal if they were joined without
/// encoding.
fn part() -> impl Strategy<Value = String> {
    prop_oneof!["[a/?&=%+ ]{1,6}", "(versionId|etag|sequencer|=|&|\\?|/|%3F| ){1,4}", ".{1,8}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn nested_requests_are_unchanged(request in request(), envelopes in envelopes(3)) {
        let found = only_request(nested(&request, &envelopes));
        prop_assert_eq!(found.body.unwrap(), request);
        prop_assert_eq!(found.source, envelopes[0].source());
        prop_assert_eq!(found.id, "id-0");
        prop_assert_eq!(found.origins, origins(&envelopes));
    }

    /// Events nested deeper than three levels are rejected and never run as requests.
    #[test]
    fn deep_nesting_is_rejected(request in request(), envelopes in envelopes(5)) {
        let outermost = *envelopes.last().unwrap();
        let event = nested(&request, &envelopes);
        prop_assert_eq!(detect(&event).name(), outermost.source());
        let found = only_request(event);
        if envelopes.len() <= 3 {
            prop_assert_eq!(found.body.unwrap(), request);
        } else {
            let error = found.body.unwrap_err();
            prop_assert!(error.message().contains("at most 3 levels are supported"), "{error}");
        }
    }

    /// The S3 notification itself counts as one level, so there are at most two envelopes around
    /// it.
    #[test]
    fn object_id_does_not_depend_on_nesting(
        key in part(),
        version in prop::option::of("[A-Za-z0-9_.]{5,32}"),
        envelopes in envelopes(2),
    ) {
        let encoded = utf8_percent_encode(&key, NON_ALPHANUMERIC).to_string();
        let event = s3_event("prompts", &encoded, version.as_deref(), "e");
        let direct = only_request(event.clone());
        let mut expected = json!({ "bucket": "prompts", "key": key });
        if let Some(version) = version {
            expected["version"] = json!(version);
        }
        prop_assert_eq!(direct.body.unwrap(), expected.clone());
        let inner = only_request(nested(&event, &envelopes));
        prop_assert_eq!(inner.body.unwrap(), expected);
        prop_assert_eq!((inner.source, inner.id), ("s3", direct.id));
        let mut origins = origins(&envelopes);
        origins.push("arn:aws:s3:::prompts".to_owned());
        prop_assert_eq!(inner.origins, origins);
    }

    /// S3 notifications contain form-encoded keys, in which a space is `+` or `%20`.
    #[test]
    fn keys_are_decoded(key in ".{1,40}") {
        let encoded = utf8_percent_encode(&key, NON_ALPHANUMERIC).to_string();
        for encoded in [encoded.replace("%20", "+"), encoded] {
            let found = only_request(s3_event("prompts", &encoded, None, "e"));
            prop_assert_eq!(&found.body.unwrap()["key"], &json!(key));
        }
        // EventBridge does not encode keys.
        let event = json!({
            "detail-type": "Object Created",
            "source": "aws.s3",
            "detail": { "bucket": { "name": "prompts" }, "object": { "key": key } }
        });
        prop_assert_eq!(&only_request(event).body.unwrap()["key"], &json!(key));
    }

    /// Two objects, or two versions of an object, never have the same id.
    #[test]
    fn object_ids_are_unique(
        (bucket, other_bucket) in (part(), part()),
        (key, other_key) in (part(), part()),
        (version, other_version) in (prop::option::of(part()), prop::option::of(part())),
        (etag, other_etag) in (part(), part()),
    ) {
        let id = |bucket: &str, key: &str, version: Option<&str>, etag: &str| {
            let key = utf8_percent_encode(key, NON_ALPHANUMERIC).to_string();
            only_request(s3_event(bucket, &key, version, etag)).id
        };
        let [version, other_version] = [version.as_deref(), other_version.as_deref()];
        let this = id(&bucket, &key, version, &etag);
        prop_assert_eq!(&this, &id(&bucket, &key, version, &etag));
        let version_or_etag = |version: Option<&str>, etag: &str| version.map_or_else(
            || (false, etag.to_owned()),
            |version| (true, version.to_owned()),
        );
        for bucket_b in [&bucket, &other_bucket] {
            for key_b in [&key, &other_key] {
                for (version_b, etag_b) in [(version, &other_etag), (other_version, &etag)] {
                    let that = id(bucket_b, key_b, version_b, etag_b);
                    let is_same = (bucket_b, key_b) == (&bucket, &key)
                        && version_or_etag(version_b, etag_b) == version_or_etag(version, &etag);
                    prop_assert_eq!(this == that, is_same, "{} {}", this, that);
                }
            }
        }
    }

    /// An invalid message fails without affecting the other messages of the batch.
    #[test]
    fn invalid_body_fails_alone(
        bodies in prop::collection::vec(prop_oneof![
            request().prop_map(|request| (request.to_string(), true)),
            "[^{]{0,10}".prop_map(|text| (text, false)),
        ], 1..10),
    ) {
        let items: Vec<Value> = bodies.iter().enumerate().map(|(index, (body, _))| {
            let id = format!("m-{index}");
            json!({ "messageId": id, "body": body, "eventSource": "aws:sqs" })
        }).collect();
        for event in [json!({ "Records": items.clone() }), Value::from(items)] {
            let records = records(event);
            prop_assert_eq!(records.len(), bodies.len());
            for (index, (record, (body, is_good))) in records.iter().zip(&bodies).enumerate() {
                let id = format!("m-{index}");
                prop_assert_eq!((&record.id, &record.requests[0].id), (&id, &id));
                match &record.requests[0].body {
                    Ok(request) => prop_assert_eq!(&request.to_string(), body),
                    Err(_) => prop_assert!(!is_good),
                }
            }
        }
    }
}
