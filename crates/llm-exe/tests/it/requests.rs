//! Tests the validation of requests. Each case in `cases/requests.json` lists all expected problems
//! with their paths.

use llm_exe::{ErrorKind, Plan, Rules};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::read_cases;

#[derive(Deserialize)]
struct Case {
    name: String,
    request: Value,
    problems: Vec<(String, String)>,
    #[serde(default)]
    warnings: Vec<String>,
    kind: Option<String>,
}

fn cases() -> Vec<Case> {
    read_cases("requests.json")
}

#[test]
fn all_problems_are_reported_with_their_paths() {
    let mut wrong = Vec::new();
    for case in cases() {
        let name = &case.name;
        match Plan::from_value(case.request, &Rules::default()) {
            Ok(plan) => {
                if !case.problems.is_empty() {
                    wrong.push(format!("{name}: accepted"));
                }
                if plan.warnings != case.warnings {
                    wrong.push(format!("{name}: warnings {:#?}", plan.warnings));
                }
            }
            Err(error) => {
                let kind = case.kind.as_deref().unwrap_or("InvalidRequest");
                let mut paths: Vec<&str> =
                    error.problems().iter().map(|problem| problem.path.as_str()).collect();
                let mut expected: Vec<&str> =
                    case.problems.iter().map(|(path, _)| path.as_str()).collect();
                paths.sort_unstable();
                expected.sort_unstable();
                let has_messages = case.problems.iter().all(|(path, text)| {
                    let mut problems = error.problems().iter();
                    problems.any(|problem| problem.path == *path && problem.message.contains(text))
                });
                if error.kind().name() != kind || paths != expected || !has_messages {
                    wrong.push(format!("{name}: {} {error}", error.kind()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn problems_of_very_long_message_lists_are_limited() {
    for count in [1001, 200_000] {
        let messages = vec!["{{"; count];
        let request = json!({"provider": "openai", "model": "m", "message": messages});
        let error = Plan::from_value(request, &Rules::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.message().contains(&format!("at most 1000 messages, got {count}")));
        assert!(error.problems().len() <= 200, "{}", error.problems().len());
        assert!(error.message().len() < 40_000, "{}", error.message().len());
    }
}

#[test]
fn problems_of_many_invalid_fields_are_limited() {
    let messages: Vec<Value> = (0..500).map(|_| json!({"role": 1, "content": 2})).collect();
    let request = json!({"provider": "openai", "model": "m", "message": messages});
    let error = Plan::from_value(request, &Rules::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.problems().len() <= 51, "{}", error.problems().len());
}
