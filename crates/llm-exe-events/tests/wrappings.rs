//! Events wrapped into others, of any order and depth: what is opened is what was put in, under
//! ids that are nobody else's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use llm_exe_events::{Invocation, Record, RecordRequest, detect};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What wraps a value, as the outermost event or within another one.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrap {
    Queue,
    Topic,
    Bus,
}

const WRAPS: &[Wrap] = &[Wrap::Queue, Wrap::Topic, Wrap::Bus];

impl Wrap {
    fn source(self) -> &'static str {
        match self {
            Wrap::Queue => "sqs",
            Wrap::Topic => "sns",
            Wrap::Bus => "eventbridge",
        }
    }

    fn origin(self) -> Option<&'static str> {
        match self {
            Wrap::Queue => Some("arn:aws:sqs:us-east-2:123456789012:my-queue"),
            Wrap::Topic => Some("arn:aws:sns:us-east-1:123456789012:sns-lambda"),
            Wrap::Bus => None,
        }
    }

    /// The value as this source delivers it to a function, or to another source.
    fn around(self, inner: &Value, id: &str, is_outermost: bool) -> Value {
        match self {
            Wrap::Queue => json!({ "Records": [{
                "messageId": id,
                "body": inner.to_string(),
                "attributes": { "ApproximateReceiveCount": "1" },
                "eventSource": "aws:sqs",
                "eventSourceARN": self.origin()
            }] }),
            Wrap::Topic => {
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
            Wrap::Bus => json!({
                "version": "0",
                "id": id,
                "detail-type": "a",
                "source": "b",
                "detail": inner
            }),
        }
    }
}

/// Each wrap in the next, the first one innermost; ids are the places.
fn wrapped(inner: &Value, wraps: &[Wrap]) -> Value {
    wraps.iter().enumerate().fold(inner.clone(), |inner, (place, wrap)| {
        wrap.around(&inner, &format!("id-{place}"), place + 1 == wraps.len())
    })
}

fn records(event: Value) -> Vec<Record> {
    let invocation = Invocation { request_id: "r".to_owned(), version: String::new() };
    detect(&event).records(event, &invocation).unwrap()
}

/// The one request of the one record.
fn ask(event: Value) -> RecordRequest {
    let mut records = records(event);
    assert_eq!((records.len(), records[0].asks.len()), (1, 1), "{records:?}");
    records.remove(0).asks.remove(0)
}

fn created(bucket: &str, key: &str, version: Option<&str>, etag: &str) -> Value {
    json!({ "Records": [{
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "bucket": { "name": bucket },
            "object": { "key": key, "versionId": version, "eTag": etag, "sequencer": "0" }
        }
    }] })
}

fn origins(wraps: &[Wrap]) -> Vec<String> {
    wraps.iter().rev().filter_map(|wrap| wrap.origin()).map(str::to_owned).collect()
}

fn wraps(most: usize) -> impl Strategy<Value = Vec<Wrap>> {
    prop::collection::vec(prop::sample::select(WRAPS), 1..=most)
}

fn request() -> impl Strategy<Value = Value> {
    (any::<String>(), any::<String>(), any::<i64>()).prop_map(|(message, text, number)| {
        json!({ "message": message, "data": { "text": text, "number": number, "Records": [] } })
    })
}

