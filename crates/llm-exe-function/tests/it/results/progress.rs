//! Tests for the progress of runs with tools: an invocation that is repeated after its process was
//! killed neither pays for a stored turn nor runs a stored call of a tool again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use llm_exe::ErrorKind;
use llm_exe_simulator::{ScriptedResponse, Step, ToolCall, When};
use serde_json::{Value, json};

use super::fixture::{PREFIX, TestFunction, WriteBehavior, kind, request, slow_reply, with};

const VARIABLES: [(&str, &str); 3] =
    [PREFIX, ("TOOL_FUNCTIONS", "orders-*"), ("AWS_S3_FILES_BUCKET_NAME", "configs")];

/// The number of turns that call both functions.
const TURNS: usize = 4;

fn tool(name: &str, run: Value) -> Value {
    let parameters = json!({ "type": "object", "properties": { "n": { "type": "integer" } } });
    json!({ "name": name, "description": "Does it.", "parameters": parameters, "run": run })
}

fn with_tools() -> Value {
    let tools = json!([
        tool("first", json!({ "lambda": "orders-0" })),
        tool("second", json!({ "lambda": "orders-1" })),
        { "name": "approve", "description": "Asks a person." }
    ]);
    with(request("Refund order 1234."), "tools", tools)
}

fn record(id: &str, receives: u32, body: &Value) -> Value {
    json!({ "Records": [{
        "messageId": id, "eventSource": "aws:sqs", "body": body.to_string(),
        "attributes": { "ApproximateReceiveCount": receives.to_string() },
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:in"
    }]})
}

fn keyed() -> Value {
    with(with_tools(), "idempotencyKey", json!("k"))
}

fn when(text: &str, step: Step) -> Step {
    step.times(u32::MAX).when(When { prompt_contains: Some(text.to_owned()), ..When::default() })
}

/// Creates a step that calls both functions. Its text identifies the turn in later prompts.
fn calls(turn: usize) -> Step {
    let call = |name: &str| ToolCall { name: name.to_owned(), arguments: json!({ "n": turn }) };
    Step::tool_calls(format!("<turn {turn}>"), vec![call("first"), call("second")])
}

/// Returns the script of a conversation of [`TURNS`] turns with calls and a last one without. The
/// reply depends only on the turns in the request.
fn script() -> Vec<Step> {
    let after = |turn: usize, step| when(&format!("<turn {turn}>"), step);
    let mut steps = vec![after(TURNS, Step::text("Done."))];
    steps.extend((1..TURNS).rev().map(|turn| after(turn, calls(turn + 1))));
    steps.push(when("<asked>", calls(1)));
    steps
}

fn asks() -> Step {
    let call = ToolCall { name: "approve".to_owned(), arguments: json!({}) };
    Step::tool_calls("<asked>", vec![call])
}

/// Creates a function whose provider runs the script.
async fn scripted() -> TestFunction {
    let function = TestFunction::with(&VARIABLES).await;
    function.simulator.script(script());
    function.simulator.script(vec![calls(1).times(u32::MAX)]);
    function
}

/// Creates a function for another process.
fn restarted(function: &TestFunction) -> TestFunction {
    let (store, simulator) = (Arc::clone(&function.store), Arc::clone(&function.simulator));
    TestFunction::with_simulator(&VARIABLES, store, simulator)
}

/// Hands a call back, and returns the event that continues the conversation.
async fn hand_back(function: &TestFunction) -> Value {
    function.simulator.clear();
    function.simulator.script(script());
    function.simulator.script(vec![asks()]);
    let handed_back = function.invoke(&with_tools()).await.0.unwrap();
    let id = &handed_back["toolCalls"][0]["id"];
    let event = with(with_tools(), "continue", handed_back["continue"].clone());
    with(event, "toolResults", json!([{ "id": id, "result": "yes" }]))
}

