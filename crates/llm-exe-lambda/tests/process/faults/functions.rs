//! Tests tools that are Lambda functions, with failures of the functions and of Lambda.

use llm_exe_simulator::Step;
use llm_exe_testkit::aws::{Action, AwsFault, FunctionResponse, Operation};
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::harness::Function;

async fn function(backend: &Backend) -> Function {
    let url = backend.aws.url();
    let names = "orders,failing-orders,missing-orders";
    let variables = [("AWS_ENDPOINT_URL_LAMBDA", &url[..]), ("TOOL_FUNCTIONS", names)];
    backend.function(&variables).await
}

/// A request with a tool that is the Lambda function `name`.
fn request(name: &str) -> Value {
    json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "Where is order 5?",
        "tools": [{
            "name": "get_order", "description": "Returns an order.",
            "parameters": { "type": "object", "properties": { "id": { "type": "integer" } } },
            "run": { "lambda": name },
        }],
    })
}

/// Invokes the function with a model that calls the tool once, and returns the result of the tool
/// that the model received.
async fn tool_result(backend: &Backend, function: &Function, name: &str) -> String {
    backend.simulator.clear();
    let call = Step::tool_call("get_order", json!({ "id": 5 }));
    backend.simulator.script(vec![call, Step::text("It is on its way.")]);
    let result = function.invoke(&request(name)).await.result();
    assert_eq!(result, "It is on its way.");
    let journal = backend.simulator.journal();
    let [_, last] = &journal[..] else {
        panic!("expected two provider calls: {journal:?}");
    };
    let message = last.body["messages"].as_array().unwrap().last().unwrap();
    assert_eq!(message["role"], "tool");
    message["content"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn result_of_a_function_reaches_the_model_as_it_was_written() {
    let backend = Backend::new().await;
    let function = function(&backend).await;
    backend.aws.set_function("orders", [FunctionResponse::Result("{\"total\": 5.40}".to_owned())]);
    assert_eq!(tool_result(&backend, &function, "orders").await, "{\"total\": 5.40}");
    let invocations = backend.aws.invocations();
    assert_eq!(invocations[0].event["arguments"], json!({ "id": 5 }));
    assert_eq!(invocations[0].event["toolCall"]["name"], "get_order");
}

#[tokio::test]
async fn model_receives_the_error_of_a_call_and_the_function_runs_at_most_once() {
    let backend = Backend::new().await;
    // One process, so that most calls use a pooled connection.
    let function = function(&backend).await;
    let refuse = |status, code: &str| Some(Action::Refuse(status, code.to_owned()));
    for (name, fault, expected, runs) in [
        ("failing-orders", None, "KeyError: no order 5", 1),
        ("missing-orders", None, "it does not exist", 0),
        ("orders", refuse(403, "AccessDeniedException"), "AWS denied lambda:InvokeFunction", 0),
        ("orders", refuse(500, "ServiceException"), "500 ServiceException", 0),
        ("orders", Some(Action::Drop), "can't call the function orders", 0),
        ("orders", Some(Action::DropEarly), "can't call the function orders", 0),
        ("orders", Some(Action::DoneThenDrop), "can't call the function orders", 1),
        // A throttled call is repeated.
        ("orders", Some(Action::Throttle(0)), "540", 1),
    ] {
        backend.aws.clear_script();
        backend.aws.clear_calls();
        let failure = FunctionResponse::error("KeyError", "no order 5");
        backend.aws.set_function("failing-orders", [failure]);
        backend.aws.set_function("orders", [FunctionResponse::Result("540".to_owned())]);
        if let Some(action) = fault.clone() {
            backend.aws.script(AwsFault::on(Operation::Invoke, "*", action).times(1));
        }
        let result = tool_result(&backend, &function, name).await;
        assert!(result.contains(expected), "{name} {fault:?}: {result}");
        assert!(!result.contains("index.py"), "the stack trace was sent: {result}");
        assert_eq!(backend.aws.invocations().len(), runs, "{name} {fault:?}");
    }
}

#[tokio::test]
async fn slow_function_is_reported_after_the_timeout_of_the_tool() {
    let backend = Backend::new().await;
    let function = function(&backend).await;
    backend.aws.script(AwsFault::on(Operation::Invoke, "*", Action::DoneThenHang));
    backend.simulator.script(vec![
        Step::tool_call("get_order", json!({ "id": 5 })),
        Step::text("It is on its way."),
    ]);
    let mut request = request("orders");
    request["tools"][0]["timeout"] = json!(300);
    assert_eq!(function.invoke(&request).await.result(), "It is on its way.");
    let messages = backend.simulator.journal()[1].body["messages"].to_string();
    assert!(messages.contains("it may have completed anyway"), "{messages}");
    assert_eq!(backend.aws.invocations().len(), 1);
}
