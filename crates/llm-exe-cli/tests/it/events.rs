//! Runs events from every source with `invoke --event` and with the Invoke API of `serve`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use llm_exe_testkit::aws::AwsSimulator;
use llm_exe_testkit::event_sources::{ExampleEvent, example_events};
use serde_json::{Value, json};

use crate::harness::{Folder, Output, Server};

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/events");
const PROMPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/prompts");
const INVOKE_API: &str = "/2015-03-31/functions/llm-exe/invocations";

/// Starts an AWS simulator with an S3 bucket that contains the prompts that the events refer to.
async fn start_aws() -> AwsSimulator {
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
        ("RESULT_PREFIX", "s3://stored/results".to_owned()),
        ("ENDPOINT_AUTH", "NONE".to_owned()),
    ]
}

/// Panics unless the response is the expected one.
fn assert_response(event: &ExampleEvent, response: &Value) {
    event.example.check(response).unwrap_or_else(|error| panic!("{}: {error}", event.name));
}

/// Returns the examples that contain requests whose results the caller does not receive.
fn unreturned() -> Vec<ExampleEvent> {
    let mut events = example_events().unwrap();
    events.retain(|event| !event.returns_results && event.example.requests > 0);
    assert!(!events.is_empty());
    events
}

#[tokio::test]
async fn invoke_runs_events_of_every_source() {
    let folder = Folder::new();
    for event in example_events().unwrap() {
        let path = &event.path;
        let aws = start_aws().await;
        let variables = variables(&aws);
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let arguments = ["invoke", "--simulate", "--json", "--event", path.to_str().unwrap()];
        let output = folder.run_with(&variables, &arguments).await;
        assert_eq!(output.code, Some(0), "{path:?}: {output:?}");
        assert_response(&event, &output.json());
        // The second run returns the results that the first run stored. HTTP events do not store
        // results.
        let again = folder.run_with(&variables, &arguments).await;
        if !event.returns_results {
            assert_eq!(again.stdout, output.stdout, "{path:?}");
            assert!(!again.stderr.contains("simulated"), "{path:?}: {again:?}");
        }
    }
}

#[tokio::test]
async fn invoke_api_runs_events_of_every_source() {
    let folder = Folder::new();
    let aws = start_aws().await;
    let variables = variables(&aws);
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let server = Server::start(&folder, &variables, &["--simulate"]).await;
    for event in example_events().unwrap() {
        let path = &event.path;
        let response = server.post(INVOKE_API, std::fs::read(path).unwrap()).await;
        assert_eq!(response.status, 200, "{path:?}: {response:?}");
        assert_eq!(response.headers["x-amz-executed-version"], "$LATEST");
        assert_eq!(response.headers.get("x-amz-function-error"), None, "{path:?}: {response:?}");
        assert_response(&event, &response.json());
    }
    let response = server.post(INVOKE_API, json!({ "provider": "openai" }).to_string()).await;
    assert_eq!(
        (response.status, response.headers["x-amz-function-error"].as_str()),
        (200, "Unhandled")
    );
    assert_eq!(response.json()["errorType"], "InvalidRequest");
    let headers = [("x-amz-invocation-type", "Event")];
    let body = std::fs::read(format!("{EVENTS}/sqs.json")).unwrap();
    let response = server.send("POST", INVOKE_API, &headers, &body).await;
    assert_eq!((response.status, response.body.as_str()), (202, ""));
    let headers = [("x-amz-invocation-type", "DryRun")];
    assert_eq!(server.send("POST", INVOKE_API, &headers, b"{}").await.status, 204);
    assert_eq!(server.send("GET", INVOKE_API, &[], b"").await.status, 404);
    let headers = [("x-amz-invocation-type", "Stream")];
    let response = server.send("POST", INVOKE_API, &headers, b"{}").await;
    assert_eq!((response.status, &response.json()["errorType"]), (400, &json!("InvalidRequest")));
    // The server rejects requests from foreign web pages.
    let headers = [("origin", "https://evil.example")];
    let response = server.send("POST", INVOKE_API, &headers, &body).await;
    assert_eq!(response.json()["errorType"], "Unauthorized", "{response:?}");
    assert_eq!(server.stop().await.code, Some(0));
}

/// Parses each line on standard error as JSON and returns the values of the field `name`. Skips
/// lines without this field.
fn json_lines(output: &Output, name: &str) -> Vec<Value> {
    let lines = output.stderr.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter_map(|line| line.get(name).cloned()).collect()
}

