//! Tests that signed requests match those of botocore.
//!
//! The script `scripts/oracles/s3_ssm.py` writes the expected requests to
//! `tests/cases/s3_ssm.json`. This is a unit test, because building a request without sending it
//! requires private functions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use llm_exe::ports::FunctionCall;
use llm_exe::transport::HttpClient;
use llm_exe::{FunctionName, Secret};
use serde::Deserialize;
use serde_json::Value;

use crate::client::{AwsClient, Call};
use crate::event_bridge::{EventBridge, PutEvents};
use crate::lambda::LambdaFunctions;
use llm_exe_function::ports::Precondition;

use crate::s3::{GetObject, PutObject, S3};
use crate::sqs::{Fifo, SendMessage, Sqs};
use crate::ssm::{GetParameter, Ssm};
use crate::{Credentials, EnvironmentCredentials};

#[derive(Deserialize)]
struct Cases {
    time: u64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    operation: String,
    #[serde(default)]
    parameter: String,
    #[serde(default)]
    bucket: String,
    #[serde(default)]
    key: String,
    version: Option<String>,
    known: Option<String>,
    body: Option<String>,
    r#type: Option<String>,
    if_none_match: Option<String>,
    if_match: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    queue: String,
    #[serde(default)]
    message: String,
    group: Option<String>,
    #[serde(default)]
    deduplication_id: String,
    #[serde(default)]
    bus: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    detail_type: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    function: String,
    qualifier: Option<String>,
    region: String,
    token: Option<String>,
    base: Option<String>,
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: String,
}

fn call(case: &Case) -> Call {
    let credentials = Arc::new(EnvironmentCredentials::new(|_| None));
    let client = Arc::new(AwsClient::new(HttpClient::default(), credentials));
    let (region, base) = (case.region.clone(), case.base.clone());
    match case.operation.as_str() {
        "parameter" => Ssm::new(client, region, base)
            .get_parameter_call(GetParameter { name: &case.parameter }),
        "send" => send_message_call(case, &Sqs::new(client, Some(region), base)),
        "invoke" => {
            let mut function = FunctionName::parse(&case.function).unwrap();
            function.qualifier.clone_from(&case.qualifier);
            let (function, event) = (&function, case.message.as_bytes());
            let call = FunctionCall { function, event, trace_id: Some("Root=1-2-3") };
            LambdaFunctions::new(client, Some(region), base).invoke_call(call).unwrap()
        }
        "events" => EventBridge::new(client, base).put_events_call(PutEvents {
            bus: &case.bus,
            region: &region,
            source: &case.source,
            detail_type: &case.detail_type,
            detail: &case.detail,
        }),
        _ => object_call(case, &S3::new(client, Some(region), base)),
    }
}

fn send_message_call(case: &Case, sqs: &Sqs) -> Call {
    let group = case.group.as_deref();
    let send = SendMessage {
        queue_url: &case.queue,
        region: None,
        body: &case.message,
        fifo: group.map(|group| Fifo { group, deduplication_id: &case.deduplication_id }),
    };
    sqs.send_message_call(send).unwrap()
}

fn object_call(case: &Case, s3: &S3) -> Call {
    let (bucket, key) = (case.bucket.as_str(), case.key.as_str());
    let (version, known_etag) = (case.version.as_deref(), case.known.as_deref());
    let metadata: Vec<(&'static str, String)> = case
        .metadata
        .iter()
        .map(|(name, value)| (&*format!("x-amz-meta-{name}").leak(), value.clone()))
        .collect();
    let call = match case.operation.as_str() {
        "get" => s3.get_object_call(&GetObject { bucket, key, version, known_etag, max_bytes: 1 }),
        _ => s3.put_object_call(&PutObject {
            bucket,
            key,
            body: Bytes::from(case.body.clone().unwrap()),
            content_type: case.r#type.as_deref().unwrap(),
            metadata: &metadata,
            precondition: match (&case.if_none_match, &case.if_match) {
                (Some(_), _) => Precondition::Absent,
                (_, Some(etag)) => Precondition::Unchanged(etag.clone()),
                _ => Precondition::None,
            },
        }),
    };
    call.unwrap()
}

#[test]
fn requests_equal_those_of_botocore() {
    let text = include_str!("../tests/cases/s3_ssm.json");
    let Cases { time, cases } = serde_json::from_str(text).unwrap();
    assert!(cases.len() >= 36);
    let secret = |text: &str| Secret::new(text).unwrap();
    for case in cases {
        let mut call = call(&case);
        let Expected { method, url, headers, body } = &case.expected;
        assert_eq!((call.method.as_str(), &call.url), (method.as_str(), url), "{}", case.name);
        if matches!(case.operation.as_str(), "parameter" | "send" | "events") {
            // JSON bodies may differ in whitespace and key order.
            let (actual, expected): (Value, Value) =
                (serde_json::from_slice(&call.body).unwrap(), serde_json::from_str(body).unwrap());
            assert_eq!(actual, expected, "{}", case.name);
            call.body = Bytes::from(body.clone());
        }
        assert_eq!(call.body, body.as_bytes(), "{}", case.name);
        let credentials = Credentials {
            access_key_id: secret("AKIAIOSFODNN7EXAMPLE"),
            secret_access_key: secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            session_token: case.token.as_deref().map(secret),
        };
        let request = call.sign(&credentials, UNIX_EPOCH + Duration::from_secs(time)).unwrap();
        assert_eq!(request.uri().to_string(), *url);
        for (name, value) in headers {
            let actual = match name.as_str() {
                "host" => request.uri().authority().map(|host| host.as_str()),
                name => request.headers().get(name).map(|value| value.to_str().unwrap()),
            };
            assert_eq!(actual, Some(value.as_str()), "{}: {name}", case.name);
        }
    }
}
