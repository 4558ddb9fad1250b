//! Repeats runs with tools that were killed or failed, and continues conversations in another
//! process: each test has a provider of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use llm_exe::bytes::Bytes;
use llm_exe::http::{Request, Response};
use llm_exe::ports::{KeyName, Keys, PortFuture, ProgressStore, RunProgress, Secret, ToolHandler};
use llm_exe::transport::{HttpError, HttpTransport};
use llm_exe::{
    Context, Deadline, Endpoints, Error, ErrorKind, Observer, Rules, Run, Runner, ToolRunReport,
};
use serde_json::{Value, json};

const KEY: &str = "sk-0123456789abcdefghijklmnop";

struct LongKey;

impl Keys for LongKey {
    fn get<'a>(&'a self, _: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        Box::pin(std::future::ready(Ok(Secret::new(KEY).unwrap())))
    }
}

type Reply = dyn Fn(&Value) -> (u16, Value) + Send + Sync;

/// A provider, and the requests that it received.
#[derive(Clone)]
struct Provider {
    reply: Arc<Reply>,
    received: Arc<Mutex<Vec<Value>>>,
    delay: Duration,
}

impl Provider {
    fn new(reply: impl Fn(&Value) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let (received, delay) = (Arc::default(), Duration::ZERO);
        Provider { reply: Arc::new(reply), received, delay }
    }

    fn received(&self) -> Vec<Value> {
        self.received.lock().unwrap().clone()
    }
}

impl HttpTransport for Provider {
    fn send(
        &self,
        request: Request<Bytes>,
        _: Deadline,
    ) -> PortFuture<'_, Result<Response<Bytes>, HttpError>> {
        Box::pin(async move {
            let body: Value = serde_json::from_slice(request.body()).unwrap();
            self.received.lock().unwrap().push(body.clone());
            tokio::time::sleep(self.delay).await;
            let (status, reply) = (self.reply)(&body);
            let body = Bytes::from(reply.to_string());
            Ok(Response::builder().status(status).body(body).unwrap())
        })
    }
}

/// The entries of one run, which outlive its process.
#[derive(Default)]
struct Entries {
    is_started: Mutex<bool>,
    entries: Mutex<HashMap<String, Bytes>>,
    /// The number of entries after which the run is killed.
    kill_after: Mutex<Option<usize>>,
    /// The minimum time that was left for storing an entry.
    min_time_left: Mutex<Option<Duration>>,
}

impl Entries {
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.entries.lock().unwrap().keys().cloned().collect();
        names.sort();
        names
    }

    fn read(&self, name: &str) -> Value {
        serde_json::from_slice(&self.entries.lock().unwrap()[name]).unwrap()
    }
}

struct Store(Arc<Entries>);

struct Progress(Arc<Entries>, bool);

impl ProgressStore for Store {
    fn open<'a>(
        &'a self,
        _: &'a str,
        _: Deadline,
    ) -> PortFuture<'a, Result<Box<dyn RunProgress>, Error>> {
        let is_repeated = std::mem::replace(&mut *self.0.is_started.lock().unwrap(), true);
        let progress = Progress(Arc::clone(&self.0), is_repeated);
        Box::pin(std::future::ready(Ok(Box::new(progress) as Box<dyn RunProgress>)))
    }
}

impl RunProgress for Progress {
    fn id(&self) -> &str {
        "run"
    }

    fn is_repeated(&self) -> bool {
        self.1
    }

    fn read<'a>(
        &'a self,
        name: &'a str,
        _: Deadline,
    ) -> PortFuture<'a, Result<Option<Bytes>, Error>> {
        let entry = self.0.entries.lock().unwrap().get(name).cloned();
        Box::pin(std::future::ready(Ok(entry)))
    }

    fn write<'a>(
        &'a self,
        name: &'a str,
        entry: Bytes,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let count = {
                let mut entries = self.0.entries.lock().unwrap();
                entries.entry(name.to_owned()).or_insert(entry);
                let mut least = self.0.min_time_left.lock().unwrap();
                *least = Some(least.unwrap_or(Duration::MAX).min(deadline.left()));
                entries.len()
            };
            if self.0.kill_after.lock().unwrap().is_some_and(|limit| count >= limit) {
                std::future::pending::<()>().await;
            }
            Ok(())
        })
    }

    fn release(&self, _: Deadline) -> PortFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

type Tool = dyn Fn(&str, &Value) -> Result<Value, String> + Send + Sync;

/// The tools of the tests, and the calls that ran.
#[derive(Clone)]
struct Tools(Arc<Tool>, Arc<Mutex<Vec<String>>>);

