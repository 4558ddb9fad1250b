//! Tests for the results of records. Each result is paid for only once, even if the store fails or
//! the record is delivered several times.

use std::sync::Arc;
use std::time::{Duration, Instant};

use llm_exe::ErrorKind;
use llm_exe_simulator::{Step, When};
use serde_json::{Value, json};

use super::fixture::{
    PREFIX, QUEUE, TestFunction, WriteBehavior, kind, reply, request, slow_reply, with,
};

/// Creates an SQS message, which is from a FIFO queue if it has a group.
fn message(id: &str, group: Option<&str>, body: &Value) -> Value {
    let name = if group.is_some() { "jobs.fifo" } else { "jobs" };
    json!({
        "messageId": id,
        "receiptHandle": "a-handle",
        "body": body.as_str().map_or_else(|| body.to_string(), str::to_owned),
        "attributes": { "ApproximateReceiveCount": "1", "MessageGroupId": group },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:eu-west-1:123456789012:{name}"),
        "awsRegion": "eu-west-1"
    })
}

fn batch(messages: &[Value]) -> Value {
    json!({ "Records": messages })
}

fn single(id: &str, text: &str) -> Value {
    batch(&[message(id, None, &request(text))])
}

/// Returns the ids of the failed records in a response.
fn failures(response: &Value) -> Vec<&str> {
    let failures = response["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap()).collect()
}

/// Limits a simulator step to prompts that contain this text.
fn when(text: &str, step: Step) -> Step {
    step.when(When { prompt_contains: Some(text.to_owned()), ..When::default() })
}

#[tokio::test]
async fn panic_outside_of_a_request_is_an_internal_error() {
    let function = TestFunction::new().await;
    function.store.inject(&[WriteBehavior::Panic]);
    let (outcome, line) = function.invoke(&single("bad", "hi")).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert_eq!(error.message(), "the function panicked");
    assert_eq!(line["errorType"], "Internal", "{line}");
    // The function still handles the next event.
    let (outcome, _) = function.invoke(&single("good", "hi")).await;
    assert!(failures(&outcome.unwrap()).is_empty());
}

#[tokio::test]
async fn repeated_record_is_not_run_again() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![reply("one"), Step::status(400)]);
    for delivery in 0..3 {
        let (outcome, line) = function.invoke(&single("good", "hi")).await;
        assert!(failures(&outcome.unwrap()).is_empty());
        assert_eq!(line.get("replayed").is_some(), delivery > 0, "{line}");
    }
    assert_eq!(function.calls(), 1);
    let stored = function.store.only();
    assert_eq!((&stored["id"], &stored["source"]), (&json!("good"), &json!("sqs")));
    assert_eq!((&stored["status"], &stored["result"]), (&json!("ok"), &json!("one")));
    assert!(stored["usage"]["totalTokens"].as_u64().unwrap() > 0);
    // A final error is returned again, and each delivery is reported as failed, so that the queue
    // moves the message to its dead-letter queue.
    for _ in 0..3 {
        let (outcome, line) = function.invoke(&single("bad", "hi")).await;
        assert_eq!(failures(&outcome.unwrap()), ["bad"]);
        assert_eq!(line["errorType"], "ProviderRejected");
        assert_eq!(line["failures"][0]["id"], "bad");
        assert_eq!(line["failures"][0]["errorType"], "ProviderRejected");
        assert!(line["failures"][0]["errorMessage"].as_str().unwrap().contains("(400)"), "{line}");
    }
    assert_eq!(function.calls(), 2);
}

#[tokio::test]
async fn retryable_error_is_replaced_by_the_next_result() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![Step::status(500), reply("now")]);
    assert_eq!(failures(&function.invoke(&single("a", "hi")).await.0.unwrap()), ["a"]);
    let stored = function.store.only();
    assert_eq!(stored["error"]["type"], "ProviderUnavailable");
    assert_eq!(stored["error"]["retryable"], true);
    assert!(failures(&function.invoke(&single("a", "hi")).await.0.unwrap()).is_empty());
    assert_eq!(function.store.only()["result"], "now");
    assert_eq!(function.calls(), 2);
}

