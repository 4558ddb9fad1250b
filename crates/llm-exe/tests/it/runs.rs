//! Runs each case of `cases/runs.json` with every provider against the simulator.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use llm_exe::ports::PortFuture;
use llm_exe::providers::{PROVIDERS, ProviderRow, provider};
use llm_exe::wire::{Auth, WireReply, WireRequest};
use llm_exe::{Deadline, Endpoints, Error, ErrorKind, KeyName, Keys, Rules, Run, Runner, Secret};
use llm_exe_simulator::{Fault, Simulator, Step};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::{
    FixedKey, endpoints, provider_field, read_cases, send_request, signer, wire_cases,
};

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    name: String,
    request: Value,
    script: Value,
    result: Option<Value>,
    error: Option<String>,
    #[serde(default)]
    message_contains: String,
    #[serde(default)]
    warnings: Vec<String>,
    calls: usize,
    retry_after: Option<u64>,
    deadline_ms: Option<u64>,
}

fn runner(simulator: &Simulator, keys: Arc<dyn Keys>) -> Runner {
    Runner::new(endpoints(simulator), keys, Rules::default()).with_signer(signer())
}

/// Returns a model of the provider, and the provider's stop reason for a truncated reply.
fn model_and_length_reason(row: &ProviderRow) -> (String, String) {
    let field = |name| provider_field(row.name, name);
    (field("model"), field("lengthReason"))
}

/// Returns the error message for a refusal, or `None` if the dialect reports refusals as plain
/// text.
fn refusal_message(row: &ProviderRow) -> Option<&'static str> {
    match row.name {
        "google" => Some("the provider's safety filter stopped the reply (stop reason SAFETY)"),
        "amazon" | "amazon:meta" | "amazon:nova" => {
            Some("the provider's safety filter stopped the reply (stop reason content_filtered)")
        }
        "ollama" => None,
        _ => Some("the model refused"),
    }
}

/// Returns the roles and texts of the messages in a request body.
fn messages(body: &Value) -> Vec<(String, String)> {
    // The content is either a string or an array of parts, the first of which contains the text.
    let text =
        |value: &Value| value.as_str().or_else(|| value[0]["text"].as_str()).unwrap().to_owned();
    let turns = body.get("contents").or(body.get("messages")).unwrap().as_array().unwrap();
    let turn = |turn: &Value| match turn.get("parts") {
        Some(parts) => (text(&turn["role"]).replace("model", "assistant"), text(&parts[0]["text"])),
        None => (text(&turn["role"]), text(&turn["content"])),
    };
    turns.iter().map(turn).collect()
}

