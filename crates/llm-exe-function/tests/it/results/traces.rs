//! Tests the spans that are exported and the prompts that are logged.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use llm_exe::ErrorKind;
use llm_exe_function::{LogLevel, StartedResponse};
use llm_exe_simulator::Step;
use serde_json::{Map, Value, json};

use super::collector::{Collector, Response};
use super::fixture::{PREFIX, TestFunction, request, url_event, with};

const OK: Response = Response::Body(200, "{}");
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CONTENT: &str = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";

fn step(step: Value) -> Step {
    serde_json::from_value(step).unwrap()
}

fn reply(text: &str) -> Step {
    step(json!({ "then": { "text": text } }))
}

/// Returns the attributes of a span by name.
fn attributes(span: &Value) -> Map<String, Value> {
    let attributes = span["attributes"].as_array().unwrap();
    let entry = |it: &Value| {
        let value = it["value"].as_object().unwrap().values().next().unwrap().clone();
        (it["key"].as_str().unwrap().to_owned(), value)
    };
    attributes.iter().map(entry).collect()
}

fn span<'a>(spans: &'a [Value], name: &str) -> &'a Value {
    let found = spans.iter().find(|span| span["name"] == name);
    found.unwrap_or_else(|| panic!("{name}: {spans:#?}"))
}

/// A request with a tool, and the replies of the model: it calls the tool, and then replies.
fn with_tool() -> (Value, Vec<Step>) {
    let tool = json!({
        "name": "rate",
        "parameters": { "type": "object" },
        "run": { "request": { "provider": "openai", "model": "gpt-4o", "message": "rate?" } }
    });
    let event = with(request("the prompt"), "tools", json!([tool]));
    let steps = vec![
        Step::tool_call("rate", json!({ "currency": "EUR" })),
        reply("the inner reply"),
        reply("the reply"),
    ];
    (event, steps)
}

#[tokio::test]
async fn each_run_call_and_tool_has_a_span() {
    let collector = Collector::start(OK).await;
    let function = TestFunction::with(&[collector.setting()]).await;
    let (event, steps) = with_tool();
    function.simulator.script(steps);
    let event = with(event, "tags", json!({ "team": "billing" }));
    let (outcome, line) = function.invoke(&event).await;
    assert_eq!(outcome.unwrap(), "the reply");
    let export = &collector.exports()[0];
    assert!(export.head.starts_with("post /v1/traces http/1.1"), "{}", export.head);
    assert!(export.head.contains("content-type: application/json\r\n"), "{}", export.head);
    let spans = export.spans();
    let names: Vec<&str> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
    let chat = "chat gpt-4o-mini";
    assert_eq!(names, [chat, "chat gpt-4o", "execute_tool rate", chat, "invoke_workflow"]);
    let run = span(&spans, "invoke_workflow");
    assert_eq!(run.get("parentSpanId"), None);
    let tool = span(&spans, "execute_tool rate");
    let inner = span(&spans, "chat gpt-4o");
    assert_eq!((&tool["parentSpanId"], &inner["parentSpanId"]), (&run["spanId"], &tool["spanId"]));
    for span in &spans {
        let nanos = |name: &str| span[name].as_str().unwrap().parse::<u128>().unwrap();
        assert!(nanos("startTimeUnixNano") <= nanos("endTimeUnixNano"), "{span}");
        assert_eq!((&span["traceId"], span.get("status")), (&line["traceId"], None), "{span}");
        // No content is exported.
        for text in ["the prompt", "reply", "EUR", "a-key"] {
            assert!(!span.to_string().contains(text), "{text}: {span}");
        }
    }
    let attributes = |span: &Value| Value::Object(attributes(span));
    let run = attributes(run);
    assert_eq!(run["gen_ai.operation.name"], "invoke_workflow");
    assert_eq!(
        (&run["llm_exe.attempts"], &run["llm_exe.tag.team"]),
        (&json!("3"), &json!("billing"))
    );
    assert_eq!(run["faas.invocation_id"], line["requestId"]);
    assert_eq!(run["llm_exe.cost.usd"], line["costUsd"]);
    let first = attributes(&spans[0]);
    for (name, value) in [
        ("gen_ai.operation.name", json!("chat")),
        ("gen_ai.provider.name", json!("openai")),
        ("gen_ai.request.model", json!("gpt-4o-mini")),
        ("gen_ai.output.type", json!("text")),
        ("server.address", json!("127.0.0.1")),
        ("llm_exe.attempts", json!("1")),
        ("gen_ai.response.finish_reasons", json!({ "values": [{ "stringValue": "tool_calls" }] })),
    ] {
        assert_eq!(first[name], value, "{name}: {first}");
    }
    let tokens = |name: &str| {
        let count = |span: &Value| attributes(span)[name].as_str().unwrap().parse::<u64>().unwrap();
        let chats = spans.iter().filter(|span| span["name"].as_str().unwrap().starts_with("chat"));
        (chats.map(count).sum::<u64>(), run[name].as_str().unwrap().parse::<u64>().unwrap())
    };
    for name in ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"] {
        let (sum, total) = tokens(name);
        assert!(sum == total && sum > 0, "{name}: {sum} {total}");
    }
    let tool = attributes(tool);
    assert_eq!(
        (&tool["gen_ai.tool.name"], &tool["gen_ai.tool.type"]),
        (&json!("rate"), &json!("function"))
    );
}

