//! Tests which files `validate` checks and when it fails, and the messages that `render` prints.

use serde_json::{Value, json};

use crate::harness::{Folder, request};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

fn request_with_warnings() -> Value {
    let mut request = request();
    request["tempreature"] = json!(1);
    request
}

#[tokio::test]
async fn warnings_fail_with_strict() {
    let folder = Folder::new();
    let plain = folder.file("plain.json", request().to_string());
    let unusual = folder.file("unusual.json", request_with_warnings().to_string());
    for (arguments, code) in [
        (vec!["validate", &plain, &unusual], 0),
        (vec!["validate", "--strict", &plain], 0),
        (vec!["validate", "--strict", &plain, &unusual], 2),
        (vec!["validate", "--strict", "--json", &unusual], 2),
    ] {
        let output = folder.run(&arguments).await;
        assert_eq!(output.code, Some(code), "{arguments:?}: {output:?}");
        let is_ok = !output.stdout.contains("has warnings") && !output.stdout.contains("false");
        assert_eq!(is_ok, code == 0, "{arguments:?}: {output:?}");
    }
}

#[tokio::test]
async fn excluded_files_are_not_checked() {
    let folder = Folder::new();
    for name in ["prompts/events", "prompts/a"] {
        std::fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    folder.file("prompts/a/good.json", request().to_string());
    folder.file("prompts/a/bad.json", "{}");
    folder.file("prompts/events/bad.yaml", "model: 7");
    for (patterns, code) in [
        (vec![], 2),
        (vec!["a/bad.json"], 2),
        (vec!["bad.*"], 0),
        (vec!["prompts/events/*", "bad.json"], 0),
        (vec!["vents/*", "bad.json"], 2),
        (vec!["*"], 2),
    ] {
        let mut arguments = vec!["validate", "prompts"];
        arguments.extend(patterns.iter().flat_map(|pattern| ["--exclude", pattern]));
        let output = folder.run(&arguments).await;
        assert_eq!(output.code, Some(code), "{arguments:?}: {output:?}");
    }
    // A file that is named is checked.
    let arguments = ["validate", "prompts/a/bad.json", "--exclude", "bad.json"];
    assert_eq!(folder.run(&arguments).await.code, Some(2));
}

#[tokio::test]
async fn steps_that_wait_for_others_are_checked() {
    let folder = Folder::new();
    let mut request = request();
    let fields = request.as_object_mut().unwrap();
    fields.remove("message");
    let steps = json!([
        { "name": "a", "message": "a" },
        { "name": "b", "message": "{{steps.a}} {{nme}}", "model": "o3",
          "options": { "temperature": 0.5 } },
        { "name": "c", "message": "{{previous}} {{tilte}}" }
    ]);
    fields.insert("steps".to_owned(), steps);
    let file = folder.file("chain.json", request.to_string());
    let files = folder.run(&["validate", "--json", &file]).await.json();
    let warnings = files[0]["warnings"].to_string();
    for expected in
        ["steps.b: message: `nme`", "steps.b: options.temp", "steps.c: message: `tilte`"]
    {
        assert!(warnings.contains(expected), "{expected}: {files}");
    }
    request["strictVariables"] = json!(true);
    let file = folder.file("strict.json", request.to_string());
    let output = folder.run(&["validate", &file]).await;
    assert_eq!(output.code, Some(2), "{output:?}");
    // The problems of all steps are reported together.
    for path in ["steps[1].message", "steps[2].message"] {
        assert!(output.stdout.contains(path), "{output:?}");
    }
}

#[tokio::test]
async fn documents_other_than_requests_are_named() {
    let folder = Folder::new();
    let cognito = json!({ "triggerSource": "PreSignUp_SignUp", "userPoolId": "a", "request": {} });
    let cognito = folder.file("cognito.json", cognito.to_string());
    let list = folder.file("list.json", json!([{ "provider": "openai" }]).to_string());
    let example = |name: &str| format!("{EXAMPLES}/{name}");
    for (path, reason) in [
        (example("events/sqs.json"), "this is an event (sqs), not a request; use invoke --event"),
        (example("events/s3.json"), "this is an event (s3), not a request; use invoke --event"),
        (example("events/alb.json"), "this is an event (alb), not a request; use invoke --event"),
        (
            example("events/eventbridge.json"),
            "this is an event (eventbridge), not a request; use invoke --event to run it",
        ),
        (example("step-functions/research.asl.json"), "this is a state machine, not a request"),
        (example("step-functions/approval.asl.json"), "this is a state machine, not a request"),
        (cognito, "an event of Amazon Cognito is not supported; expected a request"),
        (list, "expected a request (a JSON object), got a list"),
    ] {
        let output = folder.run(&["validate", &path]).await;
        assert_eq!(output.code, Some(2), "{path}: {output:?}");
        let message = output.stdout.strip_prefix(&format!("{path}: ")).unwrap().to_owned();
        assert!(message.starts_with(reason) && message.lines().count() == 1, "{output:?}");
        let files = folder.run(&["validate", "--json", &path]).await.json();
        assert_eq!(files[0]["problems"][0]["message"], message.trim_end(), "{files}");
        assert_eq!(files[0]["problems"][0]["path"], "", "{files}");
        // The other commands print the same line, also if an argument would make it a request.
        for command in [
            &["render", &path][..],
            &["render", &path, "-m", "gpt-4o", "-o", "json"],
            &["invoke", "--simulate", &path],
            &["invoke", "--simulate", "--full", &path, "--data", "a=b"],
        ] {
            let output = folder.run(command).await;
            assert_eq!(output.code, Some(2), "{command:?}: {output:?}");
            let expected = format!("error: InvalidRequest: {path}: {message}");
            assert_eq!((output.stderr, output.stdout.as_str()), (expected, ""), "{command:?}");
        }
    }
    // In a folder, they are skipped. The hosted configs need an operator's bucket.
    let arguments = ["validate", "--strict", "--exclude", "hosted/*", EXAMPLES];
    let output = folder.run(&arguments).await;
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains("sqs.json: skipped, because this is an event (sqs)"));
    assert!(
        output.stdout.contains("kitten.json: ok") && output.stdout.contains("batch.jsonl:1: ok")
    );
    let arguments = ["validate", "--json", EXAMPLES, "--exclude", "hosted/*"];
    let files = folder.run(&arguments).await.json();
    let skipped = |file: &&Value| file.get("skipped").is_some();
    let skipped: Vec<&Value> = files.as_array().unwrap().iter().filter(skipped).collect();
    assert!(skipped.len() > 10 && skipped.iter().all(|file| file["ok"] == true), "{files}");
}

