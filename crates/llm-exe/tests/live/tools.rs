//! Tests requests with tools, and conversations that were handed back and continue with results.
//!
//! The model does not call tools. So the simulator, which imitates the APIs, replies to the first
//! request with calls, and the server receives the request that continues the conversation.

use llm_exe::{ErrorKind, StopReason};
use llm_exe_simulator::{Simulator, Step, ToolCall};
use serde_json::{Value, json};

use crate::{APIS, Api, client_of, request, server};

/// Returns the APIs without the server of the user, which has no key: the simulator requires one.
fn dialects() -> impl Iterator<Item = &'static Api> {
    APIS.iter().filter(|api| api.provider != "local")
}

/// Returns a request with two tools whose calls are handed back.
fn with_tools(api: &Api, fields: Value) -> Value {
    let city = json!({ "type": "string" });
    let parameters =
        json!({ "type": "object", "properties": { "city": city }, "required": ["city"] });
    let mut all = json!({
        "message": "Is it sunny in Oslo and Rome?",
        "tools": [
            { "name": "get_weather", "description": "Returns the weather.",
              "parameters": parameters },
            { "name": "get_time", "description": "Returns the time." },
        ],
    });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    request(api, all)
}

fn call(name: &str, arguments: Value) -> ToolCall {
    ToolCall { name: name.to_owned(), arguments }
}

/// Returns a conversation in which the model has called two tools in one turn, in the format of an
/// API.
async fn handed_back(api: &Api) -> Value {
    let simulator = Simulator::start().await.unwrap();
    let calls = vec![call("get_weather", json!({ "city": "Oslo" })), call("get_time", json!({}))];
    simulator.script(vec![Step::tool_calls("I will look.", calls)]);
    let client = client_of(&simulator.url(), api);
    let fields = json!({ "options": { "maxTokens": 100 } });
    let result = client.run(with_tools(api, fields)).await.outcome.unwrap();
    assert_eq!(result["toolCalls"].as_array().unwrap().len(), 2, "{result}");
    result
}

#[tokio::test]
#[ignore = "needs llama.cpp's server; run scripts/test-live"]
async fn request_with_tools_is_accepted() {
    for api in APIS {
        for choice in [json!("auto"), json!("none")] {
            let request = with_tools(api, json!({ "toolChoice": choice }));
            let run = client_of(&server(), api).run(request).await;
            let shown = format!("{} {}: {:?} {:?}", api.provider, choice, run.outcome, run.report);
            assert!(run.report.answered && run.report.changed.is_empty(), "{shown}");
            // A reply that is a broken call is an error of the model.
            if let Err(error) = run.outcome {
                let expected = [ErrorKind::OutputTruncated, ErrorKind::OutputInvalid];
                assert!(expected.contains(&error.kind()), "{shown}");
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs llama.cpp's server; run scripts/test-live"]
async fn conversation_with_results_is_continued() {
    for api in dialects() {
        let result = handed_back(api).await;
        let id = |index: usize| result["toolCalls"][index]["id"].clone();
        let fields = json!({
            "conversation": result["conversation"],
            "toolResults": [
                { "id": id(0), "result": { "sky": "clear" } },
                { "id": id(1), "error": "The clock is broken." },
            ],
        });
        let run = client_of(&server(), api).run(with_tools(api, fields)).await;
        let shown = format!("{}: {:?} {:?}", api.provider, run.outcome, run.report);
        assert!(run.report.answered && run.report.changed.is_empty(), "{shown}");
        assert_eq!(run.report.attempts, 1, "{shown}");
        let stop = run.report.stop_reason;
        assert!(matches!(stop, Some(StopReason::Stop | StopReason::Length)), "{shown}");
        assert!(run.outcome.unwrap().is_string(), "{shown}");
    }
}

/// Checks the number of tokens, because the test above would also pass if the server ignored turns.
#[tokio::test]
#[ignore = "needs llama.cpp's server; run scripts/test-live"]
async fn turns_and_results_are_part_of_the_prompt() {
    for api in dialects() {
        let client = client_of(&server(), api);
        let tokens = |run: &llm_exe::Run| {
            let usage = &run.report.usage;
            usage.input_tokens + usage.cached_input_tokens
        };
        let first = tokens(&client.run(with_tools(api, json!({}))).await);
        let result = handed_back(api).await;
        let calls = result["toolCalls"].as_array().unwrap().iter();
        let words = "word ".repeat(100);
        let results: Vec<Value> =
            calls.map(|call| json!({ "id": call["id"], "result": words })).collect();
        let fields = json!({ "conversation": result["conversation"], "toolResults": results });
        let second = tokens(&client.run(with_tools(api, fields)).await);
        assert!(second > first + 200, "{}: {first} and then {second} tokens", api.provider);
    }
}