#[tokio::test]
async fn steps_and_failures_have_spans() {
    let collector = Collector::start(OK).await;
    let function = TestFunction::with(&[collector.setting()]).await;
    let failure =
        step(json!({ "then": { "status": 400, "body": { "error": { "message": "no" } } } }));
    function.simulator.script(vec![reply("first"), failure]);
    let steps = json!([
        { "name": "draft", "message": "one" },
        { "name": "check", "message": "{{steps.draft}}" }
    ]);
    let event = json!({ "provider": "openai", "model": "gpt-4o-mini", "steps": steps });
    let (outcome, line) = function.invoke(&event).await;
    assert_eq!(line["errorType"], "ProviderRejected");
    outcome.unwrap_err();
    let spans = collector.spans();
    let run = span(&spans, "invoke_workflow");
    let check = span(&spans, "invoke_workflow check");
    assert_eq!(check["parentSpanId"], run["spanId"]);
    assert_eq!(span(&spans, "invoke_workflow draft").get("status"), None);
    for span in [run, check, spans.iter().rfind(|it| it["name"] == "chat gpt-4o-mini").unwrap()] {
        assert_eq!(span["status"]["code"], 2, "{span}");
        assert_eq!(attributes(span)["error.type"], "ProviderRejected", "{span}");
    }
    // An event that can't be run has a span as well.
    let (outcome, _) = function.invoke(&json!({ "provider": "openai" })).await;
    outcome.unwrap_err();
    let spans = collector.spans();
    assert_eq!(attributes(spans.last().unwrap())["error.type"], "InvalidRequest");
}

#[tokio::test]
async fn content_is_exported_only_with_its_setting() {
    let collector = Collector::start(OK).await;
    let function = TestFunction::with(&[collector.setting(), (CONTENT, "true")]).await;
    let (event, mut steps) = with_tool();
    steps[2] = reply("the key is a-key-of-some-length");
    function.simulator.script(steps);
    let (outcome, line) = function.invoke(&event).await;
    outcome.unwrap();
    assert!(!line.to_string().contains("the prompt"), "{line}");
    let spans = collector.spans();
    let content = |span: &Value, name: &str| -> Value {
        serde_json::from_str(attributes(span)[name].as_str().unwrap()).unwrap()
    };
    let input = content(&spans[3], "gen_ai.input.messages");
    assert_eq!(input[0]["parts"][0], json!({ "type": "text", "content": "the prompt" }));
    assert_eq!(input[1]["parts"][0]["name"], "rate");
    assert_eq!(
        (&input[2]["role"], &input[2]["parts"][0]["response"]),
        (&json!("tool"), &json!("the inner reply"))
    );
    let output = content(&spans[3], "gen_ai.output.messages");
    let parts = json!([{ "type": "text", "content": "the key is [redacted]" }]);
    assert_eq!(output, json!([{ "role": "assistant", "parts": parts, "finish_reason": "stop" }]));
    let tool = attributes(span(&spans, "execute_tool rate"));
    assert_eq!(tool["gen_ai.tool.call.arguments"], json!({ "currency": "EUR" }).to_string());
    assert_eq!(tool["gen_ai.tool.call.result"], "the inner reply");
}

