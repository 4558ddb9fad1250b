//! Answers that are larger than their source takes: put under the result prefix, and answered by
//! their place.

use llm_exe_simulator::Step;
use serde_json::{Value, json};

use crate::harness::{Function, event, merge, posted, request};
use crate::world::World;

const MEBIBYTE: usize = 1024 * 1024;

/// The text that is kept where the answer says.
fn at_url(world: &World, answer: &Value) -> Value {
    let fields = answer.as_object().unwrap();
    assert_eq!(fields.len(), 1, "{answer}");
    let url = answer["resultUrl"].as_str().unwrap();
    assert!(url.starts_with("s3://kept/here/results/"), "{url}");
    serde_json::from_slice(&world.aws.objects()[&url["s3://".len()..]].body).unwrap()
}

/// Invokes with an event, and the answer of so many bytes.
async fn asked(world: &World, function: &Function, event: &Value, text: &str) -> Value {
    world.simulator.clear();
    world.simulator.script(vec![Step::text(text)]);
    function.invoke(event).await.result()
}

#[tokio::test]
async fn each_source_has_its_own_limit() {
    let world = World::new().await;
    let function = world.function(&[]).await;
    let balanced = event("alb", &json!({ "body": request().to_string() }));
    for (name, event, limit, is_http) in [
        ("direct", request(), 6 * MEBIBYTE, false),
        ("function URL", posted(&request()), 6 * MEBIBYTE, true),
        ("ALB", balanced, MEBIBYTE, true),
    ] {
        let small = "x".repeat(limit - 2048);
        let answer = asked(&world, &function, &event, &small).await;
        let answer = if is_http { answer["body"].clone() } else { answer };
        assert!(answer == json!(small), "{name}: not the text itself");

        let large = "x".repeat(limit + 10);
        let answer = asked(&world, &function, &event, &large).await;
        let answer = if is_http {
            assert_eq!(answer["statusCode"], json!(200), "{name}");
            let headers = &answer["headers"];
            assert_eq!(headers["content-type"], json!("application/json"), "{name}");
            serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
        } else {
            answer
        };
        assert!(at_url(&world, &answer) == json!(large), "{name}: not the text");
    }
    function.stop().await;
}

/// For Step Functions' 256 KB.
#[tokio::test]
async fn another_bound_may_be_set() {
    let world = World::new().await;
    let function = world.function(&[("OFFLOAD_RESULTS_OVER", "262144")]).await;
    let small = "x".repeat(262_000);
    assert!(asked(&world, &function, &request(), &small).await == json!(small));
    assert!(world.aws.objects().is_empty());
    let large = "x".repeat(263_000);
    let answer = asked(&world, &function, &request(), &large).await;
    assert!(at_url(&world, &answer) == json!(large));
    // Each answer has a place of its own, whichever process gives it.
    let other = world.function(&[("OFFLOAD_RESULTS_OVER", "262144")]).await;
    let answer = asked(&world, &other, &request(), &"y".repeat(263_000)).await;
    assert!(at_url(&world, &answer) == json!("y".repeat(263_000)));
    assert_eq!(world.aws.objects().len(), 2);
    function.stop().await;
    other.stop().await;
}

/// Under a key, the large answer is put aside each time and paid for once.
#[tokio::test]
async fn a_large_answer_under_a_key_is_paid_for_once() {
    let world = World::new().await;
    let mut keyed = request();
    merge(&mut keyed, &json!({ "idempotencyKey": "k" }));
    let text = "x".repeat(6 * MEBIBYTE + 10);
    world.simulator.script(vec![Step::text(text.clone())]);
    for _ in 0..2 {
        let function = world.function(&[]).await;
        let answer = function.invoke(&keyed).await.result();
        assert!(at_url(&world, &answer) == json!(text));
        function.stop().await;
    }
    assert_eq!(world.asked().len(), 1);
}
