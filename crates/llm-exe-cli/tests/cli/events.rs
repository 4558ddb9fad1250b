//! Every source's event, by `invoke --event` and by the Invoke API of `serve`.

use std::path::PathBuf;

use llm_exe_simulator::aws::AwsSimulator;
use serde_json::{Value, json};

use crate::harness::{Folder, Server};

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/events");
const PROMPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/prompts");
const CALL: &str = "/2015-03-31/functions/llm-exe/invocations";

/// S3 with what the events point to.
async fn bucket() -> AwsSimulator {
    let aws = AwsSimulator::start().await.unwrap();
    for entry in std::fs::read_dir(PROMPTS).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let name = path.file_name().unwrap().to_str().unwrap();
            aws.put("prompts", name, std::fs::read(&path).unwrap());
        }
    }
    aws
}

fn variables(aws: &AwsSimulator) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ENDPOINT_URL", aws.url()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        ("CONFIG_BUCKETS", "prompts".to_owned()),
        ("RESULT_PREFIX", "s3://kept/results".to_owned()),
        ("ENDPOINT_AUTH", "NONE".to_owned()),
    ]
}

fn events() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(EVENTS).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 13, "{paths:?}");
    paths
}

/// Fails unless the answer is a success in the form of the event's source.
fn is_answered(name: &str, answer: &Value) {
    let is_success = match name {
        "sqs" | "sqs-fifo" | "pipes" | "s3-in-sns-in-sqs" => {
            *answer == json!({ "batchItemFailures": [] })
        }
        "sns" | "s3" => answer[0]["status"] == "ok" && !answer[0]["result"].is_null(),
        "s3-test-event" => answer[0]["status"] == "skipped",
        "function-url" | "http-api" | "rest-api" | "alb" => answer["statusCode"] == 200,
        "eventbridge" | "eventbridge-s3" => answer["statusCode"].is_null() && !answer.is_null(),
        _ => false,
    };
    assert!(is_success, "{name}: {answer}");
}

