//! Records: each ends once, whatever the store does and however often it is delivered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use llm_exe::ErrorKind;
use llm_exe_simulator::{Step, When};
use serde_json::{Value, json};

use crate::stage::{Deed, Stage, kind, request, says, slowly, with};

const PREFIX: (&str, &str) = ("RESULT_PREFIX", "s3://kept/here");
const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/results";

/// A message of a queue with this id, in this group of a FIFO queue if one is said.
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

fn one(id: &str, text: &str) -> Value {
    batch(&[message(id, None, &request(text))])
}

/// The ids of the failed records of an answer, in order.
fn failures(answer: &Value) -> Vec<&str> {
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|one| one["itemIdentifier"].as_str().unwrap()).collect()
}

/// A step for prompts that hold this text.
fn when(text: &str, step: Step) -> Step {
    step.when(When { prompt_contains: Some(text.to_owned()), ..When::default() })
}

#[tokio::test]
async fn a_panic_outside_of_a_request_is_internal() {
    let stage = Stage::new().await;
    stage.memory.will(&[Deed::Panic]);
    let (outcome, line) = stage.ask(&one("bad", "hi")).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert_eq!(error.message(), "the function panicked");
    assert_eq!(line["errorType"], "Internal", "{line}");
    // The next delivery is answered.
    let (outcome, _) = stage.ask(&one("good", "hi")).await;
    assert!(failures(&outcome.unwrap()).is_empty());
}

#[tokio::test]
async fn a_record_that_is_delivered_again_costs_nothing() {
    let stage = Stage::new().await;
    stage.simulator.script(vec![says("one"), Step::status(400)]);
    for delivery in 0..3 {
        let (outcome, line) = stage.ask(&one("good", "hi")).await;
        assert!(failures(&outcome.unwrap()).is_empty());
        assert_eq!(line.get("replayed").is_some(), delivery > 0, "{line}");
    }
    assert_eq!(stage.calls(), 1);
    let kept = stage.memory.only();
    assert_eq!((&kept["id"], &kept["source"]), (&json!("good"), &json!("sqs")));
    assert_eq!((&kept["status"], &kept["result"]), (&json!("ok"), &json!("one")));
    assert!(kept["usage"]["totalTokens"].as_u64().unwrap() > 0);
    // An error that a retry can't help ends as it did; each delivery is reported as failed, so that
    // the queue's own rules move it on.
    for _ in 0..3 {
        let (outcome, line) = stage.ask(&one("bad", "hi")).await;
        assert_eq!(failures(&outcome.unwrap()), ["bad"]);
        assert_eq!(line["errorType"], "ProviderRejected");
        assert_eq!(line["failures"][0]["id"], "bad");
        assert_eq!(line["failures"][0]["errorType"], "ProviderRejected");
        assert!(line["failures"][0]["errorMessage"].as_str().unwrap().contains("(400)"), "{line}");
    }
    assert_eq!(stage.calls(), 2);
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again_and_replaced() {
    let stage = Stage::new().await;
    stage.simulator.script(vec![Step::status(500), says("now")]);
    assert_eq!(failures(&stage.ask(&one("a", "hi")).await.0.unwrap()), ["a"]);
    let kept = stage.memory.only();
    assert_eq!(kept["error"]["type"], "ProviderUnavailable");
    assert_eq!(kept["error"]["retryable"], true);
    assert!(failures(&stage.ask(&one("a", "hi")).await.0.unwrap()).is_empty());
    assert_eq!(stage.memory.only()["result"], "now");
    assert_eq!(stage.calls(), 2);
}

/// Whoever puts the set-up right wants the record to be run.
#[tokio::test]
async fn a_fault_of_the_set_up_is_not_the_last_word() {
    let stage = Stage::new().await;
    stage.simulator.script(vec![Step::status(401), Step::status(401), says("now")]);
    let (outcome, line) = stage.ask(&one("a", "hi")).await;
    assert_eq!(failures(&outcome.unwrap()), ["a"]);
    assert_eq!(line["errorType"], "ProviderAuthFailed");
    stage.simulator.clear();
    assert!(failures(&stage.ask(&one("a", "hi")).await.0.unwrap()).is_empty());
}

#[tokio::test]
async fn one_bad_record_never_fails_its_neighbours() {
    let stage = Stage::new().await;
    stage.simulator.script(vec![when("refuse", Step::status(400)).times(9)]);
    let event = batch(&[
        message("fine", None, &request("hi")),
        message("no-json", None, &json!("{\"provider\": ")),
        message("no-request", None, &json!("\"hello\"")),
        message("incomplete", None, &json!({"provider": "openai"})),
        message("refused", None, &request("refuse this")),
        message("fine-too", None, &request("hello")),
        message(
            "test",
            None,
            &json!({"Service": "Amazon S3", "Event": "s3:TestEvent",
            "Time": "2026-11-22T00:00:00.000Z", "Bucket": "b", "RequestId": "r", "HostId": "h"}),
        ),
    ]);
    let (outcome, line) = stage.ask(&event).await;
    assert_eq!(failures(&outcome.unwrap()), ["no-json", "no-request", "incomplete", "refused"]);
    assert_eq!((&line["records"], &line["failedRecords"]), (&json!(7), &json!(4)));
    assert_eq!(line["skipped"], 1);
    assert_eq!(stage.memory.names().len(), 6);
    assert_eq!(stage.calls(), 3);
}

#[tokio::test]
async fn records_run_side_by_side_as_many_as_allowed() {
    let stage = Stage::with(&[PREFIX, ("RECORD_CONCURRENCY", "3")]).await;
    stage.simulator.script(vec![slowly(200).times(100)]);
    let messages: Vec<Value> =
        (0..9).map(|at| message(&format!("m{at}"), None, &request("hi"))).collect();
    let started = Instant::now();
    assert!(failures(&stage.ask(&batch(&messages)).await.0.unwrap()).is_empty());
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(600), "{took:?}");
    assert!(took < Duration::from_millis(1800), "one after the other: {took:?}");
    let mut starts: Vec<u64> = stage.simulator.journal().iter().map(|call| call.at).collect();
    starts.sort_unstable();
    assert!(starts[3] - starts[0] >= 150 && starts[6] - starts[3] >= 150, "{starts:?}");
}