impl Tools {
    fn new(tool: impl Fn(&str, &Value) -> Result<Value, String> + Send + Sync + 'static) -> Self {
        Tools(Arc::new(tool), Arc::default())
    }

    fn runs(&self) -> usize {
        self.1.lock().unwrap().len()
    }
}

impl ToolHandler for Tools {
    fn handles(&self, _: &str) -> bool {
        true
    }

    fn call<'a>(
        &'a self,
        name: &'a str,
        arguments: Value,
    ) -> PortFuture<'a, Result<Value, String>> {
        self.1.lock().unwrap().push(name.to_owned());
        Box::pin(std::future::ready((self.0)(name, &arguments)))
    }
}

#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Observer for Seen {
    fn on_tool_run(&self, run: &ToolRunReport) {
        self.0.lock().unwrap().push(format!("{run:?}"));
    }
}

fn runner(provider: &Provider) -> Runner {
    Runner::new(Endpoints::default(), Arc::new(LongKey), Rules::default())
        .with_http_transport(Arc::new(provider.clone()))
}

fn context() -> Context {
    Context::new(Deadline::after(Duration::from_secs(600)))
}

/// Runs a request in a new process.
async fn run(provider: &Provider, tools: &Tools, entries: &Arc<Entries>, request: Value) -> Run {
    let context = context()
        .with_tool_handler(Arc::new(tools.clone()))
        .with_progress(Arc::new(Store(Arc::clone(entries))));
    runner(provider).run(context, request).await
}

/// Runs a request and kills it after it stored a number of entries.
async fn kill_after(
    entries_stored: usize,
    provider: &Provider,
    tools: &Tools,
    entries: &Arc<Entries>,
    request: Value,
) {
    *entries.kill_after.lock().unwrap() = Some(entries_stored);
    let run = run(provider, tools, entries, request);
    assert!(tokio::time::timeout(Duration::from_secs(60), run).await.is_err());
    *entries.kill_after.lock().unwrap() = None;
}

fn chat_reply(message: Value) -> (u16, Value) {
    let reason = if message["tool_calls"].is_array() { "tool_calls" } else { "stop" };
    let reply = json!({
        "id": "r", "model": "gpt-4o",
        "choices": [{ "index": 0, "finish_reason": reason, "message": message }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 1 }
    });
    (200, reply)
}

fn text(content: &str) -> (u16, Value) {
    chat_reply(json!({ "role": "assistant", "content": content }))
}

fn calls(names: &[&str]) -> (u16, Value) {
    let calls = names.iter().enumerate().map(|(index, name)| {
        let function = json!({ "name": name, "arguments": "{}" });
        json!({ "id": format!("c{index}"), "type": "function", "function": function })
    });
    let calls: Vec<Value> = calls.collect();
    chat_reply(json!({ "role": "assistant", "content": null, "tool_calls": calls }))
}

fn results(body: &Value) -> usize {
    body["messages"].as_array().unwrap().iter().filter(|it| it["role"] == "tool").count()
}

fn request() -> Value {
    json!({
        "provider": "openai", "model": "gpt-4o", "message": "Go", "return": "full",
        "tools": [{ "name": "f", "description": "d" }, { "name": "g", "description": "d" }]
    })
}

fn typed_request() -> Value {
    let mut request = request();
    request["output"] = json!("json");
    request["schema"] = json!({
        "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"],
        "additionalProperties": false
    });
    request
}

fn ok_tools() -> Tools {
    Tools::new(|_, _| Ok(json!("fine")))
}

/// A provider that rejects the field for schemas.
fn provider_without_schemas(last: &'static str) -> Provider {
    Provider::new(move |body| {
        if body["response_format"]["type"] == "json_schema" {
            let message = "Invalid parameter: 'response_format' of type 'json_schema' is not \
                           supported with this model. Learn more";
            return (
                400,
                json!({ "error": { "message": message, "type": "invalid_request_error" } }),
            );
        }
        match results(body) {
            0 => calls(&["f"]),
            _ if body["messages"].to_string().contains("can't be used") => text("{\"a\":\"x\"}"),
            _ => text(last),
        }
    })
}