#[tokio::test]
async fn every_provider_handles_the_scripted_responses() {
    let cases = Arc::new(read_cases::<Vec<Case>>("runs.json"));
    // The providers are tested concurrently, because most of the time is spent waiting.
    let mut runs = tokio::task::JoinSet::new();
    for row in PROVIDERS {
        runs.spawn(run_cases(row, Arc::clone(&cases)));
    }
    let wrong = runs.join_all().await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn run_cases(row: &'static ProviderRow, cases: Arc<Vec<Case>>) -> Vec<String> {
    let mut wrong = Vec::new();
    let (model, length_reason) = model_and_length_reason(row);
    for case in cases.iter() {
        let refusal = refusal_message(row).unwrap_or_default();
        if refusal.is_empty() && case.message_contains == "REFUSAL" {
            continue;
        }
        // For these providers, the executor rejects other vendors' models without a request.
        let is_missing =
            case.request["model"].as_str().is_some_and(|model| model.starts_with("missing-"));
        if is_missing && matches!(row.name, "amazon:meta" | "amazon:nova" | "amazon:openai") {
            continue;
        }
        let case = &Case {
            message_contains: case
                .message_contains
                .replace("REFUSAL", refusal)
                .replace("CUT", &length_reason),
            ..case.clone()
        };
        let simulator = Simulator::start().await.unwrap();
        let script = case.script.to_string().replace("CUT", &length_reason);
        simulator.script_json(serde_json::from_str(&script).unwrap()).unwrap();
        let mut request = json!({"provider": row.name, "model": model});
        let fields = case.request.as_object().unwrap().clone();
        request.as_object_mut().unwrap().extend(fields);
        let deadline = Duration::from_millis(case.deadline_ms.unwrap_or(30_000));
        let runner = runner(&simulator, Arc::new(FixedKey));
        let run = runner.run(Deadline::after(deadline), request).await;
        if let Some(difference) = difference(case, &run, simulator.journal().len()) {
            wrong.push(format!("{}: {}: {difference}", row.name, case.name));
        }
    }
    wrong
}

/// The simulator shares no code with the client, so it is an independent check of the requests.
#[tokio::test]
async fn simulator_accepts_every_golden_request() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in PROVIDERS {
        let simulator = Simulator::start().await.unwrap();
        let runner = runner(&simulator, Arc::new(FixedKey));
        for (name, case) in wire_cases(row.name) {
            if case.get("wire").is_none() {
                continue;
            }
            count += 1;
            // The runner sends most requests to chat completions, because the base URLs are not
            // those of the providers.
            if case["wire"]["url"].as_str().unwrap().ends_with("/responses") {
                let response = send_recorded(&simulator, row, &case["wire"]["body"]).await;
                if response.status != 200 {
                    let body = String::from_utf8_lossy(&response.body);
                    wrong.push(format!("{}: {name}: {body}", row.name));
                }
                continue;
            }
            let run = runner.run(Deadline::after(DAY), case["request"].clone()).await;
            if let Err(error) = run.outcome
                && error.provider_status().is_some()
            {
                wrong.push(format!("{}: {name}: {error}", row.name));
            }
        }
    }
    assert!(count > 200, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Sends a recorded body to a provider's Responses API.
async fn send_recorded(simulator: &Simulator, row: &ProviderRow, body: &Value) -> WireReply {
    let endpoint = endpoints(simulator).resolve(&provider(row.name).unwrap().into());
    let request = endpoint.post("/responses", body.clone());
    let region = "eu-central-1".to_owned();
    let request = match row.name {
        "azure" => request.with_key_header("api-key"),
        "amazon:openai" => {
            let auth = Auth::SigV4 { service: "bedrock", region };
            WireRequest::new(request.url, request.body, auth)
        }
        _ => request,
    };
    send_request(&request).await
}

const DAY: Duration = Duration::from_secs(86_400);

fn difference(case: &Case, run: &Run, calls: usize) -> Option<String> {
    if calls != case.calls {
        return Some(format!("{calls} calls, {:?}", run.outcome));
    }
    let has_warning =
        |text: &String| run.report.warnings.iter().any(|warning| warning.contains(text));
    if !case.warnings.iter().all(has_warning) {
        return Some(format!("warnings {:?}", run.report.warnings));
    }
    match (&run.outcome, &case.error) {
        (Ok(value), None) => {
            let differs = case.result.as_ref().is_some_and(|expected| expected != value);
            differs.then(|| format!("returned {value}"))
        }
        (Err(error), Some(kind)) => {
            let retry_after = error.retry_after().map(|wait| wait.as_secs());
            let same = error.kind().name() == kind
                && error.message().contains(&case.message_contains)
                && (case.retry_after.is_none() || retry_after == case.retry_after);
            (!same).then(|| format!("failed with {}: {error} ({retry_after:?})", error.kind()))
        }
        (outcome, _) => Some(format!("{outcome:?}")),
    }
}

fn request(row: &ProviderRow) -> Value {
    let (model, _) = model_and_length_reason(row);
    json!({"provider": row.name, "model": model, "message": "hi", "return": "full"})
}

#[tokio::test]
async fn stale_pooled_connection_is_replaced_without_an_attempt() {
    for row in PROVIDERS {
        let simulator = Simulator::start().await.unwrap();
        let runner = runner(&simulator, Arc::new(FixedKey));
        simulator.script(vec![Step::fault(Fault::CloseIdle(Duration::from_millis(1)))]);
        let deadline = Deadline::after(Duration::from_secs(10));
        runner.run(deadline, request(row)).await.outcome.unwrap();
        // The client is not polled during this sleep, as in a frozen Lambda function, so it can't
        // notice that the connection was closed.
        block_thread(Duration::from_millis(100));
        let full = runner.run(deadline, request(row)).await.with_envelope().outcome.unwrap();
        assert_eq!(full["attempts"], 1, "{}", row.name);
    }
}

#[expect(clippy::disallowed_methods, reason = "blocks the client, like a frozen function")]
fn block_thread(time: Duration) {
    std::thread::sleep(time);
}

#[tokio::test]
async fn connections_are_reused() {
    let simulator = Simulator::start().await.unwrap();
    let runner = runner(&simulator, Arc::new(FixedKey));
    for _ in 0..3 {
        let deadline = Deadline::after(Duration::from_secs(10));
        runner.run(deadline, request(&PROVIDERS[0])).await.outcome.unwrap();
    }
    let connections: Vec<u64> = simulator.journal().iter().map(|call| call.connection).collect();
    assert_eq!(connections.len(), 3);
    assert!(connections.iter().all(|connection| *connection == connections[0]), "{connections:?}");
}

#[tokio::test]
async fn connection_failure_is_retried_and_reported() {
    // No process listens on this port.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut endpoints = Endpoints::new();
    endpoints.set(&PROVIDERS[0], &format!("http://{free}/v1")).unwrap();
    let runner = Runner::new(endpoints, Arc::new(FixedKey), Rules::default());
    let mut request = request(&PROVIDERS[0]);
    request["options"] = json!({"maxDelay": 1});
    let run = runner.run(Deadline::after(Duration::from_secs(10)), request).await;
    let error = run.outcome.unwrap_err();
    assert_eq!(error.kind().name(), "ProviderUnavailable");
    assert!(error.message().contains("could not connect"), "{error}");
    assert_eq!(run.report.attempts, 3);
}

#[tokio::test]
async fn retry_after_header_is_honoured() {
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![Step::status(429).header("retry-after-ms", "300")]);
    let runner = runner(&simulator, Arc::new(FixedKey));
    let start = Instant::now();
    let run = runner.run(Deadline::after(Duration::from_secs(10)), request(&PROVIDERS[0])).await;
    assert_eq!((run.outcome.is_ok(), run.report.attempts), (true, 2));
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn repair_names_the_error_and_counts_both_calls() {
    for row in PROVIDERS {
        let simulator = Simulator::start().await.unwrap();
        simulator.script(vec![Step::text("{\"b\": 1}"), Step::text("{\"a\": 2}")]);
        let runner = runner(&simulator, Arc::new(FixedKey));
        let mut request = request(row);
        request["output"] = json!("json");
        request["schema"] = json!({"type": "object", "required": ["a"]});
        let deadline = Deadline::after(Duration::from_secs(10));
        let run = runner.run(deadline, request).await;
        let full = run.clone().with_envelope().outcome.unwrap();
        assert_eq!(full["result"], json!({"a": 2}));
        assert_eq!(full["attempts"], 2);
        let calls = simulator.journal();
        let messages = messages(&calls[1].body);
        let [.., reply, repair] = messages.as_slice() else { panic!("{messages:?}") };
        assert_eq!(reply, &("assistant".to_owned(), "{\"b\": 1}".to_owned()));
        assert_eq!(repair.0, "user");
        assert!(repair.1.contains("the property \"a\" is missing"), "{repair:?}");
        // The provider bills both calls, so the usage must include the tokens of both.
        let total = run.report.usage.total_tokens;
        assert!(total > 0 && full["usage"]["totalTokens"] == total, "{full}");
    }
}

#[tokio::test]
async fn repair_and_error_describe_invalid_json_in_plain_words() {
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![Step::text("{\"a\": nope}").times(2)]);
    let mut request = request(&PROVIDERS[0]);
    request["output"] = json!("json");
    request["schema"] = json!({"type": "object"});
    let runner = runner(&simulator, Arc::new(FixedKey));
    let run = runner.run(Deadline::after(Duration::from_secs(10)), request).await;
    let expected = "not valid JSON at line 1, column 8: expected true, false or null";
    let error = run.outcome.unwrap_err();
    assert!(error.message().contains(expected), "{error}");
    let messages = messages(&simulator.journal()[1].body);
    assert!(messages.last().unwrap().1.contains(expected), "{messages:?}");
}

/// Groq reports a reply that is not valid JSON as status 400.
#[tokio::test]
async fn a_reply_that_the_provider_reports_as_an_error_is_used_or_repaired() {
    let schema = json!({ "type": "object", "required": ["a"] });
    let run = |script: Vec<Step>, repairs: u64, options: Value| {
        let request = json!({
            "provider": "groq", "model": "openai/gpt-oss-120b", "message": "Hi", "output": "json",
            "outputOptions": { "repairs": repairs }, "schema": schema, "options": options,
            "return": "full"
        });
        async move {
            let simulator = Simulator::start().await.unwrap();
            simulator.script(script);
            let runner = runner(&simulator, Arc::new(FixedKey));
            let run = runner.run(Deadline::after(Duration::from_secs(10)), request).await;
            let statuses: Vec<Option<u16>> =
                simulator.journal().iter().map(|call| call.answered.status).collect();
            (run.with_envelope().outcome, simulator.journal(), statuses)
        }
    };
    // The text contains an object that satisfies the schema.
    let fenced = "Here it is:\n```json\n{\"a\": 1}\n```";
    let (outcome, _, statuses) = run(vec![Step::text(fenced)], 0, json!({})).await;
    let full = outcome.unwrap();
    assert_eq!((&full["result"], statuses), (&json!({ "a": 1 }), vec![Some(400)]));
    // The response has no token counts.
    assert_eq!(full["cost"]["usd"], Value::Null);

    let script = vec![Step::text("{\"a\": nope}"), Step::text("{\"a\": 2}")];
    let (outcome, calls, statuses) = run(script, 1, json!({})).await;
    assert_eq!(outcome.unwrap()["result"], json!({ "a": 2 }));
    assert_eq!(statuses, [Some(400), Some(200)]);
    let messages = messages(&calls[1].body);
    let [.., reply, repair] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!(reply, &("assistant".to_owned(), "{\"a\": nope}".to_owned()));
    assert!(repair.1.contains("expected true, false or null"), "{repair:?}");

    let (outcome, ..) = run(vec![Step::text("{\"a\": nope}")], 0, json!({})).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutputInvalid);
    assert!(error.message().contains("the reply begins with \"{"), "{error}");

    let limited = json!({ "maxTokens": 2 });
    let (outcome, ..) = run(vec![Step::text("{\"a\": \"a long text\"}")], 1, limited).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutputTruncated, "{error}");
}