/// Returns how often each turn was paid for, by the number of turns before it that call functions.
/// The call that hands back is not one of them.
fn paid(function: &TestFunction) -> BTreeMap<usize, usize> {
    let mut paid = BTreeMap::new();
    for call in function.simulator.journal() {
        let messages = call.body["messages"].as_array().unwrap();
        let texts = messages.iter().filter_map(|message| message["content"].as_str());
        let turns = texts.filter(|text| text.starts_with("<turn")).count();
        let is_hand_back =
            call.body["messages"].as_array().unwrap().len() == 1 && is_continued(function);
        if !is_hand_back {
            *paid.entry(turns).or_default() += 1;
        }
    }
    paid
}

fn is_continued(function: &TestFunction) -> bool {
    function.store.names().iter().any(|name| name.contains("/conversations/"))
}

/// Returns how often each function was called in each turn.
fn function_calls(function: &TestFunction) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let mut keys = BTreeMap::new();
    for (name, event, _) in function.store.function_calls.lock().unwrap().iter() {
        let call = format!("{}-{}", event["arguments"]["n"], name.trim_start_matches("orders-"));
        *counts.entry(call.clone()).or_default() += 1;
        // A repeated call has the same key, with which a tool can deduplicate it.
        let key = event["toolCall"]["idempotencyKey"].clone();
        assert_eq!(*keys.entry(call).or_insert_with(|| key.clone()), key);
    }
    counts
}

/// Returns the names of the entries of the only run.
fn entries(function: &TestFunction) -> Vec<String> {
    let names = function.store.names();
    let names = names.iter().filter_map(|name| name.split_once("/progress/"));
    names.map(|(_, name)| name.split_once('/').unwrap().1.replace(".json", "")).collect()
}

/// A way to start and to repeat a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Record,
    Key,
    Continue,
}

impl Way {
    /// Creates the function, its event, and the event that repeats it.
    async fn prepare(self) -> (TestFunction, Value, Value) {
        let function = scripted().await;
        match self {
            Way::Record => {
                let events = [1, 2].map(|receives| record("m-1", receives, &with_tools()));
                let [event, repeated] = events;
                (function, event, repeated)
            }
            Way::Key => (function, keyed(), keyed()),
            Way::Continue => {
                let event = hand_back(&function).await;
                (function, event.clone(), event)
            }
        }
    }

    /// Returns the result of a response.
    fn result(self, function: &TestFunction, response: &Value) -> Value {
        if self != Way::Record {
            return response.clone();
        }
        assert_eq!(response["batchItemFailures"], json!([]));
        let names = function.store.names();
        let name = names.iter().find(|name| name.contains("/records/")).unwrap();
        function.store.get(name)["result"].clone()
    }
}

/// Kills a run at a point and repeats it. Checks what was paid for.
async fn check_kill(way: Way, point: usize) {
    let (function, event, repeated) = way.prepare().await;
    assert!(restarted(&function).kill_at(point, &event).await, "{way:?} {point}");
    let stored = entries(&function);
    function.store.expire();
    let response = restarted(&function).invoke(&repeated).await.0.unwrap();
    assert_eq!(way.result(&function, &response), "Done.", "{way:?} {point}");

    let paid = paid(&function);
    assert_eq!(paid.len(), TURNS + 1, "{way:?} {point}: {paid:?}");
    let stored_turns = stored.iter().filter(|name| name.starts_with("turn-")).count();
    let extra: usize = paid.values().map(|count| count - 1).sum();
    assert!(extra <= 1, "{way:?} {point}: {paid:?}");
    for (turn, count) in paid {
        assert!(turn >= stored_turns || count == 1, "{way:?} {point}: turn {turn}, {stored:?}");
    }
    let calls = function_calls(&function);
    assert_eq!(calls.len(), 2 * TURNS, "{way:?} {point}: {calls:?}");
    let earlier = usize::from(way == Way::Continue);
    for (call, count) in calls {
        let (turn, index) = call.split_once('-').unwrap();
        let name = format!("call-{}-{index}", turn.parse::<usize>().unwrap() + earlier);
        let most = if stored.contains(&name) { 1 } else { 2 };
        assert!(count <= most, "{way:?} {point}: {name} ran {count} times, {stored:?}");
    }
}

