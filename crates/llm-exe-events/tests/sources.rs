//! What becomes of an event: `cases/<source>.json`, a file for each source of the table.
//!
//! A case names its `event`, the endpoint's `auth`, and one of: `answer` (nothing is run), `key`
//! (whoever presents this one), `refused`, `error` (the event as a whole), `records` (the bodies
//! of its requests) or `each` (its records whole). Beside it may stand the `caller`, and what is
//! answered (`responds`) to given outcomes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use llm_exe::{Error, ErrorKind};
use llm_exe_events::{
    Admission, EndpointAuth, EventSource, Invocation, Outcome, Record, RecordRequest, Route,
    SOURCES, Settled, detect,
};
use serde_json::{Value, json};

/// Sources whose records are kept by their own ids, and not by their caller's.
const DELIVERED: &[&str] = &["sqs", "pipes", "sns", "s3", "eventbridge", "unsupported"];

fn invocation() -> Invocation {
    Invocation { request_id: "id-1".to_owned(), version: "1.2.3".to_owned() }
}

fn shown_ask(ask: &RecordRequest) -> Value {
    let mut shown = json!({"source": ask.source, "id": ask.id, "origins": ask.origins});
    match &ask.body {
        Ok(body) => shown["body"] = body.clone(),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            shown["error"] = json!(error.message());
        }
    }
    shown
}

fn shown(record: &Record) -> Value {
    let asks: Vec<Value> = record.asks.iter().map(shown_ask).collect();
    json!({"id": record.id, "group": record.group, "asks": asks})
}

/// What happens to an event, in the words of the cases.
fn happens(event: Value, auth: EndpointAuth) -> Value {
    let source = detect(&event);
    if let Route::Answer(answer) = source.route(&event, &invocation()) {
        return json!({"answer": answer});
    }
    match source.admit(&event, auth) {
        Admission::Granted => {}
        Admission::IfKey(key) => return json!({"key": key}),
        Admission::Refused(error) => {
            assert_eq!(error.kind().name(), "Unauthorized");
            return json!({"refused": error.message()});
        }
    }
    match source.records(event, &invocation()) {
        Ok(records) => {
            let each: Vec<Value> = records.iter().map(shown).collect();
            let asks = records.into_iter().flat_map(|record| record.asks);
            let bodies: Vec<Value> = asks.filter_map(|ask| ask.body.ok()).collect();
            json!({"records": bodies, "each": each})
        }
        Err(error) => json!({"error": error.message()}),
    }
}

/// Whether a value says all that the expected one says; texts of refusals need only contain it.
fn says(made: &Value, expected: &Value, exact: bool) -> bool {
    match (made, expected) {
        (Value::Object(made), Value::Object(expected)) => expected.iter().all(|(name, value)| {
            let exact = exact && name != "error";
            made.get(name).is_some_and(|one| says(one, value, exact))
        }),
        (Value::Array(made), Value::Array(expected)) => {
            made.len() == expected.len()
                && made.iter().zip(expected).all(|(one, value)| says(one, value, exact))
        }
        (Value::String(made), Value::String(expected)) if !exact => made.contains(expected),
        _ => made == expected,
    }
}

/// `done`, `skipped`, or the name of a failure.
fn outcome(word: &str) -> Outcome {
    match word {
        "done" => Outcome::Done(json!("meow")),
        "skipped" => Outcome::Skipped,
        name => {
            let kind = ErrorKind::ALL.iter().find(|kind| kind.name() == name).expect(name);
            Outcome::Failed(Error::new(*kind, "says \"secret\"").logged_as("says something"))
        }
    }
}

/// What a source answers to outcomes of an event's records.
fn responds(source: &dyn EventSource, event: &Value, words: &Value) -> Value {
    let records = source.records(event.clone(), &invocation()).unwrap();
    let words = words.as_array().unwrap();
    assert_eq!(records.len(), words.len(), "an outcome for each record");
    let settled = records
        .into_iter()
        .zip(words)
        .map(|(record, word)| Settled { id: record.id, outcome: outcome(word.as_str().unwrap()) });
    match source.respond(&invocation(), settled.collect()) {
        Ok(answer) => json!({"answer": answer}),
        Err(error) => {
            assert!(!error.for_log().contains("secret"), "{}", error.for_log());
            json!({"fails": {"type": error.kind().name(), "message": error.message()}})
        }
    }
}

