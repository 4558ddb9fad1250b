//! Runs chains against a provider that replies with what each prompt asks for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use llm_exe::bytes::Bytes;
use llm_exe::http::{Request, Response};
use llm_exe::ports::PortFuture;
use llm_exe::transport::{HttpError, HttpTransport};
use llm_exe::{
    Client, Context, Deadline, Endpoints, ErrorKind, EventSink, HostedRules, Plan, Rules, Run,
    RunEvent, Runner,
};
use llm_exe_simulator::Simulator;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{FixedKey, endpoints, root};
use crate::hosted::store::MemoryStore;

/// A call of the provider.
#[derive(Debug, Clone)]
struct Call {
    prompt: String,
    body: Value,
    started: usize,
    ended: usize,
}

/// Imitates OpenAI. `say X` is replied to with X, and `fail 400` with that status.
#[derive(Clone, Default)]
struct Provider {
    calls: Arc<Mutex<Vec<Call>>>,
    clock: Arc<Mutex<usize>>,
    running: Arc<Mutex<(usize, usize)>>,
}

impl Provider {
    fn tick(&self) -> usize {
        let mut clock = self.clock.lock().unwrap();
        *clock += 1;
        *clock
    }

    fn prompts(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|call| call.prompt.clone()).collect()
    }

    fn call(&self, prompt: &str) -> Call {
        let calls = self.calls.lock().unwrap();
        calls
            .iter()
            .find(|call| call.prompt == prompt)
            .unwrap_or_else(|| panic!("{prompt}"))
            .clone()
    }

    fn max_running(&self) -> usize {
        self.running.lock().unwrap().1
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
            let content = &body["messages"][0]["content"];
            // A message with an image has several parts.
            let text = content.as_str().or_else(|| content[0]["text"].as_str());
            let prompt = text.unwrap().to_owned();
            let started = self.tick();
            {
                let mut running = self.running.lock().unwrap();
                running.0 += 1;
                running.1 = running.1.max(running.0);
            }
            let wait = match &prompt {
                long if long.contains("long") => 600,
                slow if slow.contains("slow") => 60,
                _ => 10,
            };
            tokio::time::sleep(Duration::from_millis(wait)).await;
            self.running.lock().unwrap().0 -= 1;
            let ended = self.tick();
            self.calls.lock().unwrap().push(Call { prompt: prompt.clone(), body, started, ended });
            if let Some(status) = prompt.strip_prefix("fail ") {
                let status: u16 = status.split(' ').next().unwrap().parse().unwrap();
                let body = json!({ "error": { "message": "no", "type": "invalid_request_error" } });
                let response = Response::builder().status(status);
                return Ok(response.body(Bytes::from(body.to_string())).unwrap());
            }
            // A schema adds an instruction.
            let asked = prompt.split("Answer with one JSON").next().unwrap().trim_end();
            let text = asked.strip_prefix("say ").unwrap_or("ok");
            let message = json!({ "role": "assistant", "content": text });
            let reply = json!({
                "id": "r", "model": "gpt-4o-2024-08-06",
                "choices": [{ "index": 0, "finish_reason": "stop", "message": message }],
                "usage": { "prompt_tokens": 10, "completion_tokens": 2 }
            });
            Ok(Response::new(Bytes::from(reply.to_string())))
        })
    }
}

async fn run(provider: &Provider, steps: Value, fields: Value) -> Run {
    let client = Client::builder().key("openai", "k").http(provider.clone()).build().unwrap();
    let options = json!({ "numOfAttempts": 1 });
    let mut request = json!({
        "provider": "openai", "model": "gpt-4o", "options": options, "steps": steps
    });
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    client.run(request).await
}

#[tokio::test]
async fn concurrent_items_use_all_calls_of_a_request() {
    let items: Vec<usize> = (0..500).collect();
    for concurrency in [1, 50] {
        let steps = json!([
            { "name": "s", "each": "items", "concurrency": concurrency, "message": "say {{item}}" },
        ]);
        let provider = Provider::default();
        let fields = json!({ "data": { "items": items }, "options": { "numOfAttempts": 3 } });
        let result = run(&provider, steps, fields).await.outcome.unwrap();
        assert_eq!(result.as_array().unwrap().len(), items.len(), "{concurrency}");
        assert_eq!(provider.prompts().len(), items.len());
    }
}

async fn result(steps: Value, fields: Value) -> (Value, Provider, Vec<String>) {
    let provider = Provider::default();
    let run = run(&provider, steps, fields).await;
    let warnings = run.report.warnings.clone();
    (run.outcome.unwrap_or_else(|error| panic!("{}: {error}", error.kind())), provider, warnings)
}

/// A step whose reply is JSON with any fields.
fn json_step(name: &str, message: &str) -> Value {
    json!({ "name": name, "message": message, "output": "json", "schema": {} })
}