async fn check_kills(way: Way) {
    let (function, event, _) = way.prepare().await;
    function.store.kill_points.take_passed();
    let response = restarted(&function).invoke(&event).await.0.unwrap();
    assert_eq!(way.result(&function, &response), "Done.");
    let points = function.store.kill_points.take_passed();
    assert!(points > 10 * TURNS, "{points}");
    assert_eq!(entries(&function).len(), 1 + TURNS + 1 + 2 * TURNS, "{:?}", entries(&function));
    for point in 0..points {
        check_kill(way, point).await;
    }
}

#[tokio::test]
async fn killed_record_pays_at_most_for_the_calls_in_flight_again() {
    check_kills(Way::Record).await;
}

#[tokio::test]
async fn killed_call_with_a_key_pays_at_most_for_the_calls_in_flight_again() {
    check_kills(Way::Key).await;
}

#[tokio::test]
async fn killed_continuation_pays_at_most_for_the_calls_in_flight_again() {
    check_kills(Way::Continue).await;
}

/// Returns the number of points after which a killed run has stored its first turn.
const AFTER_TURN: usize = 12;

#[tokio::test]
async fn another_process_does_not_call_the_provider_before_the_deadline() {
    for way in [Way::Record, Way::Continue] {
        let (function, event, repeated) = way.prepare().await;
        assert!(restarted(&function).kill_at(AFTER_TURN, &event).await);
        let calls = function.calls();
        assert!(calls > 0);
        let (outcome, line) = restarted(&function).invoke(&repeated).await;
        assert_eq!(line["errorType"], "ResultUnavailable", "{way:?} {line}");
        match way {
            Way::Record => {
                let failures = &outcome.unwrap()["batchItemFailures"];
                assert_eq!(*failures, json!([{ "itemIdentifier": "m-1" }]));
            }
            _ => assert!(outcome.unwrap_err().retry_after().unwrap() > Duration::from_secs(5)),
        }
        assert_eq!(function.calls(), calls);
        function.store.expire();
        let response = restarted(&function).invoke(&repeated).await.0.unwrap();
        assert_eq!(way.result(&function, &response), "Done.");
    }
}

/// The two deliveries represent two processes that run at the same time.
#[tokio::test]
async fn concurrent_deliveries_of_a_record_are_paid_for_once() {
    let function = TestFunction::with(&VARIABLES).await;
    function.simulator.script(vec![slow_reply(400)]);
    let (first, second) = (restarted(&function), restarted(&function));
    let event = record("m-1", 1, &with_tools());
    let later = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        second.invoke(&event).await
    };
    let ((first, _), (second, line)) = tokio::join!(first.invoke(&event), later);
    assert_eq!(first.unwrap()["batchItemFailures"], json!([]));
    assert_eq!(second.unwrap()["batchItemFailures"], json!([{ "itemIdentifier": "m-1" }]));
    assert_eq!(line["errorType"], "ResultUnavailable");
    assert_eq!(function.calls(), 1);
    // The result replaces the error of the other process.
    let again = restarted(&function).invoke(&event).await.0.unwrap();
    assert_eq!((&again["batchItemFailures"], function.calls()), (&json!([]), 1));
}

#[tokio::test]
async fn run_can_be_repeated_after_its_deadline() {
    let function = TestFunction::with(&VARIABLES).await;
    function.simulator.script(vec![calls(1), slow_reply(5000)]);
    function.simulator.script(script());
    let event = keyed();
    let killed = restarted(&function);
    let run = killed.handle(&event, Duration::from_millis(1500));
    assert!(tokio::time::timeout(Duration::from_millis(700), run).await.is_err());
    assert_eq!(function.calls(), 2);
    // The call waits for the key, and then continues the run.
    assert_eq!(restarted(&function).invoke(&event).await.0.unwrap(), "Done.");
    assert_eq!(paid(&function)[&0], 1);
}

