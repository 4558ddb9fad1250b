//! Runs the test cases in `cases/<source>.json`, whose other fields are described in
//! `llm_exe_testkit::event_sources::SourceFile`.
//!
//! A case contains an `event`, the endpoint's `auth`, whether the caller is behind a `gateway`, and
//! one of these expectations:
//! - `response`: the response to an event that runs nothing
//! - `key`: the key that the caller sent, which must be the endpoint key
//! - `denied`: the error for a caller that is rejected
//! - `error`: the error for an event that is invalid as a whole
//! - `records`: the bodies of all requests
//! - `each`: the complete records
//!
//! Optional fields are the name of the `caller`, and the `responses` to given outcomes.

use llm_exe::{Error, ErrorKind, json, request_schema};
use llm_exe_events::{
    Authorization, EndpointAuth, EventSource, FinishedRecord, Invocation, Outcome, Record,
    RecordRequest, Route, SOURCES, StreamingEntryPoint, detect,
};
use llm_exe_testkit::event_sources::{CASES, EXAMPLES, ExampleEvent, example_events, source_files};
use serde_json::value::RawValue;
use serde_json::{Value, json};

fn invocation() -> Invocation {
    Invocation { request_id: "id-1".to_owned(), version: "1.2.3", ..Invocation::default() }
}

/// Parses a response. serde_json itself can change the last bit of a number.
pub(crate) fn parse(response: &RawValue) -> Value {
    json::parse(response.get().as_bytes()).unwrap()
}

fn request_json(request: &RecordRequest) -> Value {
    let mut shown = json!({"source": request.source, "id": request.id, "origins": request.origins});
    match &request.body {
        Ok(body) => shown["body"] = body.clone(),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            shown["error"] = json!(error.message());
        }
    }
    shown
}

fn record_json(record: &Record) -> Value {
    let requests: Vec<Value> = record.requests.iter().map(request_json).collect();
    json!({"id": record.id, "group": record.group, "requests": requests})
}

/// Handles an event and returns the outcome in the format of the test cases.
fn handle(event: Value, auth: EndpointAuth) -> Value {
    let source = detect(&event);
    if let Route::Respond { status, response } =
        source.route(&event, &invocation(), &request_schema).unwrap()
    {
        let response = parse(&response);
        assert_eq!(response["statusCode"], json!(status));
        return json!({"response": response});
    }
    match source.authorize(&event, auth) {
        Authorization::Granted => {}
        Authorization::RequiresKey(key) => return json!({"key": key}),
        Authorization::Denied(error) => {
            assert_eq!(error.kind().name(), "Unauthorized");
            return json!({"denied": error.message()});
        }
    }
    match source.records(event, &invocation()) {
        Ok(records) => {
            let each: Vec<Value> = records.iter().map(record_json).collect();
            let requests = records.into_iter().flat_map(|record| record.requests);
            let bodies: Vec<Value> = requests.filter_map(|request| request.body.ok()).collect();
            json!({"records": bodies, "each": each})
        }
        Err(error) => json!({"error": error.message()}),
    }
}

/// Returns true if a value contains all fields of the expected value. Error messages, and all
/// strings if `exact` is false, only need to contain the expected text.
fn includes(actual: &Value, expected: &Value, exact: bool) -> bool {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => expected.iter().all(|(name, value)| {
            let exact = exact && name != "error";
            actual.get(name).is_some_and(|field| includes(field, value, exact))
        }),
        (Value::Array(actual), Value::Array(expected)) => {
            actual.len() == expected.len()
                && actual.iter().zip(expected).all(|(item, value)| includes(item, value, exact))
        }
        (Value::String(actual), Value::String(expected)) if !exact => actual.contains(expected),
        _ => actual == expected,
    }
}

/// Converts a word of a test case to an outcome. The word is `done`, `skipped` or an error type.
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