#[tokio::test]
async fn later_steps_use_the_results_of_earlier_ones() {
    let steps = json!([
        json_step("outline", "say {\"title\": \"{{topic}}\", \"sections\": [\"a\", \"b\"]}"),
        { "name": "draft", "message": "say {{steps.outline.title}}: {{join previous.sections}}" },
        { "name": "polish", "message":
            "say {{previous}} {{lookup steps 'draft'}} {{steps.outline.sections.[1]}}" },
    ]);
    let (result, provider, warnings) = result(steps, json!({ "data": { "topic": "Bees" } })).await;
    assert_eq!(result, "Bees: a, b Bees: a, b b");
    assert_eq!(provider.prompts().len(), 3);
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[tokio::test]
async fn an_object_that_is_printed_without_json_causes_a_warning() {
    let object = json_step("a", "say {\"b\": {\"c\": 1}}");
    let print = |text: &str| json!({ "name": "last", "message": text });
    for (text, path) in [("{{steps.a}}", "steps.a"), ("{{previous.b}}", "previous.b")] {
        let (_, _, warnings) = result(json!([object, print(text)]), json!({})).await;
        let expected = format!("steps.last: message: `{path}` is an object or contains one");
        assert!(warnings[0].starts_with(&expected), "{warnings:?}");
        assert!(warnings[0].contains(&format!("write {{{{json {path}}}}}")), "{warnings:?}");
    }
    let (_, _, warnings) = result(json!([object, print("{{json steps.a}}")]), json!({})).await;
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[tokio::test]
async fn steps_inherit_fields_and_options_key_by_key() {
    let steps = json!([
        { "name": "a", "message": "a" },
        { "name": "b", "message": "b", "model": "gpt-4.1", "options": { "maxTokens": 9 } },
        { "name": "c", "message": "c", "options": null, "provider": "openai.gpt-4o-mini" },
    ]);
    let options = json!({ "temperature": 0.5, "maxTokens": 7, "numOfAttempts": 1 });
    let (_, provider, _) = result(steps, json!({ "options": options })).await;
    let sent = |prompt: &str| {
        let body = provider.call(prompt).body;
        (body["model"].clone(), body["temperature"].clone(), body["max_completion_tokens"].clone())
    };
    assert_eq!(sent("a"), (json!("gpt-4o"), json!(0.5), json!(7)));
    assert_eq!(sent("b"), (json!("gpt-4.1"), json!(0.5), json!(9)));
    assert_eq!(sent("c"), (json!("gpt-4o-mini"), Value::Null, Value::Null));
}

#[tokio::test]
async fn independent_steps_run_concurrently_and_needs_orders_them() {
    let steps = json!([
        { "name": "a", "message": "slow a" },
        { "name": "b", "message": "b" },
        { "name": "c", "message": "c", "needs": ["a"] },
        { "name": "d", "message": "{{json steps}}" },
    ]);
    let (_, provider, _) = result(steps, json!({})).await;
    let (a, b, c) = (provider.call("slow a"), provider.call("b"), provider.call("c"));
    assert!(b.started < a.ended && a.ended < c.started, "{a:?} {b:?} {c:?}");
    let d = provider.call(r#"{"a":"ok","b":"ok","c":"ok"}"#);
    assert!(d.started > c.ended, "{d:?}");
}

#[tokio::test]
async fn a_condition_skips_a_step_and_its_result_is_null() {
    for (condition, is_skipped) in [
        ("", true),
        (" \n", true),
        ("False", true),
        ("NO", true),
        ("0", true),
        ("{{#if missing}}x{{/if}}", true),
        ("{{steps.a}}", false),
        ("yes", false),
        ("00", false),
    ] {
        let steps = json!([
            { "name": "a", "message": "a" },
            { "name": "b", "message": "say b", "when": format!("{condition}{{{{!-- --}}}}") },
            { "name": "c", "message": "say [{{steps.b}}{{previous}}{{steps.b.title}}]",
              "when": "{{last}}" },
        ]);
        let data = json!({ "last": is_skipped });
        let fields = json!({ "data": data, "strictVariables": true, "return": "full" });
        let provider = Provider::default();
        let run = run(&provider, steps, fields).await.with_envelope();
        let full = run.outcome.unwrap_or_else(|error| panic!("{condition}: {error}"));
        assert_eq!(full["steps"][1]["skipped"] == true, is_skipped, "{condition}: {full}");
        // The result is that of the last step that was not skipped.
        let expected = if is_skipped { "[]" } else { "b" };
        assert_eq!(full["result"], expected, "{condition}: {full}");
    }
}

#[tokio::test]
async fn items_run_concurrently_and_their_results_are_in_order() {
    let steps = json!([
        json_step("list", "say [\"slow x\", \"y\", \"z\"]"),
        { "name": "each", "each": "steps.list", "concurrency": 2,
          "message": "say {{index}}{{item}}" },
        { "name": "all", "message": "say {{json steps.each}}" },
    ]);
    let (result, provider, _) = result(steps, json!({})).await;
    assert_eq!(result, r#"["0slow x","1y","2z"]"#);
    assert_eq!(provider.max_running(), 2);
}

#[tokio::test]
async fn an_item_may_fail_and_other_errors_end_the_chain() {
    let steps = |on_error: &str, status: &str| {
        let message = "{{#if (eq item 'bad')}}fail STATUS{{else}}say {{item}}{{/if}}";
        let message = message.replace("STATUS", status);
        json!([
            { "name": "s", "each": "items", "concurrency": 1, "onItemError": on_error,
              "message": message },
            { "name": "after", "message": "say {{json steps.s}}" },
        ])
    };
    let data = json!({ "data": { "items": ["a", "bad", "c", "d"] } });
    let (value, _, warnings) = result(steps("null", "400"), data.clone()).await;
    assert_eq!(value, r#"["a",null,"c","d"]"#);
    assert!(
        warnings[0].starts_with("steps.s: the result of item 1 is null: ProviderRejected"),
        "{warnings:?}"
    );
    for (on_error, status, kind) in [
        ("fail", "400", ErrorKind::ProviderRejected),
        ("null", "503", ErrorKind::ProviderUnavailable),
        ("null", "401", ErrorKind::ProviderAuthFailed),
    ] {
        let provider = Provider::default();
        let run = run(&provider, steps(on_error, status), data.clone()).await;
        let error = run.outcome.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().starts_with("steps.s[1]: "), "{error}");
        // No other item or step starts.
        assert_eq!(provider.prompts().len(), 2, "{:?}", provider.prompts());
        assert_eq!(run.report.attempts, 2);
    }
}

#[tokio::test]
async fn running_steps_are_awaited_after_an_error() {
    let steps = json!([
        { "name": "bad", "message": "fail 400" },
        { "name": "good", "message": "say slow" },
        { "name": "inner", "steps": [
            { "name": "one", "message": "say slow one" },
            { "name": "two", "message": "say {{previous}} two" },
        ] },
        { "name": "after", "message": "say {{steps.good}}" },
    ]);
    let provider = Provider::default();
    let run = run(&provider, steps, json!({ "return": "full" })).await;
    let error = run.outcome.unwrap_err();
    assert!(error.message().starts_with("steps.bad: openai gpt-4o"), "{error}");
    let mut prompts = provider.prompts();
    prompts.sort();
    assert_eq!(prompts, ["fail 400", "say slow", "say slow one"]);
    assert_eq!(run.report.attempts, 3);
}

#[tokio::test]
async fn a_step_repeats_until_its_condition_is_true() {
    let steps = json!([
        { "name": "s", "message": "say {{lastResult}}x", "repeat":
            { "until": "{{#if (eq lastResult 'xxx')}}yes{{/if}}", "max": 5 } },
    ]);
    let fields = json!({ "strictVariables": true });
    let (value, provider, warnings) = result(steps, fields).await;
    assert_eq!((value, provider.prompts().len(), warnings.len()), (json!("xxx"), 3, 0));

    let steps = json!([
        { "name": "s", "each": "items", "message": "say {{item}}{{iteration}}",
          "repeat": { "until": "{{#if (eq item iteration)}}yes{{/if}}", "max": 3 } },
    ]);
    let (value, provider, warnings) =
        result(steps, json!({ "data": { "items": [1, 2, 9] } })).await;
    assert_eq!(value, json!(["11", "22", "93"]));
    assert_eq!(provider.prompts().len(), 6);
    let expected = "steps.s: the step ran 3 times, which is repeat.max, but until is not true";
    assert_eq!(warnings, [expected]);
}

#[tokio::test]
async fn data_from_keeps_types_and_wins_over_data() {
    let steps = json!([
        json_step("a", "say {\"list\": [1, {\"x\": true}], \"n\": 2.50}"),
        { "name": "b", "data": { "own": 1, "list": "no" },
          "message": "say {{json list}} {{own}} {{n}} {{x}} {{shared}}",
          "dataFrom": { "list": "steps.a.list", "n": "steps.a.n", "x": "steps.a.list[1].x" } },
    ]);
    let (value, _, _) = result(steps, json!({ "data": { "shared": "s", "own": 9 } })).await;
    let value = value.as_str().unwrap().replace("2.50", "2.5");
    assert_eq!(value, "[1,{\"x\":true}] 1 2.5 true s");
}

#[tokio::test]
async fn names_of_the_chain_win_over_data_and_results_are_not_templates() {
    let steps = json!([
        { "name": "a", "message": "say {{topic}}" },
        { "name": "b", "each": "items", "data": { "item": "data", "previous": "data" },
          "message": "say {{steps.a}} {{previous}} {{item}}" },
    ]);
    let data = json!({
        "topic": "{{secret}}", "secret": "no", "items": ["i"], "item": "data",
        "steps": { "a": "data" }, "previous": "data"
    });
    let (value, _, warnings) = result(steps, json!({ "data": data })).await;
    assert_eq!(value, json!(["{{secret}} {{secret}} i"]));
    assert_eq!(warnings.len(), 5, "{warnings:?}");
}

#[tokio::test]
async fn items_of_a_nested_chain_are_in_scope() {
    let steps = json!([
        { "name": "articles", "each": "topics", "steps": [
            { "name": "draft", "message": "say {{item}}{{index}}{{lang}}" },
            { "name": "final", "message": "say {{steps.draft}}/{{previous}}" },
        ] },
        { "name": "end", "message": "say {{json previous}}" },
    ]);
    let data = json!({ "topics": ["a", "b"], "lang": "de" });
    let provider = Provider::default();
    let run = run(&provider, steps, json!({ "data": data, "return": "full" })).await;
    let full = run.with_envelope().outcome.unwrap();
    assert_eq!(full["result"], r#"["a0de/a0de","b1de/b1de"]"#);
    let articles = &full["steps"][0];
    assert_eq!((&articles["items"], &articles["attempts"]), (&json!(2), &json!(4)));
    assert_eq!(articles["steps"].as_array().unwrap().len(), 4);
    assert_eq!(articles["result"], json!(["a0de/a0de", "b1de/b1de"]));
    assert_eq!(full["usage"]["inputTokens"], 50, "{full}");
    assert_eq!(full["attempts"], 5);
    assert_eq!(full["model"], "gpt-4o-2024-08-06");
    let cost = |value: &Value| value["cost"]["usd"].to_string().trim_matches('"').parse::<f64>();
    let (total, parts) = (cost(&full), full["steps"].as_array().unwrap().iter().map(cost));
    let parts: f64 = parts.map(Result::unwrap).sum();
    assert!((total.unwrap() - parts).abs() < 1e-9, "{full}");
}

#[tokio::test]
async fn lists_that_do_not_fit_are_errors() {
    let steps = |path: &str| {
        json!([
            { "name": "a", "message": "a" },
            { "name": "s", "each": path, "message": "say {{item}}", "needs": ["a"] },
        ])
    };
    let data = |items: Value| json!({ "data": { "items": items } });
    for (path, kind, text) in [
        ("items", ErrorKind::LimitExceeded, "Distributed Map"),
        ("steps.a", ErrorKind::InvalidRequest, "expected a list at steps.a, got a string"),
    ] {
        let provider = Provider::default();
        let run = run(&provider, steps(path), data(json!(vec![1; 501]))).await;
        let error = run.outcome.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.message().starts_with("steps.s: each: ") && error.message().contains(text));
        assert_eq!(provider.prompts(), ["a"]);
    }
    // A value in `data` that is not a list is found before the first call.
    let provider = Provider::default();
    let error = run(&provider, steps("items"), data(json!("text"))).await.outcome.unwrap_err();
    let expected = "steps[1].each: expected a list at items, got a string";
    assert_eq!(error.message(), expected);
    assert_eq!(provider.prompts().len(), 0);
    let (value, _, _) = result(steps("items"), data(json!([]))).await;
    assert_eq!(value, json!([]));
}

#[tokio::test]
async fn missing_variables_of_a_step_are_errors_in_strict_mode() {
    let steps = json!([
        { "name": "a", "message": "a" },
        { "name": "b", "message": "{{steps.a}} {{nme}}" },
    ]);
    let provider = Provider::default();
    let fields = json!({ "data": { "name": 1 }, "strictVariables": true });
    let error = run(&provider, steps, fields).await.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PromptInvalid);
    let expected =
        "steps.b: message: `nme` is not in data (did you mean name?) (line 1, column 15)";
    assert_eq!(error.message(), expected);
    assert_eq!(error.problems()[0].path, "steps[1].message");
}

#[tokio::test]
async fn a_dry_run_shows_the_plan_and_the_first_requests() {
    let steps = json!([
        { "name": "a", "message": "a" },
        { "name": "b", "each": "items", "message": "{{item}}" },
        { "name": "c", "message": "{{steps.a}} {{previous}}" },
        { "name": "d", "message": "d", "when": "no" },
    ]);
    let provider = Provider::default();
    let fields = json!({ "data": { "items": ["x", "y"] }, "dryRun": true });
    let plan = run(&provider, steps, fields).await.outcome.unwrap();
    assert_eq!(provider.prompts().len(), 0);
    let steps = plan["steps"].as_array().unwrap();
    assert_eq!(steps[2], json!({ "name": "c", "waitsFor": ["a", "b"] }));
    assert_eq!(steps[3], json!({ "name": "d", "waitsFor": [], "skipped": true }));
    assert_eq!(steps[1]["request"]["body"]["messages"][0]["content"], "x");
}

#[tokio::test]
async fn a_dry_run_checks_the_steps_that_wait() {
    let steps = json!([
        { "name": "a", "message": "a {{one}}" },
        { "name": "b", "message": "{{steps.a.title}} {{two}} {{upper steps.a}}",
          "when": "{{three}}{{steps.a}}" },
        { "name": "c", "each": "steps.a.list", "message": "{{item.x}} {{index}} {{topc}}",
          "model": "o3", "options": { "temperature": 0.5 } },
        { "name": "d", "dataFrom": { "mail": "steps.c" }, "steps": [
            { "name": "inner",
              "message": "{{mail.subject}} {{#each mail.list}}{{x}}{{/each}}{{four}}" }
        ] },
        { "name": "e", "message": "{{lastResult.x}} {{cut previous 'a'}}",
          "repeat": { "until": "{{ifCond lastResult.x '>=' 8}}{{five}}", "max": 2 } },
        { "name": "f", "message": "{{steps.a}}", "when": "{{#if six}}yes{{/if}}" },
    ]);
    let provider = Provider::default();
    let dry_run = |strict: bool| {
        let fields = json!({ "data": { "topic": "T" }, "dryRun": true, "strictVariables": strict });
        run(&provider, steps.clone(), fields)
    };
    let run = dry_run(false).await;
    let plan = run.outcome.unwrap();
    assert!(plan["steps"][0]["request"].is_object() && plan["steps"][1].get("request").is_none());
    assert_eq!(plan["steps"][5], json!({ "name": "f", "waitsFor": ["a"], "skipped": true }));
    let warnings = run.report.warnings;
    for (step, expected) in [
        ("steps.a: message", "`one` is not in data"),
        ("steps.b: message", "`two` is not in data"),
        ("steps.b: when", "`three` is not in data"),
        ("steps.c: message", "`topc` is not in data (did you mean topic?)"),
        ("steps.c: ", "temperature"),
        ("steps.d: steps.inner: message", "`four` is not in data"),
        ("steps.e: repeat.until", "`five` is not in data"),
    ] {
        let is_expected = |text: &String| text.starts_with(step) && text.contains(expected);
        assert!(warnings.iter().any(is_expected), "{step} {expected}: {warnings:#?}");
    }
    assert_eq!(warnings.len(), 7, "{warnings:#?}");
    let error = dry_run(true).await.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PromptInvalid);
    assert_eq!(provider.prompts().len(), 0);
}

#[tokio::test]
async fn a_dry_run_rejects_messages_that_a_later_model_does_not_support() {
    let image = json!({ "type": "image_url", "image_url": { "url": "{{steps.a}}" } });
    let message = json!([{ "role": "user", "content": [image] }]);
    for (model, is_valid) in [("gpt-4o", true), ("gpt-oss-20b", false)] {
        let steps = json!([
            { "name": "a", "message": "a" },
            { "name": "b", "message": message, "model": model },
        ]);
        let run = run(&Provider::default(), steps, json!({ "dryRun": true })).await;
        assert_eq!(run.outcome.is_ok(), is_valid, "{:?}", run.outcome);
    }
}

#[tokio::test]
async fn a_missing_key_of_a_later_step_is_an_error_before_the_first_call() {
    let nested = json!({ "provider": "anthropic", "model": "claude-sonnet-4-5", "message": "n" });
    let tool = json!({ "name": "t", "description": "d", "run": { "request": nested } });
    let other = json!({ "provider": "anthropic", "model": "claude-sonnet-4-5" });
    let with = |fields: Value| {
        let mut step = json!({ "name": "b", "message": "{{previous}}" });
        step.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        step
    };
    let inner = json!({ "name": "i", "message": "i", "provider": "anthropic", "model": "m" });
    for (step, place) in [
        (with(other.clone()), Some("steps.b: anthropic claude-sonnet-4-5: ")),
        (
            with(json!({ "when": "{{steps.a}}", "provider": "anthropic", "model": "m" })),
            Some("steps.b: "),
        ),
        (with(json!({ "tools": [tool] })), Some("steps.b: tool t: anthropic ")),
        (
            json!({ "name": "b", "needs": ["a"], "steps": [inner] }),
            Some("steps.b: steps.i: anthropic "),
        ),
        (with(json!({ "fallbacks": [other] })), None),
        (with(json!({ "when": "{{useClaude}}", "provider": "anthropic", "model": "m" })), None),
    ] {
        let provider = Provider::default();
        let run = run(&provider, json!([{ "name": "a", "message": "a" }, step]), json!({})).await;
        match place {
            Some(place) => {
                let error = run.outcome.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::SecretNotFound, "{error}");
                assert!(error.message().starts_with(place), "{error}");
                assert_eq!(provider.prompts().len(), 0, "{step}");
            }
            None => assert!(run.outcome.is_ok(), "{step}: {:?}", run.outcome),
        }
    }
}

#[tokio::test]
async fn messages_suggest_no_names_of_a_pinned_config() {
    let pinned = json!({
        "provider": "openai", "model": "gpt-4o", "message": "Hi {{secretNam}}",
        "data": { "secretName": "x" }, "overridable": []
    });
    let documents = json!({ "s3://prompts/pinned.json": pinned.to_string() });
    let step = json!({ "name": "a", "key": "pinned.json" });
    let copying = json!({
        "name": "a", "key": "pinned.json", "dataFrom": { "x": "secretNam" }
    });
    for request in [
        json!({ "key": "pinned.json" }),
        json!({ "steps": [step] }),
        json!({ "steps": [copying] }),
        json!({ "key": "pinned.json", "return": "ful" }),
    ] {
        let run = run_hosted(&Provider::default(), &documents, request.clone()).await;
        let shown = format!("{:?} {:?}", run.outcome, run.report.warnings);
        assert!(shown.contains("secretNam"), "{request}: {shown}");
        assert!(!shown.contains("secretName"), "{request}: {shown}");
    }
}

#[tokio::test]
async fn limits_apply_to_the_whole_chain() {
    let steps = json!([
        { "name": "a", "message": "a" },
        { "name": "b", "message": "b {{previous}}", "options": { "maxTokens": 300 } },
    ]);
    let provider = Provider::default();
    let options = json!({ "maxCost": 0.003, "maxTokens": 300, "numOfAttempts": 1 });
    let run = run(&provider, steps, json!({ "options": options })).await;
    // The provider reports a low usage, so the reserved cost of the first call is released.
    assert_eq!(run.outcome.unwrap(), "ok");
    let steps = json!([
        { "name": "a", "message": "a" },
        { "name": "b", "message": "b {{previous}}", "options": { "maxCost": 0.000_001 } },
    ]);
    let provider = Provider::default();
    let run = self::run(&provider, steps, json!({})).await;
    let error = run.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.message().starts_with("steps.b: "), "{error}");
}

