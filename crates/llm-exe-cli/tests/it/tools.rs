//! Tests of tools on the command line: programs that run them, and conversations that are handed
//! back and continued.

use serde_json::{Value, json};

use crate::harness::{Folder, OPENAI_KEY, Output};

fn request() -> Value {
    let parameters = json!({
        "type": "object", "properties": { "currency": { "type": "string" } },
        "required": ["currency"]
    });
    json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "What is 1 EUR in USD?",
        "tools": [{ "name": "rate", "description": "A rate.", "parameters": parameters }]
    })
}

fn call() -> Value {
    json!({ "then": { "toolCall": { "name": "rate", "arguments": { "currency": "EUR" } } } })
}

fn program(folder: &Folder, text: &str) -> String {
    let name = folder.file("rate.sh", format!("#!/bin/sh\n{text}\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path().join(&name), mode).unwrap();
    }
    format!("rate=./{name}")
}

async fn invoke(folder: &Folder, script: &Value, arguments: &[&str]) -> Output {
    let file = folder.file("request.json", request().to_string());
    let script = folder.file("script.json", script.to_string());
    let start = ["invoke", &file, "--simulate", "--script", &script];
    let variables = [("OPENAI_API_KEY", OPENAI_KEY), ("PATH", "/usr/bin:/bin"), ("COLOR", "blue")];
    folder.run_with(&variables, &[&start[..], arguments].concat()).await
}

#[tokio::test]
async fn a_program_receives_the_arguments_and_returns_the_result() {
    let folder = Folder::new();
    let script = json!([
        call(),
        {
            "when": { "promptContains": "{\"usd\":1.08}" },
            "then": { "text": "One euro is 1.08 dollars." }
        }
    ]);
    let text = "cat > arguments.json; env > environment.txt; echo '{\"usd\": 1.08}'";
    let tool = program(&folder, text);
    let output = invoke(&folder, &script, &["--json", "--tool", &tool]).await;
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(output.json(), "One euro is 1.08 dollars.");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("arguments.json"), "{\"currency\":\"EUR\"}");
    let environment = read("environment.txt");
    assert!(environment.contains("COLOR=blue"), "{environment}");
    assert!(!environment.contains("OPENAI_API_KEY"), "{environment}");
}

#[tokio::test]
async fn an_exit_code_and_a_missing_program_are_errors_of_the_tool() {
    let folder = Folder::new();
    let tool = program(&folder, "echo 'no such currency' >&2; exit 3");
    for (tool, expected) in [(&*tool, "no such currency"), ("rate=./missing.sh", "missing.sh")] {
        let script = json!([
            call(),
            { "when": { "promptContains": expected }, "then": { "text": "It failed." } }
        ]);
        let output = invoke(&folder, &script, &["--json", "--tool", tool]).await;
        assert_eq!(output.json(), "It failed.", "{tool}");
    }
}

#[tokio::test]
async fn a_call_is_handed_back_and_continued() {
    let folder = Folder::new();
    let output = invoke(&folder, &json!([call()]), &["--json"]).await;
    let handed_back = output.json();
    assert_eq!(handed_back["status"], "toolCalls");
    let id = handed_back["toolCalls"][0]["id"].as_str().unwrap();
    let file = folder.file("back.json", &output.stdout);
    let script = json!([{ "then": { "text": "One euro is 1.08 dollars." } }]);
    let result = format!("{id}={{\"usd\": 1.08}}");
    let arguments = ["--json", "--continue", &file, "--result", &result];
    let output = invoke(&folder, &script, &arguments).await;
    assert_eq!(output.json(), "One euro is 1.08 dollars.");
    let output = invoke(&folder, &script, &["--json", "--continue", &file]).await;
    assert_eq!(output.code, Some(2));
    let message = output.error()["message"].clone();
    assert!(message.as_str().unwrap().contains("toolResults: missing"), "{message}");
}

#[tokio::test]
async fn wrong_options_are_named() {
    let folder = Folder::new();
    let other = folder.file("other.json", "{}");
    for (arguments, expected) in [
        (&["--tool", "rates=./x"][..], "the request has no tool \"rates\" (did you mean rate?)"),
        (&["--tool", "rate"], "expected NAME=PROGRAM, got \"rate\""),
        (&["--continue", &other], "expected a result with the field conversation or continue"),
        (&["--continue", "missing.json"], "missing.json"),
        (&["--result", "a=b"], "--continue"),
    ] {
        let output = invoke(&folder, &json!([]), arguments).await;
        assert_eq!(output.code, Some(2), "{arguments:?}: {output:?}");
        assert!(output.stderr.contains(expected), "{arguments:?}: {}", output.stderr);
    }
}