#[tokio::test]
async fn a_group_keeps_its_order_and_stops_at_a_failure() {
    let stage = Stage::new().await;
    stage.simulator.script(vec![when("a1", slowly(150)), when("b2", Step::status(500))]);
    let of = |name: &str, group: &str| message(name, Some(group), &request(name));
    let event = batch(&[
        of("a1", "a"),
        of("b1", "b"),
        of("a2", "a"),
        of("b2", "b"),
        of("b3", "b"),
        of("c1", "c"),
        of("b4", "b"),
    ]);
    let (outcome, _) = stage.ask(&event).await;
    assert_eq!(failures(&outcome.unwrap()), ["b2", "b3", "b4"]);
    let asked: Vec<String> = stage.simulator.journal().iter().map(prompt).collect();
    let place = |name: &str| asked.iter().position(|one| one == name);
    assert!(place("a1") < place("a2") && place("b1") < place("b2"), "{asked:?}");
    assert!(place("b3").is_none() && place("b4").is_none(), "{asked:?}");
    assert_eq!(asked.len(), 5);
    // A standard queue's message groups are for fairness, not for order.
    let mut fair = message("x", None, &request("x"));
    fair["attributes"]["MessageGroupId"] = json!("a");
    stage.simulator.script(vec![when("x", Step::status(500))]);
    let mut other = message("y", None, &request("y"));
    other["attributes"]["MessageGroupId"] = json!("a");
    assert_eq!(failures(&stage.ask(&batch(&[fair, other])).await.0.unwrap()), ["x"]);
}

