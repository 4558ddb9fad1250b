//! Runs the program with little memory on schemas and replies that would exhaust the memory if the
//! program did not limit them.
#![cfg(unix)]

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use llm_exe_simulator::{Simulator, Step};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::{Folder, Output, as_pairs, simulator_variables, wait_within};

/// A build of the program with its limits, which the kernel enforces. A program fails if it exceeds
/// its address space, which is always larger than its resident memory. It is killed if it exceeds
/// its CPU time, which does not depend on other programs on the machine.
#[derive(Debug, Clone)]
pub(crate) struct Build {
    pub(crate) program: PathBuf,
    /// The maximum address space in MiB.
    pub(crate) address_space: u32,
    /// The maximum CPU time in seconds.
    pub(crate) cpu_seconds: u32,
    /// Maximum duration of a health check while another request runs.
    pub(crate) max_delay: Duration,
}

impl Build {
    /// Returns the release build in the folder `SHIPPED_CLI`, which `./scripts/check --shipped`
    /// creates, with the limits that apply to users. If it is not set, returns the debug build of
    /// `cargo test`, which needs about 120 MiB for a small request and is about eight times slower.
    pub(crate) fn to_test() -> Build {
        #[expect(clippy::disallowed_methods, reason = "the scripts pass the program")]
        let release = std::env::var_os("SHIPPED_CLI").filter(|program| !program.is_empty());
        match release {
            Some(program) => Build {
                program: program.into(),
                address_space: 300,
                cpu_seconds: 2,
                max_delay: Duration::from_millis(300),
            },
            None => Build {
                program: env!("CARGO_BIN_EXE_llm-exe").into(),
                address_space: 450,
                cpu_seconds: 30,
                max_delay: Duration::from_secs(5),
            },
        }
    }

    /// Returns the command that runs the program with the limits.
    pub(crate) fn command(&self, folder: &Folder, arguments: &[&str]) -> Command {
        let (address_space, cpu_seconds) = (self.address_space * 1024, self.cpu_seconds);
        let limits =
            format!("ulimit -v {address_space}; ulimit -t {cpu_seconds}; exec \"$0\" \"$@\"");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &limits]).arg(&self.program).args(arguments);
        command.current_dir(folder.path()).env_clear().kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// Runs the program with limits on its address space and CPU time. The program fails if it exceeds
/// one of them.
pub(crate) async fn run_limited(
    folder: &Folder,
    simulator: &Simulator,
    arguments: &[&str],
) -> Output {
    let mut command = Build::to_test().command(folder, arguments);
    command.envs(as_pairs(&simulator_variables(simulator)));
    // The CPU time is limited, and other tests run at the same time.
    wait_within(Duration::from_secs(300), command.spawn().unwrap()).await
}

fn request(schema: &Value) -> Value {
    json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "Hi", "output": "json",
        "schema": schema, "outputOptions": { "repairs": 0 }
    })
}

/// A function that builds a schema definition from a reference to the next definition.
pub(crate) type Level = fn(Value) -> Value;

/// Returns a schema with `length` definitions, each of which refers to the next definition.
pub(crate) fn chain(length: usize, level: Level) -> Value {
    let mut schema = json!({ "type": "object", "$ref": "#/$defs/a0", "$defs": {} });
    for index in 0..length {
        let next = json!({ "$ref": format!("#/$defs/a{}", index + 1) });
        schema["$defs"][format!("a{index}")] = level(next);
    }
    schema["$defs"][format!("a{length}")] = json!({ "properties": { "x": { "type": "integer" } } });
    schema
}

#[tokio::test]
async fn schemas_that_double_with_each_level_are_rejected() {
    let levels: [(&str, usize, Level); 5] = [
        ("oneOf", 19, |next| json!({ "oneOf": [next, next] })),
        ("anyOf", 24, |next| json!({ "anyOf": [next, next] })),
        ("allOf", 60, |next| json!({ "allOf": [next, next] })),
        (
            "unevaluated",
            18,
            |next| json!({ "anyOf": [next, next], "unevaluatedProperties": false }),
        ),
        ("dependent", 26, |next| json!({ "dependentSchemas": { "x": next, "y": next } })),
    ];
    let simulator = Simulator::start().await.unwrap();
    let folder = Folder::new();
    for (name, length, level) in levels {
        let mut request = request(&chain(length, level));
        // The first model supports schemas. The second model does not, so its prompt contains the
        // schema and an example.
        for model in ["gpt-4o-mini", "gpt-3.5-turbo"] {
            request["model"] = json!(model);
            let file = folder.file("request.json", request.to_string());
            for command in [&["render"][..], &["validate"], &["invoke", "--json"]] {
                let arguments: Vec<&str> = command.iter().copied().chain([&*file]).collect();
                let output = run_limited(&folder, &simulator, &arguments).await;
                assert_eq!(output.code, Some(2), "{name}: {output:?}");
                let text = format!("{}{}", output.stdout, output.stderr);
                assert!(text.contains("against more than 20000 subschemas"), "{name}: {output:?}");
            }
        }
    }
    assert!(simulator.journal().is_empty());
}