fn stem(path: &std::path::Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

#[tokio::test]
async fn invoke_takes_each() {
    let folder = Folder::new();
    for path in events() {
        let aws = bucket().await;
        let variables = variables(&aws);
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let arguments = ["invoke", "--simulate", "--json", "--event", path.to_str().unwrap()];
        let done = folder.run_with(&variables, &arguments).await;
        assert_eq!(done.code, Some(0), "{path:?}: {done:?}");
        is_answered(stem(&path), &done.json());
        // Again: what has a result is not asked again, whoever runs it.
        let again = folder.run_with(&variables, &arguments).await;
        if !matches!(stem(&path), "function-url" | "http-api" | "rest-api" | "alb") {
            assert_eq!(again.stdout, done.stdout, "{path:?}");
            assert!(!again.stderr.contains("simulated"), "{path:?}: {again:?}");
        }
    }
}

#[tokio::test]
async fn serve_takes_each_by_the_invoke_api() {
    let folder = Folder::new();
    let aws = bucket().await;
    let variables = variables(&aws);
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let server = Server::start(&folder, &variables, &["--simulate"]).await;
    for path in events() {
        let reply = server.post(CALL, std::fs::read(&path).unwrap()).await;
        assert_eq!(reply.status, 200, "{path:?}: {reply:?}");
        assert_eq!(reply.headers["x-amz-executed-version"], "$LATEST");
        assert_eq!(reply.headers.get("x-amz-function-error"), None, "{path:?}: {reply:?}");
        is_answered(stem(&path), &reply.json());
    }
    let reply = server.post(CALL, json!({ "provider": "openai" }).to_string()).await;
    assert_eq!((reply.status, reply.headers["x-amz-function-error"].as_str()), (200, "Unhandled"));
    assert_eq!(reply.json()["errorType"], "InvalidRequest");
    let headers = [("x-amz-invocation-type", "Event")];
    let body = std::fs::read(format!("{EVENTS}/sqs.json")).unwrap();
    let reply = server.send("POST", CALL, &headers, &body).await;
    assert_eq!((reply.status, reply.body.as_str()), (202, ""));
    let headers = [("x-amz-invocation-type", "DryRun")];
    assert_eq!(server.send("POST", CALL, &headers, b"{}").await.status, 204);
    assert_eq!(server.send("GET", CALL, &[], b"").await.status, 404);
    let headers = [("x-amz-invocation-type", "Stream")];
    let reply = server.send("POST", CALL, &headers, b"{}").await;
    assert_eq!((reply.status, &reply.json()["errorType"]), (400, &json!("InvalidRequest")));
    // Not for web pages.
    let headers = [("origin", "https://evil.example")];
    let reply = server.send("POST", CALL, &headers, &body).await;
    assert_eq!(reply.json()["errorType"], "Unauthorized", "{reply:?}");
    assert_eq!(server.stop().await.code, Some(0));
}

/// Events are believed: where callers have to prove themselves, nobody may hand any in.
#[tokio::test]
async fn serve_with_a_key_takes_no_events() {
    let folder = Folder::new();
    let variables = [("ENDPOINT_API_KEY", "a-key-of-its-own")];
    let server = Server::start(&folder, &variables, &["--simulate", "--auth", "API_KEY"]).await;
    let body = std::fs::read(format!("{EVENTS}/sqs.json")).unwrap();
    let headers = [("x-api-key", "a-key-of-its-own")];
    let reply = server.send("POST", CALL, &headers, &body).await;
    assert_eq!((reply.status, reply.error().as_str()), (404, "NotFound"));
    assert_eq!(server.stop().await.code, Some(0));
}

/// An event is no request, and a queue's failures are told to whoever runs its event by hand.
#[tokio::test]
async fn what_went_wrong_is_told() {
    let folder = Folder::new();
    let path = format!("{EVENTS}/sqs.json");
    let done = folder.run(&["invoke", "--simulate", &path]).await;
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("(sqs)") && done.stderr.contains("--event"), "{done:?}");
    let mut event: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    event["Records"][1]["body"] = json!("{\"provider\": ");
    let file = folder.file("broken.json", event.to_string());
    let done = folder.run(&["invoke", "--simulate", "--event", &file]).await;
    assert_eq!(done.code, Some(2));
    let id = event["Records"][1]["messageId"].as_str().unwrap();
    assert_eq!(done.json()["batchItemFailures"], json!([{ "itemIdentifier": id }]));
    assert!(done.stderr.contains(id) && done.stderr.contains("line 1"), "{done:?}");
}

/// A request file that a function would answer once is answered once here, too.
#[tokio::test]
async fn invoke_keeps_to_the_key_of_a_request() {
    let folder = Folder::new();
    let aws = bucket().await;
    let variables = variables(&aws);
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut request = crate::harness::request();
    request["idempotencyKey"] = json!("a-key");
    request["return"] = json!("full");
    let file = folder.file("keyed.json", request.to_string());
    let once = folder.run_with(&variables, &["invoke", "--simulate", &file]).await;
    let again = folder.run_with(&variables, &["invoke", "--simulate", &file]).await;
    assert_eq!((once.code, again.code), (Some(0), Some(0)), "{once:?} {again:?}");
    assert_eq!(again.json()["replayed"], true);
    assert_eq!(again.json()["result"], once.json()["result"]);
    // Without a place for answers there is no key; what is written is fine all the same.
    let without = folder.run(&["invoke", "--simulate", &file]).await;
    assert_eq!(without.code, Some(2));
    assert!(without.stderr.contains("RESULT_PREFIX"), "{without:?}");
    assert_eq!(folder.run(&["validate", &file]).await.code, Some(0));
    assert_eq!(folder.run(&["render", &file]).await.code, Some(0));
}