#[tokio::test]
async fn the_nearest_parent_is_continued() {
    let collector = Collector::start(OK).await;
    let function = TestFunction::with(&[collector.setting()]).await;
    let xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=";
    let header = |flag: u8| format!("00-{TRACE}-00f067aa0ba902b7-0{flag}");
    let field = |flag: u8| format!("00-{}-1111111111111111-0{flag}", "2".repeat(32));
    let event = |traceparent: Option<String>, header: Option<String>| {
        let body = match traceparent {
            Some(text) => with(request("hi"), "traceparent", json!(text)),
            None => request("hi"),
        };
        with(url_event(&body), "headers", json!({ "TraceParent": header }))
    };
    let from_xray = ("5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8");
    let from_header = (TRACE, "00f067aa0ba902b7");
    let from_field = (&*"2".repeat(32), "1111111111111111");
    for (xray_flag, header, field, expected) in [
        ("1", None, None, Some(from_xray)),
        ("1", Some(header(1)), None, Some(from_header)),
        ("1", Some(header(0)), None, None),
        ("1", Some(header(1)), Some(field(1)), Some(from_field)),
        ("1", Some(header(1)), Some(field(0)), None),
        ("1", Some("garbage".to_owned()), None, Some(from_xray)),
        ("1", None, Some("garbage".to_owned()), Some(from_xray)),
    ] {
        let before = collector.spans().len();
        *function.trace_id.lock().unwrap() = format!("{xray}{xray_flag}");
        let (outcome, line) = function.invoke(&event(field.clone(), header.clone())).await;
        assert_eq!(outcome.unwrap()["statusCode"], 200);
        assert_eq!(line["xrayTraceId"], "1-5759e988-bd862e3fe1be46a994272793");
        let spans = collector.spans().split_off(before);
        let run = spans.iter().find(|span| span["name"] == "invoke_workflow");
        let ids = run
            .map(|run| (run["traceId"].as_str().unwrap(), run["parentSpanId"].as_str().unwrap()));
        assert_eq!(ids, expected, "{header:?} {field:?}");
        assert_eq!(line.get("traceId").is_some(), expected.is_some());
        let is_ignored = field.as_deref() == Some("garbage");
        assert_eq!(line.get("warningCount").is_some(), is_ignored, "{line}");
    }
    // A parent of X-Ray that is not sampled was not exported.
    let before = collector.spans().len();
    *function.trace_id.lock().unwrap() = format!("{xray}0");
    function.invoke(&request("hi")).await.0.unwrap();
    let spans = collector.spans().split_off(before);
    assert_eq!(span(&spans, "invoke_workflow").get("parentSpanId"), None);
}

#[tokio::test]
async fn the_sampler_decides_about_new_traces() {
    let collector = Collector::start(OK).await;
    let off = ("OTEL_TRACES_SAMPLER", "parentbased_always_off");
    let function = TestFunction::with(&[collector.setting(), off]).await;
    function.invoke(&request("hi")).await.0.unwrap();
    assert!(collector.exports().is_empty());
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    function.invoke(&with(request("hi"), "traceparent", json!(parent))).await.0.unwrap();
    assert_eq!(collector.spans().len(), 2);
}

