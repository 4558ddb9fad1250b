//! Kills runs with tools at every point and repeats them: nothing that was stored is paid for or
//! run again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use llm_exe::bytes::Bytes;
use llm_exe::http::{Request, Response};
use llm_exe::ports::{PortFuture, ProgressStore, RunProgress, ToolHandler};
use llm_exe::transport::{HttpError, HttpTransport};
use llm_exe::{Context, Deadline, Endpoints, Error, ErrorKind, Rules, Run, Runner};
use serde_json::{Value, json};

use crate::common::FixedKey;

/// The number of turns that call both tools.
const TURNS: usize = 4;

/// The world outside of the run. It outlives a killed run.
#[derive(Default)]
struct World {
    /// The entries of the progress by the hash of the request and their names.
    entries: Mutex<HashMap<String, Bytes>>,
    /// How often each request was answered, by its name.
    paid: Mutex<HashMap<String, usize>>,
    /// How often each tool ran, by its key.
    tool_runs: Mutex<HashMap<String, usize>>,
    /// The number of points that the run may pass before it is killed.
    points_left: Mutex<Option<usize>>,
    passed: Mutex<usize>,
    /// Whether entries can't be written.
    write_fails: Mutex<bool>,
}

impl World {
    /// Passes a point at which the run can be killed.
    async fn pass(&self) {
        *self.passed.lock().unwrap() += 1;
        let is_killed = {
            let mut left = self.points_left.lock().unwrap();
            let is_killed = *left == Some(0);
            *left = left.map(|left| left.saturating_sub(1));
            is_killed
        };
        if is_killed {
            std::future::pending::<()>().await;
        }
    }

    fn count(counts: &Mutex<HashMap<String, usize>>, name: String) {
        *counts.lock().unwrap().entry(name).or_default() += 1;
    }

    fn reply(&self, request: &Request<Bytes>) -> Value {
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let messages = body["messages"].as_array().unwrap();
        let turns: Vec<&Value> =
            messages.iter().filter(|message| message["role"] == "assistant").collect();
        for (index, turn) in turns.iter().enumerate() {
            // An earlier turn comes back as it was sent.
            assert_eq!(turn["reasoning_content"], format!("thought {index}"), "{body}");
        }
        let is_nested = body["model"] == "gpt-4o-mini";
        let name = match is_nested {
            true => format!("nested {}", messages[0]["content"]),
            false => format!("turn {}", turns.len()),
        };
        Self::count(&self.paid, name);
        let call = |id: &str, name: &str| {
            let arguments = json!({ "n": turns.len() }).to_string();
            let function = json!({ "name": name, "arguments": arguments });
            let id = format!("{id}{}", turns.len());
            json!({ "id": id, "type": "function", "function": function })
        };
        let mut message = json!({ "role": "assistant", "content": "Done" });
        let calls_tools = !is_nested && turns.len() < TURNS;
        if calls_tools {
            message["tool_calls"] = json!([call("a", "count"), call("b", "ask")]);
            message["content"] = Value::Null;
        }
        message["reasoning_content"] = json!(format!("thought {}", turns.len()));
        let reason = if calls_tools { "tool_calls" } else { "stop" };
        json!({
            "id": "r", "model": body["model"],
            "choices": [{ "index": 0, "finish_reason": reason, "message": message }],
            "usage": { "prompt_tokens": 10, "completion_tokens": 1 }
        })
    }
}

struct Provider(Arc<World>);

impl HttpTransport for Provider {
    fn send(
        &self,
        request: Request<Bytes>,
        _: Deadline,
    ) -> PortFuture<'_, Result<Response<Bytes>, HttpError>> {
        Box::pin(async move {
            self.0.pass().await;
            if request.body().windows(8).any(|text| text == b"gpt-down") {
                World::count(&self.0.paid, "down".to_owned());
                return Err(HttpError::NotConnected("refused".to_owned()));
            }
            let hangs: [&[u8]; 2] = [b"Hang", b"gpt-slow"];
            if hangs.iter().any(|text| request.body().windows(text.len()).any(|it| it == *text)) {
                std::future::pending::<()>().await;
            }
            let reply = self.0.reply(&request);
            self.0.pass().await;
            Ok(Response::new(Bytes::from(reply.to_string())))
        })
    }
}

