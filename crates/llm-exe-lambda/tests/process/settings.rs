//! Settings that can't be used stop the start, by name; those that can, do not.

use serde::Deserialize;
use serde_json::Value;

use crate::harness::{Function, OPENAI_KEY, request};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    value: String,
    /// What the message says beside the name.
    #[serde(default)]
    contains: Vec<String>,
    /// What it must not say.
    #[serde(default)]
    lacks: Vec<String>,
}

fn cases(of: &str) -> Vec<Case> {
    let all: Value = serde_json::from_str(include_str!("../cases/settings.json")).unwrap();
    serde_json::from_value(all[of].clone()).unwrap()
}

/// What is wrong with how a bad setting is met, if anything.
async fn faults(case: &Case) -> Vec<String> {
    let (name, value) = (case.name.as_str(), case.value.as_str());
    let printed = Function::with(&[(name, value)]).await.ended().await;
    let mut faults = Vec::new();
    if printed.status.success() {
        faults.push(format!("{name}={value}: the process ended well"));
    }
    let [line] = printed.lines().try_into().unwrap_or_else(|_| panic!("{printed:?}"));
    let message = line["message"].as_str().unwrap();
    if line["level"] != "FATAL" || !message.contains(name) {
        faults.push(format!("{name}={value}: {line}"));
    }
    for part in case.contains.iter().filter(|part| !message.contains(*part)) {
        faults.push(format!("{name}={value}: {part:?} is not in: {message}"));
    }
    for part in case.lacks.iter().filter(|part| message.contains(*part)) {
        faults.push(format!("{name}={value}: {part:?} is told: {message}"));
    }
    faults
}

#[tokio::test]
async fn a_bad_setting_stops_the_start() {
    let mut wrong = Vec::new();
    for case in cases("refused") {
        wrong.extend(faults(&case).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_good_setting_does_not() {
    for case in cases("taken") {
        let (name, value) = (case.name.as_str(), case.value.as_str());
        println!("{name}={value}");
        let function = Function::with(&[("OPENAI_API_KEY", OPENAI_KEY), (name, value)]).await;
        function.invoke(&request()).await.result();
        function.stop().await;
    }
}

/// Started by hand, outside of Lambda, it says what it is instead of panicking.
#[tokio::test]
async fn outside_of_lambda_it_says_so() {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_llm-exe-lambda"))
        .env_clear()
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(crate::harness::TIMEOUT, output).await.unwrap().unwrap();
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!output.status.success());
    assert!(!told.contains("panicked"), "{told}");
    assert!(told.contains("AWS_LAMBDA_RUNTIME_API"), "{told}");
}
