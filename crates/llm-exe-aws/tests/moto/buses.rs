//! Events: put on a bus, routed by a rule, refused one by one.

use llm_exe::ErrorKind;
use llm_exe::results::Destination;
use llm_exe_aws::AwsMessenger;
use llm_exe_testkit::aws::{Action, Fault, Operation};
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::proxy::{self, Proxy};
use crate::queues::tell;
use crate::{REGION, aws};

const BUS: &str = "arn:aws:events:us-east-1:123456789012:event-bus/results";

fn bus() -> Destination {
    Destination::read(BUS).unwrap()
}

#[tokio::test]
async fn refusals_of_buses_name_the_action_and_the_bus() {
    let proxy = Proxy::before(0).await;
    let region = Some(REGION.to_owned());
    let messenger = AwsMessenger::new(aws(), region, None, Some(proxy.url()));
    let whole = |code: &str| (400, json!({"__type": code, "message": "no"}));
    let entry = |code: &str| {
        let entry = json!({"ErrorCode": code, "ErrorMessage": "123456789012"});
        (200, json!({"FailedEntryCount": 1, "Entries": [entry]}))
    };
    for ((status, body), tries, kind, told) in [
        (whole("AccessDeniedException"), 1, "AccessDenied", "events:PutEvents on arn:aws:events:"),
        (entry("AccessDeniedException"), 1, "AccessDenied", "events:PutEvents on arn:aws:events:"),
        (entry("NotAuthorizedForSourceException"), 1, "AccessDenied", "events:PutEvents on arn:"),
        (whole("UnrecognizedClientException"), 1, "AccessDenied", "credentials"),
        (whole("ResourceNotFoundException"), 1, "ResultUnavailable", "there is no such bus"),
        (entry("MalformedDetail"), 1, "ResultUnavailable", "results: 200 MalformedDetail"),
        (entry("ThrottlingException"), 3, "ResultUnavailable", "200 ThrottlingException"),
        (entry("InternalFailure"), 3, "ResultUnavailable", "200 InternalFailure"),
        (whole("InternalException"), 3, "ResultUnavailable", "400 InternalException"),
        ((200, json!({})), 1, "ResultUnavailable", "the answer can't be read"),
    ] {
        let said = proxy::Action::Answer(status, String::new(), body.to_string());
        proxy.will(&vec![said; 3]);
        let error = tell(&messenger, &bus(), "a", None, "{}").await.unwrap_err();
        assert_eq!(error.kind().name(), kind, "{body}: {error}");
        assert!(error.message().contains(told), "{body}: {error}");
        assert_eq!(proxy.journal().len(), tries, "{body}");
    }
    let larger = format!("{{\"a\":\"{}\"}}", "x".repeat(256 * 1024));
    let error = tell(&messenger, &bus(), "a", None, &larger).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultTooLarge);
    assert!(error.message().contains(BUS), "{error}");
}

#[tokio::test]
async fn events_are_put_again_where_that_may_help() {
    let throttled = || "ThrottlingException".to_owned();
    for deed in [Action::FailEntries(throttled()), Action::Refuse(400, throttled()), Action::Drop] {
        let backend = Backend::simulator().await;
        let Backend::Simulator(simulator) = &backend else {
            panic!("another one");
        };
        simulator.script(Fault::on(Operation::PutEvents, BUS, deed.clone()).times(2));
        tell(&backend.messenger(), &bus(), "a", None, "{\"status\":\"ok\"}").await.unwrap();
        let events = simulator.events();
        let [event] = events.as_slice() else {
            panic!("{deed:?}: {events:?}");
        };
        assert_eq!((event.bus.as_str(), event.source.as_str()), (BUS, "llm-exe"));
        assert_eq!(event.detail_type, "LLM Result");
        assert_eq!(event.detail, json!({"status": "ok"}));
    }
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn an_event_reaches_a_queue_by_a_rule() {
    let backend = Backend::moto().await;
    let Backend::Moto(moto) = &backend else {
        panic!("another one");
    };
    let made = moto.json("sqs", "AmazonSQS.CreateQueue", &json!({"QueueName": "told"})).await;
    moto.json("events", "AWSEvents.CreateEventBus", &json!({"Name": "results"})).await;
    let rule = json!({
        "Name": "all",
        "EventBusName": "results",
        "EventPattern": json!({"source": ["llm-exe"], "detail-type": ["LLM Result"]}).to_string(),
    });
    moto.json("events", "AWSEvents.PutRule", &rule).await;
    let target = json!({"Id": "q", "Arn": "arn:aws:sqs:us-east-1:123456789012:told"});
    let targets = json!({"Rule": "all", "EventBusName": "results", "Targets": [target]});
    moto.json("events", "AWSEvents.PutTargets", &targets).await;

    let body = json!({"id": "a", "status": "ok", "result": "grüße"});
    tell(&backend.messenger(), &bus(), "a", None, &body.to_string()).await.unwrap();

    let asked = json!({"QueueUrl": made["QueueUrl"], "WaitTimeSeconds": 5});
    let answer = moto.json("sqs", "AmazonSQS.ReceiveMessage", &asked).await;
    let event: Value =
        serde_json::from_str(answer["Messages"][0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&event["source"], &event["detail-type"]),
        (&json!("llm-exe"), &json!("LLM Result"))
    );
    assert_eq!(event["detail"], body);
}