/// After the configuration is corrected, the record is run again.
#[tokio::test]
async fn configuration_error_is_not_final() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![Step::status(401), Step::status(401), reply("now")]);
    let (outcome, line) = function.invoke(&single("a", "hi")).await;
    assert_eq!(failures(&outcome.unwrap()), ["a"]);
    assert_eq!(line["errorType"], "ProviderAuthFailed");
    function.simulator.clear();
    assert!(failures(&function.invoke(&single("a", "hi")).await.0.unwrap()).is_empty());
}

#[tokio::test]
async fn invalid_record_fails_alone() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![when("reject", Step::status(400)).times(9)]);
    let event = batch(&[
        message("fine", None, &request("hi")),
        message("not-json", None, &json!("{\"provider\": ")),
        message("not-a-request", None, &json!("\"hello\"")),
        message("incomplete", None, &json!({"provider": "openai"})),
        message("rejected", None, &request("reject this")),
        message("fine-2", None, &request("hello")),
        message(
            "test",
            None,
            &json!({"Service": "Amazon S3", "Event": "s3:TestEvent",
            "Time": "2026-11-22T00:00:00.000Z", "Bucket": "b", "RequestId": "r", "HostId": "h"}),
        ),
    ]);
    let (outcome, line) = function.invoke(&event).await;
    assert_eq!(
        failures(&outcome.unwrap()),
        ["not-json", "not-a-request", "incomplete", "rejected"]
    );
    assert_eq!((&line["records"], &line["failedRecords"]), (&json!(7), &json!(4)));
    assert_eq!(line["skipped"], 1);
    assert_eq!(function.store.names().len(), 6);
    assert_eq!(function.calls(), 3);
}

#[tokio::test]
async fn concurrency_is_limited() {
    let function = TestFunction::with(&[PREFIX, ("RECORD_CONCURRENCY", "3")]).await;
    function.simulator.script(vec![slow_reply(200).times(100)]);
    let messages: Vec<Value> =
        (0..9).map(|index| message(&format!("m{index}"), None, &request("hi"))).collect();
    let started = Instant::now();
    assert!(failures(&function.invoke(&batch(&messages)).await.0.unwrap()).is_empty());
    let elapsed = started.elapsed();
    assert!(elapsed >= Duration::from_millis(600), "{elapsed:?}");
    assert!(elapsed < Duration::from_millis(1800), "not concurrent: {elapsed:?}");
    let mut starts: Vec<u64> = function.simulator.journal().iter().map(|call| call.at).collect();
    starts.sort_unstable();
    assert!(starts[3] - starts[0] >= 150 && starts[6] - starts[3] >= 150, "{starts:?}");
}

#[tokio::test]
async fn group_runs_in_order_and_stops_at_a_failure() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![when("a1", slow_reply(150)), when("b2", Step::status(500))]);
    let member = |name: &str, group: &str| message(name, Some(group), &request(name));
    let event = batch(&[
        member("a1", "a"),
        member("b1", "b"),
        member("a2", "a"),
        member("b2", "b"),
        member("b3", "b"),
        member("c1", "c"),
        member("b4", "b"),
    ]);
    let (outcome, _) = function.invoke(&event).await;
    assert_eq!(failures(&outcome.unwrap()), ["b2", "b3", "b4"]);
    let prompts: Vec<String> = function.simulator.journal().iter().map(prompt).collect();
    let position = |name: &str| prompts.iter().position(|prompt| prompt == name);
    assert!(position("a1") < position("a2") && position("b1") < position("b2"), "{prompts:?}");
    assert!(position("b3").is_none() && position("b4").is_none(), "{prompts:?}");
    assert_eq!(prompts.len(), 5);
    // In a fair queue, message groups do not order the messages.
    let mut fair = message("x", None, &request("x"));
    fair["attributes"]["MessageGroupId"] = json!("a");
    function.simulator.script(vec![when("x", Step::status(500))]);
    let mut other = message("y", None, &request("y"));
    other["attributes"]["MessageGroupId"] = json!("a");
    assert_eq!(failures(&function.invoke(&batch(&[fair, other])).await.0.unwrap()), ["x"]);
}

