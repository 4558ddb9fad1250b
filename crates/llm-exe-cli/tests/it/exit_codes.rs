//! Tests the exit code of each case in `cases/exit_codes.json` against a scripted simulator.

use llm_exe_simulator::Simulator;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::{Folder, as_pairs, request, simulator_variables};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    script: Option<Value>,
    /// Fields that replace those of a valid request.
    #[serde(default)]
    request: serde_json::Map<String, Value>,
    /// Environment variables to set. A variable whose value is null is removed.
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
async fn errors_have_their_exit_code() {
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
        let mut variables = simulator_variables(&simulator);
        variables.retain(|(variable, _)| !case.variables.contains_key(*variable));
        let mut variables = as_pairs(&variables);
        for (variable, value) in &case.variables {
            variables.extend(value.as_str().map(|value| (variable.as_str(), value)));
        }
        let mut arguments = vec!["invoke", file.as_str()];
        arguments.extend(case.arguments.iter().map(String::as_str));

        for as_json in [false, true] {
            simulator.clear();
            if let Some(script) = &case.script {
                simulator.script_json(script.clone()).unwrap();
            }
            if as_json {
                arguments.push("--json");
            }
            let output = folder.run_with(&variables, &arguments).await;
            assert_eq!(output.code, Some(case.code), "{name}: {output:?}");
            for part in &case.contains {
                assert!(output.stderr.contains(part), "{name}: {part:?} is not in {output:?}");
            }
            let Some(kind) = &case.r#type else { continue };
            assert_eq!(output.stdout, "", "{name}");
            if as_json {
                let error = output.error();
                assert_eq!(error["type"], json!(kind), "{name}");
                assert!(error["retryable"].is_boolean() && error["problems"].is_array());
            } else {
                assert!(output.stderr.starts_with("error: "), "{name}: {output:?}");
                assert!(output.stderr.contains(kind), "{name}: {output:?}");
                // The output contains colors only on a terminal.
                assert!(!output.stderr.contains('\u{1b}'), "{name}: {output:?}");
            }
        }
    }
}