#[tokio::test]
async fn examples_run_against_the_simulator() {
    for (name, calls) in [("sequential", 3), ("conditional", 3), ("refine", 4), ("article", 3)] {
        let path = root().join(format!("examples/chains/{name}.json"));
        let request: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let plan = Plan::from_value(request.clone(), &Rules::default()).unwrap();
        assert_eq!(plan.warnings, Vec::<String>::new(), "{name}");
        let simulator = Simulator::start().await.unwrap();
        let runner = Runner::new(endpoints(&simulator), Arc::new(FixedKey), Rules::default());
        let run = runner.run(Deadline::after(Duration::from_secs(30)), request).await;
        let result = run.outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(result.as_str().unwrap().starts_with("Simulated reply"), "{name}: {result}");
        assert_eq!(simulator.journal().len(), calls, "{name}");
    }
}

#[tokio::test]
async fn requests_in_the_docs_run_against_the_simulator() {
    let page = std::fs::read_to_string(root().join("docs/chains.md")).unwrap();
    let mut calls = Vec::new();
    for request in crate::docs::json_blocks(&page) {
        let simulator = Simulator::start().await.unwrap();
        let runner = Runner::new(endpoints(&simulator), Arc::new(FixedKey), Rules::default());
        let run = runner.run(Deadline::after(Duration::from_secs(30)), request.clone()).await;
        let result = run.outcome.unwrap_or_else(|error| panic!("{request}: {error}"));
        assert!(!result.is_null(), "{request}");
        calls.push(simulator.journal().len());
    }
    // A simulated list has one item, and the simulated rating is below 8.
    assert_eq!(calls, [2, 3, 3]);
}