fn prompt(call: &llm_exe_simulator::Call) -> String {
    call.body["messages"][0]["content"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn record_that_would_exceed_the_deadline_is_not_started() {
    let function = TestFunction::with(&[PREFIX, ("RECORD_CONCURRENCY", "1")]).await;
    function.simulator.script(vec![slow_reply(1400).times(100)]);
    let messages: Vec<Value> =
        (0..5).map(|index| message(&format!("m{index}"), None, &request("hi"))).collect();
    let handled = function.handle(&batch(&messages), Duration::from_millis(4000)).await;
    assert_eq!(failures(&handled.response().unwrap()), ["m2", "m3", "m4"]);
    let error = handled.line.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().starts_with("not started"), "{error}");
    assert_eq!((function.calls(), function.store.names().len()), (2, 2));
}

#[tokio::test]
async fn result_that_cannot_be_stored_is_not_paid_for_again() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![reply("one"), reply("two")]);
    for behavior in [WriteBehavior::Fail, WriteBehavior::Fail, WriteBehavior::Write] {
        function.store.inject(&[behavior]);
        let (outcome, line) = function.invoke(&single("a", "hi")).await;
        let expected = if behavior == WriteBehavior::Write { vec![] } else { vec!["a"] };
        assert_eq!(failures(&outcome.unwrap()), expected);
        if behavior != WriteBehavior::Write {
            assert_eq!(line["errorType"], "ResultUnavailable");
        }
    }
    assert_eq!(function.store.only()["result"], "one");
    assert_eq!(function.calls(), 1);
}

#[tokio::test]
async fn write_with_a_lost_response_is_recognized() {
    for behavior in [WriteBehavior::UnmetWritten, WriteBehavior::FailWritten] {
        let function = TestFunction::new().await;
        function.store.inject(&[behavior]);
        let first = function.invoke(&single("a", "hi")).await.0.unwrap();
        assert_eq!(failures(&first).is_empty(), behavior == WriteBehavior::UnmetWritten);
        assert!(failures(&function.invoke(&single("a", "hi")).await.0.unwrap()).is_empty());
        assert_eq!((function.calls(), function.store.names().len()), (1, 1));
    }
}

/// Two processes may run the same record at once, but only one result is stored.
#[tokio::test]
async fn first_stored_result_wins() {
    let first = TestFunction::new().await;
    let second = TestFunction::with_store(&[PREFIX], Arc::clone(&first.store)).await;
    first.simulator.script(vec![reply("quick")]);
    second.simulator.script(vec![slow_reply(300)]);
    let event = batch(&[message("a", None, &with(request("hi"), "return", json!("full")))]);
    let (slow, _) = tokio::join!(second.invoke(&event), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        first.invoke(&event).await
    });
    assert!(failures(&slow.0.unwrap()).is_empty());
    let stored = first.store.only();
    assert_eq!(stored["result"]["result"], "quick");
    assert_eq!(first.store.objects.lock().unwrap().values().next().unwrap().1, 1);
}

