//! Tests replies that a provider pauses and that are continued, against the simulator.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::{Client, Deadline, ErrorKind, Rules, Run, RunEvent, Runner};
use llm_exe_simulator::{Simulator, Step, StreamEnd, StreamScript};
use serde_json::{Value, json};

use crate::common::{FixedKey, endpoints};

const LIMIT: Duration = Duration::from_secs(20);

fn request(fields: Value) -> Value {
    let mut request = json!({
        "provider": "google", "model": "gemini-4-argon", "message": "Write a book",
        "return": "full",
    });
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    request
}

/// A part of a reply that is not the last one, with 1,000 tokens of output.
fn part(text: &str) -> Value {
    let usage = json!({"promptTokenCount": 10, "candidatesTokenCount": 1_000,
        "thoughtsTokenCount": 5, "totalTokenCount": 1_015});
    json!({"then": {"text": text, "stopReason": "CONTINUATION", "usage": usage}})
}

fn last(text: &str) -> Value {
    let usage = json!({"promptTokenCount": 1_010, "candidatesTokenCount": 20,
        "totalTokenCount": 1_030, "initialPromptTokenCount": 10});
    json!({"then": {"text": text, "usage": usage}})
}

async fn run(simulator: &Simulator, fields: Value) -> Run {
    let runner = Runner::new(endpoints(simulator), Arc::new(FixedKey), Rules::default());
    runner.run(Deadline::after(LIMIT), request(fields)).await
}

/// Runs a request with a stream. Returns the text that was sent, and the run.
async fn run_streamed(simulator: &Simulator, fields: Value) -> (String, Run) {
    let url = format!("{}/v1beta", simulator.url());
    let client = Client::builder().key("google", "k").base_url("google", url).build().unwrap();
    let mut stream = client.run_stream(Deadline::after(LIMIT), request(fields));
    let mut text = String::new();
    while let Some(event) = stream.next_event().await {
        match event {
            RunEvent::Text { delta, turn: 1 } => text.push_str(&delta),
            other => panic!("{other:?}"),
        }
    }
    (text, stream.finish().await)
}

#[tokio::test]
async fn the_parts_of_a_reply_are_joined() {
    for is_streamed in [false, true] {
        let simulator = Simulator::start().await.unwrap();
        let script = json!([part("Call me "), part("Ishm"), last("ael. 😀")]);
        simulator.script_json(script).unwrap();
        let (text, run) = match is_streamed {
            true => run_streamed(&simulator, json!({})).await,
            false => ("Call me Ishmael. 😀".to_owned(), run(&simulator, json!({})).await),
        };
        assert_eq!((&*text, run.outcome.unwrap()), ("Call me Ishmael. 😀", json!(text.clone())));
        let usage = run.report.usage;
        assert_eq!((usage.input_tokens, usage.output_tokens), (1_030, 2_020));
        assert_eq!((usage.reasoning_tokens, run.report.attempts), (10, 3));
        assert_eq!(run.report.warnings, Vec::<String>::new());
        assert!(run.report.cost().unwrap().is_known());
        assert_eq!(run.report.stop_reason.unwrap().name(), "stop");
        let calls = simulator.journal();
        let token = |index: usize| calls[index].body["continuationToken"].as_str();
        assert_eq!(token(0), None);
        assert!(token(1).unwrap() != token(2).unwrap());
        // The rest of the body is the same.
        for call in &calls[1..] {
            let mut body = call.body.clone();
            body.as_object_mut().unwrap().shift_remove("continuationToken");
            assert_eq!((body, &call.path), (calls[0].body.clone(), &calls[0].path));
        }
    }
}

#[tokio::test]
async fn a_checked_result_consists_of_all_parts() {
    let simulator = Simulator::start().await.unwrap();
    simulator.script_json(json!([part("{\"a\": [1, "), last("2]}")])).unwrap();
    let schema = json!({"type": "object", "properties": {"a": {"type": "array"}}});
    let run = run(&simulator, json!({"output": "json", "schema": schema})).await;
    assert_eq!(run.outcome.unwrap(), json!({"a": [1, 2]}));
}