/// Returns the ids of the messages in an event.
fn message_ids(event: &Value) -> Vec<&str> {
    let items = event.get("Records").unwrap_or(event).as_array().into_iter().flatten();
    items
        .filter_map(|item| item.get("messageId").or_else(|| item.pointer("/Sns/MessageId")))
        .map(|id| id.as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn results_are_printed_with_their_location() {
    let folder = Folder::new();
    for event in unreturned() {
        let aws = start_aws().await;
        let (path, count) = (event.path.to_str().unwrap(), event.example.requests);
        let with_prefix = variables(&aws);
        let with_prefix = crate::harness::as_pairs(&with_prefix);
        let is_prefix = |(name, _): &(&str, &str)| *name == "RESULT_PREFIX";
        let without_prefix: Vec<(&str, &str)> =
            with_prefix.iter().copied().filter(|pair| !is_prefix(pair)).collect();

        let output =
            folder.run_with(&without_prefix, &["invoke", "--simulate", "--event", path]).await;
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_response(&event, &output.json());
        assert_eq!(output.stderr.matches("record ").count(), count, "{output:?}");
        assert_eq!(output.stderr.matches("neither stored nor sent").count(), 1, "{output:?}");
        assert!(output.stderr.contains("RESULT_PREFIX"), "{output:?}");
        assert!(output.stderr.contains("RESULT_DESTINATION"), "{output:?}");
        assert!(!output.stderr.contains("stored at"), "{output:?}");
        for id in message_ids(&event.event) {
            assert!(output.stderr.contains(&format!("record {id}: ")), "{id}: {output:?}");
        }

        let arguments = ["invoke", "--simulate", "--json", "--event", path];
        let output = folder.run_with(&without_prefix, &arguments).await;
        assert_eq!(output.stdout.lines().count(), 1, "{output:?}");
        let warnings = json_lines(&output, "warning");
        assert_eq!(warnings.len(), 1, "{output:?}");
        assert!(warnings[0].as_str().unwrap().contains("RESULT_PREFIX"), "{output:?}");
        let results = json_lines(&output, "record");
        assert_eq!(results.len(), count, "{output:?}");
        for result in &results {
            assert_eq!(result["status"], "ok", "{result}");
            assert!(!result["result"].is_null(), "{result}");
            assert_eq!((result.get("resultUrl"), result.get("destination")), (None, None));
        }

        // The object at the printed URL contains the result.
        let output = folder.run_with(&with_prefix, &arguments).await;
        assert_eq!(json_lines(&output, "warning"), Vec::<Value>::new());
        for result in json_lines(&output, "record") {
            let url = result["resultUrl"].as_str().unwrap();
            let key = url.strip_prefix("s3://stored/").unwrap();
            let object: Value =
                serde_json::from_slice(&aws.object("stored", key).unwrap().body).unwrap();
            assert_eq!(object["result"], result["result"], "{url}");
        }
        let output =
            folder.run_with(&with_prefix, &["invoke", "--simulate", "--event", path]).await;
        let count_stored =
            output.stderr.matches("\n  stored at s3://stored/results/records/").count();
        assert_eq!(count_stored, count, "{output:?}");
        assert!(!output.stderr.contains("warning"), "{output:?}");
    }
}

#[tokio::test]
async fn results_are_printed_with_their_destination() {
    let folder = Folder::new();
    let queue = "https://sqs.us-east-1.amazonaws.com/123456789012/results";
    for event in unreturned() {
        let aws = start_aws().await;
        let variables = variables(&aws);
        let mut variables = crate::harness::as_pairs(&variables);
        variables.retain(|(name, _)| *name != "RESULT_PREFIX");
        variables.push(("RESULT_DESTINATION", queue));
        let (path, count) = (event.path.to_str().unwrap(), event.example.requests);
        let output = folder.run_with(&variables, &["invoke", "--simulate", "--event", path]).await;
        assert_eq!(output.code, Some(0), "{output:?}");
        let sent = output.stderr.matches(&format!("\n  sent to {queue}\n")).count();
        assert_eq!((sent, aws.messages().len()), (count, count), "{output:?}");
        assert!(!output.stderr.contains("warning"), "{output:?}");
        let arguments = ["invoke", "--simulate", "--json", "--event", path];
        let output = folder.run_with(&variables, &arguments).await;
        let results = json_lines(&output, "record");
        assert!(results.iter().all(|result| result["destination"] == queue), "{output:?}");
    }
}

#[tokio::test]
async fn returned_result_is_printed_once() {
    let folder = Folder::new();
    for event in example_events().unwrap().into_iter().filter(|event| event.returns_results) {
        let name = &event.name;
        let path = event.path.to_str().unwrap();
        let arguments = ["invoke", "--simulate", "--json", "--event", path];
        let output = folder.run_with(&[("ENDPOINT_AUTH", "NONE")], &arguments).await;
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{name}: {output:?}");
    }
    let direct = folder.file("direct.json", crate::harness::request().to_string());
    let output = folder.run(&["invoke", "--simulate", "--json", "--event", &direct]).await;
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
}

#[tokio::test]
async fn skipped_and_dry_run_records_are_marked() {
    let folder = Folder::new();
    let path = format!("{EVENTS}/s3-test-event.json");
    let output = folder.run(&["invoke", "--event", &path]).await;
    assert!(
        output.stderr.starts_with("record ") && output.stderr.ends_with(": skipped\n"),
        "{output:?}"
    );
    let output = folder.run(&["invoke", "--json", "--event", &path]).await;
    assert_eq!(json_lines(&output, "record")[0]["status"], "skipped", "{output:?}");
    let mut event: Value =
        serde_json::from_slice(&std::fs::read(format!("{EVENTS}/sqs.json")).unwrap()).unwrap();
    let mut request = crate::harness::request();
    request["dryRun"] = json!(true);
    event["Records"].as_array_mut().unwrap().truncate(1);
    event["Records"][0]["body"] = json!(request.to_string());
    let file = folder.file("dry.json", event.to_string());
    let output = folder.run(&["invoke", "--event", &file]).await;
    assert!(output.stderr.contains(" (dry run): {"), "{output:?}");
    assert!(!output.stderr.contains("warning"), "{output:?}");
    let output = folder.run(&["invoke", "--json", "--event", &file]).await;
    assert_eq!(json_lines(&output, "record")[0]["dryRun"], true, "{output:?}");
}

#[tokio::test]
async fn failed_record_does_not_hide_other_results() {
    let folder = Folder::new();
    let mut event: Value =
        serde_json::from_slice(&std::fs::read(format!("{EVENTS}/sqs.json")).unwrap()).unwrap();
    event["Records"][1]["body"] = json!("{}");
    let file = folder.file("one-bad.json", event.to_string());
    let output = folder.run(&["invoke", "--simulate", "--json", "--event", &file]).await;
    assert_eq!(output.code, Some(2), "{output:?}");
    assert_eq!(json_lines(&output, "record").len(), 1, "{output:?}");
    assert_eq!(json_lines(&output, "error").len(), 1, "{output:?}");
    assert_eq!(json_lines(&output, "warning").len(), 1, "{output:?}");
}

#[tokio::test]
async fn serve_warns_about_lost_results() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    let body = std::fs::read(format!("{EVENTS}/sqs.json")).unwrap();
    assert_eq!(server.post(INVOKE_API, body).await.status, 200);
    let output = server.stop().await;
    assert_eq!(output.stderr.matches("warning: ").count(), 1, "{output:?}");
    assert!(output.stderr.contains("RESULT_PREFIX"), "{output:?}");
}

/// Events contain the identity of their sender, which a caller of the Invoke API could forge. A
/// server with authentication must therefore not provide this API.
#[tokio::test]
async fn serve_with_authentication_has_no_invoke_api() {
    let folder = Folder::new();
    let variables = [("ENDPOINT_API_KEY", "a-key-of-its-own")];
    let server = Server::start(&folder, &variables, &["--simulate", "--auth", "API_KEY"]).await;
    let body = std::fs::read(format!("{EVENTS}/sqs.json")).unwrap();
    let headers = [("x-api-key", "a-key-of-its-own")];
    let response = server.send("POST", INVOKE_API, &headers, &body).await;
    assert_eq!((response.status, response.error_type().as_str()), (404, "NotFound"));
    assert_eq!(server.stop().await.code, Some(0));
}

#[tokio::test]
async fn event_without_flag_and_failed_record_are_reported() {
    let folder = Folder::new();
    let path = format!("{EVENTS}/sqs.json");
    let output = folder.run(&["invoke", "--simulate", &path]).await;
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("(sqs)") && output.stderr.contains("--event"), "{output:?}");
    let mut event: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    event["Records"][1]["body"] = json!("{\"provider\": ");
    let file = folder.file("broken.json", event.to_string());
    let output = folder.run(&["invoke", "--simulate", "--event", &file]).await;
    assert_eq!(output.code, Some(2));
    let id = event["Records"][1]["messageId"].as_str().unwrap();
    assert_eq!(output.json()["batchItemFailures"], json!([{ "itemIdentifier": id }]));
    assert!(output.stderr.contains(id) && output.stderr.contains("line 1"), "{output:?}");
}

