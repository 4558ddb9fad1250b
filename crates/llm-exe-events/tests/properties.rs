//! Whatever comes as an event: it is recognised, routed, let in or not, and read, without a panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use llm_exe::{Error, ErrorKind};
use llm_exe_events::{
    Admission, EndpointAuth, EventSource, Invocation, Outcome, Record, Route, SOURCES, Settled,
    detect,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Names that sources look for, so that values come near to events.
const NAMES: &[&str] = &[
    "version",
    "requestContext",
    "http",
    "method",
    "path",
    "rawPath",
    "stage",
    "domainName",
    "headers",
    "x-api-key",
    "authorization",
    "authorizer",
    "iam",
    "body",
    "isBase64Encoded",
    "multiValueHeaders",
    "identity",
    "userArn",
    "claims",
    "Records",
    "eventSource",
    "EventSource",
    "eventSourceARN",
    "messageId",
    "attributes",
    "MessageGroupId",
    "Sns",
    "Type",
    "Message",
    "MessageId",
    "TopicArn",
    "Event",
    "eventName",
    "s3",
    "bucket",
    "name",
    "object",
    "key",
    "versionId",
    "httpMethod",
    "elb",
    "id",
    "source",
    "detail",
    "detail-type",
    "provider",
    "message",
    "data",
];
const WORDS: &[&str] = &[
    "2.0",
    "1.0",
    "POST",
    "GET",
    "HEAD",
    "OPTIONS",
    "/",
    "/invoke",
    "/health",
    "/prod",
    "prod",
    "$default",
    "Bearer x",
    "Basic x",
    "aws:sqs",
    "aws:sns",
    "aws:s3",
    "aws.s3",
    "llm-exe",
    "Object Created",
    "ObjectCreated:Put",
    "s3:TestEvent",
    "Notification",
    "arn:aws:sqs:us-east-2:123456789012:fifo.fifo",
    "a%FFb+c",
    "{}",
    r#"{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put"}]}"#,
    "e30=",
    "x.lambda-url.y",
    "",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(WORDS).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => prop::sample::select(NAMES).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

/// Any JSON value, more often than not one that looks a little like an event.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => prop::collection::vec((name(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// An HTTP event whose fields may be anything.
fn http_event() -> impl Strategy<Value = Value> {
    let field = || prop_oneof![2 => text().prop_map(Value::from), 1 => value()];
    (field(), field(), field(), field(), field(), value(), field(), any::<bool>()).prop_map(
        |(method, path, stage, domain, header, authorizer, body, is_base64)| {
            json!({
                "version": "2.0",
                "rawPath": path,
                "headers": { "X-Api-Key": header, "Authorization": header },
                "requestContext": {
                    "http": { "method": method },
                    "stage": stage,
                    "domainName": domain,
                    "authorizer": authorizer
                },
                "body": body,
                "isBase64Encoded": is_base64
            })
        },
    )
}

/// Any object that names a source of records.
fn item() -> impl Strategy<Value = Value> {
    let sources = vec!["aws:sqs", "aws:sns", "aws:s3", "aws:kinesis"];
    let names = vec!["eventSource", "EventSource"];
    let fields = prop::collection::vec((name(), value()), 0..8);
    (prop::sample::select(sources), prop::sample::select(names), fields).prop_map(
        |(source, name, fields)| {
            let mut item: Map<_, _> = fields.into_iter().collect();
            item.insert(name.to_owned(), json!(source));
            Value::Object(item)
        },
    )
}

/// An event of records, a list of them, or an event of a bus or a REST API, of any fields.
fn near_event() -> impl Strategy<Value = Value> {
    let same = (item(), 1..4_usize).prop_map(|(item, count)| vec![item; count]);
    let items = prop_oneof![prop::collection::vec(item(), 1..4), same].boxed();
    let with = |first: &'static str, second: &'static str| {
        (text(), value(), prop::collection::vec((name(), value()), 0..6)).prop_map(
            move |(text, value, fields)| {
                let mut event: Map<_, _> = fields.into_iter().collect();
                event.insert(first.to_owned(), json!(text));
                event.insert(second.to_owned(), value);
                Value::Object(event)
            },
        )
    };
    prop_oneof![
        items.clone().prop_map(|items| json!({ "Records": items })),
        items.prop_map(Value::from),
        with("detail-type", "detail"),
        (with("path", "headers"), value()).prop_map(|(mut event, context)| {
            event["httpMethod"] = json!("POST");
            event["requestContext"] = json!({ "elb": context });
            event
        }),
        (with("path", "multiValueHeaders"), value()).prop_map(|(mut event, context)| {
            event["httpMethod"] = json!("GET");
            event["requestContext"] = context;
            event
        }),
    ]
}

fn invocation() -> Invocation {
    Invocation { request_id: "the-id".to_owned(), version: "1.2.3".to_owned() }
}

/// A function URL's event, with this body.
fn posted(body: Value, is_base64: bool) -> Value {
    json!({
        "version": "2.0",
        "rawPath": "/",
        "requestContext": { "http": { "method": "POST" }, "stage": "$default" },
        "body": body,
        "isBase64Encoded": is_base64
    })
}

/// An answer over HTTP is one that AWS takes.
fn is_http_answer(answer: &Value) {
    let status = answer["statusCode"].as_u64().unwrap();
    assert!((200..=599).contains(&status), "{answer}");
    assert!(answer["body"].is_string() && answer["isBase64Encoded"].is_boolean(), "{answer}");
    let many = answer["multiValueHeaders"].as_object();
    let headers = many.or_else(|| answer["headers"].as_object()).unwrap();
    for (name, value) in headers {
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
        let value = if many.is_some() { &value[0] } else { value };
        let value = value.as_str().unwrap();
        assert!(value.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{value:?}");
    }
}

fn is_http(source: &dyn EventSource) -> bool {
    matches!(source.name(), "http" | "rest" | "alb")
}

/// The answer names each of its records once, and failures of an event as a whole are the
/// source's to hear.
fn are_answerable(source: &dyn EventSource, records: &[Record]) {
    let ids: BTreeSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids.len(), records.len(), "{records:?}");
    for record in records {
        let asks = record.asks.iter().map(|ask| (ask.source, ask.id.as_str()));
        assert_eq!(asks.collect::<BTreeSet<_>>().len(), record.asks.len(), "{record:?}");
        for ask in &record.asks {
            if let Err(error) = &ask.body {
                assert_eq!(error.kind(), ErrorKind::InvalidRequest);
                assert!(error.message().len() < 2_000, "{error}");
            } else if source.name() != "direct" {
                assert!(ask.body.as_ref().unwrap().is_object(), "{ask:?}");
            }
        }
    }
    for outcome in [
        Outcome::Done(json!("meow")),
        Outcome::Failed(Error::new(ErrorKind::Timeout, "late")),
        Outcome::Skipped,
    ] {
        let settled = |record: &Record| Settled { id: record.id.clone(), outcome: outcome.clone() };
        let settled: Vec<Settled> = records.iter().map(settled).collect();
        let failed = matches!(outcome, Outcome::Failed(_)) && !settled.is_empty();
        let responded = source.respond(&invocation(), settled);
        match source.name() {
            "http" | "rest" | "alb" => is_http_answer(&responded.unwrap()),
            "sqs" | "pipes" => {
                let answer = responded.unwrap();
                let named = answer["batchItemFailures"].as_array().unwrap().iter();
                let named: Vec<&str> =
                    named.map(|one| one["itemIdentifier"].as_str().unwrap()).collect();
                let expected = if failed { records } else { &[] };
                assert!(expected.iter().map(|record| &record.id).eq(named));
            }
            _ => assert_eq!(responded.is_err(), failed),
        }
    }
}

fn whole_line(event: &Value) {
    let invocation = invocation();
    let source = detect(event);
    assert!(SOURCES.iter().any(|known| known.name() == source.name()));
    for (_, auth) in EndpointAuth::WORDS {
        if let Admission::Refused(error) = source.admit(event, *auth) {
            assert_eq!(error.kind(), ErrorKind::Unauthorized);
            assert!(is_http(source));
            is_http_answer(&source.refuse(&invocation, error).unwrap());
        }
    }
    assert!(is_http(source) || !source.is_behind_gateway(event));
    assert!(!is_http(source) || source.caller(event).is_some());
    if let Route::Answer(answer) = source.route(event, &invocation) {
        is_http_answer(&answer);
    }
    match source.records(event.clone(), &invocation) {
        Ok(records) => are_answerable(source, &records),
        Err(error) => {
            assert!(error.message().len() < 2_000, "{error}");
            assert_eq!(source.refuse(&invocation, error).is_ok(), is_http(source));
        }
    }
    let _ = source.respond(&invocation, Vec::new());
}

fn settled(outcome: Outcome) -> Vec<Settled> {
    vec![Settled { id: "id-1".to_owned(), outcome }]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_value_takes_the_whole_line(event in value()) {
        whole_line(&event);
    }

    #[test]
    fn whatever_is_near_an_event_takes_the_whole_line(event in near_event()) {
        whole_line(&event);
    }

    /// What says that it is of a source is never run as somebody's request.
    #[test]
    fn an_event_of_a_source_is_not_direct(event in near_event()) {
        let marks = ["provider", "message", "key"];
        prop_assume!(event.is_array() || marks.iter().all(|mark| event.get(mark).is_none()));
        prop_assert_ne!(detect(&event).name(), "direct");
    }

    #[test]
    fn any_http_event_takes_the_whole_line(event in http_event()) {
        prop_assert_eq!(detect(&event).name(), "http");
        whole_line(&event);
    }

    #[test]
    fn a_direct_event_is_its_own_record(event in value()) {
        let source = detect(&event);
        prop_assume!(source.name() == "direct");
        let records = source.records(event.clone(), &invocation()).unwrap();
        prop_assert_eq!(records[0].asks[0].body.as_ref().unwrap(), &event);
        let result = source.respond(&invocation(), settled(Outcome::Done(event.clone()))).unwrap();
        prop_assert_eq!(result, event);
    }

    #[test]
    fn any_bytes_may_come_as_a_body(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        whole_line(&posted(json!(STANDARD.encode(&bytes)), true));
        whole_line(&posted(json!(String::from_utf8_lossy(&bytes)), false));
        whole_line(&posted(json!(String::from_utf8_lossy(&bytes)), true));
    }

    /// The same object, whether or not it came as base64.
    #[test]
    fn a_request_is_read_as_it_was_written(request in value()) {
        prop_assume!(request.is_object());
        let text = request.to_string();
        for event in [posted(json!(text), false), posted(json!(STANDARD.encode(&text)), true)] {
            let source = detect(&event);
            let records = source.records(event, &invocation()).unwrap();
            prop_assert_eq!(records[0].asks[0].body.as_ref().unwrap(), &request);
        }
    }

    /// Only the right key is ever presented, and nobody is let in by AWS_IAM without its word.
    #[test]
    fn nobody_is_let_in_by_chance(event in http_event()) {
        let source = detect(&event);
        let said = event.pointer("/requestContext/authorizer").and_then(Value::as_object);
        if said.is_none_or(Map::is_empty) {
            let admission = source.admit(&event, EndpointAuth::AwsIam);
            prop_assert!(matches!(admission, Admission::Refused(_)));
        }
        let admission = source.admit(&event, EndpointAuth::ApiKey);
        prop_assert!(!matches!(admission, Admission::Granted));
    }
}