/// Two messages of a batch contain the same SNS notification.
#[tokio::test]
async fn notification_in_two_messages_is_run_once() {
    let function = TestFunction::with(&[PREFIX, ("RESULT_DESTINATION", QUEUE)]).await;
    function.simulator.script(vec![slow_reply(100).times(5)]);
    let event = batch(&[
        message(
            "m1",
            None,
            &json!({
                "Type": "Notification", "MessageId": "inner", "TopicArn":
                "arn:aws:sns:eu-west-1:123456789012:t", "Message": request("hi").to_string(),
                "Timestamp": "2026-11-22T00:00:00.000Z"
            }),
        ),
        message(
            "m2",
            None,
            &json!({
                "Type": "Notification", "MessageId": "inner", "TopicArn":
                "arn:aws:sns:eu-west-1:123456789012:t", "Message": request("hi").to_string(),
                "Timestamp": "2026-11-22T00:00:00.000Z"
            }),
        ),
    ]);
    assert!(failures(&function.invoke(&event).await.0.unwrap()).is_empty());
    assert_eq!((function.calls(), function.store.names().len()), (1, 1));
    let notifications = function.store.notifications.lock().unwrap().clone();
    assert_eq!(notifications[0].1["id"], "inner");
    assert_eq!(notifications[0].1["notificationId"], notifications[1].1["notificationId"]);
}

#[tokio::test]
async fn record_succeeds_only_after_its_result_was_sent() {
    let function = TestFunction::with(&[PREFIX, ("RESULT_DESTINATION", QUEUE)]).await;
    function.simulator.script(vec![reply("one")]);
    *function.store.sending_fails.lock().unwrap() = true;
    let (outcome, line) = function.invoke(&single("a", "hi")).await;
    assert_eq!(failures(&outcome.unwrap()), ["a"]);
    assert_eq!(line["errorType"], "ResultUnavailable");
    *function.store.sending_fails.lock().unwrap() = false;
    assert!(failures(&function.invoke(&single("a", "hi")).await.0.unwrap()).is_empty());
    assert_eq!(function.calls(), 1);
    let notifications = function.store.notifications.lock().unwrap().clone();
    assert_eq!((notifications.len(), &notifications[0].1["result"]), (1, &json!("one")));
    assert_eq!(
        notifications[0].1["resultUrl"].as_str(),
        function.store.names().first().map(String::as_str)
    );
}

/// A FIFO queue drops a message if its deduplication id was used in the last five minutes. The
/// notification about a new result therefore needs a new id.
#[tokio::test]
async fn each_run_of_a_record_has_a_new_notification_id() {
    let function = TestFunction::with(&[PREFIX, ("RESULT_DESTINATION", QUEUE)]).await;
    function.simulator.script(vec![Step::status(500), reply("now")]);
    for _ in 0..3 {
        function.invoke(&single("a", "hi")).await.0.unwrap();
        // The ids depend on the time in milliseconds.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let notifications = function.store.notifications.lock().unwrap().clone();
    let statuses: Vec<&Value> =
        notifications.iter().map(|(_, notification)| &notification["status"]).collect();
    assert_eq!(statuses, ["error", "ok", "ok"]);
    assert_ne!(notifications[0].1["notificationId"], notifications[1].1["notificationId"]);
    assert_eq!(notifications[1].1["notificationId"], notifications[2].1["notificationId"]);
}

/// A notification that is delivered to the function itself is skipped. Otherwise it would fail, and
/// the failure would cause another notification.
#[tokio::test]
async fn own_notification_is_skipped() {
    let function = TestFunction::with(&[PREFIX, ("RESULT_DESTINATION", QUEUE)]).await;
    function.simulator.script(vec![reply("one"), Step::status(400)]);
    function.invoke(&single("a", "hi")).await.0.unwrap();
    function.invoke(&single("b", "hi")).await.0.unwrap();
    let notifications = function.store.notifications.lock().unwrap().clone();
    for (index, (_, notification)) in notifications.iter().enumerate() {
        let (outcome, line) =
            function.invoke(&batch(&[message(&format!("n{index}"), None, notification)])).await;
        assert!(failures(&outcome.unwrap()).is_empty());
        assert_eq!(line["skipped"], 1);
    }
    assert_eq!((function.calls(), function.store.notifications.lock().unwrap().len()), (2, 2));
}

#[tokio::test]
async fn different_request_with_a_known_id_is_rejected() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![reply("monday"), reply("tuesday")]);
    let event = |text: &str| {
        json!({
            "id": "daily", "source": "a-scheduler", "detail-type": "job", "detail": request(text)
        })
    };
    assert_eq!(function.invoke(&event("monday")).await.0.unwrap(), "monday");
    assert_eq!(function.invoke(&event("monday")).await.0.unwrap(), "monday");
    let error = function.invoke(&event("tuesday")).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.message().contains("daily"), "{error}");
    assert_eq!(function.calls(), 1);
    assert_eq!(function.store.only()["result"], "monday");
}