#[tokio::test]
async fn a_turn_that_was_continued_is_sent_back_as_one() {
    let simulator = Simulator::start().await.unwrap();
    let call = json!({"then": {"toolCall": {"name": "now", "arguments": {"zone": "UTC"}}}});
    let noon = json!({"then": {"text": "12:00"}});
    simulator
        .script_json(json!([part("Let me "), part("look."), call, noon, last("Noon.")]))
        .unwrap();
    let tool = json!({
        "name": "now", "description": "d",
        "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}},
        "run": {"request": {"provider": "google", "model": "gemini-4-argon", "message": "now"}},
    });
    let run = run(&simulator, json!({ "tools": [tool] })).await;
    assert_eq!(run.outcome.unwrap(), "Noon.");
    let calls = simulator.journal();
    let turn = &calls[4].body["contents"][1];
    assert_eq!(
        (&turn["role"], &turn["parts"][0]["text"]),
        (&json!("model"), &json!("Let me look."))
    );
    assert_eq!(turn["parts"][1]["functionCall"]["args"], json!({"zone": "UTC"}));
    assert!(turn["parts"][1]["thoughtSignature"].is_string());
    assert_eq!(run.report.attempts, 5);
}

#[tokio::test]
async fn a_part_that_can_not_be_requested_leaves_the_others() {
    let rejected = json!({"then": {"status": 400}});
    for (script, fields, expected, warning) in [
        (json!([part("Call me "), rejected]), json!({}), "Call me ", "rejected the request (400)"),
        // A failed call is retried.
        (json!([part("a"), {"then": {"status": 503}}, last("b")]), json!({}), "ab", ""),
        // The rest of the limit does not pay for another thousand tokens.
        (
            json!([part("a"), last("b")]),
            json!({"options": {"maxCost": 0.013, "maxTokens": 100_000}}),
            "a",
            "the rest of options.maxCost does not pay for its next part",
        ),
    ] {
        let simulator = Simulator::start().await.unwrap();
        simulator.script_json(script).unwrap();
        let run = run(&simulator, fields).await;
        assert_eq!(run.outcome.unwrap(), expected);
        let warnings = run.report.warnings.join("\n");
        assert!(warnings.contains(warning), "{warnings}");
        let is_incomplete = warnings.contains("the reply is incomplete");
        assert_eq!(is_incomplete, !warning.is_empty(), "{warnings}");
    }
}

#[tokio::test]
async fn an_incomplete_reply_is_not_a_checked_result() {
    let simulator = Simulator::start().await.unwrap();
    simulator.script_json(json!([part("{\"a\": 1"), {"then": {"status": 400}}])).unwrap();
    let schema = json!({"type": "object"});
    let run = run(&simulator, json!({"output": "json", "schema": schema})).await;
    let error = run.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutputTruncated, "{error}");
    assert_eq!(run.report.usage.output_tokens, 1_000);
}

#[tokio::test]
async fn the_limits_of_the_run_apply() {
    // The provider never ends the reply.
    let simulator = Simulator::start().await.unwrap();
    let mut endless = part("x");
    endless["times"] = json!(1_000);
    simulator.script_json(json!([endless])).unwrap();
    let run = run(&simulator, json!({})).await;
    assert_eq!(run.outcome.unwrap(), "x".repeat(65));
    assert_eq!((run.report.attempts, simulator.journal().len()), (65, 65));
    assert!(run.report.warnings[0].contains("continued 64 times"), "{:?}", run.report.warnings);
}

#[tokio::test]
async fn a_broken_stream_of_a_part_leaves_the_others() {
    let simulator = Simulator::start().await.unwrap();
    simulator.script_json(json!([part("Call me ")])).unwrap();
    let cut = StreamScript { events: Some(2), end: StreamEnd::Drop, ..StreamScript::default() };
    simulator.script(vec![Step::text("Ishmael, the sailor.").stream(cut)]);
    let (text, run) = run_streamed(&simulator, json!({})).await;
    assert!(text.starts_with("Call me Ishm"), "{text}");
    assert_eq!(run.outcome.unwrap(), "Call me ");
    assert!(run.report.warnings[0].contains("the reply is incomplete"));
    // The tokens of the broken part are billed.
    assert!(run.report.cost().unwrap().is_estimate());
}