#[tokio::test]
async fn a_value_at_a_path_in_a_string_is_that_of_an_earlier_step() {
    let schema = json!({ "type": "object", "properties": { "p": { "type": "string" } } });
    let steps = json!([
        json_step("a", &format!("say {}", json!({ "title": "Whales", "schema": schema }))),
        { "name": "b", "message": "b {{getKeyOr \"steps.a.title\" \"none\"}}" },
        {
            "name": "c",
            "message": "c {{> JsonSchema key=path}}",
            "data": { "path": "steps.a.schema" },
        },
    ]);
    let (_, provider, warnings) = result(steps, json!({})).await;
    let mut prompts = provider.prompts();
    prompts.sort_unstable();
    assert_eq!(prompts[0], "b Whales");
    assert!(prompts[1].contains("\"properties\""), "{prompts:?}");
    assert_eq!(warnings, Vec::<String>::new());
}

/// Runs a chain whose steps can point to these configs.
async fn run_hosted(provider: &Provider, documents: &Value, request: Value) -> Run {
    run_within(provider, documents, request, Duration::from_secs(30)).await
}

async fn run_within(provider: &Provider, documents: &Value, request: Value, time: Duration) -> Run {
    run_in(provider, documents, request, Context::new(Deadline::after(time))).await
}