fn prompt(call: &llm_exe_simulator::Call) -> String {
    call.body["messages"][0]["content"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_would_not_end_in_time_is_not_started() {
    let stage = Stage::with(&[PREFIX, ("RECORD_CONCURRENCY", "1")]).await;
    stage.simulator.script(vec![slowly(1400).times(100)]);
    let messages: Vec<Value> =
        (0..5).map(|at| message(&format!("m{at}"), None, &request("hi"))).collect();
    let answered = stage.answered(&batch(&messages), Duration::from_millis(4000)).await;
    assert_eq!(failures(&answered.outcome.unwrap()), ["m2", "m3", "m4"]);
    let error = answered.line.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().starts_with("not started"), "{error}");
    assert_eq!((stage.calls(), stage.memory.names().len()), (2, 2));
}

#[tokio::test]
async fn a_result_that_can_not_be_kept_fails_its_record_and_is_not_paid_for_again() {
    let stage = Stage::new().await;
    stage.simulator.script(vec![says("one"), says("two")]);
    for deed in [Deed::Fail, Deed::Fail, Deed::Write] {
        stage.memory.will(&[deed]);
        let (outcome, line) = stage.ask(&one("a", "hi")).await;
        let expected = if deed == Deed::Write { vec![] } else { vec!["a"] };
        assert_eq!(failures(&outcome.unwrap()), expected);
        if deed != Deed::Write {
            assert_eq!(line["errorType"], "ResultUnavailable");
        }
    }
    assert_eq!(stage.memory.only()["result"], "one");
    assert_eq!(stage.calls(), 1);
}

#[tokio::test]
async fn a_write_of_which_nothing_was_heard_is_known_again() {
    for deed in [Deed::UnmetWritten, Deed::FailWritten] {
        let stage = Stage::new().await;
        stage.memory.will(&[deed]);
        let first = stage.ask(&one("a", "hi")).await.0.unwrap();
        assert_eq!(failures(&first).is_empty(), deed == Deed::UnmetWritten);
        assert!(failures(&stage.ask(&one("a", "hi")).await.0.unwrap()).is_empty());
        assert_eq!((stage.calls(), stage.memory.names().len()), (1, 1));
    }
}

/// Two processes at one record: both may have paid, and there is one result.
#[tokio::test]
async fn the_first_of_two_results_stays() {
    let first = Stage::new().await;
    let second = Stage::over(&[PREFIX], Arc::clone(&first.memory)).await;
    first.simulator.script(vec![says("quick")]);
    second.simulator.script(vec![slowly(300)]);
    let event = batch(&[message("a", None, &with(request("hi"), "return", json!("full")))]);
    let (slow, _) = tokio::join!(second.ask(&event), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        first.ask(&event).await
    });
    assert!(failures(&slow.0.unwrap()).is_empty());
    let kept = first.memory.only();
    assert_eq!(kept["result"]["result"], "quick");
    assert_eq!(first.memory.objects.lock().unwrap().values().next().unwrap().1, 1);
}

/// The same object in two messages of one batch is one record.
#[tokio::test]
async fn one_object_that_is_told_twice_is_run_once() {
    let stage = Stage::with(&[PREFIX, ("RESULT_DESTINATION", QUEUE)]).await;
    stage.simulator.script(vec![slowly(100).times(5)]);
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
    assert!(failures(&stage.ask(&event).await.0.unwrap()).is_empty());
    assert_eq!((stage.calls(), stage.memory.names().len()), (1, 1));
    let told = stage.memory.told.lock().unwrap().clone();
    assert_eq!(told[0].1["id"], "inner");
    assert_eq!(told[0].1["noteId"], told[1].1["noteId"]);
}

#[tokio::test]
async fn each_record_is_told_of_before_it_is_acknowledged() {
    let stage = Stage::with(&[PREFIX, ("RESULT_DESTINATION", QUEUE)]).await;
    stage.simulator.script(vec![says("one")]);
    *stage.memory.refuses_to_tell.lock().unwrap() = true;
    let (outcome, line) = stage.ask(&one("a", "hi")).await;
    assert_eq!(failures(&outcome.unwrap()), ["a"]);
    assert_eq!(line["errorType"], "ResultUnavailable");
    *stage.memory.refuses_to_tell.lock().unwrap() = false;
    assert!(failures(&stage.ask(&one("a", "hi")).await.0.unwrap()).is_empty());
    assert_eq!(stage.calls(), 1);
    let told = stage.memory.told.lock().unwrap().clone();
    assert_eq!((told.len(), &told[0].1["result"]), (1, &json!("one")));
    assert_eq!(told[0].1["resultUrl"].as_str(), stage.memory.names().first().map(String::as_str));
}

