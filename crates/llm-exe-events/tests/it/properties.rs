//! Property tests with arbitrary events. No event may cause a panic while it is detected, routed,
//! authorized or parsed.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use llm_exe::{Error, ErrorKind, request_schema};
use llm_exe_events::{
    Authorization, EndpointAuth, EventSource, FinishedRecord, Invocation, Outcome, Record, Route,
    SOURCES, detect,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::sources::parse;

/// Field names of real events, so that the generated values resemble events.
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
/// Strings that occur as field values in real events.
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

/// Generates JSON values. Most of their field names occur in real events.
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

/// Generates HTTP events with arbitrary field values.
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

/// Generates objects that have arbitrary fields and name an event source.
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

/// Generates values that resemble real events but have arbitrary fields: objects with `Records`,
/// arrays of records, EventBridge events, and HTTP events from load balancers and REST APIs.
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
    Invocation { request_id: "the-id".to_owned(), version: "1.2.3", ..Invocation::default() }
}

/// Creates a function URL event with this body.
fn post_event(body: Value, is_base64: bool) -> Value {
    json!({
        "version": "2.0",
        "rawPath": "/",
        "requestContext": { "http": { "method": "POST" }, "stage": "$default" },
        "body": body,
        "isBase64Encoded": is_base64
    })
}

/// Checks that an HTTP response has the format that AWS requires.
fn check_http_response(response: &Value) {
    let status = response["statusCode"].as_u64().unwrap();
    assert!((200..=599).contains(&status), "{response}");
    assert!(response["body"].is_string() && response["isBase64Encoded"].is_boolean(), "{response}");
    let multi = response["multiValueHeaders"].as_object();
    let headers = multi.or_else(|| response["headers"].as_object()).unwrap();
    for (name, value) in headers {
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
        let value = if multi.is_some() { &value[0] } else { value };
        let value = value.as_str().unwrap();
        assert!(value.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{value:?}");
    }
}

fn is_http(source: &dyn EventSource) -> bool {
    matches!(source.name(), "http" | "rest" | "alb")
}

/// Checks that ids are unique and that the source responds to any outcome of the records.
fn check_records(source: &dyn EventSource, records: &[Record]) {
    let ids: BTreeSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids.len(), records.len(), "{records:?}");
    for record in records {
        let ids = record.requests.iter().map(|request| (request.source, request.id.as_str()));
        assert_eq!(ids.collect::<BTreeSet<_>>().len(), record.requests.len(), "{record:?}");
        for request in &record.requests {
            if let Err(error) = &request.body {
                assert_eq!(error.kind(), ErrorKind::InvalidRequest);
                assert!(error.message().len() < 2_000, "{error}");
            } else if source.name() != "direct" {
                assert!(request.body.as_ref().unwrap().is_object(), "{request:?}");
            }
        }
    }
    for outcome in [
        Outcome::Done(json!("meow")),
        Outcome::Failed(Error::new(ErrorKind::Timeout, "late")),
        Outcome::Skipped,
    ] {
        let finish = |record: &Record| FinishedRecord {
            id: record.id.clone(),
            outcome: outcome.clone(),
            warning_count: 1,
        };
        let finished: Vec<FinishedRecord> = records.iter().map(finish).collect();
        let failed = matches!(outcome, Outcome::Failed(_)) && !finished.is_empty();
        let response = source.respond(&invocation(), &finished).map(|response| parse(&response));
        match source.name() {
            "http" | "rest" | "alb" => check_http_response(&response.unwrap()),
            "sqs" | "pipes" => {
                let response = response.unwrap();
                let failures = response["batchItemFailures"].as_array().unwrap().iter();
                let ids: Vec<&str> =
                    failures.map(|failure| failure["itemIdentifier"].as_str().unwrap()).collect();
                let expected = if failed { records } else { &[] };
                assert!(expected.iter().map(|record| &record.id).eq(ids));
            }
            _ => assert_eq!(response.is_err(), failed),
        }
    }
}

