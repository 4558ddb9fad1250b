//! Invokes the function with every file in `examples/events/`.

use serde_json::{Value, json};

use crate::backend::Backend;
use crate::harness::Response;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

/// The simulator's reply to the request in each example.
const KITTEN: &str = "Simulated reply from gpt-4o-mini to: \"Talk like a kitten. Hello!\"";

/// The expected form of the response to an example event.
enum Form {
    /// The result itself.
    Result,
    /// An HTTP response with a status, headers and a body.
    Http,
    /// A batch response without failed items, and the expected number of provider calls.
    Batch(usize),
    /// A JSON array with one item for the record.
    List,
    /// A response that reports a skipped record.
    Skipped,
}

const FORMS: &[(&str, Form)] = &[
    ("alb", Form::Http),
    ("eventbridge", Form::Result),
    ("eventbridge-s3", Form::Result),
    ("function-url", Form::Http),
    ("http-api", Form::Http),
    ("pipes", Form::Batch(2)),
    ("rest-api", Form::Http),
    ("s3", Form::List),
    ("s3-in-sns-in-sqs", Form::Batch(1)),
    ("s3-test-event", Form::Skipped),
    ("sns", Form::List),
    ("sqs", Form::Batch(2)),
    ("sqs-fifo", Form::Batch(3)),
];

fn check(name: &str, form: &Form, response: Response, calls: usize) {
    let expected_calls = match form {
        Form::Result => {
            assert_eq!(response.result(), json!(KITTEN), "{name}");
            1
        }
        Form::Http => {
            let (status, headers, body) = response.http();
            assert_eq!((status, body.as_str()), (200, KITTEN), "{name}");
            assert_eq!(headers["content-type"], "text/plain; charset=utf-8", "{name}");
            1
        }
        Form::Batch(count) => {
            assert_eq!(response.result(), json!({ "batchItemFailures": [] }), "{name}");
            *count
        }
        Form::List => {
            let response = response.result();
            let items = response.as_array().unwrap();
            assert_eq!(items.len(), 1, "{name}: {response}");
            assert_eq!((&items[0]["status"], &items[0]["result"]), (&json!("ok"), &json!(KITTEN)));
            assert!(items[0]["id"].is_string(), "{name}: {response}");
            1
        }
        Form::Skipped => {
            let response = response.result();
            assert_eq!(response[0]["status"], json!("skipped"), "{name}: {response}");
            0
        }
    };
    assert_eq!(calls, expected_calls, "{name}");
}

#[tokio::test]
async fn every_example_event_gets_its_response() {
    let mut seen: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(format!("{FOLDER}/events")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (_, form) = FORMS
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("{name} is missing from FORMS"));
        let event: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        // Some events refer to the same object, so each event needs a new backend without stored
        // results.
        let backend = Backend::new().await;
        let kitten = std::fs::read(format!("{FOLDER}/prompts/kitten.json")).unwrap();
        backend.aws.put("prompts", "kitten.json", kitten);
        let function = backend.function(&[]).await;
        let response = function.invoke(&event).await;
        check(&name, form, response, backend.prompts().len());
        let line = function.stop().await.lines().remove(0);
        assert_eq!((&line["level"], &line["message"]), (&json!("INFO"), &json!("answered")));
        seen.push(name);
    }
    assert_eq!(seen.len(), FORMS.len(), "{seen:?}");
}