#[tokio::test]
async fn run_continues_after_a_retryable_error() {
    for way in [Way::Record, Way::Key, Way::Continue] {
        let (function, event, repeated) = way.prepare().await;
        function.simulator.clear();
        function.simulator.script(vec![when("<turn 2>", Step::status(500)).times(1)]);
        function.simulator.script(script());
        function.simulator.script(vec![calls(1).times(u32::MAX)]);
        let (_, line) = restarted(&function).invoke(&event).await;
        assert_eq!(line["errorType"], "ProviderUnavailable", "{line}");
        let response = restarted(&function).invoke(&repeated).await.0.unwrap();
        assert_eq!(way.result(&function, &response), "Done.");
        let expected = BTreeMap::from([(0, 1), (1, 1), (2, 2), (3, 1), (4, 1)]);
        assert_eq!(paid(&function), expected, "{way:?}");
        assert!(function_calls(&function).values().all(|count| *count == 1));
    }
}

#[tokio::test]
async fn nothing_is_paid_for_if_the_start_cannot_be_stored() {
    for way in [Way::Record, Way::Continue] {
        let (function, event, repeated) = way.prepare().await;
        let calls = function.calls();
        function.store.inject(&[WriteBehavior::Fail]);
        let (_, line) = restarted(&function).invoke(&event).await;
        assert_eq!((&line["errorType"], function.calls()), (&json!("ResultUnavailable"), calls));
        let response = restarted(&function).invoke(&repeated).await.0.unwrap();
        assert_eq!(way.result(&function, &response), "Done.");
    }
}

#[tokio::test]
async fn run_continues_if_a_turn_cannot_be_stored() {
    let (function, event, _) = Way::Continue.prepare().await;
    function.store.inject(&[WriteBehavior::Write, WriteBehavior::Fail]);
    let (outcome, line) = restarted(&function).invoke(&event).await;
    assert_eq!(outcome.unwrap(), "Done.");
    assert!(line["warnings"].to_string().contains("could not be stored"), "{line}");
}

#[tokio::test]
async fn damaged_progress_is_an_error_before_any_call() {
    let (function, event, _) = Way::Continue.prepare().await;
    assert!(restarted(&function).kill_at(AFTER_TURN, &event).await);
    function.store.expire();
    let calls = function.calls();
    let names = function.store.names();
    for entry in ["start.json", "turn-"] {
        let name = names.iter().find(|name| name.contains("/progress/") && name.contains(entry));
        let earlier = function.store.get(name.unwrap());
        function.store.put(name.unwrap(), &json!([]));
        let error = restarted(&function).invoke(&event).await.0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResultUnavailable);
        assert!(error.message().contains("damaged"), "{error}");
        function.store.put(name.unwrap(), &earlier);
        function.store.expire();
    }
    assert_eq!(function.calls(), calls);
}

#[tokio::test]
async fn changed_config_starts_from_the_beginning() {
    let function = scripted().await;
    let config = "s3://configs/agent.json";
    function.store.put(config, &with_tools());
    let event = |receives| record("m-1", receives, &json!({ "key": "agent.json" }));
    assert!(restarted(&function).kill_at(AFTER_TURN, &event(1)).await);
    function.store.expire();
    function.store.put(config, &with(with_tools(), "message", json!("Refund order 99.")));
    let response = restarted(&function).invoke(&event(2)).await.0.unwrap();
    assert_eq!(Way::Record.result(&function, &response), "Done.");
    let journal = function.simulator.journal();
    assert_eq!(journal.last().unwrap().body["messages"][0]["content"], "Refund order 99.");
    assert_eq!(paid(&function)[&0], 2);
}

#[tokio::test]
async fn key_of_another_caller_does_not_see_the_progress() {
    let function = scripted().await;
    assert!(restarted(&function).kill_at(AFTER_TURN, &keyed()).await);
    function.store.expire();
    // The caller of this event is anonymous, and the first one is a direct caller.
    let event = json!({
        "version": "2.0", "rawPath": "/", "headers": {}, "body": keyed().to_string(),
        "requestContext": { "http": { "method": "POST" }, "apiId": "a" }
    });
    let variables = [VARIABLES.as_slice(), &[("TOOLS_FROM_HTTP", "true")]].concat();
    let (store, simulator) = (Arc::clone(&function.store), Arc::clone(&function.simulator));
    let other = TestFunction::with_simulator(&variables, store, simulator);
    let response = other.invoke(&event).await.0.unwrap();
    assert_eq!(response["statusCode"], 200, "{response}");
    assert_eq!(paid(&function)[&0], 2);
}

