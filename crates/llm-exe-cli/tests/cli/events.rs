//! Every source's event, by `invoke --event` and by the Invoke API of `serve`.

use std::path::PathBuf;

use llm_exe_testkit::aws::AwsSimulator;
use serde_json::{Value, json};

use crate::harness::{Done, Folder, Server};

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

/// The events whose source does not receive results, with the number of their results.
const UNRETURNED: &[(&str, usize)] = &[
    ("sqs", 2),
    ("sqs-fifo", 3),
    ("pipes", 2),
    ("s3-in-sns-in-sqs", 1),
    ("sns", 1),
    ("s3", 1),
    ("eventbridge", 1),
    ("eventbridge-s3", 1),
];

/// The lines of standard error as JSON, by the name of their only field.
fn lines_of(done: &Done, name: &str) -> Vec<Value> {
    let lines = done.stderr.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter_map(|line| line.get(name).cloned()).collect()
}

/// The ids of an event's records, as its source calls them.
fn record_ids(name: &str) -> Vec<String> {
    let event: Value =
        serde_json::from_slice(&std::fs::read(format!("{EVENTS}/{name}.json")).unwrap()).unwrap();
    let items = event.get("Records").unwrap_or(&event);
    let ids = items.as_array().into_iter().flatten();
    ids.filter_map(|item| item.get("messageId").or_else(|| item.pointer("/Sns/MessageId")))
        .map(|id| id.as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn each_result_that_is_not_returned_is_printed_with_its_place() {
    let folder = Folder::new();
    for (name, count) in UNRETURNED {
        let aws = bucket().await;
        let path = format!("{EVENTS}/{name}.json");
        let stored = variables(&aws);
        let stored = crate::harness::pairs(&stored);
        let is_prefix = |(name, _): &(&str, &str)| *name == "RESULT_PREFIX";
        let unstored: Vec<(&str, &str)> =
            stored.iter().copied().filter(|pair| !is_prefix(pair)).collect();

        let done = folder.run_with(&unstored, &["invoke", "--simulate", "--event", &path]).await;
        assert_eq!(done.code, Some(0), "{done:?}");
        is_answered(name, &done.json());
        assert_eq!(done.stderr.matches("record ").count(), *count, "{done:?}");
        assert_eq!(done.stderr.matches("neither stored nor sent").count(), 1, "{done:?}");
        assert!(done.stderr.contains("RESULT_PREFIX"), "{done:?}");
        assert!(done.stderr.contains("RESULT_DESTINATION"), "{done:?}");
        assert!(!done.stderr.contains("stored at"), "{done:?}");
        for id in record_ids(name) {
            assert!(done.stderr.contains(&format!("record {id}: ")), "{id}: {done:?}");
        }

        let arguments = ["invoke", "--simulate", "--json", "--event", &path];
        let done = folder.run_with(&unstored, &arguments).await;
        assert_eq!(done.stdout.lines().count(), 1, "{done:?}");
        let warnings = lines_of(&done, "warning");
        assert_eq!(warnings.len(), 1, "{done:?}");
        assert!(warnings[0].as_str().unwrap().contains("RESULT_PREFIX"), "{done:?}");
        let results = lines_of(&done, "record");
        assert_eq!(results.len(), *count, "{done:?}");
        for result in &results {
            assert_eq!(result["status"], "ok", "{result}");
            assert!(!result["result"].is_null(), "{result}");
            assert_eq!((result.get("resultUrl"), result.get("destination")), (None, None));
        }

        // The object that each one names holds the result.
        let done = folder.run_with(&stored, &arguments).await;
        assert_eq!(lines_of(&done, "warning"), Vec::<Value>::new());
        for result in lines_of(&done, "record") {
            let url = result["resultUrl"].as_str().unwrap();
            let key = url.strip_prefix("s3://kept/").unwrap();
            let object: Value =
                serde_json::from_slice(&aws.object("kept", key).unwrap().body).unwrap();
            assert_eq!(object["result"], result["result"], "{url}");
        }
        let done = folder.run_with(&stored, &["invoke", "--simulate", "--event", &path]).await;
        let places = done.stderr.matches("\n  stored at s3://kept/results/records/").count();
        assert_eq!(places, *count, "{done:?}");
        assert!(!done.stderr.contains("warning"), "{done:?}");
    }
}

#[tokio::test]
async fn each_result_is_printed_with_its_destination() {
    let folder = Folder::new();
    let queue = "https://sqs.us-east-1.amazonaws.com/123456789012/results";
    for (name, count) in UNRETURNED {
        let aws = bucket().await;
        let variables = variables(&aws);
        let mut variables = crate::harness::pairs(&variables);
        variables.retain(|(name, _)| *name != "RESULT_PREFIX");
        variables.push(("RESULT_DESTINATION", queue));
        let path = format!("{EVENTS}/{name}.json");
        let done = folder.run_with(&variables, &["invoke", "--simulate", "--event", &path]).await;
        assert_eq!(done.code, Some(0), "{done:?}");
        let sent = done.stderr.matches(&format!("\n  sent to {queue}\n")).count();
        assert_eq!((sent, aws.messages().len()), (*count, *count), "{done:?}");
        assert!(!done.stderr.contains("warning"), "{done:?}");
        let arguments = ["invoke", "--simulate", "--json", "--event", &path];
        let done = folder.run_with(&variables, &arguments).await;
        let results = lines_of(&done, "record");
        assert!(results.iter().all(|result| result["destination"] == queue), "{done:?}");
    }
}

#[tokio::test]
async fn a_response_that_reaches_its_caller_is_printed_once() {
    let folder = Folder::new();
    for name in ["function-url", "http-api", "rest-api", "alb"] {
        let path = format!("{EVENTS}/{name}.json");
        let arguments = ["invoke", "--simulate", "--json", "--event", &path];
        let done = folder.run_with(&[("ENDPOINT_AUTH", "NONE")], &arguments).await;
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{name}: {done:?}");
    }
    let direct = folder.file("direct.json", crate::harness::request().to_string());
    let done = folder.run(&["invoke", "--simulate", "--json", "--event", &direct]).await;
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
}

#[tokio::test]
async fn records_without_a_result_say_so() {
    let folder = Folder::new();
    let path = format!("{EVENTS}/s3-test-event.json");
    let done = folder.run(&["invoke", "--event", &path]).await;
    assert!(done.stderr.starts_with("record ") && done.stderr.ends_with(": skipped\n"), "{done:?}");
    let done = folder.run(&["invoke", "--json", "--event", &path]).await;
    assert_eq!(lines_of(&done, "record")[0]["status"], "skipped", "{done:?}");
    let mut event: Value =
        serde_json::from_slice(&std::fs::read(format!("{EVENTS}/sqs.json")).unwrap()).unwrap();
    let mut request = crate::harness::request();
    request["dryRun"] = json!(true);
    event["Records"].as_array_mut().unwrap().truncate(1);
    event["Records"][0]["body"] = json!(request.to_string());
    let file = folder.file("dry.json", event.to_string());
    let done = folder.run(&["invoke", "--event", &file]).await;
    assert!(done.stderr.contains(" (dry run): {"), "{done:?}");
    assert!(!done.stderr.contains("warning"), "{done:?}");
    let done = folder.run(&["invoke", "--json", "--event", &file]).await;
    assert_eq!(lines_of(&done, "record")[0]["dryRun"], true, "{done:?}");
}

/// One failure leaves the results of the other records.
#[tokio::test]
async fn a_failed_record_is_printed_beside_the_results_of_others() {
    let folder = Folder::new();
    let mut event: Value =
        serde_json::from_slice(&std::fs::read(format!("{EVENTS}/sqs.json")).unwrap()).unwrap();
    event["Records"][1]["body"] = json!("{}");
    let file = folder.file("one-bad.json", event.to_string());
    let done = folder.run(&["invoke", "--simulate", "--json", "--event", &file]).await;
    assert_eq!(done.code, Some(2), "{done:?}");
    assert_eq!(lines_of(&done, "record").len(), 1, "{done:?}");
    assert_eq!(lines_of(&done, "error").len(), 1, "{done:?}");
    assert_eq!(lines_of(&done, "warning").len(), 1, "{done:?}");
}

#[tokio::test]
async fn serve_warns_of_results_that_are_lost() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    let body = std::fs::read(format!("{EVENTS}/sqs.json")).unwrap();
    assert_eq!(server.post(CALL, body).await.status, 200);
    let done = server.stop().await;
    assert_eq!(done.stderr.matches("warning: ").count(), 1, "{done:?}");
    assert!(done.stderr.contains("RESULT_PREFIX"), "{done:?}");
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