/// A FIFO queue drops what has the same name within five minutes: an end that is another must
/// have another.
#[tokio::test]
async fn each_end_of_a_record_has_a_name_of_its_own() {
    let stage = Stage::with(&[PREFIX, ("RESULT_DESTINATION", QUEUE)]).await;
    stage.simulator.script(vec![Step::status(500), says("now")]);
    for _ in 0..3 {
        stage.ask(&one("a", "hi")).await.0.unwrap();
        // Ends are told apart by their times.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let told = stage.memory.told.lock().unwrap().clone();
    let ends: Vec<&Value> = told.iter().map(|(_, note)| &note["status"]).collect();
    assert_eq!(ends, ["error", "ok", "ok"]);
    assert_ne!(told[0].1["noteId"], told[1].1["noteId"]);
    assert_eq!(told[1].1["noteId"], told[2].1["noteId"]);
}

/// What we tell, and comes back by whatever way, is not run: its failure would be told in turn.
#[tokio::test]
async fn what_was_told_starts_nothing() {
    let stage = Stage::with(&[PREFIX, ("RESULT_DESTINATION", QUEUE)]).await;
    stage.simulator.script(vec![says("one"), Step::status(400)]);
    stage.ask(&one("a", "hi")).await.0.unwrap();
    stage.ask(&one("b", "hi")).await.0.unwrap();
    let told = stage.memory.told.lock().unwrap().clone();
    for (at, (_, note)) in told.iter().enumerate() {
        let (outcome, line) = stage.ask(&batch(&[message(&format!("n{at}"), None, note)])).await;
        assert!(failures(&outcome.unwrap()).is_empty());
        assert_eq!(line["skipped"], 1);
    }
    assert_eq!((stage.calls(), stage.memory.told.lock().unwrap().len()), (2, 2));
}

#[tokio::test]
async fn another_request_under_a_known_id_is_refused() {
    let stage = Stage::new().await;
    stage.simulator.script(vec![says("monday"), says("tuesday")]);
    let event = |text: &str| {
        json!({
            "id": "daily", "source": "a-scheduler", "detail-type": "job", "detail": request(text)
        })
    };
    assert_eq!(stage.ask(&event("monday")).await.0.unwrap(), "monday");
    assert_eq!(stage.ask(&event("monday")).await.0.unwrap(), "monday");
    let error = stage.ask(&event("tuesday")).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.message().contains("daily"), "{error}");
    assert_eq!(stage.calls(), 1);
    assert_eq!(stage.memory.only()["result"], "monday");
}

#[tokio::test]
async fn a_dry_run_is_no_result() {
    let stage = Stage::with(&[PREFIX, ("RESULT_DESTINATION", QUEUE)]).await;
    let event = batch(&[message("a", None, &with(request("hi"), "dryRun", json!(true)))]);
    assert!(failures(&stage.ask(&event).await.0.unwrap()).is_empty());
    assert!(stage.memory.names().is_empty());
    assert!(stage.memory.told.lock().unwrap().is_empty());
}

/// A config that could not be read, or is no request, is mended in its bucket.
#[tokio::test]
async fn a_mended_config_is_run() {
    let stage = Stage::with(&[PREFIX, ("CONFIG_BUCKETS", "prompts")]).await;
    let pointer = json!({ "bucket": "prompts", "key": "a.json" });
    let event = batch(&[message("a", None, &pointer)]);
    for (config, error) in [
        (None, "ConfigNotFound"),
        (Some(json!([])), "ConfigInvalid"),
        (Some(json!({ "provider": "openai", "model": "m" })), "InvalidRequest"),
        (Some(request("{{#if}}")), "PromptInvalid"),
    ] {
        if let Some(config) = config {
            stage.memory.put("s3://prompts/a.json", &config);
        }
        let (outcome, line) = stage.ask(&event).await;
        assert_eq!(failures(&outcome.unwrap()), ["a"]);
        assert_eq!(line["errorType"], error, "{line}");
    }
    stage.memory.put("s3://prompts/a.json", &request("hi"));
    assert!(failures(&stage.ask(&event).await.0.unwrap()).is_empty());
    assert_eq!(stage.calls(), 1);
}