async fn run_in(provider: &Provider, documents: &Value, request: Value, context: Context) -> Run {
    let store = MemoryStore::new(documents.as_object().unwrap());
    let hosted = HostedRules { bucket: Some("prompts".to_owned()), ..HostedRules::default() };
    let rules = Rules { hosted, ..Rules::default() };
    let runner = Runner::new(Endpoints::default(), Arc::new(FixedKey), rules)
        .with_http_transport(Arc::new(provider.clone()))
        .with_documents(Arc::new(store));
    runner.run(context, request).await
}

/// Collects the text of a stream.
#[derive(Default)]
struct TextSink(Mutex<String>);

impl EventSink for TextSink {
    fn send(&self, event: RunEvent) -> PortFuture<'_, ()> {
        if let RunEvent::Text { delta, .. } = event {
            self.0.lock().unwrap().push_str(&delta);
        }
        Box::pin(std::future::ready(()))
    }
}

#[tokio::test]
async fn a_caller_receives_only_the_text_of_a_pinned_config_that_is_its_result() {
    let data = json!({ "v": { "ok": true, "hidden": 1 } });
    let base = json!({
        "provider": "openai", "model": "gpt-4o", "message": "say {{json v}}", "data": data,
        "overridable": []
    });
    let with = |fields: Value| {
        let mut config = base.clone();
        config.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        config.to_string()
    };
    let schema = json!({ "type": "object", "properties": { "ok": { "type": "boolean" } } });
    let json_output = with(json!({ "output": "json", "schema": schema }));
    let documents = json!({
        "s3://prompts/text.json": with(json!({})), "s3://prompts/json.json": json_output,
    });
    let step = |key: &str| json!({ "steps": [{ "name": "a", "key": key }] });
    for (request, is_sent) in [
        (json!({ "key": "text.json" }), true),
        (json!({ "key": "json.json" }), false),
        (step("json.json"), false),
    ] {
        let sink = Arc::new(TextSink::default());
        let context = Context::new(Deadline::after(Duration::from_secs(30)));
        let context = context.with_event_sink(sink.clone());
        let run = run_in(&Provider::default(), &documents, request.clone(), context).await;
        assert!(run.outcome.is_ok(), "{request}: {:?}", run.outcome);
        assert_eq!(sink.0.lock().unwrap().contains("hidden"), is_sent, "{request}");
    }
}