fn check(source: &dyn EventSource, case: &Value) -> Result<(), String> {
    let name = &case["name"];
    let event = &case["event"];
    let detected = detect(event);
    if detected.name() != source.name() {
        return Err(format!("{name}: recognised as {}", detected.name()));
    }
    assert_eq!(json!(detected.is_behind_gateway(event)), case["gateway"], "{name}");
    let caller = detected.caller(event);
    assert_eq!(caller.is_none(), DELIVERED.contains(&source.name()), "{name}");
    if let Some(expected) = case.get("caller") {
        assert_eq!(json!(caller), *expected, "{name}");
    }
    let auth = EndpointAuth::WORDS.iter().find(|(word, _)| *word == case["auth"]).unwrap();
    let made = happens(event.clone(), auth.1);
    let fits = ["answer", "records", "each", "key", "refused", "error"].iter().any(|what| {
        let exact = !matches!(*what, "refused" | "error");
        case.get(*what)
            .is_some_and(|expected| made.get(*what).is_some_and(|one| says(one, expected, exact)))
    });
    if !fits {
        return Err(format!("{name}: {made}"));
    }
    for expected in case.get("responds").and_then(Value::as_array).into_iter().flatten() {
        let made = responds(detected, event, &expected["to"]);
        let what = if expected.get("fails").is_some() { "fails" } else { "answer" };
        if !made.get(what).is_some_and(|one| says(one, &expected[what], what == "answer")) {
            return Err(format!("{name}: to {}: {made}", expected["to"]));
        }
    }
    Ok(())
}

#[test]
fn every_source_treats_its_events_as_documented() {
    let mut wrong = Vec::new();
    for source in SOURCES {
        let path = format!("{}/tests/cases/{}.json", env!("CARGO_MANIFEST_DIR"), source.name());
        let text = std::fs::read_to_string(&path).expect(&path);
        let cases: Vec<Value> = serde_json::from_str(&text).expect(&path);
        for case in cases {
            if let Err(fault) = check(*source, &case) {
                wrong.push(format!("{}: {fault}", source.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Failures of an event as a whole leave the messages with sources that deliver again, and are
/// answers over HTTP.
#[test]
fn an_event_that_fails_as_a_whole_is_told_to_its_source() {
    for source in SOURCES {
        let error = Error::new(ErrorKind::Timeout, "late");
        match source.refuse(&invocation(), error) {
            Ok(answer) => {
                assert!(matches!(source.name(), "http" | "rest" | "alb"), "{}", source.name());
                assert_eq!(answer["statusCode"], json!(504));
            }
            Err(error) => {
                assert_eq!((error.kind(), error.message()), (ErrorKind::Timeout, "late"));
            }
        }
    }
}

/// However many records fail, the error fits where errors go.
#[test]
fn an_error_of_many_records_is_short() {
    let source = SOURCES.iter().find(|source| source.name() == "sns").unwrap();
    let settled = (0..1000).map(|index| {
        let error = Error::new(ErrorKind::OutputInvalid, "x".repeat(10_000));
        Settled { id: format!("{index}-{}", "é".repeat(2_000)), outcome: Outcome::Failed(error) }
    });
    let error = source.respond(&invocation(), settled.collect()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutputInvalid);
    assert!(error.message().starts_with("1000 of 1000 records failed: 0-é"), "{error}");
    assert!(error.message().ends_with("; and 990 more"), "{error}");
    assert!(error.message().chars().count() < 6_000 && error.for_log().len() < 12_000);
}

/// Each file of `examples/events/` is of the source that its name begins with.
#[test]
fn the_examples_are_recognised() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/events");
    let mut seen: Vec<&str> = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let expected = match name.as_str() {
            "function-url" | "http-api" => "http",
            "rest-api" => "rest",
            "s3-in-sns-in-sqs" => "sqs",
            name => name.split('-').next().unwrap(),
        };
        let event: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).expect(&name);
        let source = detect(&event);
        assert_eq!(source.name(), expected, "{name}");
        assert_eq!(source.route(&event, &invocation()), Route::Run, "{name}");
        let auth = if name == "alb" { EndpointAuth::None } else { EndpointAuth::AwsIam };
        assert!(matches!(source.admit(&event, auth), Admission::Granted), "{name}");
        let records = source.records(event, &invocation()).unwrap();
        assert!(!records.is_empty(), "{name}");
        for record in records {
            assert_eq!(record.asks.is_empty(), name == "s3-test-event", "{name}");
            assert!(record.asks.iter().all(|ask| ask.body.is_ok()), "{name}");
        }
        seen.push(source.name());
    }
    for source in SOURCES.iter().filter(|one| !matches!(one.name(), "direct" | "unsupported")) {
        assert!(seen.contains(&source.name()), "{} has no example", source.name());
    }
}

#[test]
fn every_source_has_a_row_in_the_docs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/events.md");
    let text = std::fs::read_to_string(path).unwrap();
    for source in SOURCES {
        let row = format!("| `{}`", source.name());
        assert!(text.lines().any(|line| line.starts_with(&row)), "docs/events.md: {row}");
    }
}