#[tokio::test]
async fn repair_describes_the_expected_output() {
    for row in PROVIDERS {
        let simulator = Simulator::start().await.unwrap();
        simulator.script(vec![Step::text("It is not spam"), Step::text("Ham")]);
        let runner = runner(&simulator, Arc::new(FixedKey));
        let mut request = request(row);
        request["output"] = json!("stringExtract");
        request["outputOptions"] = json!({"enum": ["spam", "ham"], "repairs": 1});
        let deadline = Deadline::after(Duration::from_secs(10));
        let full = runner.run(deadline, request).await.with_envelope().outcome.unwrap();
        assert_eq!((&full["result"], &full["attempts"]), (&json!("ham"), &json!(2)));
        let messages = messages(&simulator.journal()[1].body);
        let (_, repair) = messages.last().unwrap();
        assert!(repair.contains("exactly one of \"spam\", \"ham\""), "{repair}");
    }
}

/// The chat templates of some models require that the roles alternate and that the conversation
/// ends with a user message.
#[tokio::test]
async fn repair_of_an_empty_reply_is_part_of_the_prompt() {
    let url = "data:image/png;base64,iVBORw0=";
    let image = json!({"type": "image_url", "image_url": {"url": url}});
    for content in [json!("hi"), json!([{"type": "text", "text": "hi"}, image])] {
        let simulator = Simulator::start().await.unwrap();
        simulator.script(vec![Step::text(""), Step::text("7")]);
        let runner = runner(&simulator, Arc::new(FixedKey));
        let message = json!([{"role": "user", "content": content}]);
        let request = json!({
            "provider": "openai", "model": "mistral-large-4", "message": message,
            "output": "number", "outputOptions": {"repairs": 1}
        });
        let run = runner.run(Deadline::after(Duration::from_secs(10)), request).await;
        assert_eq!(run.outcome.unwrap(), json!(7), "{content}");
        let calls = simulator.journal();
        let last = calls[1].body["messages"].as_array().unwrap();
        assert_eq!(last.len(), 1, "{last:?}");
        assert!(last[0].to_string().contains("That answer can't be used"), "{last:?}");
    }
}