struct Tools(Arc<World>);

impl ToolHandler for Tools {
    fn handles(&self, name: &str) -> bool {
        name == "count"
    }

    fn call<'a>(
        &'a self,
        name: &'a str,
        arguments: Value,
    ) -> PortFuture<'a, Result<Value, String>> {
        Box::pin(async move {
            self.0.pass().await;
            World::count(&self.0.tool_runs, format!("{name} {arguments}"));
            self.0.pass().await;
            Ok(arguments)
        })
    }
}

struct Store(Arc<World>);

impl ProgressStore for Store {
    fn open<'a>(
        &'a self,
        request: &'a str,
        _: Deadline,
    ) -> PortFuture<'a, Result<Box<dyn RunProgress>, Error>> {
        Box::pin(async move {
            self.0.pass().await;
            let start = format!("{request}/start");
            let known = self.0.entries.lock().unwrap().insert(start, Bytes::new());
            let (world, id) = (Arc::clone(&self.0), request.to_owned());
            let progress = Progress { world, id, is_repeated: known.is_some() };
            Ok(Box::new(progress) as Box<dyn RunProgress>)
        })
    }
}

struct Progress {
    world: Arc<World>,
    id: String,
    is_repeated: bool,
}

impl RunProgress for Progress {
    fn id(&self) -> &str {
        &self.id
    }

    fn is_repeated(&self) -> bool {
        self.is_repeated
    }

    fn read<'a>(
        &'a self,
        name: &'a str,
        _: Deadline,
    ) -> PortFuture<'a, Result<Option<Bytes>, Error>> {
        assert!(self.is_repeated, "a new run has nothing to read");
        Box::pin(async move {
            let name = format!("{}/{name}", self.id);
            Ok(self.world.entries.lock().unwrap().get(&name).cloned())
        })
    }

    fn write<'a>(
        &'a self,
        name: &'a str,
        entry: Bytes,
        _: Deadline,
    ) -> PortFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            self.world.pass().await;
            if *self.world.write_fails.lock().unwrap() {
                return Err(Error::new(ErrorKind::ResultUnavailable, "S3 failed"));
            }
            let name = format!("{}/{name}", self.id);
            let earlier = self.world.entries.lock().unwrap().insert(name, entry);
            assert!(earlier.is_none(), "an entry is written once");
            self.world.pass().await;
            Ok(())
        })
    }

    fn release(&self, _: Deadline) -> PortFuture<'_, ()> {
        Box::pin(async move { self.world.pass().await })
    }
}

fn request() -> Value {
    let parameters = json!({ "type": "object", "properties": { "n": { "type": "integer" } } });
    let nested = json!({ "provider": "openai", "model": "gpt-4o-mini", "message": "Ask {{n}}" });
    json!({
        "provider": "openai",
        "model": "gpt-4o",
        "message": "Go",
        "return": "full",
        "tools": [
            { "name": "count", "description": "Counts.", "parameters": parameters },
            {
                "name": "ask", "description": "Asks.", "parameters": parameters,
                "run": { "request": nested }
            }
        ]
    })
}

async fn run(world: &Arc<World>, request: Value) -> Run {
    run_within(world, request, Duration::from_secs(600)).await
}

async fn run_within(world: &Arc<World>, request: Value, time: Duration) -> Run {
    let endpoints = Endpoints::default();
    let runner = Runner::new(endpoints, Arc::new(FixedKey), Rules::default())
        .with_http_transport(Arc::new(Provider(Arc::clone(world))));
    let context = Context::new(Deadline::after(time))
        .with_tool_handler(Arc::new(Tools(Arc::clone(world))))
        .with_progress(Arc::new(Store(Arc::clone(world))));
    runner.run(context, request).await
}