#[tokio::test]
async fn dry_run_is_not_stored_or_sent() {
    let function = TestFunction::with(&[PREFIX, ("RESULT_DESTINATION", QUEUE)]).await;
    let event = batch(&[message("a", None, &with(request("hi"), "dryRun", json!(true)))]);
    assert!(failures(&function.invoke(&event).await.0.unwrap()).is_empty());
    assert!(function.store.names().is_empty());
    assert!(function.store.notifications.lock().unwrap().is_empty());
}

#[tokio::test]
async fn corrected_config_is_run() {
    let function = TestFunction::with(&[PREFIX, ("CONFIG_BUCKETS", "prompts")]).await;
    let pointer = json!({ "bucket": "prompts", "key": "a.json" });
    let event = batch(&[message("a", None, &pointer)]);
    for (config, error) in [
        (None, "ConfigNotFound"),
        (Some(json!([])), "ConfigInvalid"),
        (Some(json!({ "provider": "openai", "model": "m" })), "InvalidRequest"),
        (Some(request("{{#if}}")), "PromptInvalid"),
    ] {
        if let Some(config) = config {
            function.store.put("s3://prompts/a.json", &config);
        }
        let (outcome, line) = function.invoke(&event).await;
        assert_eq!(failures(&outcome.unwrap()), ["a"]);
        assert_eq!(line["errorType"], error, "{line}");
    }
    function.store.put("s3://prompts/a.json", &request("hi"));
    assert!(failures(&function.invoke(&event).await.0.unwrap()).is_empty());
    assert_eq!(function.calls(), 1);
}

#[tokio::test]
async fn result_is_not_sent_to_the_queue_of_the_event() {
    let own = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs";
    let by_setting = TestFunction::with(&[("RESULT_DESTINATION", own)]).await;
    let (outcome, line) = by_setting.invoke(&single("a", "hi")).await;
    assert_eq!(failures(&outcome.unwrap()), ["a"]);
    assert_eq!(line["errorType"], "ConfigForbidden");
    let by_request = TestFunction::with(&[("RESULT_DESTINATION_OVERRIDE", own)]).await;
    let event = batch(&[message("a", None, &with(request("hi"), "destination", json!(own)))]);
    let (outcome, line) = by_request.invoke(&event).await;
    assert_eq!(failures(&outcome.unwrap()), ["a"]);
    assert_eq!(line["errorType"], "ConfigForbidden");
    assert_eq!(by_setting.calls() + by_request.calls(), 0);
}

#[tokio::test]
async fn s3_notification_of_an_own_object_is_skipped() {
    let function = TestFunction::with(&[PREFIX, ("CONFIG_BUCKETS", "stored")]).await;
    let event = |key: &str| {
        json!({ "Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1",
            "eventTime": "2026-11-22T00:00:00.000Z", "eventName": "ObjectCreated:Put",
            "s3": {
                "s3SchemaVersion": "1.0",
                "bucket": { "name": "stored", "arn": "arn:aws:s3:::stored" },
                "object": { "key": key, "size": 2, "eTag": "e", "sequencer": "1" }
            }
        }]})
    };
    let response = function.invoke(&event("results/records/a.json")).await.0.unwrap();
    assert_eq!(response[0]["status"], "skipped");
    // An object outside of the prefix is run as a config. This object does not exist, so the run
    // fails.
    let (outcome, _) = function.invoke(&event("results-and-more/a.json")).await;
    assert!(outcome.is_err());
    assert_eq!(function.calls(), 0);
}