#[tokio::test]
async fn the_queue_that_an_event_came_from_is_never_told() {
    let own = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs";
    let operators = Stage::with(&[("RESULT_DESTINATION", own)]).await;
    let (outcome, line) = operators.ask(&one("a", "hi")).await;
    assert_eq!(failures(&outcome.unwrap()), ["a"]);
    assert_eq!(line["errorType"], "ConfigForbidden");
    let theirs = Stage::with(&[("RESULT_DESTINATION_OVERRIDE", own)]).await;
    let event = batch(&[message("a", None, &with(request("hi"), "destination", json!(own)))]);
    let (outcome, line) = theirs.ask(&event).await;
    assert_eq!(failures(&outcome.unwrap()), ["a"]);
    assert_eq!(line["errorType"], "ConfigForbidden");
    assert_eq!(operators.calls() + theirs.calls(), 0);
}

#[tokio::test]
async fn a_notification_of_our_own_object_starts_nothing() {
    let stage = Stage::with(&[PREFIX, ("CONFIG_BUCKETS", "kept")]).await;
    let event = |key: &str| {
        json!({ "Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1",
            "eventTime": "2026-11-22T00:00:00.000Z", "eventName": "ObjectCreated:Put",
            "s3": {
                "s3SchemaVersion": "1.0",
                "bucket": { "name": "kept", "arn": "arn:aws:s3:::kept" },
                "object": { "key": key, "size": 2, "eTag": "e", "sequencer": "1" }
            }
        }]})
    };
    let answer = stage.ask(&event("here/records/a.json")).await.0.unwrap();
    assert_eq!(answer[0]["status"], "skipped");
    // Beside it, an object is run; here nobody has it.
    let (outcome, _) = stage.ask(&event("here-and-there/a.json")).await;
    assert!(outcome.is_err());
    assert_eq!(stage.calls(), 0);
}

#[tokio::test]
async fn an_answer_to_a_topic_names_what_failed() {
    let stage = Stage::new().await;
    stage.simulator.script(vec![when("refuse", Step::status(400))]);
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
    let answer = stage.ask(&fine).await.0.unwrap();
    assert_eq!((&answer[0]["id"], &answer[0]["status"]), (&json!("a"), &json!("ok")));
    let event = json!({ "Records": [record("b", "refuse"), record("c", "hi")] });
    let (outcome, _) = stage.ask(&event).await;
    assert_eq!(kind(&outcome), ErrorKind::ProviderRejected);
    assert!(outcome.unwrap_err().message().contains('b'));
    // Lambda delivers the event again: what is done is not done again.
    assert!(stage.ask(&event).await.0.is_err());
    assert_eq!(stage.calls(), 3);
}

/// Keys are for callers who wait; records have their own.
#[tokio::test]
async fn a_record_needs_no_idempotency_key() {
    let stage = Stage::new().await;
    let event = batch(&[message("a", None, &with(request("hi"), "idempotencyKey", json!("k")))]);
    let (outcome, line) = stage.ask(&event).await;
    assert_eq!(failures(&outcome.unwrap()), ["a"]);
    assert_eq!((line["errorType"].as_str(), stage.calls()), (Some("InvalidRequest"), 0));
}

#[tokio::test]
async fn what_is_kept_and_unreadable_is_named() {
    let stage = Stage::new().await;
    stage.ask(&one("a", "hi")).await.0.unwrap();
    let name = stage.memory.names().remove(0);
    stage.memory.put(&name, &json!("rubbish"));
    let (outcome, line) = stage.ask(&one("a", "hi")).await;
    assert_eq!(failures(&outcome.unwrap()), ["a"]);
    assert!(line["errorMessage"].as_str().unwrap().contains(&name), "{line}");
    assert_eq!(stage.calls(), 1);
}

/// A slow store takes the time of its own record, and of no other.
#[tokio::test]
async fn a_slow_store_does_not_hold_up_the_batch() {
    let stage = Stage::new().await;
    stage.memory.will(&[Deed::Delay(1000), Deed::Delay(1000), Deed::Delay(1000)]);
    let messages: Vec<Value> =
        (0..3).map(|at| message(&format!("m{at}"), None, &request("hi"))).collect();
    let started = Instant::now();
    assert!(failures(&stage.ask(&batch(&messages)).await.0.unwrap()).is_empty());
    assert!(started.elapsed() < Duration::from_millis(2500), "{:?}", started.elapsed());
    assert_eq!(stage.memory.names().len(), 3);
}