#[tokio::test]
async fn lone_system_message_is_sent_as_a_user_message() {
    for row in PROVIDERS {
        let simulator = Simulator::start().await.unwrap();
        let runner = runner(&simulator, Arc::new(FixedKey));
        let deadline = Deadline::after(Duration::from_secs(10));
        runner.run(deadline, request(row)).await.outcome.unwrap();
        let body = &simulator.journal()[0].body;
        let message = body.pointer("/messages/0").or(body.pointer("/contents/0")).unwrap();
        assert_eq!(message["role"], "user", "{body}");
    }
}

#[tokio::test]
async fn repair_asks_for_fewer_digits_instead_of_a_feature() {
    let long = "{\"n\": 123456789012345678901234567890}";
    for row in PROVIDERS {
        let simulator = Simulator::start().await.unwrap();
        simulator.script(vec![Step::text(long).times(2)]);
        let runner = runner(&simulator, Arc::new(FixedKey));
        let mut request = request(row);
        request["output"] = json!("json");
        request["schema"] = json!({"type": "object", "required": ["n"]});
        let run = runner.run(Deadline::after(Duration::from_secs(10)), request).await;
        let calls = simulator.journal();
        match (run.outcome, cfg!(feature = "exact-numbers")) {
            (Ok(value), true) => {
                assert_eq!((value.to_string().contains("4567890}"), calls.len()), (true, 1));
            }
            (Err(error), false) => {
                assert!(error.message().contains("enable the feature `exact-numbers`"), "{error}");
                let messages = messages(&calls[1].body);
                let (_, repair) = messages.last().unwrap();
                assert!(repair.contains("write numbers with at most 15 digits"), "{repair}");
                assert!(!repair.contains("feature"), "{repair}");
            }
            (outcome, _) => panic!("{}: {outcome:?}", row.name),
        }
    }
}

