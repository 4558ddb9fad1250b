//! What becomes of an event: `cases/<source>.json`, a file for each source of the table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use llm_exe_events::{Admission, EndpointAuth, Invocation, Route, SOURCES, detect};
use serde_json::{Value, json};

fn invocation() -> Invocation {
    Invocation { request_id: "id-1".to_owned(), version: "1.2.3".to_owned() }
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
            let bodies: Vec<Value> =
                records.into_iter().flat_map(|one| one.asks).map(|one| one.body.unwrap()).collect();
            json!({"records": bodies})
        }
        Err(error) => json!({"error": error.message()}),
    }
}

/// Whether a value says all that the expected one says; texts of refusals need only contain it.
fn says(made: &Value, expected: &Value, exact: bool) -> bool {
    match (made, expected) {
        (Value::Object(made), Value::Object(expected)) => expected
            .iter()
            .all(|(name, value)| made.get(name).is_some_and(|one| says(one, value, exact))),
        (Value::String(made), Value::String(expected)) if !exact => made.contains(expected),
        _ => made == expected,
    }
}

#[test]
fn every_source_treats_its_events_as_documented() {
    let mut wrong = Vec::new();
    for source in SOURCES {
        let path = format!("{}/tests/cases/{}.json", env!("CARGO_MANIFEST_DIR"), source.name());
        let text = std::fs::read_to_string(&path).expect(&path);
        let cases: Vec<Value> = serde_json::from_str(&text).expect(&path);
        for case in cases {
            let name = &case["name"];
            let event = case["event"].clone();
            assert_eq!(detect(&event).name(), source.name(), "{name}");
            assert_eq!(detect(&event).is_behind_gateway(&event), case["gateway"], "{name}");
            let auth = EndpointAuth::WORDS.iter().find(|(word, _)| *word == case["auth"]).unwrap();
            let made = happens(event, auth.1);
            let fits = ["answer", "records", "key", "refused", "error"].iter().any(|what| {
                let exact = matches!(*what, "answer" | "records" | "key");
                case.get(*what).is_some_and(|expected| {
                    made.get(*what).is_some_and(|one| says(one, expected, exact))
                })
            });
            if !fits {
                wrong.push(format!("{}: {name}: {made}", source.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