#[tokio::test]
async fn each_line_of_a_jsonl_file_is_a_request() {
    let folder = Folder::new();
    let invalid = json!({ "provider": "openai", "message": "hi" });
    let lines = [&request().to_string(), "", &invalid.to_string(), "{"].join("\n");
    let file = folder.file("batch.jsonl", lines);
    let output = folder.run(&["validate", &file]).await;
    assert_eq!(output.code, Some(2), "{output:?}");
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines[0], "batch.jsonl:1: ok");
    assert!(lines[1].starts_with("batch.jsonl:3: model: missing"), "{lines:?}");
    assert!(lines[2].starts_with("batch.jsonl:4: not valid JSON"), "{lines:?}");
    assert_eq!(lines.len(), 3, "{lines:?}");
}

#[tokio::test]
async fn each_line_of_standard_input_is_a_request() {
    let folder = Folder::new();
    let invalid = json!({ "provider": "openai", "message": "hi" });
    let text = [&request().to_string(), "", &invalid.to_string(), "{"].join("\n");
    let output = folder.run_with_input(&text, &["validate", "-"]).await;
    assert_eq!(output.code, Some(2), "{output:?}");
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines[0], "standard input:1: ok");
    assert!(lines[1].starts_with("standard input:3: model: missing"), "{lines:?}");
    assert!(lines[2].starts_with("standard input:4: not valid JSON"), "{lines:?}");
    assert_eq!(lines.len(), 3, "{lines:?}");

    // The other commands accept one request, which may be the only line.
    for command in [&["render", "-"][..], &["invoke", "--simulate", "-"]] {
        let output = folder.run_with_input(&text, command).await;
        let expected = "standard input: this file has a request in each line; use `validate`";
        assert!(output.code == Some(2) && output.stderr.contains(expected), "{output:?}");
    }
    let file = folder.file("one.jsonl", format!("{}\n", request()));
    assert_eq!(folder.run(&["render", &file]).await.code, Some(0));

    // A file without a known extension has the same formats.
    let file = folder.file("requests", format!("{}\n{invalid}\n", request()));
    let output = folder.run(&["validate", &file]).await;
    assert!(output.stdout.starts_with("requests:1: ok\nrequests:2: model: "), "{output:?}");

    let pretty = format!("{:#}", request());
    for (text, expected) in [
        (request().to_string(), "standard input: ok\n"),
        (format!("\n{}\n\n", request()), "standard input: ok\n"),
        (pretty.clone(), "standard input: ok\n"),
        (pretty.replacen(',', "", 1), "standard input: not valid JSON at line 3"),
    ] {
        let output = folder.run_with_input(&text, &["validate", "-"]).await;
        assert!(output.stdout.starts_with(expected), "{text}: {output:?}");
    }
}