#[tokio::test]
async fn invoke_deduplicates_by_idempotency_key() {
    let folder = Folder::new();
    let aws = start_aws().await;
    let variables = variables(&aws);
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut request = crate::harness::request();
    request["idempotencyKey"] = json!("a-key");
    request["return"] = json!("full");
    let file = folder.file("keyed.json", request.to_string());
    let first = folder.run_with(&variables, &["invoke", "--simulate", &file]).await;
    let second = folder.run_with(&variables, &["invoke", "--simulate", &file]).await;
    assert_eq!((first.code, second.code), (Some(0), Some(0)), "{first:?} {second:?}");
    assert_eq!(second.json()["replayed"], true);
    assert_eq!(second.json()["result"], first.json()["result"]);
    // Without RESULT_PREFIX, `invoke` rejects the idempotency key, but the request is still valid.
    let without = folder.run(&["invoke", "--simulate", &file]).await;
    assert_eq!(without.code, Some(2));
    assert!(without.stderr.contains("RESULT_PREFIX"), "{without:?}");
    assert_eq!(folder.run(&["validate", &file]).await.code, Some(0));
    assert_eq!(folder.run(&["render", &file]).await.code, Some(0));
}

/// Returns a function URL event with this path and body.
fn http_event(path: &str, body: &Value) -> String {
    let http = json!({ "method": "POST", "path": path });
    let event = json!({
        "version": "2.0", "rawPath": path, "body": body.to_string(),
        "requestContext": { "http": http, "authorizer": { "iam": { "userArn": "arn:aws:iam::1:user/a" } } }
    });
    event.to_string()
}

