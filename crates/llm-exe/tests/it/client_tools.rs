//! Tests of the tools of the API for Rust programs: functions, executors, and calls that are handed
//! back.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use llm_exe::{
    Client, Error, ErrorKind, Json, PendingCalls, RequestBuilder, Response, Tool, ToolChoice,
    ToolOutput,
};
use llm_exe_simulator::{Simulator, Step, ToolCall};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Barrier;

const MODEL: &str = "openai:gpt-4o-mini";

async fn simulated(script: Vec<Step>) -> (Simulator, Client) {
    let simulator = Simulator::start().await.unwrap();
    simulator.script(script);
    let client = Client::builder()
        .key("openai", "sk-test")
        .base_url("openai", simulator.openai_base_url())
        .build()
        .unwrap();
    (simulator, client)
}

fn request(client: &Client) -> RequestBuilder {
    client.request(MODEL).user("Who wrote it?")
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Query {
    /// What to search for.
    words: String,
    limit: Option<u8>,
}

fn call(name: &str, arguments: Value) -> ToolCall {
    ToolCall { name: name.to_owned(), arguments }
}

fn query(words: &str) -> Value {
    json!({ "words": words, "limit": null })
}

/// Returns the contents of the tool messages in a request to the provider.
fn tool_results(simulator: &Simulator, index: usize) -> Vec<String> {
    let journal = simulator.journal();
    let messages = journal[index].body["messages"].as_array().unwrap().iter();
    let results = messages.filter(|message| message["role"] == "tool");
    results.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn calls_of_a_turn_run_at_the_same_time_and_events_are_in_order() {
    let calls = ["first", "second"].map(|words| call("search", query(words)));
    let script = vec![Step::tool_calls("Searching.", calls.to_vec()), Step::text("Melville")];
    let (simulator, client) = simulated(script).await;
    // Both runs wait for each other, and the first one ends last.
    let barrier = Arc::new(Barrier::new(2));
    let search = Tool::function("search", "Searches the catalogue.", move |query: Query| {
        let barrier = barrier.clone();
        async move {
            barrier.wait().await;
            if query.words == "first" {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Json(query)
        }
    });
    let events = Arc::new(Mutex::new(Vec::new()));
    let (turns, runs) = (events.clone(), events.clone());
    let response = request(&client)
        .tool(search)
        .on_turn(move |turn| {
            let (text, calls) = (turn.reply.text(), turn.reply.tool_calls().count());
            assert!(turn.reply.usage.output_tokens > 0);
            turns.lock().unwrap().push(format!("turn {}: {text} {calls}", turn.number));
        })
        .on_tool_run(move |run| {
            let result = run.outcome.as_ref().unwrap();
            runs.lock().unwrap().push(format!("run {}: {} {result}", run.turn, run.name));
        })
        .send()
        .await
        .unwrap();
    let results = ["first", "second"].map(|words| query(words).to_string());
    assert_eq!(tool_results(&simulator, 1), results);
    let [first, second] = results;
    assert_eq!(
        *events.lock().unwrap(),
        [
            "turn 1: Searching. 2".to_owned(),
            format!("run 1: search {first}"),
            format!("run 1: search {second}"),
            "turn 2: Melville 0".to_owned(),
        ]
    );
    assert_eq!(response.report().tool_runs.len(), 2);
    assert_eq!(response.text().unwrap(), "Melville");
}

#[tokio::test]
async fn function_that_fails_is_reported_to_the_model_or_ends_the_request() {
    let script = vec![Step::tool_call("search", query("whales")), Step::text("No idea")];
    let (simulator, client) = simulated(script.clone()).await;
    let search = || {
        Tool::function("search", "Searches the catalogue.", |_: Query| async {
            Err::<String, _>(std::io::Error::other("the catalogue is closed"))
        })
    };
    let response = request(&client).tool(search()).send().await.unwrap();
    assert_eq!(response.text().unwrap(), "No idea");
    let results = tool_results(&simulator, 1);
    assert!(results[0].contains("the catalogue is closed"), "{results:?}");

    simulator.script(script);
    let failing = request(&client).tool(search()).fail_on_tool_error(true);
    let error = failing.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ToolFailed);
    assert!(error.message().contains("the catalogue is closed"), "{error}");
    assert!(!error.for_log().to_string().contains("closed"), "{}", error.for_log());
}

#[tokio::test]
async fn invalid_arguments_are_reported_and_the_function_is_not_called() {
    // JSON Schema accepts 5.0 as an integer, but serde does not.
    for (limit, reason) in [(json!("many"), "/limit"), (json!(5.0), "limit: ")] {
        let invalid = json!({ "words": "whales", "limit": limit }).to_string();
        let (simulator, client) = simulated(vec![
            Step::tool_call("search", json!(invalid)),
            Step::tool_call("search", query("whales")),
            Step::text("Melville"),
        ])
        .await;
        let runs = Arc::new(AtomicUsize::new(0));
        let count = runs.clone();
        let search = Tool::function("search", "Searches the catalogue.", move |_: Query| {
            count.fetch_add(1, Ordering::Relaxed);
            async { "Moby-Dick" }
        });
        // Only failed runs end the request.
        let response = request(&client).tool(search).fail_on_tool_error(true).send().await;
        assert_eq!(response.unwrap().text().unwrap(), "Melville");
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        let results = tool_results(&simulator, 1);
        assert!(results[0].contains(reason), "{results:?}");
        assert_eq!(tool_results(&simulator, 2)[1], "Moby-Dick");
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Article {
    text: String,
    #[serde(default)]
    tone: Option<String>,
}

#[tokio::test]
async fn executor_runs_as_a_tool_and_shares_the_report() {
    // `place` is a variable that the input does not have.
    let arguments = json!({ "text": "Whales sing.", "place": "Oslo" });
    let (simulator, client) = simulated(vec![
        Step::tool_call("summarize", arguments),
        Step::tool_call("count_letters", json!({ "word": "song" })),
        Step::text(r#"{"words": ["song"]}"#),
        Step::text("Songs"),
    ])
    .await;
    #[derive(Deserialize, JsonSchema)]
    struct Word {
        word: String,
    }
    #[derive(Deserialize, JsonSchema)]
    struct Summary {
        #[allow(dead_code, reason = "the type gives the schema")]
        words: Vec<String>,
    }
    // The executor has a tool itself.
    let letters = |word: Word| async move { word.word.len() };
    let prompt = client
        .request(MODEL)
        .user("{{text}} {{#if tone}}({{tone}}){{/if}} {{place}}")
        .data("place", "Bergen")
        .tool(Tool::function("count_letters", "Counts letters.", letters));
    let summarize = client.executor::<Article, Summary>(prompt).unwrap();
    let tool = summarize.as_tool("summarize", "Summarizes a text.");
    let own_tokens = Arc::new(AtomicU64::new(0));
    let sum = own_tokens.clone();
    let response = request(&client)
        .tool(tool)
        .on_turn(move |turn| {
            sum.fetch_add(turn.reply.usage.output_tokens, Ordering::Relaxed);
        })
        .send()
        .await
        .unwrap();
    let report = response.report().clone();
    assert_eq!(response.text().unwrap(), "Songs");
    let journal = simulator.journal();
    assert_eq!(journal[1].body["messages"][0]["content"], "Whales sing.  Bergen");
    assert_eq!(tool_results(&simulator, 2), ["4"]);
    assert_eq!(tool_results(&simulator, 3), [r#"{"words":["song"]}"#]);
    assert_eq!(report.attempts, 4);
    let names: Vec<&str> = report.tool_runs.iter().map(|run| &*run.name).collect();
    assert_eq!(names, ["count_letters", "summarize"]);

    // The turns of the request itself are reported, and those of the executor only as a sum.
    let own = own_tokens.load(Ordering::Relaxed);
    simulator.script(vec![Step::text(r#"{"words": ["song"]}"#)]);
    let article = Article { text: "Whales sing.".to_owned(), tone: None };
    let alone = summarize.send(&article).await.unwrap().report().usage.output_tokens;
    assert!(own > 0 && alone > 0);
    assert!(report.usage.output_tokens > own + alone, "{report:?}");
}

#[tokio::test]
async fn a_limit_of_the_cost_needs_the_prices_of_executors() {
    let (simulator, client) = simulated(vec![]).await;
    let prompt = client.request("openai:gpt-unknown").user("{{text}}");
    let executor = client.executor::<Article, String>(prompt).unwrap();
    let outer = request(&client).tool(executor.as_tool("inner", "Summarizes a text."));
    let run = outer.max_cost(0.05).run().await;
    let error = run.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(error.problems()[0].path, "tools[0].run.request.model", "{error}");
    assert!(error.message().contains("the price of each model"), "{error}");
    assert!(simulator.journal().is_empty());
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Refund {
    order: String,
    cents: u32,
}

fn refund_tool() -> Tool {
    Tool::with_arguments::<Refund>("refund", "Refunds money. A person approves it.")
}

fn refund_calls() -> Step {
    let refund = |order: &str| call("refund", json!({ "order": order, "cents": 540 }));
    let search = call("search", query("cups"));
    Step::tool_calls("I will refund both.", vec![refund("1"), search, refund("2")])
}

fn with_refunds(client: &Client) -> RequestBuilder {
    let search = Tool::function("search", "Searches.", |_: Query| async { "a cup" });
    request(client).tool(search).tool(refund_tool())
}

/// Returns what a program stored about a response with pending calls.
fn stored(response: &Response) -> String {
    serde_json::to_string(&response.pending_calls().unwrap()).unwrap()
}

#[tokio::test]
async fn handed_back_calls_continue_in_another_process() {
    let (simulator, client) = simulated(vec![refund_calls(), Step::text("Done.")]).await;
    let response = with_refunds(&client).send().await.unwrap();
    let stored = stored(&response);
    let error = response.clone().text().unwrap_err();
    assert!(error.message().contains("(refund, refund)"), "{error}");
    assert_eq!(response.parse::<Value>().unwrap_err().kind(), ErrorKind::OutputInvalid);

    // Another client stands for the other process.
    let client = Client::builder()
        .key("openai", "sk-test")
        .base_url("openai", simulator.openai_base_url())
        .build()
        .unwrap();
    let pending: PendingCalls = serde_json::from_str(&stored).unwrap();
    assert_eq!(pending.text(), "I will refund both.");
    let numbers = Arc::new(Mutex::new(Vec::new()));
    let turns = numbers.clone();
    let mut next = with_refunds(&client)
        .resume(&pending)
        .on_turn(move |turn| turns.lock().unwrap().push(turn.number));
    for call in pending.calls() {
        assert_eq!((call.name(), &call.json()["cents"]), ("refund", &json!(540)));
        let Refund { order, .. } = call.arguments().unwrap();
        assert_eq!(call.arguments::<Article>().unwrap_err().kind(), ErrorKind::OutputInvalid);
        next = match &*order {
            "1" => next.tool_result(call.id(), json!({ "approvedBy": "Ann" })),
            _ => next.tool_error(call.id(), "the order does not exist"),
        };
    }
    let response = next.send().await.unwrap();
    assert!(response.pending_calls().is_none());
    assert_eq!(response.text().unwrap(), "Done.");
    assert_eq!(*numbers.lock().unwrap(), [2]);
    let results = tool_results(&simulator, 1);
    assert_eq!(results[..2], [r#"{"approvedBy":"Ann"}"#, "a cup"]);
    assert!(results[2].contains("the order does not exist"), "{results:?}");
}

#[tokio::test]
async fn results_that_do_not_match_the_calls_are_problems() {
    let (simulator, client) = simulated(vec![refund_calls()]).await;
    let response = with_refunds(&client).send().await.unwrap();
    let pending = response.pending_calls().unwrap();
    let [first, second] = pending.calls() else { panic!("{pending:?}") };
    let next = || with_refunds(&client).resume(&pending);
    let error = |request: RequestBuilder| async {
        let error = request.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        let problems = error.problems().iter();
        problems.map(|problem| problem.to_string()).collect::<Vec<_>>().join("\n")
    };
    let missing = error(next().tool_result(first.id(), 1)).await;
    assert!(missing.starts_with("toolResults: missing"), "{missing}");
    assert!(missing.contains(second.id()) && !missing.contains(first.id()), "{missing}");
    let several = next()
        .tool_result(first.id(), 1)
        .tool_error(first.id(), "twice")
        .tool_result("unknown", 2)
        .tool_result(second.id(), f64::NAN);
    let several = error(several).await;
    for part in ["toolResults[1].id: the call", "toolResults[2].id: no call", "[3].result: can't"] {
        assert!(several.contains(part), "{several}");
    }
    let other_tools = request(&client).tool(refund_tool()).resume(&pending);
    let changed = error(other_tools.tool_result(first.id(), 1).tool_result(second.id(), 1)).await;
    assert!(changed.starts_with("conversation.tools"), "{changed}");
    assert_eq!(simulator.journal().len(), 1);
}

#[tokio::test]
async fn invalid_arguments_are_not_handed_back() {
    let invalid = json!({ "order": "1", "cents": 5.5 });
    let script = vec![Step::tool_call("refund", invalid), Step::text("Which order?")];
    let (_simulator, client) = simulated(script).await;
    let response = request(&client).tool(refund_tool()).send().await.unwrap();
    assert_eq!(response.text().unwrap(), "Which order?");
}

#[tokio::test]
async fn panics_of_functions_and_closures_are_not_hidden() {
    let script = || vec![Step::tool_call("search", query("whales")), Step::text("Melville")];
    let (simulator, client) = simulated(script()).await;
    let panicking = |_: Query| async move { panic!("the catalogue burns") as &'static str };
    let working = |_: Query| async move { "Moby-Dick" };
    let request = request(&client);
    let search = |function| Tool::function("search", "Searches.", function);
    let requests = [
        (request.clone().tool(Tool::function("search", "Searches.", panicking)), "burns"),
        (request.clone().tool(search(working)).on_turn(|_| panic!("no turn")), "no turn"),
        (request.clone().tool(search(working)).on_tool_run(|_| panic!("no run")), "no run"),
    ];
    for (request, expected) in requests {
        simulator.script(script());
        let panic = tokio::spawn(request.send()).await.unwrap_err().into_panic();
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap();
        assert!(text.contains(expected), "{text}");
    }
    simulator.script(script());
    let response = request.tool(search(working)).send().await.unwrap();
    assert_eq!(response.text().unwrap(), "Melville");
}

/// Counts the runs that are cancelled.
#[derive(Clone, Default)]
struct Cancelled(Arc<AtomicUsize>);

struct CountOnDrop(Cancelled);

impl Drop for CountOnDrop {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Cancelled {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns a tool that never ends, and a notification that it has started.
    fn hanging_tool(&self) -> (Tool, Arc<tokio::sync::Notify>) {
        let (cancelled, started) = (self.clone(), Arc::new(tokio::sync::Notify::new()));
        let notify = started.clone();
        let tool = Tool::function("search", "Searches.", move |_: Query| {
            let (guard, notify) = (CountOnDrop(cancelled.clone()), notify.clone());
            async move {
                notify.notify_one();
                pending::<()>().await;
                drop(guard);
            }
        });
        (tool, started)
    }
}

#[tokio::test]
async fn dropping_the_request_cancels_its_tools() {
    let (simulator, client) = simulated(vec![Step::tool_call("search", query("whales"))]).await;
    let cancelled = Cancelled::default();
    let (tool, started) = cancelled.hanging_tool();
    tokio::select! {
        response = request(&client).tool(tool).send() => panic!("{response:?}"),
        () = started.notified() => {}
    }
    assert_eq!(cancelled.count(), 1);
    assert_eq!(simulator.journal().len(), 1);
}

#[tokio::test]
async fn function_that_hangs_ends_at_its_time_limit_or_at_the_deadline() {
    let script = vec![Step::tool_call("search", query("whales")), Step::text("No idea")];
    let (simulator, client) = simulated(script.clone()).await;
    let cancelled = Cancelled::default();
    let tool = cancelled.hanging_tool().0.time_limit(Duration::from_millis(50));
    let response = request(&client).tool(tool).send().await.unwrap();
    assert_eq!((response.text().unwrap(), cancelled.count()), ("No idea".to_owned(), 1));
    let results = tool_results(&simulator, 1);
    assert!(results[0].contains("did not end in time"), "{results:?}");

    simulator.script(script);
    let started = Instant::now();
    let limited = request(&client).time_limit(Duration::from_millis(500));
    let run = limited.tool(cancelled.hanging_tool().0).run().await;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!((run.report.tool_runs.len(), cancelled.count()), (1, 2), "{run:?}");
}

#[tokio::test]
async fn tool_without_a_type_has_a_handler() {
    let arguments = json!({ "city": "Oslo" });
    let script = vec![Step::tool_call("weather", arguments.clone()), Step::text("Snow")];
    let (simulator, client) = simulated(script).await;
    let parameters = json!({ "properties": { "city": { "type": "string" } } });
    let tool = Tool::new("weather", "Returns the weather.", parameters)
        .handler(|arguments| async move { arguments });
    let response = request(&client).tool(tool).send().await.unwrap();
    assert_eq!(response.text().unwrap(), "Snow");
    assert_eq!(tool_results(&simulator, 1), [arguments.to_string()]);
}

#[tokio::test]
async fn settings_of_tools_are_sent() {
    let (_simulator, client) = simulated(Vec::new()).await;
    let unit = Tool::function("time", "Returns the time.", |_: ()| async { "7:30" });
    let search = Tool::function("search", "Searches.", |_: Query| async { "Moby-Dick" });
    let request = request(&client)
        .tool(search)
        .tool(unit)
        .tool_choice(ToolChoice::Named("search".to_owned()))
        .parallel_tool_calls(false);
    let body = request.dry_run().await.unwrap()["body"].clone();
    assert_eq!(body["tool_choice"]["function"]["name"], "search");
    assert_eq!(body["parallel_tool_calls"], false);
    let search = &body["tools"][0]["function"];
    assert_eq!(search["parameters"]["required"], json!(["words", "limit"]));
    let description = &search["parameters"]["properties"]["words"]["description"];
    assert_eq!(description, "What to search for.");
    assert_eq!(body["tools"][1]["function"]["parameters"]["properties"], json!({}));
}

#[tokio::test]
async fn tool_without_arguments_runs_until_the_maximum_number_of_turns() {
    let (_simulator, client) = simulated(vec![Step::tool_call("time", json!({})).times(3)]).await;
    let time = Tool::function("time", "Returns the time.", |(): ()| async { "7:30" });
    let run = request(&client).tool(time).max_turns(3).run().await;
    assert_eq!(run.outcome.unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert_eq!(run.report.tool_runs.len(), 2);
    assert!(run.report.tool_runs.iter().all(|run| run.outcome.is_ok()));
}

#[tokio::test]
async fn result_of_a_request_with_tools_has_a_type() {
    let (_simulator, client) = simulated(vec![
        Step::tool_call("search", query("whales")),
        Step::text(r#"{"result": ["Melville"]}"#),
    ])
    .await;
    let search = Tool::function("search", "Searches.", |_: Query| async { "Moby-Dick" });
    let names: Vec<String> = request(&client).tool(search).extract().await.unwrap();
    assert_eq!(names, ["Melville"]);
}

#[tokio::test]
async fn tools_that_are_not_valid_are_problems_of_the_request() {
    let (simulator, client) = simulated(Vec::new()).await;
    let (_, other) = simulated(Vec::new()).await;
    let prompt = |client: &Client| client.request(MODEL).user("{{text}}");
    let executor = |client: &Client, prompt| client.executor::<Article, String>(prompt).unwrap();
    let foreign = executor(&other, prompt(&other)).as_tool("foreign", "Summarizes.");
    let mut deep = executor(&client, prompt(&client));
    for _ in 0..3 {
        deep = executor(&client, prompt(&client).tool(deep.as_tool("nested", "Summarizes.")));
    }
    let request = request(&client)
        .tool(Tool::new("list", "Has no object.", json!([1])))
        .tool(Tool::function("words", "Has no object.", |_: Vec<String>| async {}))
        .tool(foreign)
        .tool(deep.as_tool("deep", "Summarizes."))
        .tool(Tool::new("a b", "Has an invalid name.", json!({})));
    let error = request.send().await.unwrap_err();
    let problems: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    let expected = [
        "tools[0].parameters: expected a JSON Schema (an object), got a list",
        "tools[1].parameters: the type of the arguments is not a struct or a map",
        "tools[2]: the executor belongs to another client",
        "tools[3]: expected at most 4 nested requests",
        "tools[4].name: expected at most 64 letters",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}");
    }
    let error = client.executor::<Article, String>(prompt(&client).tool(refund_tool()));
    let error: Error = error.unwrap_err();
    assert!(error.message().contains("the tool refund has no function"), "{error}");
    assert_eq!(simulator.journal().len(), 0);
}

#[test]
fn outputs_are_json_or_the_reason_of_a_failure() {
    let failed: Result<(), _> = Err::<(), _>("why");
    assert_eq!(failed.into_output(), Err("why".to_owned()));
    // The model receives an empty text as `ok`.
    assert_eq!(Ok::<(), String>(()).into_output(), Ok(json!("")));
    assert_eq!(().into_output(), Ok(json!("")));
    assert_eq!(None::<String>.into_output(), Ok(Value::Null));
    assert_eq!(vec![Some(1), None].into_output(), Ok(json!([1, null])));
    assert_eq!(BTreeMap::from([("a".to_owned(), 1)]).into_output(), Ok(json!({ "a": 1 })));
    assert_eq!(Json(("a", 1)).into_output(), Ok(json!(["a", 1])));
    let reason = f64::NAN.into_output().unwrap_err();
    assert!(reason.starts_with("the result can't be serialized: "), "{reason}");
}
