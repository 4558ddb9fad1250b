//! Messages: taken, received, known again by FIFO queues, refused.

use llm_exe::results::{Destination, Messenger, Note};
use llm_exe::{Error, ErrorKind};
use llm_exe_aws::AwsMessenger;
use llm_exe_testkit::aws::{Action, Fault, Operation};
use serde_json::{Value, json};

use crate::backend::{Backend, with_both};
use crate::proxy::{self, Proxy};
use crate::{REGION, aws, deadline, is_discreet};

with_both! {
    what_no_queue_takes_is_told
    messages_are_taken_and_once_where_the_queue_is_fifo
}

/// As SQS gives it: requests go to the endpoint that is said all the same.
fn queue(name: &str) -> Destination {
    let url = format!("https://sqs.{REGION}.amazonaws.com/123456789012/{name}");
    Destination::read(&url).unwrap()
}

pub(crate) async fn tell(
    messenger: &AwsMessenger,
    destination: &Destination,
    id: &str,
    group: Option<&str>,
    body: &str,
) -> Result<(), Error> {
    let told = messenger.tell(destination, Note { id, group, body }, deadline()).await;
    if let Err(error) = &told {
        is_discreet(&format!("{error} {error:?}"));
    }
    told
}

/// Bodies, groups and deduplication ids, as a queue of moto or of the simulator has them.
async fn received(backend: &Backend, name: &str) -> Vec<(String, Option<String>, Option<String>)> {
    let moto = match backend {
        Backend::Simulator(simulator) => {
            let messages = simulator.messages().into_iter();
            let of_queue = messages.filter(|it| it.queue_url.rsplit('/').next() == Some(name));
            return of_queue.map(|it| (it.body, it.group, it.deduplication_id)).collect();
        }
        Backend::Moto(moto) => moto,
    };
    let asked = json!({
        "QueueUrl": format!("{}/123456789012/{name}", moto.url()),
        "MaxNumberOfMessages": 10,
        "MessageSystemAttributeNames": ["All"],
        "AttributeNames": ["All"],
    });
    let answer = moto.json("sqs", "AmazonSQS.ReceiveMessage", &asked).await;
    let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let read = |message: &Value| {
        let attributes = &message["Attributes"];
        let group = text(&attributes["MessageGroupId"]);
        let body = text(&message["Body"]).unwrap();
        (body, group, text(&attributes["MessageDeduplicationId"]))
    };
    messages.iter().map(read).collect()
}

async fn make(backend: &Backend, name: &str) {
    if let Backend::Moto(moto) = backend {
        let fifo = json!({"QueueName": name, "Attributes": {"FifoQueue": "true"}});
        let plain = json!({"QueueName": name});
        let asked = if name.ends_with(".fifo") { fifo } else { plain };
        moto.json("sqs", "AmazonSQS.CreateQueue", &asked).await;
    }
}

async fn what_no_queue_takes_is_told(backend: Backend) {
    let messenger = backend.messenger();
    make(&backend, "results").await;
    let error = tell(&messenger, &queue("missing-queue"), "a", None, "{}").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultUnavailable);
    for told in ["123456789012/missing-queue", "there is no such queue"] {
        assert!(error.message().contains(told), "{error}");
    }
    let most = format!("\"{}\"", "x".repeat(256 * 1024 - 2));
    let larger = format!("{most} ");
    let error = tell(&messenger, &queue("results"), "a", None, &larger).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultTooLarge);
    assert!(error.message().contains("256 KiB"), "{error}");
    assert!(error.message().contains("/results"), "{error}");
    tell(&messenger, &queue("results"), "a", None, &most).await.unwrap();
    let objects = Destination::read("s3://bucket/prefix").unwrap();
    let error = tell(&messenger, &objects, "a", None, "{}").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert_eq!(received(&backend, "results").await.len(), 1);
}