#[tokio::test]
async fn failed_http_event_has_the_exit_code_of_its_error() {
    let folder = Folder::new();
    let request = crate::harness::request();
    let mut unknown = request.clone();
    unknown["provider"] = json!("opnai");
    let mut number = request.clone();
    number["output"] = json!("number");
    number["message"] = json!("Say hello.");
    for (event, status, code) in [
        (http_event("/", &request), 200, 0),
        (http_event("/", &unknown), 400, 2),
        (http_event("/", &number), 502, 6),
        (http_event("/nowhere", &request), 404, 2),
    ] {
        let file = folder.file("event.json", event);
        let output = folder.run(&["invoke", "--simulate", "--event", &file]).await;
        assert_eq!(output.json()["statusCode"], status, "{output:?}");
        assert_eq!(output.code, Some(code), "{output:?}");
    }
    // The load balancer's event has no identity.
    let output =
        folder.run(&["invoke", "--simulate", "--event", &format!("{EVENTS}/alb.json")]).await;
    assert_eq!((output.json()["statusCode"].clone(), output.code), (json!(401), Some(3)));
}

#[tokio::test]
async fn invoke_api_rejects_payloads_that_are_not_json() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    for (headers, payload) in
        [(&[][..], "{"), (&[("x-amz-invocation-type", "Event")][..], "not JSON")]
    {
        let response = server.send("POST", INVOKE_API, headers, payload.as_bytes()).await;
        assert_eq!(response.status, 400, "{response:?}");
        assert_eq!(response.headers["x-amzn-errortype"], "InvalidRequestContentException");
        assert_eq!(response.json()["Type"], "User", "{response:?}");
    }
    // Without a payload, the event is an empty object.
    let response = server.send("POST", INVOKE_API, &[], b"").await;
    assert_eq!((response.status, &response.json()["errorType"]), (200, &json!("InvalidRequest")));
    server.stop().await;
}

#[tokio::test]
async fn invoke_api_returns_the_log_on_request() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    let request = crate::harness::request().to_string();
    let response = server.post(INVOKE_API, &request).await;
    assert_eq!(response.headers.get("x-amz-log-result"), None, "{response:?}");
    let headers = [("x-amz-log-type", "Tail")];
    let response = server.send("POST", INVOKE_API, &headers, request.as_bytes()).await;
    let log = STANDARD.decode(&response.headers["x-amz-log-result"]).unwrap();
    let line: Value = serde_json::from_slice(&log).unwrap();
    assert_eq!((&line["message"], &line["source"]), (&json!("answered"), &json!("direct")));
    server.stop().await;
}
