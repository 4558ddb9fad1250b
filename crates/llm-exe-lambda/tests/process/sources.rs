//! Every fixture of an event, with a good request in it: answered in its source's form, or refused
//! by its source's name.

use serde_json::{Value, json};

use crate::harness::{Answer, REPLY, event, request};
use crate::world::World;

/// The fixture, and the source's name in the log.
const SERVED: &[(&str, &str)] = &[
    ("sqs", "sqs"),
    ("sns", "sns"),
    ("s3", "s3"),
    ("eventbridge", "eventbridge"),
    ("function-url", "http"),
    ("http-api", "http"),
    ("rest", "rest"),
    ("alb", "alb"),
];

/// The fixture, and the name under which it is refused.
const REFUSED: &[(&str, &str)] = &[("kinesis", "aws:kinesis"), ("dynamodb", "aws:dynamodb")];

/// The object that S3 tells of.
const KEY: &str = "hello.json";

/// The fixture with a good request wherever a body could stand.
fn loaded(name: &str) -> Value {
    let request = request();
    let text = request.to_string();
    let mut event = event(name, &json!({}));
    let body = |record: &mut Value| match name {
        "sqs" => record["body"] = json!(text),
        "sns" => record["Sns"]["Message"] = json!(text),
        "s3" => {
            record["s3"]["bucket"]["name"] = json!("prompts");
            record["s3"]["object"]["key"] = json!(KEY);
        }
        _ => {}
    };
    if let Some(records) = event.get_mut("Records").and_then(Value::as_array_mut) {
        records.iter_mut().for_each(body);
    } else if name == "eventbridge" {
        event["detail"] = request;
    } else {
        event["body"] = json!(text);
    }
    event
}

fn is_answered(name: &str, answer: Answer) {
    match name {
        "sqs" => assert_eq!(answer.result(), json!({ "batchItemFailures": [] })),
        "sns" | "s3" => {
            let answer = answer.result();
            assert_eq!(answer.as_array().map(Vec::len), Some(1), "{answer}");
            let line = &answer[0];
            assert_eq!((&line["status"], &line["result"]), (&json!("ok"), &json!(REPLY)), "{line}");
        }
        "eventbridge" => assert_eq!(answer.result(), json!(REPLY)),
        _ => {
            let (status, _, body) = answer.http();
            assert_eq!((status, body.as_str()), (200, REPLY), "{name}");
        }
    }
}

#[tokio::test]
async fn every_source_is_answered_in_its_form() {
    let world = World::new().await;
    world.aws.put("prompts", KEY, request().to_string());
    let function = world.function(&[]).await;
    for (at, (name, _)) in SERVED.iter().enumerate() {
        is_answered(name, function.invoke(&loaded(name)).await);
        assert_eq!(world.asked().len(), at + 1, "{name}");
    }
    // As EventBridge Pipes hands a batch on; it was delivered before.
    let answer = function.invoke(&loaded("sqs")["Records"]).await.result();
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(world.asked().len(), SERVED.len());
    let lines = function.stop().await.lines();
    for ((name, told), line) in SERVED.iter().zip(&lines) {
        assert_eq!(line["source"], json!(told), "{name}");
    }
    assert_eq!(lines[SERVED.len()]["source"], json!("pipes"));
}

#[tokio::test]
async fn other_sources_are_refused_by_name() {
    let world = World::new().await;
    let function = world.function(&[]).await;
    for (name, told) in REFUSED {
        let event = loaded(name);
        for event in [&event, &event["Records"]] {
            let (error_type, message) = function.invoke(event).await.failure();
            assert_eq!(error_type, "InvalidRequest", "{name}");
            assert!(message.contains(told), "{name}: {message}");
        }
    }
    // A list that is not Pipes'.
    let (error_type, _) = function.invoke(&json!([request()])).await.failure();
    assert_eq!(error_type, "InvalidRequest");
    assert!(world.asked().is_empty());
    function.is_well("events of other sources").await;
    for line in &function.stop().await.lines()[..5] {
        assert_eq!(line["source"], json!("unsupported"), "{line}");
    }
}

#[tokio::test]
async fn an_empty_batch_is_acknowledged() {
    let world = World::new().await;
    let function = world.function(&[]).await;
    let answer = function.invoke(&json!({ "Records": [] })).await.result();
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert!(world.asked().is_empty());
    function.stop().await;
}

/// What looks like another source within `data` is the template's business.
#[tokio::test]
async fn data_may_look_like_another_source() {
    let world = World::new().await;
    let function = world.function(&[]).await;
    for (name, _) in SERVED.iter().chain(REFUSED) {
        let mut request = request();
        request["data"] = event(name, &json!({}));
        assert_eq!(function.invoke(&request).await.result(), json!(REPLY), "{name}");
    }
    function.stop().await;
}