/// A file or a request could otherwise report that another file is valid.
#[tokio::test]
async fn names_and_messages_do_not_begin_a_line() {
    let folder = Folder::new();
    let mut quoted = request();
    quoted["a\nforged.json: ok"] = json!(1);
    quoted["message"] = json!([{ "role": "system\nforged.json: ok", "content": "Hi" }]);
    let mut warned = request();
    warned["a\nforged.json: ok"] = json!(1);
    for (name, text) in [
        ("a.json\nforged.json: ok\nb.json", request().to_string()),
        ("a\r\u{2028}\tforged.json", request().to_string()),
        ("invalid\nforged.json", "{".to_owned()),
        ("empty\nforged.json", String::new()),
        ("quoted.json", quoted.to_string()),
        ("warned.json", warned.to_string()),
        ("lines\nforged.jsonl", format!("{}\n{{", request())),
    ] {
        let file = folder.file(name, text);
        for command in [&["validate"][..], &["validate", "--strict"], &["render"]] {
            let output = folder.run(&[command, &[&*file]].concat()).await;
            let printed = if command == ["render"] { &output.stderr } else { &output.stdout };
            for line in printed.lines().chain(output.stderr.lines()) {
                assert!(!line.starts_with("forged") && !line.contains('\r'), "{output:?}");
            }
        }
        let files = folder.run(&["validate", "--json", &file]).await.json();
        let reported = files[0]["file"].as_str().unwrap();
        assert_eq!(reported.strip_suffix(":1").unwrap_or(reported), name);
    }
    let output = folder.run(&["validate", "missing\nforged.json"]).await;
    assert!(output.stdout.starts_with("missing\\u000aforged.json: can't be read"), "{output:?}");
}

#[tokio::test]
async fn messages_are_printed_with_their_roles() {
    let folder = Folder::new();
    let mut request = request();
    let image = json!({ "type": "image_url", "image_url": { "url": "https://a.example/b.png" } });
    request["message"] = json!([
        { "role": "system", "content": "Be brief.\nBe kind." },
        { "role": "user", "content": [{ "type": "text", "text": "Hi {{name}}" }, image] }
    ]);
    let file = folder.file("request.json", request.to_string());
    let output = folder.run(&["render", "--messages", &file, "--data", "name=Ada"]).await;
    let expected = "[system]\nBe brief.\nBe kind.\n\n\
                    [user]\nHi Ada\n[image: https://a.example/b.png]\n";
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), (expected, ""));
    let output = folder.run(&["render", "--messages", "--json", &file]).await;
    assert_eq!(output.json()[0]["role"], "system", "{output:?}");
    request["model"] = json!("");
    let file = folder.file("request.json", request.to_string());
    let output = folder.run(&["render", "--messages", &file]).await;
    assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output:?}");
}