#[tokio::test]
async fn failures_of_the_collector_are_counted_and_do_not_fail_requests() {
    for (response, expected) in [
        (Response::Body(503, ""), "the collector responded with status 503"),
        (
            Response::Body(200, r#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"x"}}"#),
            "the collector rejected spans: 2",
        ),
        (Response::Hang, "the collector did not respond within 200 ms"),
    ] {
        let collector = Collector::start(response).await;
        let function = TestFunction::with(&[collector.setting()]).await;
        let (outcome, line) = function.invoke(&request("hi")).await;
        outcome.unwrap();
        assert_eq!((&line["traceError"], &line["droppedSpans"]), (&json!(expected), &json!(2)));
        assert_eq!(line["message"], "answered");
        function.invoke(&request("hi")).await.0.unwrap();
        // A collector that hangs is not called again soon.
        let is_hanging = matches!(response, Response::Hang);
        assert_eq!(collector.exports().len(), if is_hanging { 1 } else { 2 });
    }
    let nothing = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    let function = TestFunction::with(&[nothing]).await;
    let (outcome, line) = function.invoke(&request("hi")).await;
    outcome.unwrap();
    assert_eq!(line["droppedSpans"], 2, "{line}");
}

#[tokio::test]
async fn spans_of_a_run_that_timed_out_are_exported() {
    let collector = Collector::start(OK).await;
    let function = TestFunction::with(&[collector.setting()]).await;
    function.simulator.script(vec![step(json!({ "then": { "fault": "hang" } }))]);
    let handled = function.handle(&request("hi"), Duration::from_millis(500)).await;
    assert_eq!(handled.line.error.unwrap().kind(), ErrorKind::Timeout);
    assert_eq!((handled.line.dropped_spans, handled.line.trace_error), (0, None));
    let spans = collector.spans();
    let run = attributes(span(&spans, "invoke_workflow"));
    assert_eq!(run["error.type"], "Timeout");
    // The cost of the call is not known.
    assert!(!run.contains_key("llm_exe.cost.usd"), "{run:?}");
    // The next events are exported as well.
    function.invoke(&request("hi")).await.0.unwrap();
    assert_eq!(collector.exports().len(), 2);
}

#[tokio::test]
async fn a_repeated_run_records_only_what_it_paid_for() {
    let collector = Collector::start(OK).await;
    let function = TestFunction::with(&[collector.setting(), PREFIX]).await;
    let failure =
        step(json!({ "then": { "status": 500, "body": { "error": { "message": "no" } } } }));
    function.simulator.script(vec![reply("first"), failure]);
    let steps = json!([{ "name": "a", "message": "one" }, { "name": "b", "message": "two" }]);
    let event = json!({
        "provider": "openai", "model": "gpt-4o-mini", "steps": steps, "idempotencyKey": "k",
        "options": { "numOfAttempts": 1 }
    });
    let mut attempts = Vec::new();
    for _ in 0..2 {
        let before = collector.spans().len();
        let (_, line) = function.invoke(&event).await;
        let spans = collector.spans().split_off(before);
        let run = attributes(span(&spans, "invoke_workflow"));
        assert_eq!(run["llm_exe.attempts"], line["attempts"].to_string(), "{line}");
        attempts.push(line["attempts"].as_u64().unwrap());
    }
    assert_eq!(attempts, [2, 1]);
}

#[tokio::test]
async fn records_of_an_event_have_traces_of_their_own() {
    let collector = Collector::start(OK).await;
    let function = TestFunction::with(&[collector.setting(), PREFIX]).await;
    let records: Vec<Value> = (0..3)
        .map(|index| {
            json!({
                "messageId": format!("m{index}"),
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:jobs",
                "body": request("hi").to_string(),
                "attributes": { "ApproximateReceiveCount": "1" }
            })
        })
        .collect();
    function.invoke(&json!({ "Records": records })).await.0.unwrap();
    assert_eq!(collector.exports().len(), 1);
    let spans = collector.spans();
    let runs = spans.iter().filter(|span| span["name"] == "invoke_workflow");
    let mut traces: Vec<&Value> = runs.map(|run| &run["traceId"]).collect();
    traces.dedup();
    assert_eq!((spans.len(), traces.len()), (6, 3));
}

#[tokio::test]
async fn spans_of_a_stream_are_sent_before_it_ends() {
    let collector = Collector::start(OK).await;
    let streaming = ("RESPONSE_STREAMING", "url");
    let function = Arc::new(TestFunction::with(&[collector.setting(), streaming]).await);
    let event = url_event(&with(request("hi"), "stream", json!(true)));
    let (started, _) = function.start(&event, Duration::from_secs(20)).await;
    let StartedResponse::Events { body, .. } = started else { panic!("expected a stream") };
    let events: Vec<_> = body.collect().await;
    assert!(events.len() > 1);
    let spans = collector.spans();
    let chat = attributes(span(&spans, "chat gpt-4o-mini"));
    assert_eq!(chat["gen_ai.request.stream"], true);
    assert_eq!(span(&spans, "invoke_workflow").get("status"), None);
}

#[tokio::test]
async fn prompts_are_logged_only_with_both_settings() {
    for (prompts, level, expected) in
        [("true", "debug", true), ("true", "info", false), ("false", "debug", false)]
    {
        let settings = [("LOG_PROMPTS", prompts), ("LOG_LEVEL", level)];
        let function = TestFunction::with(&settings).await;
        let (event, mut steps) = with_tool();
        steps[2] = reply("the key is a-key-of-some-length");
        function.simulator.script(steps);
        let handled = function.handle(&event, Duration::from_secs(20)).await;
        let level = if level == "debug" { LogLevel::Debug } else { LogLevel::Info };
        let text = String::from_utf8(handled.line.to_json(level).unwrap()).unwrap();
        let lines: Vec<Value> = text.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
        if !expected {
            assert_eq!(lines.len(), 1, "{text}");
            continue;
        }
        let operations: Vec<&Value> = lines.iter().map(|line| &line["operation"]).collect();
        let expected = ["chat gpt-4o-mini", "chat gpt-4o", "execute_tool rate", "chat gpt-4o-mini"]
            .map(Value::from);
        assert_eq!(operations[..4], expected.iter().collect::<Vec<_>>()[..]);
        assert_eq!((&lines[4]["message"], lines.len()), (&json!("answered"), 5));
        assert!(lines.iter().all(|line| line["requestId"] == lines[4]["requestId"]));
        assert_eq!(lines[0]["input"][0]["parts"][0]["content"], "the prompt");
        assert_eq!(lines[3]["output"][0]["parts"][0]["content"], "the key is [redacted]");
        assert_eq!(lines[2]["arguments"], json!({ "currency": "EUR" }).to_string());
        assert_eq!(lines[2]["result"], "the inner reply");
        assert!(!text.contains("a-key"), "{text}");
    }
}

#[tokio::test]
#[ignore = "needs OpenTelemetry's types; ./scripts/test runs it"]
async fn exports_are_decoded_by_opentelemetry() {
    #[allow(clippy::disallowed_methods, reason = "tests have no settings to read this from")]
    let python = std::env::var("OTLP_PYTHON").expect("OTLP_PYTHON is a Python with the types");
    let collector = Collector::start(OK).await;
    let settings = [
        collector.setting(),
        (CONTENT, "true"),
        ("AWS_LAMBDA_FUNCTION_NAME", "llm-exe"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=billing"),
    ];
    let function = TestFunction::with(&settings).await;
    let (event, mut steps) = with_tool();
    steps[2] = step(json!({ "then": { "status": 500, "body": {} } }));
    function.simulator.script(steps);
    let options = json!({
        "numOfAttempts": 1, "temperature": 0.5, "topP": 0.9, "maxTokens": 50, "seed": 7,
        "stopSequences": ["a", "b"], "frequencyPenalty": 1, "presencePenalty": -1
    });
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let event = with(with(event, "options", options), "traceparent", json!(parent));
    function.invoke(&event).await.0.unwrap_err();
    let body = collector.exports()[0].body.clone();
    let decoded = decode(&python, &body);
    let resource = &decoded["resources"][0];
    for (key, value) in [("service.name", "llm-exe"), ("faas.name", "llm-exe"), ("team", "billing")]
    {
        assert_eq!(resource[key], value, "{resource}");
    }
    let spans = decoded["spans"].as_array().unwrap();
    let run = span(spans, "invoke_workflow");
    assert_eq!((&run["kind"], &run["status"]), (&json!(1), &json!(2)));
    assert_eq!(
        (&run["traceId"], &run["parentSpanId"]),
        (&json!(TRACE), &json!("00f067aa0ba902b7"))
    );
    let chat = span(spans, "chat gpt-4o-mini");
    assert_eq!((&chat["kind"], &chat["status"]), (&json!(3), &json!(0)));
    assert!(chat["nanoseconds"].as_u64().unwrap() > 0);
    for (name, value) in [
        ("gen_ai.request.temperature", json!(0.5)),
        ("gen_ai.request.top_p", json!(0.9)),
        ("gen_ai.request.max_tokens", json!(50)),
        ("gen_ai.request.seed", json!(7)),
        ("gen_ai.request.stop_sequences", json!(["a", "b"])),
        ("gen_ai.request.frequency_penalty", json!(1.0)),
        ("gen_ai.request.presence_penalty", json!(-1.0)),
        ("llm_exe.attempts", json!(1)),
    ] {
        assert_eq!(chat["attributes"][name], value, "{name}: {chat}");
    }
    for (from, to) in [("\"kind\":3", "\"kind\":\"x\""), ("\"name\":", "\"title\":")] {
        let changed = body.replacen(from, to, 1);
        assert_ne!(changed, body);
        let decode = std::panic::catch_unwind(|| decode(&python, &changed));
        assert!(decode.is_err(), "the types accept {to}");
    }
}

/// Decodes an export with OpenTelemetry's types.
fn decode(python: &str, body: &str) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/lib/decode_otlp.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