#[tokio::test]
async fn steps_point_to_hosted_configs() {
    let config = json!({
        "message": "say {{greeting}} {{name}} {{shared}}", "data": { "greeting": "Hello" },
        "when": "no", "each": "nothing"
    });
    let documents = json!({ "s3://prompts/greet.json": config.to_string() });
    let request = json!({
        "provider": "openai", "model": "gpt-4o", "data": { "shared": "s", "greeting": "Bye" },
        "steps": [
            { "name": "a", "message": "say Ada" },
            { "name": "b", "key": "greet.json", "dataFrom": { "name": "steps.a" } }
        ]
    });
    let provider = Provider::default();
    let run = run_hosted(&provider, &documents, request.clone()).await;
    assert_eq!(run.outcome.unwrap(), "Hello Ada s");

    // All configs are fetched before the first call.
    let mut missing = request;
    missing["steps"][1]["key"] = json!("missing.json");
    let provider = Provider::default();
    let error = run_hosted(&provider, &documents, missing).await.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigNotFound);
    assert!(error.message().starts_with("steps[1]: "), "{error}");
    assert!(provider.prompts().is_empty());
}

#[tokio::test]
async fn a_chain_can_be_in_a_bucket_but_not_at_a_url() {
    let chain = json!({
        "provider": "openai", "model": "gpt-4o", "steps": [
            { "name": "a", "message": "say {{x}}" },
            { "name": "b", "key": "b.json" }
        ]
    });
    let documents = json!({
        "s3://prompts/chain.json": chain.to_string(), "https://example.com/c": chain.to_string(),
        "s3://prompts/b.json": json!({ "message": "say b {{previous}}" }).to_string(),
        "s3://prompts/loop.json": r#"{ "steps": [{ "name": "a", "key": "loop.json" }] }"#
    });
    let provider = Provider::default();
    let request = json!({ "key": "chain.json", "data": { "x": 1 } });
    let run = run_hosted(&provider, &documents, request).await;
    assert_eq!(run.outcome.unwrap(), "b 1");
    for (request, kind, text) in [
        (json!({ "url": "https://example.com/c" }), ErrorKind::ConfigForbidden, "\"steps\""),
        (json!({ "key": "loop.json" }), ErrorKind::ConfigInvalid, "the config leads to itself"),
    ] {
        let error = run_hosted(&provider, &documents, request).await.outcome.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(text), "{error}");
    }
}

#[tokio::test]
async fn a_pinned_step_inherits_only_data_and_its_results_are_not_shown() {
    let pinned = json!({
        "provider": "openai", "model": "gpt-4o", "message": "say secret {{x}}", "overridable": []
    });
    let documents = json!({ "s3://prompts/pinned.json": pinned.to_string() });
    let nested = json!({ "provider": "openai", "model": "gpt-4o", "message": "hi" });
    let request = json!({
        "provider": "openai", "model": "gpt-4o-mini", "data": { "x": 7 }, "return": "full",
        "options": { "temperature": 0.1 },
        "tools": [{ "name": "spy", "description": "d", "run": { "request": nested } }],
        "steps": [
            { "name": "a", "key": "pinned.json" },
            { "name": "b", "message": "say {{previous}}", "tools": null }
        ]
    });
    let provider = Provider::default();
    let run = run_hosted(&provider, &documents, request.clone()).await.with_envelope();
    let full = run.outcome.unwrap();
    assert_eq!(full["result"], "secret 7");
    assert!(full["steps"][0].get("result").is_none(), "{full}");
    let body = provider.call("say secret 7").body;
    assert_eq!(
        (&body["model"], body.get("tools"), body.get("temperature")),
        (&json!("gpt-4o"), None, None)
    );

    let mut dry_run = request;
    dry_run["dryRun"] = json!(true);
    let plan = run_hosted(&provider, &documents, dry_run.clone()).await.outcome.unwrap();
    assert_eq!(plan["steps"][0]["request"], Value::Null);

    dry_run["steps"][0]["model"] = json!("gpt-4o-mini");
    let error = run_hosted(&provider, &documents, dry_run).await.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigForbidden, "{error}");
}

#[tokio::test]
async fn the_error_of_the_failed_step_is_returned_even_if_others_stop_earlier() {
    let steps = json!([
        { "name": "s", "each": "items",
          "message": "{{#if (eq item 'bad')}}fail 400{{else}}say long{{/if}}" },
        { "name": "chain", "steps": [
            { "name": "one", "message": "say slow one" },
            { "name": "two", "message": "say {{previous}} two" },
        ] },
        { "name": "chains", "each": "items", "steps": [
            { "name": "one", "message": "say slow {{item}}" },
            { "name": "two", "message": "say {{previous}} two" },
        ] },
        { "name": "each", "each": "items", "concurrency": 1, "message": "say slow {{index}}" },
        { "name": "repeat", "message": "say slow {{iteration}}",
          "repeat": { "until": "no", "max": 3 } },
    ]);
    let provider = Provider::default();
    let run = run(&provider, steps, json!({ "data": { "items": ["bad", "good"] } })).await;
    let error = run.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProviderRejected, "{error}");
    assert!(error.message().starts_with("steps.s[0]: "), "{error}");
    assert_eq!(run.report.attempts, 7, "{:?}", provider.prompts());
}