/// Returns the source's response to these outcomes, in the format of the test cases.
fn respond(source: &dyn EventSource, event: &Value, words: &Value) -> Value {
    let records = source.records(event.clone(), &invocation()).unwrap();
    let words = words.as_array().unwrap();
    assert_eq!(records.len(), words.len(), "expected one outcome for each record");
    let finished = records.into_iter().zip(words).map(|(record, word)| FinishedRecord {
        id: record.id,
        outcome: outcome(word.as_str().unwrap()),
        warning_count: 0,
    });
    match source.respond(&invocation(), &finished.collect::<Vec<_>>()) {
        Ok(response) => json!({"response": parse(&response)}),
        Err(error) => {
            assert!(!error.for_log().contains("secret"), "{}", error.for_log());
            json!({"fails": {"type": error.kind().name(), "message": error.message()}})
        }
    }
}

fn check(source: &dyn EventSource, returns_results: bool, case: &Value) -> Result<(), String> {
    let name = &case["name"];
    let event = &case["event"];
    let detected = detect(event);
    if detected.name() != source.name() {
        return Err(format!("{name}: detected as {}", detected.name()));
    }
    assert_eq!(json!(detected.is_behind_gateway(event)), case["gateway"], "{name}");
    let caller = detected.caller(event);
    if caller.is_some() != returns_results {
        return Err(format!("{name}: returnsResults is {returns_results}, the caller {caller:?}"));
    }
    if let Some(expected) = case.get("caller") {
        assert_eq!(json!(caller), *expected, "{name}");
    }
    let auth = EndpointAuth::WORDS.iter().find(|(word, _)| *word == case["auth"]).unwrap();
    let actual = handle(event.clone(), auth.1);
    let fits = ["response", "records", "each", "key", "denied", "error"].iter().any(|field| {
        let exact = !matches!(*field, "denied" | "error");
        let actual = actual.get(*field);
        case.get(*field)
            .is_some_and(|expected| actual.is_some_and(|value| includes(value, expected, exact)))
    });
    if !fits {
        return Err(format!("{name}: {actual}"));
    }
    for expected in case.get("responses").and_then(Value::as_array).into_iter().flatten() {
        let actual = respond(detected, event, &expected["to"]);
        let field = if expected.get("fails").is_some() { "fails" } else { "response" };
        let is_exact = field == "response";
        if !actual.get(field).is_some_and(|value| includes(value, &expected[field], is_exact)) {
            return Err(format!("{name}: to {}: {actual}", expected["to"]));
        }
    }
    Ok(())
}