#[tokio::test]
async fn error_of_an_sns_event_lists_the_failed_records() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![when("reject", Step::status(400))]);
    let record = |id: &str, text: &str| {
        json!({
            "EventSource": "aws:sns", "EventVersion": "1.0",
            "EventSubscriptionArn": "arn:aws:sns:eu-west-1:123456789012:t:s",
            "Sns": { "Type": "Notification", "MessageId": id,
                "TopicArn": "arn:aws:sns:eu-west-1:123456789012:t",
                "Message": request(text).to_string(), "Timestamp": "2026-11-22T00:00:00.000Z" }
        })
    };
    let fine = json!({ "Records": [record("a", "hi")] });
    let response = function.invoke(&fine).await.0.unwrap();
    assert_eq!((&response[0]["id"], &response[0]["status"]), (&json!("a"), &json!("ok")));
    let event = json!({ "Records": [record("b", "reject"), record("c", "hi")] });
    let (outcome, _) = function.invoke(&event).await;
    assert_eq!(kind(&outcome), ErrorKind::ProviderRejected);
    assert!(outcome.unwrap_err().message().contains('b'));
    // Lambda delivers the event again, and no record is run twice.
    assert!(function.invoke(&event).await.0.is_err());
    assert_eq!(function.calls(), 3);
}

/// Records do not support idempotency keys, because their ids already identify them.
#[tokio::test]
async fn idempotency_key_in_a_record_is_rejected() {
    let function = TestFunction::new().await;
    let event = batch(&[message("a", None, &with(request("hi"), "idempotencyKey", json!("k")))]);
    let (outcome, line) = function.invoke(&event).await;
    assert_eq!(failures(&outcome.unwrap()), ["a"]);
    assert_eq!((line["errorType"].as_str(), function.calls()), (Some("InvalidRequest"), 0));
}

#[tokio::test]
async fn unreadable_stored_result_is_reported() {
    let function = TestFunction::new().await;
    function.invoke(&single("a", "hi")).await.0.unwrap();
    let name = function.store.names().remove(0);
    function.store.put(&name, &json!("damaged"));
    let (outcome, line) = function.invoke(&single("a", "hi")).await;
    assert_eq!(failures(&outcome.unwrap()), ["a"]);
    assert!(line["errorMessage"].as_str().unwrap().contains(&name), "{line}");
    assert_eq!(function.calls(), 1);
}

#[tokio::test]
async fn slow_store_does_not_delay_other_records() {
    let function = TestFunction::new().await;
    function.store.inject(&[
        WriteBehavior::Delay(1000),
        WriteBehavior::Delay(1000),
        WriteBehavior::Delay(1000),
    ]);
    let messages: Vec<Value> =
        (0..3).map(|index| message(&format!("m{index}"), None, &request("hi"))).collect();
    let started = Instant::now();
    assert!(failures(&function.invoke(&batch(&messages)).await.0.unwrap()).is_empty());
    assert!(started.elapsed() < Duration::from_millis(2500), "{:?}", started.elapsed());
    assert_eq!(function.store.names().len(), 3);
}

/// Creates an SQS message that the queue delivers for the `count`-th time.
fn redelivered_message(id: &str, count: u32, body: &Value) -> Value {
    let mut message = message(id, None, body);
    message["attributes"]["ApproximateReceiveCount"] = json!(count.to_string());
    message
}

/// Returns the objects that mark records that were started alone.
fn marks(function: &TestFunction) -> Vec<String> {
    let names = function.store.names().into_iter();
    names.filter(|name| name.starts_with("s3://stored/results/started/")).collect()
}