async fn messages_are_taken_and_once_where_the_queue_is_fifo(backend: Backend) {
    let messenger = backend.messenger();
    make(&backend, "results").await;
    make(&backend, "results.fifo").await;
    let body = "{\"text\":\"grüße 🦈\u{ffff}\"}";
    for _ in 0..2 {
        tell(&messenger, &queue("results"), "an id", Some("g"), body).await.unwrap();
        tell(&messenger, &queue("results.fifo"), "plain", Some("g"), body).await.unwrap();
        tell(&messenger, &queue("results.fifo"), "an id", None, "{}").await.unwrap();
    }
    let escaped = body.replace('\u{ffff}', "\\uffff");
    let plain = received(&backend, "results").await;
    assert_eq!(plain.len(), 2);
    assert!(plain.iter().all(|(body, _, id)| *body == escaped && id.is_none()));
    let fifo = received(&backend, "results.fifo").await;
    let [(first, group, id), (second, other_group, other_id)] = fifo.as_slice() else {
        panic!("{fifo:?}");
    };
    assert_eq!((first, group.as_deref(), id.as_deref()), (&escaped, Some("g"), Some("plain")));
    assert_eq!((second.as_str(), other_group.as_deref()), ("{}", Some("llm-exe")));
    let hashed = |id: &String| id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit());
    assert!(other_id.as_ref().is_some_and(hashed), "{other_id:?}");
}

#[tokio::test]
async fn refusals_of_queues_name_the_action_and_the_queue() {
    let proxy = Proxy::before(0).await;
    let region = Some(REGION.to_owned());
    let messenger = AwsMessenger::new(aws(), region, Some(proxy.url()), None);
    for (status, code, message, kind, told) in [
        (403, "AccessDeniedException", "", "AccessDenied", "sqs:SendMessage on https://sqs.us-e"),
        (400, "KmsAccessDenied", "kms:GenerateDataKey", "AccessDenied", "kms:GenerateDataKey with"),
        (403, "InvalidClientTokenId", "", "AccessDenied", "credentials"),
        (400, "QueueDoesNotExist", "", "ResultUnavailable", "there is no such queue"),
        (
            400,
            "AWS.SimpleQueueService.NonExistentQueue",
            "",
            "ResultUnavailable",
            "there is no such queue",
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
        proxy.will(&[proxy::Action::Answer(status, String::new(), body.to_string())]);
        let error = tell(&messenger, &queue("results"), "a", None, "{}").await.unwrap_err();
        assert_eq!(error.kind().name(), kind, "{code}: {error}");
        assert!(error.message().contains(told), "{code}: {error}");
        assert_eq!(proxy.journal().len(), 1, "{code}");
    }
    proxy.will(&[proxy::Action::Answer(200, String::new(), "{}".to_owned())]);
    let error = tell(&messenger, &queue("results"), "a", None, "{}").await.unwrap_err();
    assert!(error.message().contains("the answer can't be read"), "{error}");
}

#[tokio::test]
async fn messages_are_sent_again_where_that_may_help() {
    let mut all = tokio::task::JoinSet::new();
    for deed in [
        Action::Refuse(400, "RequestThrottled".to_owned()),
        Action::Refuse(400, "KmsThrottled".to_owned()),
        Action::Refuse(503, "ServiceUnavailable".to_owned()),
        Action::Drop,
        Action::DoneThenDrop,
    ] {
        all.spawn(sent_again(deed));
    }
    all.join_all().await;
}

async fn sent_again(deed: Action) {
    let backend = Backend::simulator().await;
    let Backend::Simulator(simulator) = &backend else {
        panic!("another one");
    };
    simulator.script(Fault::on(Operation::SendMessage, "*", deed.clone()).times(2));
    let messenger = backend.messenger();
    tell(&messenger, &queue("results.fifo"), "a", None, "{}").await.unwrap();
    let messages = simulator.messages();
    let sent = if deed == Action::DoneThenDrop { 3 } else { 1 };
    assert_eq!((messages.len(), messages[0].sent), (1, sent), "{deed:?}");
    simulator.script(Fault::on(Operation::SendMessage, "*", deed.clone()));
    let error = tell(&messenger, &queue("results"), "b", None, "{}").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultUnavailable, "{deed:?}: {error}");
}
