//! Every file of `examples/events/`, run by the process and answered in its source's form.

use serde_json::{Value, json};

use crate::harness::Answer;
use crate::world::World;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

/// What the simulator says to the requests of the examples.
const KITTEN: &str = "Simulated reply from gpt-4o-mini to: \"Talk like a kitten. Hello!\"";

/// The form of an example's answer.
enum Form {
    /// The result itself.
    Result,
    /// Status, headers and body.
    Http,
    /// No failed items, of so many that were asked for.
    Batch(usize),
    /// A line for the record.
    List,
    /// Nothing is run.
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

fn check(name: &str, form: &Form, answer: Answer, asked: usize) {
    let calls = match form {
        Form::Result => {
            assert_eq!(answer.result(), json!(KITTEN), "{name}");
            1
        }
        Form::Http => {
            let (status, headers, body) = answer.http();
            assert_eq!((status, body.as_str()), (200, KITTEN), "{name}");
            assert_eq!(headers["content-type"], "text/plain; charset=utf-8", "{name}");
            1
        }
        Form::Batch(count) => {
            assert_eq!(answer.result(), json!({ "batchItemFailures": [] }), "{name}");
            *count
        }
        Form::List => {
            let answer = answer.result();
            let lines = answer.as_array().unwrap();
            assert_eq!(lines.len(), 1, "{name}: {answer}");
            assert_eq!((&lines[0]["status"], &lines[0]["result"]), (&json!("ok"), &json!(KITTEN)));
            assert!(lines[0]["id"].is_string(), "{name}: {answer}");
            1
        }
        Form::Skipped => {
            let answer = answer.result();
            assert_eq!(answer[0]["status"], json!("skipped"), "{name}: {answer}");
            0
        }
    };
    assert_eq!(asked, calls, "{name}");
}

#[tokio::test]
async fn every_example_of_an_event_is_answered_in_its_form() {
    let mut seen: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(format!("{FOLDER}/events")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (_, form) = FORMS
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("{name} has no row here"));
        let event: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        // Some tell of the same object: each finds a store in which nothing is kept yet.
        let world = World::new().await;
        let kitten = std::fs::read(format!("{FOLDER}/prompts/kitten.json")).unwrap();
        world.aws.put("prompts", "kitten.json", kitten);
        let function = world.function(&[]).await;
        let answer = function.invoke(&event).await;
        check(&name, form, answer, world.asked().len());
        let line = function.stop().await.lines().remove(0);
        assert_eq!((&line["level"], &line["message"]), (&json!("INFO"), &json!("answered")));
        seen.push(name);
    }
    assert_eq!(seen.len(), FORMS.len(), "{seen:?}");
}
