//! Whatever comes as an event: it is recognised, routed, let in or not, and read, without a panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use llm_exe::{Error, ErrorKind};
use llm_exe_events::{
    Admission, EndpointAuth, Invocation, Outcome, Route, SOURCES, Settled, detect,
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
    "Records",
    "eventSource",
    "EventSource",
    "httpMethod",
    "elb",
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
    "{}",
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
    for (name, value) in answer["headers"].as_object().unwrap() {
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
        let value = value.as_str().unwrap();
        assert!(value.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{value:?}");
    }
}

fn whole_line(event: &Value) {
    let invocation = invocation();
    let source = detect(event);
    assert!(SOURCES.iter().any(|known| known.name() == source.name()));
    for (_, auth) in EndpointAuth::WORDS {
        if let Admission::Refused(error) = source.admit(event, *auth) {
            assert_eq!(error.kind(), ErrorKind::Unauthorized);
            if source.name() == "http" {
                is_http_answer(&source.refuse(&invocation, error).unwrap());
            }
        }
    }
    let _ = source.is_behind_gateway(event);
    if let Route::Answer(answer) = source.route(event, &invocation) {
        is_http_answer(&answer);
    }
    match source.records(event.clone(), &invocation) {
        Ok(records) => {
            assert_eq!(records.len(), 1);
            if source.name() == "http" {
                assert!(records[0].asks[0].body.as_ref().unwrap().is_object());
            }
        }
        Err(error) => {
            assert!(error.message().len() < 2_000, "{error}");
            let refused = source.refuse(&invocation, error);
            assert_eq!(refused.is_ok(), source.name() == "http");
        }
    }
    for outcome in
        [Outcome::Done(event.clone()), Outcome::Failed(Error::new(ErrorKind::Timeout, "late"))]
    {
        let responded = source.respond(&invocation, settled(outcome.clone()));
        if source.name() == "http" {
            is_http_answer(&responded.unwrap());
        } else {
            assert_eq!(responded.is_ok(), matches!(outcome, Outcome::Done(_)));
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
