//! Tests the arguments that change a request: `--model`, `--output`, `--set`, `--data` and
//! `--data-file`.

use serde_json::{Value, json};

use crate::harness::{Folder, request};

/// Runs `llm-exe render` with a request that uses the variables a, b.c and tags.
async fn render(folder: &Folder, arguments: &[&str]) -> Value {
    let mut request = request();
    request["message"] = json!("{{a}}|{{b.c}}|{{tags.[0]}}");
    request["data"] = json!({ "a": "old", "b": { "c": 1, "d": 2 }, "tags": ["x", "y"] });
    let file = folder.file("request.json", request.to_string());
    let output = folder.run(&[&["render", "--json", &file], arguments].concat()).await;
    assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
    output.json()
}

fn message(wire: &Value) -> &str {
    wire["body"]["messages"][0]["content"].as_str().unwrap()
}

#[tokio::test]
async fn model_output_and_fields_replace_those_of_the_file() {
    let folder = Folder::new();
    let wire = render(&folder, &["-m", "gpt-4o"]).await;
    assert_eq!(wire["body"]["model"], "gpt-4o");
    let wire = render(&folder, &["--model", "anthropic:claude-sonnet-4-5"]).await;
    assert_eq!(wire["body"]["model"], "claude-sonnet-4-5");
    assert!(wire["url"].as_str().unwrap().starts_with("https://api.anthropic.com"), "{wire}");
    let wire = render(&folder, &["-m", "ft:gpt-4o-mini:acme"]).await;
    assert_eq!(wire["body"]["model"], "ft:gpt-4o-mini:acme");
    let wire = render(&folder, &["-m", "ollama:qwen3:8b"]).await;
    assert_eq!(wire["body"]["model"], "qwen3:8b");
    let wire = render(&folder, &["--set", "options.temperature=0.5"]).await;
    assert_eq!(wire["body"]["temperature"], 0.5);
    let wire = render(&folder, &["--set", "message=Hi {{a}}"]).await;
    assert_eq!(message(&wire), "Hi old");
    let schema = folder.file("schema.json", r#"{"type":"object","properties":{"n":{}}}"#);
    let set = format!("schema=@{schema}");
    let wire = render(&folder, &["-o", "json", "--set", &set]).await;
    assert!(wire["body"]["response_format"].to_string().contains("\"n\""), "{wire}");
    let two = folder.file("two.json", r#"{"providor":"openai.gpt-4o-mini","message":"Hi"}"#);
    let output = folder.run(&["render", "--json", &two, "-m", "gpt-4o"]).await;
    assert_eq!(output.json()["body"]["model"], "gpt-4o", "{output:?}");
}

#[tokio::test]
async fn output_of_the_command_line_is_used() {
    let folder = Folder::new();
    let file = folder.file("request.json", request().to_string());
    let output = folder.run(&["invoke", "--simulate", "--json", &file, "--output", "list"]).await;
    assert!(output.json().as_array().is_some_and(|items| items.len() == 3), "{output:?}");
    let output = folder.run(&["invoke", "--simulate", "--json", &file, "-o", "lst"]).await;
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("did you mean list?"), "{output:?}");
}

#[tokio::test]
async fn dotted_names_and_files_are_read() {
    let folder = Folder::new();
    folder.file("report.txt", "line 1\nline 2");
    folder.file("tags.json", r#"["from the file"]"#);
    folder.file("first.yaml", "a: from yaml\nb:\n  c: 3\n");
    folder.file("second.json", r#"{ "b": { "c": 4 } }"#);
    for (arguments, expected) in [
        (vec!["--data", "b.c=5"], "old|5|x"),
        (vec!["--data", "tags.0=z"], "old|1|z"),
        (vec!["--data", "a.x=1", "--set", "data.a={}"], "[object Object]|1|x"),
        (vec!["--data", "a=@report.txt"], "line 1\nline 2|1|x"),
        (vec!["--data", r#"a="@report.txt""#], "@report.txt|1|x"),
        (vec!["--data", "tags=@tags.json"], "old|1|from the file"),
        (vec!["--data-file", "first.yaml"], "from yaml|3|x"),
        (vec!["--data-file", "first.yaml", "--data-file", "second.json"], "from yaml|4|x"),
        (vec!["--data-file", "first.yaml", "--data", "b.c=6"], "from yaml|6|x"),
        (vec!["--set", "data.b.c=7"], "old|7|x"),
    ] {
        assert_eq!(message(&render(&folder, &arguments).await), expected, "{arguments:?}");
    }
}

#[tokio::test]
async fn invalid_arguments_are_named() {
    let folder = Folder::new();
    let file = folder.file("request.json", request().to_string());
    folder.file("list.json", "[]");
    for (arguments, expected) in [
        (vec!["--data", "a..b=1"], "--data: expected names that are separated by dots"),
        (vec!["--data", "=1"], "--data: expected NAME=VALUE"),
        (vec!["--set", "model"], "--set: expected NAME=VALUE"),
        (vec!["-m", "opnai:gpt-4o"], "--model: unknown provider \"opnai\" (did you mean openai?)"),
        (vec!["-m", "gemini:m"], "--model: unknown provider \"gemini\" (did you mean google?)"),
        (vec!["-m", "bedrock:m"], "--model: unknown provider \"bedrock\" (did you mean amazon?)"),
        (vec!["--set", "model.a=1"], "--set model.a: model is the string"),
        (vec!["--data", "a=[1]", "--data", "a.5=1"], "--data a.5: a is"),
        (vec!["--data", "a=@missing.txt"], "missing.txt: can't be read"),
        (vec!["--data-file", "list.json"], "list.json: expected an object"),
    ] {
        let output = folder.run(&[&["render", &file], &*arguments].concat()).await;
        assert_eq!(output.code, Some(2), "{arguments:?}: {output:?}");
        assert!(output.stderr.contains(expected), "{arguments:?}: {output:?}");
    }
    let output = folder.run(&["invoke", "--event", &file, "-m", "a"]).await;
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("cannot be used with"), "{output:?}");
}

/// The path of a problem is a place in the request, so that a program can find it.
#[tokio::test]
async fn problem_names_its_file_and_argument_in_fields_of_their_own() {
    let folder = Folder::new();
    let file = folder.file("request.json", request().to_string());
    folder.file("broken.json", "{");
    folder.file("list.json", "[]");
    folder.file("empty.json", " ");
    folder.file("script.json", "[{}");
    let with = |arguments: &[&'static str]| [&["render", "--json", &file][..], arguments].concat();
    for (arguments, place) in [
        (vec!["render", "--json", "missing.json"], json!({ "file": "missing.json" })),
        (vec!["invoke", "--json", "broken.json"], json!({ "file": "broken.json" })),
        (vec!["invoke", "--json", "--event", "missing.json"], json!({ "file": "missing.json" })),
        (vec!["render", "--json", "empty.json"], json!({ "file": "empty.json" })),
        (vec!["render", "--json", "list.json"], json!({ "file": "list.json" })),
        (vec!["render", "--json", "a\nb.json"], json!({ "file": "a\nb.json" })),
        (
            vec!["invoke", "--json", "--simulate", "--script", "script.json", &file],
            json!({ "file": "script.json" }),
        ),
        (with(&["--data-file", "list.json"]), json!({ "file": "list.json" })),
        (
            with(&["--data", "a=@missing.txt"]),
            json!({ "file": "missing.txt", "argument": "--data a" }),
        ),
        (with(&["--data", "=1"]), json!({ "argument": "--data" })),
        (with(&["-m", "opnai:gpt-4o"]), json!({ "argument": "--model" })),
        (with(&["--set", "model.a=1"]), json!({ "argument": "--set model.a" })),
        (with(&["--set", "options.temperature=9"]), json!({ "path": "options.temperature" })),
    ] {
        let output = folder.run(&arguments).await;
        assert_eq!(output.code, Some(2), "{arguments:?}: {output:?}");
        let error = output.error();
        let problem = error["problems"][0].as_object().unwrap().clone();
        let mut expected = place.as_object().unwrap().clone();
        expected.entry("path").or_insert(json!(""));
        let names = problem.keys().filter(|name| *name != "message");
        assert_eq!(names.count(), expected.len(), "{arguments:?}: {error}");
        for (name, value) in &expected {
            assert_eq!(problem.get(name), Some(value), "{arguments:?}: {error}");
            // The message of the error has everything that the fields have.
            let text = value.as_str().unwrap().replace('\n', "\\u000a");
            assert!(error["message"].as_str().unwrap().contains(&text), "{arguments:?}: {error}");
        }
    }
    let missing = ["validate", "--json", "missing.json", "broken.json", "empty.json"];
    for (validation, name) in folder.run(&missing).await.json().as_array().unwrap().iter().zip([
        "missing.json",
        "broken.json",
        "empty.json",
    ]) {
        assert_eq!(
            (&validation["file"], &validation["problems"][0]["path"]),
            (&json!(name), &json!(""))
        );
    }
}

#[tokio::test]
async fn model_with_a_tag_is_not_a_misspelled_provider() {
    let folder = Folder::new();
    let of_ollama = json!({ "provider": "ollama", "model": "m", "message": "Hi" });
    let file = folder.file("request.json", of_ollama.to_string());
    let models = ["llama3:8b", "gpt-oss:20b", "gemma:2b", "llava:7b", "gemma:latest"];
    for model in models.into_iter().chain(["gemma:instruct", "ollma:vision"]) {
        let output = folder.run(&["render", &file, "-m", model]).await;
        assert_eq!(output.json()["body"]["model"], model, "{output:?}");
    }
    // Another provider can have the same models, for example one that is behind a base URL.
    let file = folder.file("request.json", request().to_string());
    for model in models {
        let output = folder.run(&["render", &file, "-m", model]).await;
        assert_eq!(output.json()["body"]["model"], model, "{output:?}");
    }
}

#[tokio::test]
async fn standard_input_is_read_once() {
    let folder = Folder::new();
    let text = request().to_string();
    for (arguments, expected) in [
        (
            vec!["-", "--data-file", "-"],
            "--data-file: standard input can be read only once, but FILE",
        ),
        (vec!["-", "--data", "a=@-"], "--data a: standard input"),
        (vec!["a.json", "--data-file", "-", "--data", "a=@-"], "but --data-file reads it too"),
    ] {
        let output = folder.run_with_input(&text, &[&["render"], &*arguments].concat()).await;
        assert_eq!(output.code, Some(2), "{arguments:?}: {output:?}");
        assert!(output.stderr.contains(expected), "{arguments:?}: {output:?}");
    }
    let mut request = request();
    request["message"] = json!("{{text}}");
    let file = folder.file("request.json", request.to_string());
    let arguments = ["render", "--json", &file, "--data", "text=@-"];
    let output = folder.run_with_input("from stdin", &arguments).await;
    assert_eq!(message(&output.json()), "from stdin");
}

#[tokio::test]
async fn name_that_no_template_uses_is_warned_about() {
    let folder = Folder::new();
    let mut request = request();
    request["message"] = json!("Hi {{name}}{{#if loud}}!{{/if}} {{b.c}}");
    let file = folder.file("request.json", request.to_string());
    for (arguments, expected) in [
        (vec!["--data", "nmae=B"], vec!["nmae"]),
        (vec!["--data", "name=B", "--data", "loud=false", "--data", "b.c=1"], vec![]),
        (vec!["--data", "b.d=1", "--data", "name="], vec!["b.d"]),
    ] {
        for command in [&["render"][..], &["invoke", "--simulate"]] {
            let output = folder.run(&[command, &[&file], &*arguments].concat()).await;
            assert_eq!(output.code, Some(0), "{output:?}");
            let warnings: Vec<&str> = output
                .stderr
                .lines()
                .filter_map(|line| line.strip_prefix("warning: --data "))
                .filter_map(|line| line.strip_suffix(" has no effect, because no template uses it"))
                .collect();
            assert_eq!(warnings, expected, "{arguments:?}: {output:?}");
        }
    }
    let output = folder.run(&["render", &file, "--data", "nmae=B"]).await;
    assert!(output.stderr.contains("did you mean nmae?"), "{output:?}");
}
