//! Tests how the messenger reports SQS errors and retries transient errors.

use llm_exe::ErrorKind;
use llm_exe_testkit::aws::{Action, AwsFault, AwsSimulator, Operation};
use serde_json::json;

use crate::support::contract::Backend;
use crate::support::contract::queues::{queue, send};
use crate::support::proxy::{self, Proxy};
use crate::support::{OTHER_SECRET, ports};

#[tokio::test]
async fn queue_errors_name_action_and_queue() {
    let proxy = Proxy::without_target().await;
    let messenger = ports(&proxy.url(), OTHER_SECRET).messenger();
    for (status, code, message, kind, expected) in [
        (403, "AccessDeniedException", "", "AccessDenied", "sqs:SendMessage on https://sqs.us-e"),
        (
            400,
            "KmsAccessDenied",
            "kms:GenerateDataKey",
            "AccessDenied",
            "kms:GenerateDataKey on the KMS key of https://sqs.us-e",
        ),
        (403, "InvalidClientTokenId", "", "AccessDenied", "credentials"),
        (400, "QueueDoesNotExist", "", "ResultUnavailable", "the queue does not exist"),
        (
            400,
            "AWS.SimpleQueueService.NonExistentQueue",
            "",
            "ResultUnavailable",
            "the queue does not exist",
        ),
        (400, "InvalidAddress", "", "ResultUnavailable", "/123456789012/results: 400"),
        (
            400,
            "InvalidParameterValue",
            "Reason: Message must be shorter than 1024 bytes.",
            "ResultTooLarge",
            "/123456789012/results",
        ),
    ] {
        let body = json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": message});
        proxy.script(&[proxy::Action::Respond(status, String::new(), body.to_string())]);
        let error = send(&messenger, &queue("results"), "a", None, "{}").await.unwrap_err();
        assert_eq!(error.kind().name(), kind, "{code}: {error}");
        assert!(error.message().contains(expected), "{code}: {error}");
        assert_eq!(proxy.request_count(), 1, "{code}");
    }
    proxy.script(&[proxy::Action::Respond(200, String::new(), "{}".to_owned())]);
    let error = send(&messenger, &queue("results"), "a", None, "{}").await.unwrap_err();
    assert!(error.message().contains("invalid response to SendMessage"), "{error}");
}

#[tokio::test]
async fn transient_message_errors_are_retried() {
    let mut tests = tokio::task::JoinSet::new();
    for fault in [
        Action::Refuse(400, "RequestThrottled".to_owned()),
        Action::Refuse(400, "KmsThrottled".to_owned()),
        Action::Refuse(503, "ServiceUnavailable".to_owned()),
        Action::Drop,
        Action::DoneThenDrop,
    ] {
        tests.spawn(check_retry(fault));
    }
    tests.join_all().await;
}

async fn check_retry(fault: Action) {
    let simulator = AwsSimulator::start().await.unwrap();
    simulator.script(AwsFault::on(Operation::SendMessage, "*", fault.clone()).times(2));
    let messenger = simulator.ports().messenger();
    send(&messenger, &queue("results.fifo"), "a", None, "{}").await.unwrap();
    let messages = simulator.messages();
    let sent = if fault == Action::DoneThenDrop { 3 } else { 1 };
    assert_eq!((messages.len(), messages[0].sent), (1, sent), "{fault:?}");
    simulator.script(AwsFault::on(Operation::SendMessage, "*", fault.clone()));
    let error = send(&messenger, &queue("results"), "b", None, "{}").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultUnavailable, "{fault:?}: {error}");
}
