//! Tests how the messenger reports EventBridge errors and retries transient errors. EventBridge can
//! reject the whole request or a single event in it.

use llm_exe::ErrorKind;
use llm_exe_function::destination::Destination;
use llm_exe_testkit::aws::{Action, AwsFault, AwsSimulator, Operation};
use serde_json::json;

use crate::support::contract::Backend;
use crate::support::contract::queues::send;
use crate::support::proxy::{self, Proxy};
use crate::support::{BUS, OTHER_SECRET, ports};

fn bus() -> Destination {
    Destination::parse(BUS).unwrap()
}

#[tokio::test]
async fn bus_errors_name_action_and_bus() {
    let proxy = Proxy::without_target().await;
    let messenger = ports(&proxy.url(), OTHER_SECRET).messenger();
    let request_error = |code: &str| (400, json!({"__type": code, "message": "no"}));
    let entry_error = |code: &str| {
        let entry = json!({"ErrorCode": code, "ErrorMessage": "123456789012"});
        (200, json!({"FailedEntryCount": 1, "Entries": [entry]}))
    };
    let denied = "events:PutEvents on arn:aws:events:";
    for ((status, body), attempts, kind, expected) in [
        (request_error("AccessDeniedException"), 1, "AccessDenied", denied),
        (entry_error("AccessDeniedException"), 1, "AccessDenied", denied),
        (entry_error("NotAuthorizedForSourceException"), 1, "AccessDenied", denied),
        (request_error("UnrecognizedClientException"), 1, "AccessDenied", "credentials"),
        (
            request_error("ResourceNotFoundException"),
            1,
            "ResultUnavailable",
            "the event bus does not exist",
        ),
        (entry_error("MalformedDetail"), 1, "ResultUnavailable", "results: 200 MalformedDetail"),
        (entry_error("ThrottlingException"), 3, "ResultUnavailable", "200 ThrottlingException"),
        (entry_error("InternalFailure"), 3, "ResultUnavailable", "200 InternalFailure"),
        (request_error("InternalException"), 3, "ResultUnavailable", "400 InternalException"),
        ((200, json!({})), 1, "ResultUnavailable", "invalid response to PutEvents"),
    ] {
        let response = proxy::Action::Respond(status, String::new(), body.to_string());
        proxy.script(&vec![response; 3]);
        let error = send(&messenger, &bus(), "a", None, "{}").await.unwrap_err();
        assert_eq!(error.kind().name(), kind, "{body}: {error}");
        assert!(error.message().contains(expected), "{body}: {error}");
        assert_eq!(proxy.request_count(), attempts, "{body}");
    }
    let too_large = format!("{{\"a\":\"{}\"}}", "x".repeat(256 * 1024));
    let error = send(&messenger, &bus(), "a", None, &too_large).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultTooLarge);
    assert!(error.message().contains(BUS), "{error}");
}

#[tokio::test]
async fn transient_event_errors_are_retried() {
    let throttled = || "ThrottlingException".to_owned();
    for fault in [Action::FailEntries(throttled()), Action::Refuse(400, throttled()), Action::Drop]
    {
        let simulator = AwsSimulator::start().await.unwrap();
        simulator.script(AwsFault::on(Operation::PutEvents, BUS, fault.clone()).times(2));
        let messenger = simulator.ports().messenger();
        send(&messenger, &bus(), "a", None, "{\"status\":\"ok\"}").await.unwrap();
        let events = simulator.events();
        let [event] = events.as_slice() else {
            panic!("{fault:?}: {events:?}");
        };
        assert_eq!((event.bus.as_str(), event.source.as_str()), (BUS, "llm-exe"));
        assert_eq!(event.detail_type, "LLM Result");
        assert_eq!(event.detail, json!({"status": "ok"}));
    }
}