#[tokio::test]
async fn a_conversation_continues_elsewhere_with_the_accepted_structure() {
    let provider = provider_without_schemas("{\"a\":\"x\"}");
    let mut request = typed_request();
    let result = runner(&provider).run(context(), request.clone()).await.outcome.unwrap();
    let form = &result["conversation"]["form"];
    assert_eq!(*form, json!({ "target": 0, "structure": "jsonMode", "isResponses": false }));
    request["conversation"] = result["conversation"].clone();
    request["toolResults"] = json!([{ "id": "c0", "result": "x" }]);
    let outcome = runner(&provider).run(context(), request.clone()).await.outcome;
    assert_eq!(outcome.unwrap(), json!({ "a": "x" }));

    // A method that the model does not have is ignored.
    let count = provider.received().len();
    request["conversation"]["form"]["structure"] = json!("forcedTool");
    request["conversation"]["form"]["target"] = json!(7);
    drop(runner(&provider).run(context(), request.clone()).await);
    assert_eq!(provider.received()[count]["response_format"]["type"], "json_schema");
    request["conversation"]["form"]["structure"] = json!("other");
    let error = runner(&provider).run(context(), request).await.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_continues_with_the_accepted_structure() {
    let provider = provider_without_schemas("{\"a\":\"x\"}");
    let (tools, entries) = (ok_tools(), Arc::default());
    kill_after(1, &provider, &tools, &entries, typed_request()).await;
    let again = run(&provider, &tools, &entries, typed_request()).await;
    assert_eq!(again.outcome.unwrap(), json!({ "a": "x" }));
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_continues_with_the_responses_api() {
    let provider = Provider::new(|body| {
        let Some(input) = body["input"].as_array() else {
            let message = "This model is only supported in v1/responses and not in \
                           v1/chat/completions.";
            return (400, json!({ "error": { "message": message } }));
        };
        let has_result = input.iter().any(|item| item["type"] == "function_call_output");
        let content = json!([{ "type": "output_text", "text": "Done", "annotations": [] }]);
        let output = match has_result {
            true => json!({
                "type": "message", "id": "m", "role": "assistant", "status": "completed",
                "content": content
            }),
            false => json!({
                "type": "function_call", "id": "fc", "call_id": "c0", "name": "f",
                "arguments": "{}", "status": "completed"
            }),
        };
        let reply = json!({
            "id": "r", "object": "response", "model": "gpt-4o", "status": "completed",
            "output": [output], "usage": { "input_tokens": 10, "output_tokens": 1 }
        });
        (200, reply)
    });
    let (tools, entries) = (ok_tools(), Arc::default());
    kill_after(1, &provider, &tools, &entries, request()).await;
    let apis = || -> Vec<bool> {
        provider.received().iter().map(|body| body["input"].is_array()).collect()
    };
    assert_eq!(apis(), [false, true]);
    let again = run(&provider, &tools, &entries, request()).await;
    assert_eq!(again.outcome.unwrap(), "Done");
    // A new process has not learned that the model needs this API.
    assert_eq!(apis(), [false, true, true]);
}

#[tokio::test(start_paused = true)]
async fn items_of_an_earlier_run_count_toward_the_limit_of_their_step() {
    let provider = Provider::new(|_| text("Hi"));
    let items: Vec<usize> = (0..40).collect();
    let request = json!({
        "provider": "openai", "model": "gpt-4o", "data": { "items": items },
        "steps": [{
            "name": "s", "each": "items", "concurrency": 1, "message": "{{item}}",
            "options": { "maxTokens": 10, "maxCost": 0.001 }
        }]
    });
    let (tools, entries) = (ok_tools(), Arc::default());
    let mut counts = Vec::new();
    for _ in 0..2 {
        let run = run(&provider, &tools, &entries, request.clone()).await;
        assert_eq!(run.outcome.unwrap_err().kind(), ErrorKind::LimitExceeded);
        counts.push(provider.received().len());
    }
    assert!((5..40).contains(&counts[0]), "{counts:?}");
    assert_eq!(counts[0], counts[1], "the second run calls the provider again");
}

#[tokio::test(start_paused = true)]
async fn a_structure_that_becomes_weaker_adds_a_schema_turn() {
    let provider = provider_without_schemas("Hello");
    let mut request = typed_request();
    request["outputOptions"] = json!({ "repairs": 0 });
    let run = run(&provider, &ok_tools(), &Arc::default(), request).await;
    assert_eq!(run.outcome.unwrap(), json!({ "a": "x" }));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_run_removes_secrets_from_results() {
    let leaking = Tools::new(|_, _| Ok(json!(format!("the key is {KEY}"))));
    let provider =
        Provider::new(|body| if results(body) == 0 { calls(&["f"]) } else { text("Done") });
    let entries = Arc::<Entries>::default();
    kill_after(1, &provider, &leaking, &entries, request()).await;
    let seen = Arc::new(Seen::default());
    let context = context()
        .with_tool_handler(Arc::new(leaking.clone()))
        .with_observer(seen.clone())
        .with_progress(Arc::new(Store(Arc::clone(&entries))));
    let full = runner(&provider).run(context, request()).await.with_envelope().outcome.unwrap();
    assert_eq!(full["result"], "Done");
    let stored = entries.read("call-1-0");
    assert!(stored["run"]["outcome"]["Ok"].as_str().unwrap().starts_with("the key is "));
    let observed = seen.0.lock().unwrap().clone();
    assert_eq!(observed.len(), 1);
    let sent = Value::Array(provider.received());
    for text in
        [full["toolRuns"].to_string(), stored.to_string(), observed.concat(), sent.to_string()]
    {
        assert!(text.contains("the key is ") && !text.contains(KEY), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_a_tool_that_ended_the_run_is_not_final() {
    let attempts = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&attempts);
    let tools = Tools::new(move |name, _| {
        *counted.lock().unwrap() += 1;
        match (name, *counted.lock().unwrap()) {
            ("g", 2) => Err("busy".to_owned()),
            _ => Ok(json!("fine")),
        }
    });
    let provider =
        Provider::new(|body| if results(body) == 0 { calls(&["f", "g"]) } else { text("Done") });
    let mut request = request();
    request["toolErrors"] = json!("fail");
    let entries = Arc::default();
    let error = run(&provider, &tools, &entries, request.clone()).await.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ToolFailed);
    assert_eq!(entries.names(), ["call-1-0", "turn-1"]);
    let again = run(&provider, &tools, &entries, request).await;
    assert_eq!(again.outcome.unwrap(), "Done");
    assert_eq!((tools.runs(), provider.received().len()), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_failure_to_which_the_model_replied_is_final() {
    let provider = Provider::new(|body| {
        if body["model"] == "gpt-4o-mini" {
            return (503, json!({ "error": { "message": "overloaded" } }));
        }
        match results(body) {
            0 => calls(&["ask"]),
            1 => calls(&["f"]),
            _ => text("Done"),
        }
    });
    let mut request = request();
    let nested = json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "Ask",
        "options": { "numOfAttempts": 1 }
    });
    request["tools"][1] =
        json!({ "name": "ask", "description": "d", "run": { "request": nested } });
    let nested_calls = |provider: &Provider| {
        provider.received().iter().filter(|body| body["model"] == "gpt-4o-mini").count()
    };
    for (stored, expected) in [(1, 2), (2, 1), (3, 1)] {
        let (tools, entries) = (ok_tools(), Arc::default());
        provider.received.lock().unwrap().clear();
        kill_after(stored, &provider, &tools, &entries, request.clone()).await;
        // The failure is stored when the second turn is.
        let before = nested_calls(&provider);
        let again = run(&provider, &tools, &entries, request.clone()).await;
        assert_eq!(again.outcome.unwrap(), "Done");
        assert_eq!(nested_calls(&provider), if stored == 1 { before + 1 } else { expected });
        assert_eq!(tools.runs(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_was_rejected_is_asked_for_again() {
    let replies = Arc::new(Mutex::new(vec!["{\"a\":\"x\"}", "bad 2", "bad 1"]));
    let provider = Provider::new(move |body| match results(body) {
        0 => calls(&["f"]),
        _ => text(replies.lock().unwrap().pop().unwrap()),
    });
    let (tools, entries) = (ok_tools(), Arc::default());
    let error = run(&provider, &tools, &entries, typed_request()).await.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutputInvalid);
    // The first unusable reply is stored, because its repair was asked for.
    assert_eq!(entries.names(), ["call-1-0", "turn-1", "turn-2"]);
    let again = run(&provider, &tools, &entries, typed_request()).await;
    assert_eq!(again.outcome.unwrap(), json!({ "a": "x" }));
    assert_eq!((again.report.repairs, again.report.attempts), (1, 3));
    assert_eq!((tools.runs(), provider.received().len()), (1, 4));
}

#[tokio::test(start_paused = true)]
async fn calls_without_token_counts_use_up_the_limit_again() {
    // The first call has no token counts, so its reservation counts.
    let provider = Provider::new(|body| match results(body) {
        0 => {
            let (status, mut reply) = calls(&["f"]);
            reply.as_object_mut().unwrap().remove("usage");
            (status, reply)
        }
        _ => text("Done"),
    });
    let mut request = request();
    request["options"] = json!({ "maxCost": 0.004, "maxTokens": 300 });
    let (tools, entries) = (ok_tools(), Arc::default());
    let error = run(&provider, &tools, &entries, request.clone()).await.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    let again = run(&provider, &tools, &entries, request).await.outcome.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::LimitExceeded);
    assert_eq!(again.message(), error.message());
    assert_eq!(provider.received().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_run_counts_failed_targets_and_keeps_the_options_of_its_target() {
    let provider = Provider::new(|body| {
        if body["temperature"] == 0.0 {
            return (503, json!({ "error": { "message": "overloaded" } }));
        }
        if results(body) == 0 { calls(&["f"]) } else { text("Done") }
    });
    let mut request = request();
    request["options"] = json!({ "numOfAttempts": 1, "temperature": 0 });
    request["fallbacks"] =
        json!([{ "provider": "openai", "model": "gpt-4o", "options": { "temperature": 1 } }]);
    let (tools, entries) = (ok_tools(), Arc::default());
    kill_after(1, &provider, &tools, &entries, request.clone()).await;
    let again = run(&provider, &tools, &entries, request.clone()).await;
    assert_eq!(again.outcome.unwrap(), "Done");
    assert_eq!(again.report.attempts, 3);
    let temperatures: Vec<f64> =
        provider.received().iter().map(|body| body["temperature"].as_f64().unwrap()).collect();
    assert_eq!(temperatures, [0.0, 1.0, 1.0]);

    // The same holds for a conversation that was handed back.
    let result = runner(&provider).run(context(), request.clone()).await.outcome.unwrap();
    request["conversation"] = result["conversation"].clone();
    request["toolResults"] = json!([{ "id": "c0", "result": "x" }]);
    assert_eq!(runner(&provider).run(context(), request).await.outcome.unwrap(), "Done");
}

#[tokio::test(start_paused = true)]
async fn an_entry_of_another_call_is_not_used() {
    let provider =
        Provider::new(|body| if results(body) == 0 { calls(&["f"]) } else { text("Done") });
    let (tools, entries) = (ok_tools(), Arc::<Entries>::default());
    kill_after(2, &provider, &tools, &entries, request()).await;
    let mut stored = entries.read("call-1-0");
    stored["call"] = json!("0000");
    let stored = Bytes::from(stored.to_string());
    entries.entries.lock().unwrap().insert("call-1-0".to_owned(), stored);
    assert_eq!(run(&provider, &tools, &entries, request()).await.outcome.unwrap(), "Done");
    assert_eq!(tools.runs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_entry_of_a_tool_does_not_hide_the_runs_of_others() {
    let provider =
        Provider::new(|body| if results(body) == 0 { calls(&["f", "g"]) } else { text("Done") });
    let (tools, entries) = (ok_tools(), Arc::<Entries>::default());
    kill_after(3, &provider, &tools, &entries, request()).await;
    let damaged = Bytes::from_static(b"{}");
    entries.entries.lock().unwrap().insert("call-1-0".to_owned(), damaged);
    let again = run(&provider, &tools, &entries, request()).await;
    assert_eq!(again.outcome.unwrap_err().kind(), ErrorKind::ResultUnavailable);
    let names: Vec<&str> = again.report.tool_runs.iter().map(|run| &*run.name).collect();
    assert_eq!(names, ["g"]);
}

#[tokio::test]
async fn nested_requests_store_until_the_deadline_of_the_run_and_do_not_count_waits() {
    let mut provider = Provider::new(|body| {
        if body["model"] == "gpt-4o-mini" {
            return text("Nested");
        }
        if results(body) == 0 { calls(&["one", "two"]) } else { text("Done") }
    });
    provider.delay = Duration::from_secs(1);
    let nested = json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "Ask",
        "tools": [{ "name": "f", "description": "d", "run": { "request": {
            "provider": "openai", "model": "gpt-4o-mini", "message": "Inner"
        } } }]
    });
    let tool = |name: &str| {
        let run = json!({ "request": nested });
        json!({ "name": name, "description": "d", "timeout": 100_000, "run": run })
    };
    let mut request = request();
    request["tools"] = json!([tool("one"), tool("two")]);
    request["options"] = json!({ "maxCost": 0.01 });
    let (tools, entries) = (ok_tools(), Arc::<Entries>::default());
    let started = tokio::time::Instant::now();
    assert_eq!(run(&provider, &tools, &entries, request).await.outcome.unwrap(), "Done");
    // The second nested request waits for the first one.
    assert!(started.elapsed() >= Duration::from_secs(4), "{:?}", started.elapsed());
    let least = entries.min_time_left.lock().unwrap().unwrap();
    assert!(least > Duration::from_secs(500), "{least:?}");
    for name in ["call-1-0/turn-1", "call-1-1/turn-1"] {
        let duration = &entries.read(name)["duration"];
        let duration: Duration = serde_json::from_value(duration.clone()).unwrap();
        assert!(duration < Duration::from_millis(1_800), "{name}: {duration:?}");
    }
}