#[tokio::test]
async fn record_without_a_result_of_an_earlier_delivery_runs_alone() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![when("new", slow_reply(200)).times(3)]);
    let event = batch(&[
        redelivered_message("suspect", 2, &request("suspect")),
        message("a", None, &request("new a")),
        message("b", None, &request("new b")),
        redelivered_message("other", 2, &request("other")),
        message("c", None, &request("new c")),
    ]);
    let (outcome, line) = function.invoke(&event).await;
    assert!(failures(&outcome.unwrap()).is_empty(), "{line}");
    let calls = function.simulator.journal();
    let prompts: Vec<String> = calls.iter().map(|call| call.body["messages"].to_string()).collect();
    let is_new = |prompt: &String| prompt.contains("new");
    assert!(prompts[..3].iter().all(is_new) && !prompts[3..].iter().any(is_new), "{prompts:?}");
    // The new records run at the same time, and the others after them.
    assert!(calls[2].at - calls[0].at < 150, "{calls:?}");
    assert!(calls[3].at - calls[2].at >= 190, "{calls:?}");
    // Only the two redelivered messages have marks.
    assert_eq!(marks(&function).len(), 2);
    assert_eq!(function.store.names().len(), 7);
}

#[tokio::test]
async fn record_that_ended_the_process_alone_is_not_run_again() {
    let function = TestFunction::new().await;
    let event = |count| batch(&[redelivered_message("bad", count, &request("hi"))]);
    let (outcome, _) = function.invoke(&event(2)).await;
    assert!(failures(&outcome.unwrap()).is_empty());
    assert_eq!((marks(&function).len(), function.calls()), (1, 1));
    // The process ended before it stored the result.
    let mark = marks(&function).remove(0);
    function.store.objects.lock().unwrap().retain(|name, _| *name == mark);
    let mut messages = vec![redelivered_message("bad", 3, &request("hi"))];
    messages.extend(
        (0..9).map(|index| redelivered_message(&format!("good-{index}"), 3, &request("hi"))),
    );
    let (outcome, line) = function.invoke(&batch(&messages)).await;
    assert_eq!(failures(&outcome.unwrap()), ["bad"]);
    assert_eq!(function.calls(), 10);
    let failure = &line["failures"][0];
    assert_eq!(failure["errorType"], "Internal", "{line}");
    assert!(failure["errorMessage"].as_str().unwrap().contains("not run again"), "{line}");
    // The receive count begins again when a message is moved back from the dead-letter queue.
    let (outcome, _) = function.invoke(&event(1)).await;
    assert!(failures(&outcome.unwrap()).is_empty());
    assert_eq!(function.calls(), 11);
}

#[tokio::test]
async fn record_with_a_stored_error_needs_no_mark() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![Step::status(500), Step::status(500), reply("now")]);
    for (count, failed) in [(1, true), (2, true), (3, false)] {
        let event = batch(&[redelivered_message("a", count, &request("hi"))]);
        let (outcome, _) = function.invoke(&event).await;
        assert_eq!(!failures(&outcome.unwrap()).is_empty(), failed, "{count}");
    }
    assert!(marks(&function).is_empty());
}

#[tokio::test]
async fn mark_whose_response_was_lost_does_not_fail_the_record() {
    let function = TestFunction::new().await;
    function.store.inject(&[WriteBehavior::UnmetWritten]);
    let event = batch(&[redelivered_message("a", 2, &request("hi"))]);
    assert!(failures(&function.invoke(&event).await.0.unwrap()).is_empty());
    assert_eq!((marks(&function).len(), function.calls()), (1, 1));
}

#[tokio::test]
async fn record_without_a_mark_is_not_started() {
    let function = TestFunction::new().await;
    function.store.inject(&[WriteBehavior::Fail]);
    let event = batch(&[redelivered_message("a", 2, &request("hi"))]);
    let (outcome, line) = function.invoke(&event).await;
    assert_eq!(failures(&outcome.unwrap()), ["a"]);
    assert_eq!((&line["errorType"], function.calls()), (&json!("ResultUnavailable"), 0));
}