/// Texts that are hard to tell apart once they are joined.
fn part() -> impl Strategy<Value = String> {
    prop_oneof!["[a/?&=%+ ]{1,6}", "(versionId|etag|sequencer|=|&|\\?|/|%3F| ){1,4}", ".{1,8}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_request_comes_out_as_it_went_in(request in request(), wraps in wraps(3)) {
        let ask = ask(wrapped(&request, &wraps));
        prop_assert_eq!(ask.body.unwrap(), request);
        prop_assert_eq!(ask.source, wraps[0].source());
        prop_assert_eq!(ask.id, "id-0");
        prop_assert_eq!(ask.origins, origins(&wraps));
    }

    /// Deeper than three is refused, and never read as a request.
    #[test]
    fn any_depth_ends(request in request(), wraps in wraps(5)) {
        let outermost = *wraps.last().unwrap();
        let event = wrapped(&request, &wraps);
        prop_assert_eq!(detect(&event).name(), outermost.source());
        let ask = ask(event);
        if wraps.len() <= 3 {
            prop_assert_eq!(ask.body.unwrap(), request);
        } else {
            prop_assert!(ask.body.unwrap_err().message().contains("at most 3 are opened"));
        }
    }

    /// A notification is a wrapping itself.
    #[test]
    fn an_object_is_named_however_it_is_wrapped(
        key in part(),
        version in prop::option::of("[A-Za-z0-9_.]{5,32}"),
        wraps in wraps(2),
    ) {
        let encoded = utf8_percent_encode(&key, NON_ALPHANUMERIC).to_string();
        let event = created("prompts", &encoded, version.as_deref(), "e");
        let alone = ask(event.clone());
        let mut expected = json!({ "bucket": "prompts", "key": key });
        if let Some(version) = version {
            expected["version"] = json!(version);
        }
        prop_assert_eq!(alone.body.unwrap(), expected.clone());
        let within = ask(wrapped(&event, &wraps));
        prop_assert_eq!(within.body.unwrap(), expected);
        prop_assert_eq!((within.source, within.id), ("s3", alone.id));
        let mut origins = origins(&wraps);
        origins.push("arn:aws:s3:::prompts".to_owned());
        prop_assert_eq!(within.origins, origins);
    }

    /// As HTML forms encode, whether a space came as a plus or not.
    #[test]
    fn keys_survive_their_encoding(key in ".{1,40}") {
        let encoded = utf8_percent_encode(&key, NON_ALPHANUMERIC).to_string();
        for encoded in [encoded.replace("%20", "+"), encoded] {
            let ask = ask(created("prompts", &encoded, None, "e"));
            prop_assert_eq!(&ask.body.unwrap()["key"], &json!(key));
        }
        // EventBridge tells keys as they are.
        let event = json!({
            "detail-type": "Object Created",
            "source": "aws.s3",
            "detail": { "bucket": { "name": "prompts" }, "object": { "key": key } }
        });
        prop_assert_eq!(&ask(event).body.unwrap()["key"], &json!(key));
    }

    /// Two objects, or two versions of one, never have the same id.
    #[test]
    fn ids_tell_objects_apart(
        (bucket, other_bucket) in (part(), part()),
        (key, other_key) in (part(), part()),
        (version, other_version) in (prop::option::of(part()), prop::option::of(part())),
        (etag, other_etag) in (part(), part()),
    ) {
        let id = |bucket: &str, key: &str, version: Option<&str>, etag: &str| {
            let key = utf8_percent_encode(key, NON_ALPHANUMERIC).to_string();
            ask(created(bucket, &key, version, etag)).id
        };
        let [version, other_version] = [version.as_deref(), other_version.as_deref()];
        let this = id(&bucket, &key, version, &etag);
        prop_assert_eq!(&this, &id(&bucket, &key, version, &etag));
        let which = |version: Option<&str>, etag: &str| version.map_or_else(
            || (false, etag.to_owned()),
            |version| (true, version.to_owned()),
        );
        for bucket_too in [&bucket, &other_bucket] {
            for key_too in [&key, &other_key] {
                for (version_too, etag_too) in [(version, &other_etag), (other_version, &etag)] {
                    let that = id(bucket_too, key_too, version_too, etag_too);
                    let is_same = (bucket_too, key_too) == (&bucket, &key)
                        && which(version_too, etag_too) == which(version, &etag);
                    prop_assert_eq!(this == that, is_same, "{} {}", this, that);
                }
            }
        }
    }

    /// A bad message fails alone, wherever it is in the batch.
    #[test]
    fn neighbours_of_a_bad_body_are_not_concerned(
        bodies in prop::collection::vec(prop_oneof![
            request().prop_map(|request| (request.to_string(), true)),
            "[^{]{0,10}".prop_map(|text| (text, false)),
        ], 1..10),
    ) {
        let items: Vec<Value> = bodies.iter().enumerate().map(|(place, (body, _))| {
            let id = format!("m-{place}");
            json!({ "messageId": id, "body": body, "eventSource": "aws:sqs" })
        }).collect();
        for event in [json!({ "Records": items.clone() }), Value::from(items)] {
            let records = records(event);
            prop_assert_eq!(records.len(), bodies.len());
            for (place, (record, (body, is_good))) in records.iter().zip(&bodies).enumerate() {
                let id = format!("m-{place}");
                prop_assert_eq!((&record.id, &record.asks[0].id), (&id, &id));
                match &record.asks[0].body {
                    Ok(request) => prop_assert_eq!(&request.to_string(), body),
                    Err(_) => prop_assert!(!is_good),
                }
            }
        }
    }
}
