//! Tests that the process accepts valid settings. With an invalid setting, it exits and logs an
//! error that names the setting.

use serde::Deserialize;
use serde_json::Value;

use crate::harness::{Function, OPENAI_KEY, request};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    value: String,
    /// Expected parts of the error message, in addition to the name of the setting.
    #[serde(default)]
    contains: Vec<String>,
    /// Strings that the error message must not contain.
    #[serde(default)]
    lacks: Vec<String>,
}

fn cases(group: &str) -> Vec<Case> {
    let all: Value = serde_json::from_str(include_str!("../cases/settings.json")).unwrap();
    serde_json::from_value(all[group].clone()).unwrap()
}

/// Starts the function with an invalid setting and describes all deviations from the expected
/// behavior.
async fn problems(case: &Case) -> Vec<String> {
    let (name, value) = (case.name.as_str(), case.value.as_str());
    let output = Function::with(&[(name, value)]).await.wait().await;
    let mut problems = Vec::new();
    if output.status.success() {
        problems.push(format!("{name}={value}: the process exited successfully"));
    }
    let [line] = output.lines().try_into().unwrap_or_else(|_| panic!("{output:?}"));
    let message = line["message"].as_str().unwrap();
    if line["level"] != "FATAL" || !message.contains(name) {
        problems.push(format!("{name}={value}: {line}"));
    }
    for part in case.contains.iter().filter(|part| !message.contains(*part)) {
        problems.push(format!("{name}={value}: {part:?} is not in: {message}"));
    }
    for part in case.lacks.iter().filter(|part| message.contains(*part)) {
        problems.push(format!("{name}={value}: {part:?} is in: {message}"));
    }
    problems
}

#[tokio::test]
async fn invalid_setting_stops_the_start() {
    let mut deviations = Vec::new();
    for case in cases("invalid") {
        deviations.extend(problems(&case).await);
    }
    assert!(deviations.is_empty(), "{}", deviations.join("\n"));
}

#[tokio::test]
async fn valid_setting_is_accepted() {
    for case in cases("valid") {
        let (name, value) = (case.name.as_str(), case.value.as_str());
        println!("{name}={value}");
        let function = Function::with(&[("OPENAI_API_KEY", OPENAI_KEY), (name, value)]).await;
        function.invoke(&request()).await.result();
        function.stop().await;
    }
}

#[tokio::test]
async fn variable_that_is_similar_to_a_setting_is_logged_at_the_start() {
    for (level, expected) in [("warn", 1), ("error", 0)] {
        let variables =
            [("OPENAI_API_KEY", OPENAI_KEY), ("ALOWED_MODELS", "x"), ("LOG_LEVEL", level)];
        let function = Function::with(&variables).await;
        function.invoke(&request()).await.result();
        let lines = function.stop().await.lines();
        let is_warning = |line: &&serde_json::Value| {
            let message = line["message"].as_str().unwrap_or_default();
            line["level"] == "WARN" && message.contains("did you mean ALLOWED_MODELS?")
        };
        assert_eq!(lines.iter().filter(is_warning).count(), expected, "{lines:?}");
    }
}

#[tokio::test]
async fn start_outside_of_lambda_is_explained() {
    let output = tokio::process::Command::new(crate::harness::program())
        .env_clear()
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(crate::harness::TIMEOUT, output).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!output.status.success());
    assert!(!text.contains("panicked"), "{text}");
    assert!(text.contains("AWS_LAMBDA_RUNTIME_API"), "{text}");
}
