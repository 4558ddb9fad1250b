//! Exit codes: each situation of `cases/exit_codes.json`, against a simulator that is scripted.

use llm_exe_simulator::Simulator;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::{Folder, led_to, pairs, request};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    script: Option<Value>,
    /// Fields set in a request that is fine.
    #[serde(default)]
    request: serde_json::Map<String, Value>,
    /// Variables that are set, or, with null, not set.
    #[serde(default)]
    variables: serde_json::Map<String, Value>,
    #[serde(default)]
    arguments: Vec<String>,
    code: i32,
    r#type: Option<String>,
    #[serde(default)]
    contains: Vec<String>,
}

#[tokio::test]
async fn every_situation_has_its_exit_code() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../cases/exit_codes.json")).unwrap();
    let simulator = Simulator::start().await.unwrap();
    let folder = Folder::new();
    for case in cases {
        let name = &case.name;
        let mut request = request();
        for (field, value) in &case.request {
            request[field] = value.clone();
        }
        let file = folder.file("request.json", request.to_string());
        let mut variables = led_to(&simulator);
        variables.retain(|(variable, _)| !case.variables.contains_key(*variable));
        let mut variables = pairs(&variables);
        for (variable, value) in &case.variables {
            variables.extend(value.as_str().map(|value| (variable.as_str(), value)));
        }
        let mut arguments = vec!["invoke", file.as_str()];
        arguments.extend(case.arguments.iter().map(String::as_str));

        // Once for people, once for machines.
        for machines in [false, true] {
            simulator.clear();
            if let Some(script) = &case.script {
                simulator.script_json(script.clone()).unwrap();
            }
            if machines {
                arguments.push("--json");
            }
            let done = folder.run_with(&variables, &arguments).await;
            assert_eq!(done.code, Some(case.code), "{name}: {done:?}");
            for part in &case.contains {
                assert!(done.stderr.contains(part), "{name}: {part:?} is not in {done:?}");
            }
            let Some(kind) = &case.r#type else { continue };
            assert_eq!(done.stdout, "", "{name}");
            if machines {
                let failure = done.failure();
                assert_eq!(failure["type"], json!(kind), "{name}");
                assert!(failure["retryable"].is_boolean() && failure["problems"].is_array());
            } else {
                assert!(done.stderr.starts_with("error: "), "{name}: {done:?}");
                assert!(done.stderr.contains(kind), "{name}: {done:?}");
                // No terminal, no colours.
                assert!(!done.stderr.contains('\u{1b}'), "{name}: {done:?}");
            }
        }
    }
}