#[tokio::test]
async fn other_requests_have_no_progress() {
    let function = scripted().await;
    let plain = request("hi");
    function.invoke(&with_tools()).await.0.unwrap();
    function.invoke(&with(plain.clone(), "idempotencyKey", json!("plain"))).await.0.unwrap();
    function.invoke(&record("plain", 1, &plain)).await.0.unwrap();
    function.invoke(&with(keyed(), "dryRun", json!(true))).await.0.unwrap();
    let invalid = with(with_tools(), "toolChoice", json!({ "name": "unknown" }));
    let (_, line) = function.invoke(&record("invalid", 1, &invalid)).await;
    assert_eq!(line["errorType"], "InvalidRequest");
    assert_eq!(entries(&function), Vec::<String>::new());
}

/// Otherwise each object would start a run.
#[tokio::test]
async fn objects_of_a_run_are_no_requests() {
    let function = scripted().await;
    function.invoke(&keyed()).await.0.unwrap();
    let names = function.store.names();
    let name = names.iter().find(|name| name.ends_with("/turn-1.json")).unwrap();
    let key = name.strip_prefix("s3://stored/").unwrap();
    let calls = function.calls();
    let config = json!({ "bucket": "stored", "key": key });
    assert_eq!(kind(&function.invoke(&config).await.0), ErrorKind::ConfigForbidden);
    let notification = json!({ "Records": [{
        "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "awsRegion": "eu-west-1",
        "s3": {
            "bucket": { "name": "stored", "arn": "arn:aws:s3:::stored" },
            "object": { "key": key, "sequencer": "1" }
        }
    }]});
    let (outcome, line) = function.invoke(&notification).await;
    outcome.unwrap();
    assert_eq!((&line["skipped"], function.calls()), (&json!(1), calls), "{line}");
}

#[tokio::test]
async fn the_log_line_lists_the_steps_of_a_chain() {
    let function = TestFunction::with(&VARIABLES).await;
    let rejected =
        Step::new(ScriptedResponse::Status { status: 400, headers: Vec::new(), body: None });
    function.simulator.script(vec![when("Two", rejected), when("", Step::text("fine"))]);
    let steps = json!([
        { "name": "first", "message": "First" },
        { "name": "never", "message": "Never", "when": "no" },
        { "name": "outer", "needs": ["first"], "steps": [
            { "name": "one", "message": "One" },
            { "name": "two", "message": "Two {{previous}}" }
        ] },
        { "name": "last", "message": "Last {{previous}}" }
    ]);
    let mut event = with(request(""), "steps", steps);
    event.as_object_mut().unwrap().remove("message");
    let (outcome, line) = function.invoke(&event).await;
    assert_eq!(kind(&outcome), ErrorKind::ProviderRejected);
    assert_eq!(line["failedStep"], "outer.two");
    let steps = line["steps"].as_array().unwrap();
    let names: Vec<&Value> = steps.iter().map(|step| &step["name"]).collect();
    assert_eq!(names, ["first", "never", "outer.one", "outer.two", "outer"]);
    assert_eq!((&steps[0]["attempts"], &steps[2]["attempts"]), (&json!(1), &json!(1)));
    assert_eq!(steps[1]["skipped"], true);
    assert_eq!((&steps[3]["failed"], &steps[4]["failed"]), (&json!(true), &json!(true)));
    assert_eq!(steps[4]["attempts"], 2);
    assert!(steps[0]["inputTokens"].as_u64() > Some(0), "{line}");
    assert!(steps[0]["durationMs"].is_number() && steps[0].get("failed").is_none(), "{line}");
    assert!(!line.to_string().contains("fine"), "{line}");
    let (_, line) = function.invoke(&request("Hi")).await;
    assert_eq!(line.get("steps"), None);
}