#[test]
fn every_case_is_handled_as_expected() {
    let mut wrong = Vec::new();
    let files = source_files().unwrap();
    for source in SOURCES {
        let name = source.name();
        let file = files.get(name).unwrap_or_else(|| panic!("{CASES}/{name}.json: add this file"));
        assert!(!file.cases.is_empty(), "{CASES}/{name}.json: add cases");
        for case in &file.cases {
            if let Err(error) = check(*source, file.returns_results, case) {
                wrong.push(format!("{name}: {error}"));
            }
        }
    }
    for name in files.keys() {
        if !SOURCES.iter().any(|source| source.name() == name) {
            wrong.push(format!("{name}: add a row to SOURCES in src/sources/mod.rs"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// HTTP sources return an error response if the event as a whole fails. For other sources, the
/// invocation fails, so that the event is delivered again.
#[test]
fn error_of_the_whole_event_is_reported_to_its_source() {
    for source in SOURCES {
        let error = Error::new(ErrorKind::Timeout, "late");
        match source.respond_with_error(&invocation(), error) {
            Ok(response) => {
                assert_eq!(parse(&response)["statusCode"], json!(504), "{}", source.name());
            }
            Err(error) => {
                assert_eq!((error.kind(), error.message()), (ErrorKind::Timeout, "late"));
            }
        }
    }
}

#[test]
fn error_for_many_records_is_short() {
    let source = SOURCES.iter().find(|source| source.name() == "sns").unwrap();
    let finished = (0..1000).map(|index| {
        let error = Error::new(ErrorKind::OutputInvalid, "x".repeat(10_000));
        FinishedRecord {
            id: format!("{index}-{}", "é".repeat(2_000)),
            outcome: Outcome::Failed(error),
            warning_count: 0,
        }
    });
    let error = source.respond(&invocation(), &finished.collect::<Vec<_>>()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutputInvalid);
    assert!(error.message().starts_with("1000 of 1000 records failed: 0-é"), "{error}");
    assert!(error.message().ends_with("; and 990 more"), "{error}");
    assert!(error.message().chars().count() < 6_000 && error.for_log().len() < 12_000);
}

#[test]
fn http_responses_have_the_number_of_warnings() {
    let mut sources = 0;
    for ExampleEvent { name, source, event, .. } in &example_events().unwrap() {
        if !["http", "rest", "alb"].contains(&source.as_str()) {
            continue;
        }
        sources += 1;
        for (word, warning_count) in [("done", 0), ("done", 2), ("Timeout", 3)] {
            let outcome = outcome(word);
            let finished = [FinishedRecord { id: "1".to_owned(), outcome, warning_count }];
            let response = parse(&detect(event).respond(&invocation(), &finished).unwrap());
            let multi = &response["multiValueHeaders"]["x-llm-exe-warnings"][0];
            let header = multi.as_str().or(response["headers"]["x-llm-exe-warnings"].as_str());
            let expected = (warning_count > 0).then(|| warning_count.to_string());
            assert_eq!(header, expected.as_deref(), "{name}: {response}");
        }
    }
    assert!(sources > 3, "{sources}");
}

#[test]
fn examples_are_detected() {
    let examples = example_events().unwrap();
    for ExampleEvent { name, source: expected, event, example, .. } in &examples {
        let source = detect(event);
        assert_eq!(source.name(), expected, "{name}");
        assert!(
            matches!(source.route(event, &invocation(), &request_schema), Ok(Route::Run)),
            "{name}"
        );
        let (_, auth) = EndpointAuth::WORDS.iter().find(|(word, _)| *word == example.auth).unwrap();
        assert!(matches!(source.authorize(event, *auth), Authorization::Granted), "{name}");
        let records = source.records(event.clone(), &invocation()).unwrap();
        assert!(!records.is_empty(), "{name}");
        let requests: Vec<_> = records.into_iter().flat_map(|record| record.requests).collect();
        assert_eq!(requests.len(), example.requests, "{name}");
        assert!(requests.iter().all(|request| request.body.is_ok()), "{name}");
    }
    for source in SOURCES.iter().filter(|source| !matches!(source.name(), "direct" | "unsupported"))
    {
        let name = source.name();
        assert!(
            examples.iter().any(|example| example.source == name),
            "{EXAMPLES}/{name}.json: add an example, and list it in {CASES}/{name}.json"
        );
    }
}

#[test]
fn entry_points_that_can_stream_are_recognized() {
    let v2 = |domain: &str| {
        let context = json!({"http": {"method": "POST"}, "domainName": domain});
        json!({"version": "2.0", "requestContext": context})
    };
    let v1 = |context: Value| json!({"httpMethod": "POST", "path": "/", "requestContext": context});
    let mut http_api = v1(json!({}));
    http_api["version"] = json!("1.0");
    let message = json!({"eventSource": "aws:sqs", "messageId": "1", "body": "{}"});
    for (event, expected) in [
        (v2("a.lambda-url.us-east-1.on.aws"), Some(StreamingEntryPoint::Url)),
        (v2("a.execute-api.us-east-1.amazonaws.com"), None),
        (v1(json!({})), Some(StreamingEntryPoint::Rest)),
        (http_api, None),
        (v1(json!({"elb": {"targetGroupArn": "arn:x"}})), None),
        (json!({"provider": "openai", "message": "a"}), Some(StreamingEntryPoint::Invoke)),
        (json!({"Records": [message]}), None),
    ] {
        assert_eq!(detect(&event).streaming_entry_point(&event), expected, "{event}");
    }
}