#[tokio::test]
async fn a_caller_can_not_read_the_data_of_a_pinned_config() {
    let pinned = json!({
        "provider": "openai", "model": "gpt-4o", "message": "say {{rules}} {{go}}",
        "data": { "rules": "SECRET", "list": ["SECRET"] }, "overridable": []
    });
    let documents = json!({ "s3://prompts/pinned.json": pinned.to_string() });
    let run_step = async |fields: Value| {
        let mut step = json!({ "name": "a", "key": "pinned.json" });
        step.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let request = json!({ "data": { "shared": ["s"] }, "steps": [step] });
        let provider = Provider::default();
        let run = run_hosted(&provider, &documents, request).await;
        (run.outcome, provider.prompts().len(), run.report.warnings)
    };
    for fields in [
        json!({ "each": "rules" }),
        json!({ "each": "list" }),
        json!({ "dataFrom": { "x": "rules" } }),
        json!({ "each": "shared", "dataFrom": { "x": "list[0]" } }),
    ] {
        let (outcome, calls, _) = run_step(fields.clone()).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), calls), (ErrorKind::InvalidRequest, 0), "{fields}: {error}");
        assert!(!error.message().contains("SECRET"), "{error}");
    }
    let condition = "{{#if rules}}yes{{/if}}";
    let (outcome, calls, warnings) = run_step(json!({ "when": condition })).await;
    assert_eq!((outcome.unwrap(), calls), (Value::Null, 0), "{warnings:?}");
    let repeat = json!({ "repeat": { "until": condition, "max": 2 } });
    assert_eq!(run_step(repeat).await.1, 2);
    // The caller's own data of the step, and that of the chain, are known.
    let own = json!({ "data": { "go": "yes", "own": ["x", "y"] }, "when": "{{go}}" });
    for (each, calls) in [("own", 2), ("shared", 1)] {
        let mut fields = own.clone();
        fields["each"] = json!(each);
        let (outcome, count, _) = run_step(fields).await;
        assert_eq!((&outcome.unwrap()[0], count), (&json!("SECRET yes"), calls));
    }
}

