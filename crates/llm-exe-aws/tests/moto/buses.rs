//! Tests that an EventBridge rule can forward the messenger's events to a queue.

use llm_exe_function::destination::Destination;
use serde_json::{Value, json};

use crate::server::Moto;
use crate::support::BUS;
use crate::support::contract::Backend;
use crate::support::contract::queues::send;

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn event_reaches_the_queue_of_a_rule() {
    let moto = Moto::start().await;
    let queue = json!({"QueueName": "notifications"});
    let queue = moto.json("sqs", "AmazonSQS.CreateQueue", &queue).await;
    moto.json("events", "AWSEvents.CreateEventBus", &json!({"Name": "results"})).await;
    let rule = json!({
        "Name": "all",
        "EventBusName": "results",
        "EventPattern": json!({"source": ["llm-exe"], "detail-type": ["LLM Result"]}).to_string(),
    });
    moto.json("events", "AWSEvents.PutRule", &rule).await;
    let target = json!({"Id": "q", "Arn": "arn:aws:sqs:us-east-1:123456789012:notifications"});
    let targets = json!({"Rule": "all", "EventBusName": "results", "Targets": [target]});
    moto.json("events", "AWSEvents.PutTargets", &targets).await;

    let detail = json!({"id": "a", "status": "ok", "result": "grüße"});
    let bus = Destination::parse(BUS).unwrap();
    send(&moto.ports().messenger(), &bus, "a", None, &detail.to_string()).await.unwrap();

    let request = json!({"QueueUrl": queue["QueueUrl"], "WaitTimeSeconds": 5});
    let response = moto.json("sqs", "AmazonSQS.ReceiveMessage", &request).await;
    let event: Value =
        serde_json::from_str(response["Messages"][0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&event["source"], &event["detail-type"]),
        (&json!("llm-exe"), &json!("LLM Result"))
    );
    assert_eq!(event["detail"], detail);
}
