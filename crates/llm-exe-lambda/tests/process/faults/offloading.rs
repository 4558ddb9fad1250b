//! Tests results that are too large for a response to their event source. The result is stored in
//! S3, and the response contains its URL.

use llm_exe_simulator::Step;
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::harness::{Function, event, merge, post_event, request};

const MEBIBYTE: usize = 1024 * 1024;

/// Returns the stored result that a response links to.
fn linked_result(backend: &Backend, response: &Value) -> Value {
    let fields = response.as_object().unwrap();
    assert_eq!(fields.len(), 1, "{response}");
    let url = response["resultUrl"].as_str().unwrap();
    assert!(url.starts_with("s3://stored/results/results/"), "{url}");
    serde_json::from_slice(&backend.aws.objects()[&url["s3://".len()..]].body).unwrap()
}

/// Scripts the provider to reply with the text, and invokes the function with the event.
async fn invoke_with_reply(
    backend: &Backend,
    function: &Function,
    event: &Value,
    text: &str,
) -> Value {
    backend.simulator.clear();
    backend.simulator.script(vec![Step::text(text)]);
    function.invoke(event).await.result()
}

#[tokio::test]
async fn each_source_has_its_own_limit() {
    let backend = Backend::new().await;
    let function = backend.function(&[]).await;
    let alb = event("alb", &json!({ "body": request().to_string() }));
    for (name, event, limit, is_http) in [
        ("direct", request(), 6 * MEBIBYTE, false),
        ("function URL", post_event(&request()), 6 * MEBIBYTE, true),
        ("ALB", alb, MEBIBYTE, true),
    ] {
        let small = "x".repeat(limit - 2048);
        let response = invoke_with_reply(&backend, &function, &event, &small).await;
        let response = if is_http { response["body"].clone() } else { response };
        assert!(response == json!(small), "{name}: not the reply");

        let large = "x".repeat(limit + 10);
        let response = invoke_with_reply(&backend, &function, &event, &large).await;
        let response = if is_http {
            assert_eq!(response["statusCode"], json!(200), "{name}");
            let headers = &response["headers"];
            assert_eq!(headers["content-type"], json!("application/json"), "{name}");
            serde_json::from_str(response["body"].as_str().unwrap()).unwrap()
        } else {
            response
        };
        assert!(linked_result(&backend, &response) == json!(large), "{name}: not the reply");
    }
    function.stop().await;
}

/// The test sets the limit to 256 KB, the payload limit of Step Functions.
#[tokio::test]
async fn lower_limit_can_be_set() {
    let backend = Backend::new().await;
    let function = backend.function(&[("OFFLOAD_RESULTS_OVER", "262144")]).await;
    let small = "x".repeat(262_000);
    assert!(invoke_with_reply(&backend, &function, &request(), &small).await == json!(small));
    assert!(backend.aws.objects().is_empty());
    let large = "x".repeat(263_000);
    let response = invoke_with_reply(&backend, &function, &request(), &large).await;
    assert!(linked_result(&backend, &response) == json!(large));
    // Each response has its own object, even if another process returns it.
    let second_function = backend.function(&[("OFFLOAD_RESULTS_OVER", "262144")]).await;
    let response =
        invoke_with_reply(&backend, &second_function, &request(), &"y".repeat(263_000)).await;
    assert!(linked_result(&backend, &response) == json!("y".repeat(263_000)));
    assert_eq!(backend.aws.objects().len(), 2);
    function.stop().await;
    second_function.stop().await;
}

#[tokio::test]
async fn large_result_of_a_call_with_a_key_is_paid_for_once() {
    let backend = Backend::new().await;
    let mut keyed = request();
    merge(&mut keyed, &json!({ "idempotencyKey": "k" }));
    let text = "x".repeat(6 * MEBIBYTE + 10);
    backend.simulator.script(vec![Step::text(text.clone())]);
    for _ in 0..2 {
        let function = backend.function(&[]).await;
        let response = function.invoke(&keyed).await.result();
        assert!(linked_result(&backend, &response) == json!(text));
        function.stop().await;
    }
    assert_eq!(backend.prompts().len(), 1);
}