#[tokio::test]
async fn conditions_can_use_data_from() {
    let steps = json!([
        json_step("a", "say {\"n\": \"3\", \"list\": [{\"max\": 1}, {\"max\": 2}]}"),
        { "name": "skipped", "message": "x", "when": "{{#if (eq n '4')}}yes{{/if}}",
          "dataFrom": { "n": "steps.a.n" } },
        { "name": "repeated", "message": "say {{iteration}}",
          "when": "{{#if (eq goal '3')}}yes{{/if}}",
          "dataFrom": { "goal": "steps.a.n", "seen": "lastResult" },
          "repeat": { "until": "{{#if (eq seen goal)}}yes{{/if}}", "max": 9 } },
        { "name": "items", "each": "steps.a.list", "message": "say {{max}}{{iteration}}",
          "dataFrom": { "max": "item.max" },
          "repeat": { "until": "{{#if (eq max iteration)}}yes{{/if}}", "max": 9 } },
        { "name": "end", "message": "say {{steps.skipped}}{{steps.repeated}}{{json previous}}" },
    ]);
    let (value, _, warnings) = result(steps, json!({ "strictVariables": true })).await;
    assert_eq!(value, r#"3["11","22"]"#);
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[tokio::test]
async fn the_cost_limit_of_a_step_is_shared_by_its_items_and_runs() {
    let options = json!({ "maxTokens": 10, "maxCost": 0.001 });
    let each = json!({ "name": "s", "each": "items", "concurrency": 1, "message": "say {{item}}" });
    let repeat = json!({ "name": "s", "message": "say x", "repeat": { "until": "no", "max": 20 } });
    for (mut step, max) in [(each, 40), (repeat, 20)] {
        step["options"] = options.clone();
        let items: Vec<usize> = (0..40).collect();
        let provider = Provider::default();
        let run = run(&provider, json!([step]), json!({ "data": { "items": items } })).await;
        let error = run.outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
        assert!(error.message().contains("options.maxCost of 0.001 USD"), "{error}");
        let calls = provider.prompts().len();
        assert!((2..max).contains(&calls), "{calls}");
    }
}

#[tokio::test]
async fn all_variables_of_a_step_can_be_listed() {
    let steps = json!([
        { "name": "a", "message": "say A" },
        { "name": "b", "data": { "own": 1, "topic": "Bees" },
          "message": "say {{json this}}|{{json @root}}|{{#each this}}{{@key}} {{/each}}" },
    ]);
    let data = json!({ "topic": "Ants", "previous": "data", "shared": [2] });
    let (value, _, _) = result(steps, json!({ "data": data })).await;
    let parts: Vec<&str> = value.as_str().unwrap().split('|').collect();
    let expected = json!({
        "steps": { "a": "A" }, "previous": "A", "own": 1, "topic": "Bees", "shared": [2]
    });
    assert_eq!(serde_json::from_str::<Value>(parts[0]).unwrap(), expected);
    assert_eq!(parts[1], parts[0]);
    assert_eq!(parts[2].trim_end(), "steps previous own topic shared");
}

#[tokio::test]
async fn no_call_starts_if_less_time_is_left_than_the_longest_call_took() {
    for next in [
        json!({ "name": "b", "message": "say {{previous}}" }),
        json!({ "name": "b", "each": "items", "needs": ["a"], "message": "say {{item}}" }),
        json!({ "name": "b", "needs": ["a"], "steps": [{ "name": "c", "message": "say c" }] }),
        json!({ "name": "b", "needs": ["a"], "message": "say b",
                "repeat": { "until": "no", "max": 2 } }),
    ] {
        let request = json!({
            "provider": "openai", "model": "gpt-4o", "data": { "items": [1] },
            "steps": [{ "name": "a", "message": "say long" }, next]
        });
        let provider = Provider::default();
        let time = Duration::from_millis(1_000);
        let run = run_within(&provider, &json!({}), request, time).await;
        let error = run.outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        let text = "the chain stopped before the next call";
        assert!(error.message().contains(text), "{error}");
        assert_eq!(provider.prompts(), ["say long"]);
    }
}

#[tokio::test]
async fn an_item_whose_request_is_invalid_can_be_null() {
    let image = json!([{ "role": "user", "content": [
        { "type": "text", "text": "say {{item.name}}" },
        { "type": "image_url", "image_url": { "url": "{{item.url}}" } },
    ] }]);
    let items = json!([
        { "name": "a", "url": "ftp://a" }, { "url": "https://b" },
    ]);
    let data_from = json!({ "name": "item.name" });
    for (fields, expected) in [
        (json!({ "message": "say {{name}}", "dataFrom": data_from }), json!(["a", null])),
        (json!({ "message": image, "output": "string" }), json!([null, "ok"])),
    ] {
        let mut step = json!({ "name": "s", "each": "items", "onItemError": "null" });
        step.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let provider = Provider::default();
        let run = run(&provider, json!([step]), json!({ "data": { "items": items } })).await;
        let Ok(value) = run.outcome else { panic!("{:?}", run.outcome) };
        assert_eq!(value, expected);
        let text = " is null: InvalidRequest";
        let warnings = run.report.warnings;
        assert!(warnings.iter().any(|warning| warning.contains(text)), "{warnings:?}");
    }
    // A value that all items lack is an error of the step.
    let steps = json!([
        json_step("a", "say {}"),
        { "name": "s", "each": "items", "onItemError": "null", "message": "say {{x}}",
          "dataFrom": { "x": "steps.a.x" } },
    ]);
    let error = run(&Provider::default(), steps, json!({ "data": { "items": [1] } })).await;
    let error = error.outcome.unwrap_err();
    assert_eq!(error.message(), "steps.s: dataFrom.x: there is no value at steps.a.x");
}

#[tokio::test]
async fn warnings_of_conditions_name_the_step_once() {
    let steps = json!([
        { "name": "s", "message": "say x", "when": "{{nope}}yes",
          "repeat": { "until": "{{nope}}yes", "max": 2 } },
    ]);
    let (_, _, warnings) = result(steps, json!({})).await;
    let expected = ["when", "repeat.until"]
        .map(|field| format!("steps.s: {field}: `nope` is not in data (line 1, column 3)"));
    assert_eq!(warnings, expected);
}

#[tokio::test]
async fn a_list_that_is_null_causes_a_warning_unless_its_step_was_skipped() {
    let steps = json!([{ "name": "s", "each": "items", "message": "say {{item}}" }]);
    let (value, _, warnings) = result(steps, json!({ "data": { "items": null } })).await;
    assert_eq!(value, json!([]));
    assert_eq!(warnings, ["steps.s: each: items is null, so the step has no items"]);
    for path in ["steps.a", "steps.a.list", "previous"] {
        let steps = json!([
            { "name": "a", "message": "say a", "when": "no" },
            { "name": "s", "each": path, "message": "say {{item}}" },
        ]);
        let (value, _, warnings) = result(steps, json!({})).await;
        assert_eq!((value, warnings.len()), (json!([]), 0), "{path}: {warnings:?}");
    }
    let steps = json!([
        json_step("a", "say {\"list\": null}"),
        { "name": "s", "each": "steps.a.list", "message": "say {{item}}" },
    ]);
    let (_, _, warnings) = result(steps, json!({})).await;
    assert_eq!(warnings, ["steps.s: each: steps.a.list is null, so the step has no items"]);
}

/// A graph: for each step, which of the steps before it the step refers to.
fn graph() -> impl Strategy<Value = Vec<Vec<bool>>> {
    (2..9_usize).prop_flat_map(|count| {
        let rows: Vec<_> =
            (0..count).map(|index| prop::collection::vec(any::<bool>(), index)).collect();
        rows
    })
}

/// Returns a step that refers to others in one of several ways.
fn step_of_graph((index, (row, kind)): (usize, (&Vec<bool>, u8))) -> Value {
    let used = || row.iter().enumerate().filter(|(_, is_used)| **is_used).map(|(at, _)| at);
    let speed = if index.is_multiple_of(3) { "slow" } else { "" };
    let mut step = json!({ "name": format!("s{index}") });
    let mut message = format!("say step {index} {speed}");
    let template = |start: &str, end: &str| -> String {
        used().map(|at| format!("{start}s{at}{end}")).collect()
    };
    match kind {
        0 => message.push_str(&template("{{#if steps.", "}}{{/if}}")),
        1 => step["needs"] = used().map(|at| format!("s{at}")).collect(),
        2 => {
            let paths = used().map(|at| (format!("v{at}"), json!(format!("steps.s{at}"))));
            step["dataFrom"] = Value::Object(paths.collect());
        }
        _ => step["when"] = json!(format!("yes{}", template("{{lookup steps '", "'}}"))),
    }
    step["message"] = json!(message);
    step
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn each_step_runs_once_and_after_those_that_it_refers_to(
        graph in graph(),
        kinds in prop::collection::vec(0..4_u8, 9),
    ) {
        let steps: Vec<Value> = graph.iter().zip(kinds).enumerate().map(step_of_graph).collect();
        let provider = Provider::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let run = runtime.block_on(run(&provider, json!(steps), json!({})));
        prop_assert!(run.outcome.is_ok(), "{:?}", run.outcome);
        let calls = provider.calls.lock().unwrap().clone();
        prop_assert_eq!(calls.len(), graph.len());
        let by_step: HashMap<usize, &Call> = calls.iter().map(|call| {
            (call.prompt.split(' ').nth(2).unwrap().parse().unwrap(), call)
        }).collect();
        prop_assert_eq!(by_step.len(), graph.len());
        for (index, row) in graph.iter().enumerate() {
            for at in (0..index).filter(|at| row[*at]) {
                prop_assert!(by_step[&at].ended < by_step[&index].started, "{} {}", at, index);
            }
        }
    }
}
