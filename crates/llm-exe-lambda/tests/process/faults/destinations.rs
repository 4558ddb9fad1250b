//! Tests notifications. They are sent after the result is stored, a repeated notification has the
//! same id, and a record fails if its notification can't be sent.

use llm_exe_testkit::aws::{Action, AwsFault, Operation};
use serde_json::{Value, json};

use crate::backend::{
    Backend, RESULTS, batch, batch_with, failures, message, reply_for, request_for,
};

const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/results";
const FIFO: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/results.fifo";
const BUS: &str = "arn:aws:events:us-east-1:123456789012:event-bus/results";

/// Checks the notification about a record, and the stored result that the notification links to.
fn check_notification(notification: &Value, id: &str, backend: &Backend) {
    assert_eq!(
        (&notification["id"], &notification["status"]),
        (&json!(id), &json!("ok")),
        "{notification}"
    );
    assert_eq!(
        (&notification["source"], &notification["result"]),
        (&json!("sqs"), &json!(reply_for(id))),
        "{notification}"
    );
    assert!(notification["usage"]["totalTokens"].as_u64().unwrap() > 0, "{notification}");
    let url = notification["resultUrl"].as_str().unwrap();
    let stored = &backend.aws.objects()[url.strip_prefix("s3://").unwrap()];
    let stored: Value = serde_json::from_slice(&stored.body).unwrap();
    assert_eq!((&stored["id"], &stored["result"]), (&json!(id), &notification["result"]));
}

/// Checks that the result is stored before the first notification is sent.
fn check_stored_before(backend: &Backend, sending: Operation) {
    let calls = backend.aws.calls();
    let position = |operation: Operation| {
        let index = calls.iter().position(|call| call.operation == operation && call.done);
        index.unwrap_or_else(|| panic!("no {operation:?}: {calls:?}"))
    };
    assert!(position(Operation::PutObject) < position(sending), "{calls:?}");
}

#[tokio::test]
async fn result_is_sent_to_a_queue_for_each_delivery() {
    let backend = Backend::new().await;
    let first = backend.function(&[("RESULT_DESTINATION", QUEUE)]).await;
    let event = batch_with(["a"]);
    assert!(failures(&first.invoke(&event).await.result()).is_empty());
    check_stored_before(&backend, Operation::SendMessage);
    let second = backend.function(&[("RESULT_DESTINATION", QUEUE)]).await;
    assert!(failures(&second.invoke(&event).await.result()).is_empty());
    let sent = backend.aws.messages();
    assert_eq!((sent.len(), backend.prompts().len()), (2, 1));
    assert_eq!(sent[0].body, sent[1].body);
    for message in &sent {
        assert_eq!(message.queue_url, QUEUE);
        check_notification(&serde_json::from_str(&message.body).unwrap(), "a", &backend);
    }
    // The function sends a notification for each record of a batch, including failed records.
    backend
        .simulator
        .script(vec![crate::backend::step_for("c", llm_exe_simulator::Step::status(400))]);
    assert_eq!(failures(&second.invoke(&batch_with(["b", "c"])).await.result()), ["c"]);
    let sent = backend.aws.messages();
    let notifications =
        sent[2..].iter().map(|message| serde_json::from_str::<Value>(&message.body).unwrap());
    let mut notifications: Vec<(String, Value)> = notifications
        .map(|notification| {
            (notification["id"].as_str().unwrap().to_owned(), notification["error"].clone())
        })
        .collect();
    notifications.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        (notifications.len(), notifications[0].0.as_str(), &notifications[0].1),
        (2, "b", &Value::Null)
    );
    assert_eq!(
        (notifications[1].0.as_str(), &notifications[1].1["type"]),
        ("c", &json!("ProviderRejected"))
    );
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn fifo_queue_drops_a_repeated_notification() {
    let backend = Backend::new().await;
    let event = batch([message("a", Some("cats"), &request_for("a"))]);
    for _ in 0..2 {
        let function = backend.function(&[("RESULT_DESTINATION", FIFO)]).await;
        assert!(failures(&function.invoke(&event).await.result()).is_empty());
        function.stop().await;
    }
    let sent = backend.aws.messages();
    assert_eq!((sent.len(), sent[0].sent, backend.prompts().len()), (1, 2, 1));
    assert_eq!(sent[0].group.as_deref(), Some("cats"));
    assert!(sent[0].deduplication_id.is_some());
    check_notification(&serde_json::from_str(&sent[0].body).unwrap(), "a", &backend);
}

#[tokio::test]
async fn result_is_sent_to_an_event_bus() {
    let backend = Backend::new().await;
    let event = batch_with(["a"]);
    for _ in 0..2 {
        let function = backend.function(&[("RESULT_DESTINATION", BUS)]).await;
        assert!(failures(&function.invoke(&event).await.result()).is_empty());
        function.stop().await;
    }
    check_stored_before(&backend, Operation::PutEvents);
    let sent = backend.aws.events();
    assert_eq!((sent.len(), backend.prompts().len()), (2, 1));
    assert_eq!(sent[0].detail, sent[1].detail);
    assert_eq!((sent[0].bus.as_str(), sent[0].source.as_str()), (BUS, "llm-exe"));
    check_notification(&sent[0].detail, "a", &backend);
}

#[tokio::test]
async fn record_fails_if_its_notification_can_not_be_sent() {
    let denied = Action::Refuse(403, "AccessDenied".to_owned());
    let failed = Action::FailEntries("InternalFailure".to_owned());
    for (destination, operation, action) in [
        (QUEUE, Operation::SendMessage, denied.clone()),
        (BUS, Operation::PutEvents, denied),
        (BUS, Operation::PutEvents, failed),
    ] {
        let backend = Backend::new().await;
        backend.aws.script(AwsFault::on(operation, "*", action.clone()));
        let function = backend.function(&[("RESULT_DESTINATION", destination)]).await;
        let event = batch_with(["a", "b"]);
        let response = function.invoke(&event).await.result();
        assert_eq!(failures(&response), ["a", "b"], "{action:?}");
        // The result is stored, so the next delivery only has to send the notification.
        assert_eq!(backend.succeeded(), ["a", "b"], "{action:?}");
        backend.aws.clear_script();
        assert!(failures(&function.invoke(&event).await.result()).is_empty(), "{action:?}");
        let sent = backend.aws.messages().len() + backend.aws.events().len();
        assert_eq!((sent, backend.prompts().len()), (2, 2), "{action:?}");
        assert!(backend.aws.objects().keys().all(|name| name.starts_with(RESULTS)));
        function.stop().await;
    }
}