/// Runs a request and kills it after it passed a number of points. Returns `None` if it was killed.
async fn run_until(world: &Arc<World>, request: Value, points: usize) -> Option<Run> {
    *world.points_left.lock().unwrap() = Some(points);
    let run = tokio::time::timeout(Duration::from_secs(60), run(world, request)).await.ok();
    *world.points_left.lock().unwrap() = None;
    run
}

/// Removes the durations from a `full` object.
fn without_durations(mut full: Value) -> Value {
    if let Some(fields) = full.as_object_mut() {
        fields.shift_remove("durationMs");
        for value in fields.values_mut() {
            *value = without_durations(value.take());
        }
    } else if let Some(items) = full.as_array_mut() {
        for item in items {
            *item = without_durations(item.take());
        }
    }
    full
}

fn values(counts: &Mutex<HashMap<String, usize>>) -> Vec<usize> {
    counts.lock().unwrap().values().copied().collect()
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_pays_at_most_for_the_calls_in_flight_again() {
    let world = Arc::new(World::default());
    let expected = run(&world, request()).await.with_envelope().outcome.unwrap();
    assert_eq!(expected["result"], "Done");
    let points = *world.passed.lock().unwrap();
    assert!(points > 40, "{points}");
    assert_eq!(values(&world.paid), [1; 2 * TURNS + 1]);

    for point in 0..points {
        let world = Arc::new(World::default());
        assert!(run_until(&world, request(), point).await.is_none(), "{point}");
        let again = run(&world, request()).await.with_envelope().outcome.unwrap();
        assert_eq!(without_durations(again), without_durations(expected.clone()), "{point}");
        let paid = values(&world.paid);
        assert_eq!(paid.len(), 2 * TURNS + 1, "{point}");
        // A call of the model, or one of each tool, can be in flight.
        let extra: usize = paid.iter().map(|count| count - 1).sum();
        assert!(extra <= 1, "{point}: {:?}", world.paid.lock().unwrap());
        let runs = values(&world.tool_runs);
        let repeated: usize = runs.iter().map(|count| count - 1).sum();
        assert!(runs.len() == TURNS && repeated <= 1, "{point}: {runs:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_again_and_again_ends() {
    let world = Arc::new(World::default());
    let mut kills = 0;
    // Each run can complete one turn with its tools.
    while run_until(&world, request(), 16).await.is_none() {
        kills += 1;
        assert!(kills < 20);
    }
    assert!(kills > 2, "{kills}");
    assert!(values(&world.paid).iter().all(|count| *count <= 2));
    assert!(values(&world.tool_runs).iter().all(|count| *count <= 2));
}

#[tokio::test(start_paused = true)]
async fn a_finished_run_is_not_paid_for_again() {
    let world = Arc::new(World::default());
    run(&world, request()).await.outcome.unwrap();
    assert_eq!(run(&world, request()).await.outcome.unwrap(), "Done");
    assert_eq!(values(&world.paid), [1; 2 * TURNS + 1]);
    assert_eq!(values(&world.tool_runs), [1; TURNS]);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_run_stays_with_the_fallback_that_replied() {
    let world = Arc::new(World::default());
    let mut request = request();
    request["model"] = json!("gpt-down");
    request["options"] = json!({ "numOfAttempts": 1 });
    request["fallbacks"] = json!([{ "provider": "openai", "model": "gpt-4o" }]);
    assert!(run_until(&world, request.clone(), 20).await.is_none());
    let run = run(&world, request).await;
    assert_eq!(run.outcome.as_ref().unwrap(), "Done");
    assert_eq!(run.report.model.as_deref(), Some("gpt-4o"));
    let full = run.with_envelope().outcome.unwrap();
    assert_eq!(full["passedOver"][0]["model"], "gpt-down", "{full}");
    assert_eq!(full["passedOver"][0]["errorType"], "ProviderUnavailable", "{full}");
    assert_eq!(world.paid.lock().unwrap()["down"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_changed_request_starts_from_the_beginning() {
    let world = Arc::new(World::default());
    run(&world, request()).await.outcome.unwrap();
    let mut changed = request();
    changed["options"] = json!({ "temperature": 0 });
    run(&world, changed).await.outcome.unwrap();
    assert_eq!(values(&world.paid), [2; 2 * TURNS + 1]);
}

#[tokio::test(start_paused = true)]
async fn a_run_continues_if_its_progress_can_not_be_stored() {
    let world = Arc::new(World::default());
    *world.write_fails.lock().unwrap() = true;
    let run = run(&world, request()).await;
    assert_eq!(run.outcome.unwrap(), "Done");
    let warnings = &run.report.warnings;
    assert!(
        warnings.iter().any(|text| text.contains("turn-1 could not be stored")),
        "{warnings:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn requests_with_one_turn_have_no_progress() {
    let world = Arc::new(World::default());
    let mut request = request();
    request.as_object_mut().unwrap().remove("tools");
    drop(run(&world, request).await);
    assert!(world.entries.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_damaged_entry_is_an_error_before_any_call() {
    let world = Arc::new(World::default());
    run(&world, request()).await.outcome.unwrap();
    for entry in world.entries.lock().unwrap().values_mut() {
        *entry = Bytes::from_static(b"{}");
    }
    let error = run(&world, request()).await.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultUnavailable);
    assert!(error.message().contains("turn-1 of the request is damaged"), "{error}");
    assert_eq!(values(&world.paid), [1; 2 * TURNS + 1]);
}

#[tokio::test]
async fn an_item_is_not_stored_as_null_if_its_tool_ran_out_of_time() {
    for (message, time, is_stored) in [("Hang", 1, false), ("Ask", 60, true)] {
        let mut tool = request()["tools"][1].clone();
        tool["run"]["request"]["message"] = json!(message);
        if is_stored {
            // The call of the tool fails at once.
            tool["run"]["request"]["model"] = json!("gpt-down");
            tool["run"]["request"]["options"] = json!({ "numOfAttempts": 1 });
        }
        let request = json!({
            "provider": "openai", "model": "gpt-4o", "data": { "items": ["Go"] },
            "steps": [{
                "name": "s", "each": "items", "onItemError": "null", "message": "{{item}}",
                "tools": [tool], "toolErrors": "fail"
            }]
        });
        let world = Arc::new(World::default());
        let run = run_within(&world, request, Duration::from_secs(time)).await;
        let warnings = run.report.warnings;
        assert_eq!(run.outcome.unwrap(), json!([null]), "{warnings:?}");
        assert!(warnings.iter().any(|text| text.contains("ToolFailed")), "{warnings:?}");
        let entries = world.entries.lock().unwrap();
        assert_eq!(entries.keys().any(|name| name.ends_with("/step-s-0")), is_stored);
        assert!(entries.keys().any(|name| name.ends_with("/step-s-0/turn-1")));
    }
}

#[tokio::test]
async fn an_item_is_not_stored_as_null_if_a_target_before_the_fallback_timed_out() {
    for (model, is_stored) in [("gpt-slow", false), ("gpt-down", true)] {
        let request = json!({
            "provider": "openai", "model": model, "data": { "items": ["Go"] },
            "options": { "numOfAttempts": 1 },
            "fallbacks": [{ "provider": "openai", "model": "gpt-4o-mini" }],
            "steps": [{
                "name": "s", "each": "items", "onItemError": "null", "message": "{{item}}",
                "output": "json", "schema": {}, "outputOptions": { "repairs": 0 }
            }]
        });
        let world = Arc::new(World::default());
        let run = run_within(&world, request, Duration::from_secs(1)).await;
        assert_eq!(run.outcome.unwrap(), json!([null]), "{model}");
        assert_eq!(run.report.passed_over.unwrap()[0].model, model);
        let entries = world.entries.lock().unwrap();
        let has_entry = entries.keys().any(|name| name.ends_with("/step-s-0"));
        assert_eq!(has_entry, is_stored, "{model}");
    }
}

fn chain() -> Value {
    json!({
        "provider": "openai",
        "model": "gpt-4o-mini",
        "return": "full",
        "data": { "items": ["a", "b", "c"] },
        "steps": [
            { "name": "first", "message": "First" },
            { "name": "each", "each": "items", "concurrency": 2,
              "message": "{{item}} {{steps.first}}" },
            { "name": "again", "message": "Again {{iteration}} {{json previous}}",
              "repeat": { "until": "{{#if (eq iteration 2)}}yes{{/if}}", "max": 3 } },
            { "name": "inner", "steps": [
                { "name": "one", "message": "One", "when": "{{nothing}}yes" },
                { "name": "two", "message": "Two {{previous}}" }
            ] },
            { "name": "null", "when": "{{nothing}}", "message": "Never" },
            { "name": "last", "message": "Last {{json steps}}",
              "fallbacks": [{ "provider": "openai", "model": "gpt-4o-mini" }],
              "model": "gpt-down", "options": { "numOfAttempts": 1 } }
        ]
    })
}

#[tokio::test(start_paused = true)]
async fn a_killed_chain_pays_at_most_for_the_steps_in_flight_again() {
    let calls = 10;
    let world = Arc::new(World::default());
    let expected = run(&world, chain()).await.with_envelope().outcome.unwrap();
    let points = *world.passed.lock().unwrap();
    assert!(points > 2 * calls, "{points}");
    assert_eq!(values(&world.paid), vec![1; calls]);
    for point in 0..points {
        let world = Arc::new(World::default());
        assert!(run_until(&world, chain(), point).await.is_none(), "{point}");
        let again = run(&world, chain()).await.with_envelope().outcome.unwrap();
        assert_eq!(without_durations(again), without_durations(expected.clone()), "{point}");
        let paid = values(&world.paid);
        let extra: usize = paid.iter().map(|count| count - 1).sum();
        // Two items and the first step of the nested chain can be in flight.
        assert!(paid.len() == calls && extra <= 3, "{point}: {:?}", world.paid.lock().unwrap());
        assert!(paid.iter().all(|count| *count <= 2), "{point}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_finished_chain_returns_the_same_full_object_again() {
    let tool = request()["tools"][1].clone();
    let mut request = chain();
    request["steps"][3]["steps"] = json!([
        { "name": "items", "message": "{{item}}",
          "output": "json", "schema": {}, "outputOptions": { "repairs": 0 },
          "each": "items", "onItemError": "null" },
        { "name": "empty", "steps": [{ "name": "never", "message": "Never", "when": "no" }] },
        { "name": "tools", "model": "gpt-4o", "message": "Go", "tools": [tool] }
    ]);
    request["steps"].as_array_mut().unwrap().truncate(4);
    let world = Arc::new(World::default());
    let expected = run(&world, request.clone()).await.with_envelope().outcome.unwrap();
    assert_eq!(expected["steps"][3]["steps"][1]["result"], Value::Null, "{expected}");
    assert!(!expected["toolRuns"].as_array().unwrap().is_empty(), "{expected}");
    let again = run(&world, request).await.with_envelope().outcome.unwrap();
    assert_eq!(without_durations(again), without_durations(expected));
    assert!(values(&world.paid).iter().sum::<usize>() > 10);
}

#[tokio::test(start_paused = true)]
async fn steps_that_an_earlier_version_stored_are_read() {
    let world = Arc::new(World::default());
    run(&world, chain()).await.outcome.unwrap();
    for (name, entry) in world.entries.lock().unwrap().iter_mut() {
        if name.contains("/step-") {
            let mut stored: Value = serde_json::from_slice(entry).unwrap();
            let counts = stored["counts"].as_object_mut().unwrap();
            for field in [
                "failed_targets",
                "provider",
                "model",
                "stop_reason",
                "provider_stop_reason",
                "has_tools",
                "steps",
            ] {
                assert!(counts.shift_remove(field).is_some(), "{field}");
            }
            *entry = Bytes::from(stored.to_string());
        }
    }
    let again = run(&world, chain()).await;
    assert_eq!(again.outcome.unwrap(), "Done");
    assert_eq!(again.report.provider.as_deref(), Some("openai"));
    assert_eq!(values(&world.paid), vec![1; 10]);
}