/// Calls every method of the event's source and checks what it returns.
fn check_event(event: &Value) {
    let invocation = invocation();
    let source = detect(event);
    assert!(SOURCES.iter().any(|known| known.name() == source.name()));
    for (_, auth) in EndpointAuth::WORDS {
        if let Authorization::Denied(error) = source.authorize(event, *auth) {
            assert_eq!(error.kind(), ErrorKind::Unauthorized);
            assert!(is_http(source));
            let response = source.respond_with_error(&invocation, error).unwrap();
            check_http_response(&parse(&response));
        }
    }
    assert!(is_http(source) || !source.is_behind_gateway(event));
    assert!(!is_http(source) || source.caller(event).is_some());
    if let Route::Respond { response, .. } =
        source.route(event, &invocation, &request_schema).unwrap()
    {
        check_http_response(&parse(&response));
    }
    match source.records(event.clone(), &invocation) {
        Ok(records) => check_records(source, &records),
        Err(error) => {
            assert!(error.message().len() < 2_000, "{error}");
            assert_eq!(source.respond_with_error(&invocation, error).is_ok(), is_http(source));
        }
    }
    let _ = source.respond(&invocation, &[]);
}

fn finished(outcome: Outcome) -> Vec<FinishedRecord> {
    vec![FinishedRecord { id: "id-1".to_owned(), outcome, warning_count: 0 }]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_value_is_handled(event in value()) {
        check_event(&event);
    }

    #[test]
    fn any_value_like_an_event_is_handled(event in near_event()) {
        check_event(&event);
    }

    /// An event that names a source is never run as a direct request.
    #[test]
    fn event_with_a_source_is_not_direct(event in near_event()) {
        let request_fields = ["provider", "message", "key"];
        let has_request_field = request_fields.iter().any(|field| event.get(field).is_some());
        prop_assume!(event.is_array() || !has_request_field);
        prop_assert_ne!(detect(&event).name(), "direct");
    }

    #[test]
    fn any_http_event_is_handled(event in http_event()) {
        prop_assert_eq!(detect(&event).name(), "http");
        check_event(&event);
    }

    #[test]
    fn direct_event_is_one_record(event in value()) {
        let source = detect(&event);
        prop_assume!(source.name() == "direct");
        let records = source.records(event.clone(), &invocation()).unwrap();
        prop_assert_eq!(records[0].requests[0].body.as_ref().unwrap(), &event);
        let finished = finished(Outcome::Done(event.clone()));
        let response = source.respond(&invocation(), &finished).unwrap();
        prop_assert_eq!(parse(&response), event);
    }

    #[test]
    fn any_body_is_handled(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check_event(&post_event(json!(STANDARD.encode(&bytes)), true));
        check_event(&post_event(json!(String::from_utf8_lossy(&bytes)), false));
        check_event(&post_event(json!(String::from_utf8_lossy(&bytes)), true));
    }

    #[test]
    fn plain_and_base64_bodies_are_read_alike(request in value()) {
        prop_assume!(request.is_object());
        let text = request.to_string();
        let encoded = STANDARD.encode(&text);
        for event in [post_event(json!(text), false), post_event(json!(encoded), true)] {
            let source = detect(&event);
            let records = source.records(event, &invocation()).unwrap();
            prop_assert_eq!(records[0].requests[0].body.as_ref().unwrap(), &request);
        }
    }

    /// `AWS_IAM` rejects every event without an identity, and `API_KEY` always requires a key.
    #[test]
    fn caller_without_an_identity_is_not_authorized(event in http_event()) {
        let source = detect(&event);
        let identity = event.pointer("/requestContext/authorizer").and_then(Value::as_object);
        if identity.is_none_or(Map::is_empty) {
            let authorization = source.authorize(&event, EndpointAuth::AwsIam);
            prop_assert!(matches!(authorization, Authorization::Denied(_)));
        }
        let authorization = source.authorize(&event, EndpointAuth::ApiKey);
        prop_assert!(!matches!(authorization, Authorization::Granted));
    }
}