#[tokio::test]
async fn rejected_schema_fails_only_its_own_record() {
    let simulator = Simulator::start().await.unwrap();
    let folder = Folder::new();
    let bad = request(&chain(19, |next| json!({ "oneOf": [next, next] })));
    let good = json!({ "provider": "openai", "model": "gpt-4o-mini", "message": "Hi" });
    let records: Vec<Value> = (0..10)
        .map(|index| {
            let body = if index == 0 { &bad } else { &good };
            json!({
                "messageId": format!("m{index}"), "body": body.to_string(), "attributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-west-2:000000000000:requests"
            })
        })
        .collect();
    let event = folder.file("event.json", json!({ "Records": records }).to_string());
    let output = run_limited(&folder, &simulator, &["invoke", "--event", &event]).await;
    assert_eq!(output.json(), json!({ "batchItemFailures": [{ "itemIdentifier": "m0" }] }));
    assert_eq!(simulator.journal().len(), 9, "{output:?}");
}

#[tokio::test]
async fn reply_with_millions_of_errors_is_reported_by_first_error() {
    let columns: Vec<String> = (0..20).map(|index| format!("column{index}")).collect();
    let names: Vec<String> = (0..1500).map(|index| index.to_string()).collect();
    let row = json!({ "type": "object", "required": columns });
    let rows = |item: Value| {
        let rows = json!({ "type": "array", "items": item });
        json!({ "type": "object", "properties": { "rows": rows } })
    };
    let table = rows(row.clone());
    let union: Vec<Value> = std::iter::repeat_n(table.clone(), 8).collect();
    let simulator = Simulator::start().await.unwrap();
    let folder = Folder::new();
    for (name, schema, count, expected) in [
        ("columns", table, 130_000, "/rows/0: the property \"column0\" is missing"),
        (
            "names",
            rows(json!({ "required": names })),
            1_500,
            "/rows/0: the property \"0\" is missing",
        ),
        (
            "rows of a union",
            rows(json!({ "anyOf": [row, { "type": "null" }] })),
            130_000,
            "/rows/0: the property \"column0\" is missing",
        ),
        ("a union of tables", json!({ "type": "object", "oneOf": union }), 70_000, "oneOf"),
    ] {
        simulator.script(vec![Step::text(json!({ "rows": vec![json!({}); count] }).to_string())]);
        let file = folder.file("request.json", request(&schema).to_string());
        let output = run_limited(&folder, &simulator, &["invoke", "--json", &file]).await;
        let failure = output.error();
        assert_eq!(failure["type"], "OutputInvalid", "{name}: {failure}");
        assert!(failure["message"].as_str().unwrap().contains(expected), "{name}: {failure}");
    }
}

#[tokio::test]
async fn unknown_schema_draft_is_a_warning() {
    let simulator = Simulator::start().await.unwrap();
    let folder = Folder::new();
    let properties = json!({ "a": { "type": "string" } });
    for draft in ["https://spec.openapis.org/oas/3.1/dialect/base", "", "draft-03"] {
        let schema = json!({ "$schema": draft, "type": "object", "properties": properties });
        let mut request = request(&schema);
        for output in ["json", "listToJson"] {
            request["output"] = json!(output);
            simulator.script(vec![Step::text(if output == "json" {
                r#"{"a":"x"}"#
            } else {
                "a: x"
            })]);
            let file = folder.file("request.json", request.to_string());
            let output =
                run_limited(&folder, &simulator, &["invoke", "--json", "--full", &file]).await;
            assert_eq!(output.code, Some(0), "{draft}: {output:?}");
            let full = output.json();
            assert_eq!(full["result"], json!({ "a": "x" }), "{draft}");
            let warning = full["warnings"][0].as_str().unwrap_or_default();
            assert!(warning.starts_with("schema.$schema: "), "{draft}: {full}");
            assert!(warning.contains("read as draft 2020-12"), "{draft}: {full}");
        }
    }
}