/// A key store whose key was rotated. The first key that it returns is invalid, and the renewed key
/// is valid.
struct RotatedKey {
    renewals: AtomicUsize,
}

impl Keys for RotatedKey {
    fn get<'a>(&'a self, _: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        Box::pin(std::future::ready(Ok(Secret::new("invalid").unwrap())))
    }

    fn renewed<'a>(
        &'a self,
        _: &'a KeyName,
        stale: &'a Secret,
    ) -> PortFuture<'a, Result<Option<Secret>, Error>> {
        self.renewals.fetch_add(1, Ordering::Relaxed);
        let newer = (stale.expose() == "invalid").then(|| Secret::new("fresh").unwrap());
        Box::pin(std::future::ready(Ok(newer)))
    }
}

#[tokio::test]
async fn rejected_key_is_renewed_once() {
    for row in PROVIDERS.iter().filter(|row| row.key().is_some()) {
        let simulator = Simulator::start().await.unwrap();
        let keys = Arc::new(RotatedKey { renewals: AtomicUsize::new(0) });
        let runner = runner(&simulator, Arc::clone(&keys) as Arc<dyn Keys>);
        let deadline = Deadline::after(Duration::from_secs(10));
        runner.run(deadline, request(row)).await.outcome.unwrap();
        assert_eq!(keys.renewals.load(Ordering::Relaxed), 1);
        let statuses: Vec<Option<u16>> =
            simulator.journal().iter().map(|call| call.answered.status).collect();
        let rejected = if row.name == "google" { 400 } else { 401 };
        assert_eq!(statuses, [Some(rejected), Some(200)], "{}", row.name);
    }
}

#[tokio::test]
async fn aws_denial_names_the_action_and_the_model() {
    let denied = "User: arn:aws:sts::123456789012:assumed-role/f/f is not authorized to perform: \
                  bedrock:InvokeModel on resource: arn:aws:bedrock:x-1::foundation-model/m";
    let unknown = "The security token included in the request is invalid.";
    for row in PROVIDERS.iter().filter(|row| row.name.starts_with("amazon")) {
        for (message, kind, expected) in [
            (denied, "AccessDenied", "bedrock:InvokeModel on the model "),
            (unknown, "ProviderAuthFailed", "AWS rejected the credentials (403)"),
        ] {
            let simulator = Simulator::start().await.unwrap();
            let body = json!({"message": message});
            let script = json!([{"then": {"status": 403, "body": body}}]);
            simulator.script_json(script).unwrap();
            let runner = runner(&simulator, Arc::new(FixedKey));
            let run = runner.run(Deadline::after(Duration::from_secs(10)), request(row)).await;
            let error = run.outcome.unwrap_err();
            assert_eq!(error.kind().name(), kind, "{error}");
            assert!(error.message().contains(expected), "{error}");
            assert!(error.message().contains(message), "{error}");
            assert!(error.message().contains(&model_and_length_reason(row).0), "{error}");
            assert!(!error.for_log().contains("arn:"), "{}", error.for_log());
            assert_eq!(run.report.attempts, 1);
        }
    }
}
