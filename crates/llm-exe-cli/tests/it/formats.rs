//! Tests the formats and encodings of files and standard input, folders and URLs.

use serde_json::{Value, json};

use crate::harness::Folder;

const PROMPT: &str =
    "---\nprovider: openai\nmodel: gpt-4o-mini\n---\nUser: Talk about {{topic}}.\n";

#[tokio::test]
async fn prompt_files_can_be_run() {
    let folder = Folder::new();
    let prompt = folder.file("talk.md", PROMPT);
    let yaml = "provider: openai\nmodel: gpt-4o-mini\nmessage: Talk about {{topic}}.\n";
    let yaml = folder.file("talk.yaml", yaml);
    for file in [&prompt, &yaml] {
        let output = folder.run(&["invoke", "--simulate", file, "--data", "topic=sharks"]).await;
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(output.stdout.contains("Talk about sharks."), "{output:?}");
    }
}

#[tokio::test]
async fn validate_reports_lines_of_files_in_folder() {
    let folder = Folder::new();
    folder.file("talk.md", PROMPT);
    folder.file("README.md", "about this folder");
    folder.file("bad.md", format!("{PROMPT}\nAssistant:\nyes {{{{#if x}}}}\n"));
    let output = folder.run(&["validate", "."]).await;
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.stdout.contains("talk.md: ok"), "{output:?}");
    assert!(output.stdout.contains("bad.md: message[1].content: line 1"), "{output:?}");
    assert!(output.stdout.contains("(line 8 of the file)"), "{output:?}");
    assert!(!output.stdout.contains("README"), "{output:?}");
}

#[tokio::test]
async fn url_is_fetched_with_user_credentials_or_rejected() {
    let folder = Folder::new();
    for (url, kind, expected) in [
        ("s3://prompts/a.md", "SecretNotFound", "AWS"),
        ("https://127.0.0.1/a.md", "ConfigForbidden", "loopback"),
        ("https://169.254.169.254/latest/meta-data", "ConfigForbidden", "link-local"),
        ("http://example.com/a.md", "InvalidRequest", "https"),
    ] {
        let output = folder.run(&["invoke", "--simulate", "--json", url]).await;
        assert!(matches!(output.code, Some(2 | 3)), "{output:?}");
        assert_eq!(output.error()["type"], kind, "{output:?}");
        assert!(output.stderr.contains(expected), "{output:?}");
    }
}

const REQUEST_YAML: &str = "provider: openai\nmodel: gpt-4o-mini\nmessage: Talk about {{topic}}.\n";
const REQUEST_JSON: &str =
    r#"{"provider":"openai","model":"gpt-4o-mini","message":"Talk about {{topic}}."}"#;

#[tokio::test]
async fn format_depends_on_name_and_content() {
    let folder = Folder::new();
    for (name, text) in [
        ("p.txt", PROMPT),
        ("p.hbs", PROMPT),
        ("p.markdown", PROMPT),
        ("p.prompt", PROMPT),
        ("p", PROMPT),
        ("p.v2", PROMPT),
        ("r", REQUEST_JSON),
        ("r.v2", REQUEST_JSON),
        ("y", REQUEST_YAML),
    ] {
        let file = folder.file(name, text);
        let output = folder.run(&["invoke", "--simulate", &file, "--data", "topic=sharks"]).await;
        assert!(output.stdout.contains("Talk about sharks."), "{name}: {output:?}");
    }
    for text in [PROMPT, REQUEST_JSON, REQUEST_YAML] {
        let arguments = ["invoke", "--simulate", "-", "--data", "topic=sharks"];
        let output = folder.run_with_input(text, &arguments).await;
        assert!(output.stdout.contains("Talk about sharks."), "{text}: {output:?}");
    }
}

#[tokio::test]
async fn text_of_no_known_format_is_an_error_that_names_the_formats() {
    let folder = Folder::new();
    let output = folder.run_with_input("garbage", &["invoke", "--simulate", "--json", "-"]).await;
    assert_eq!(output.code, Some(2), "{output:?}");
    let problems = output.error()["problems"].clone();
    let paths: Vec<&Value> = problems.as_array().unwrap().iter().map(|it| &it["path"]).collect();
    assert_eq!(paths, ["", "provider", "model"], "{problems}");
    let message = problems[0]["message"].to_string();
    for format in ["JSON", "YAML", "Markdown"] {
        assert!(message.contains(format), "{message}");
    }
    for command in ["invoke", "render", "validate"] {
        for input in ["", " \n", "\u{feff}"] {
            let output = folder.run_with_input(input, &[command, "-"]).await;
            assert_eq!(output.code, Some(2), "{output:?}");
            let text = format!("{}{}", output.stdout, output.stderr);
            assert!(text.contains("standard input: is empty; expected a request"), "{output:?}");
        }
    }
}

#[tokio::test]
async fn error_for_an_empty_file_names_what_is_expected() {
    let folder = Folder::new();
    let request = json!({ "provider": "openai", "model": "gpt-4o-mini", "message": "Hi" });
    let request = folder.file("request.json", request.to_string());
    let [text, data] = ["empty.txt", "empty.json"].map(|name| folder.file(name, ""));
    let assignments = [&text, &data].map(|file| format!("a=@{file}"));
    for (arguments, file, expected) in [
        (vec!["validate", &data], &data, "a request"),
        (vec!["render", &data], &data, "a request"),
        (vec!["invoke", "--event", &data], &data, "an event"),
        (vec!["render", &request, "--data", &assignments[0]], &text, "a text"),
        (vec!["render", &request, "--data", &assignments[1]], &data, "a value"),
        (vec!["render", &request, "--data-file", &data], &data, "an object"),
        (vec!["invoke", "--simulate", "--script", &data, &request], &data, "a script"),
    ] {
        let output = folder.run(&arguments).await;
        assert_eq!(output.code, Some(2), "{arguments:?}: {output:?}");
        let text = format!("{}{}", output.stdout, output.stderr);
        let expected = format!("{file}: is empty; expected {expected}");
        assert_eq!(text.matches(&**file).count(), 1, "{arguments:?}: {output:?}");
        assert!(text.contains(&expected), "{arguments:?}: {output:?}");
    }
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(unit).collect()
}

#[tokio::test]
async fn utf_16_is_read_wherever_text_is_read() {
    let folder = Folder::new();
    for unit in [u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes] {
        folder.file("data.json", utf16(r#"{"topic":"sharks"}"#, unit));
        for (name, text) in [("r.json", REQUEST_JSON), ("y.yaml", REQUEST_YAML), ("p.md", PROMPT)] {
            let file = folder.file(name, utf16(text, unit));
            let arguments = ["invoke", "--simulate", &file, "--data-file", "data.json"];
            let output = folder.run(&arguments).await;
            assert!(output.stdout.contains("Talk about sharks."), "{name}: {output:?}");
        }
        let event = folder.file("event.json", utf16(REQUEST_JSON, unit));
        let output = folder.run(&["invoke", "--simulate", "--event", &event]).await;
        assert!(output.stdout.contains("Talk about"), "{output:?}");
    }
    let file = folder.file("odd.json", b"\xff\xfe{\0\"");
    let output = folder.run(&["validate", &file]).await;
    assert!(output.code == Some(2) && output.stdout.contains("UTF-16"), "{output:?}");
}

#[tokio::test]
async fn warnings_about_a_file_are_printed() {
    let folder = Folder::new();
    folder.file("note.prompt", PROMPT.replace("User:", "# owner: pets\nUser:"));
    for arguments in [
        &["invoke", "--simulate", "note.prompt", "--data", "topic=a"][..],
        &["render", "note.prompt", "--data", "topic=a"],
        &["validate", "note.prompt"],
        &["validate", "."],
    ] {
        let output = folder.run(arguments).await;
        let expected = "line 5: the text above the first line with a role";
        assert!(output.stderr.contains(expected), "{output:?}");
    }
}

#[tokio::test]
async fn variable_that_is_similar_to_a_setting_causes_a_warning() {
    let folder = Folder::new();
    let file = folder.file("r.json", REQUEST_JSON);
    let variables = [("ALOWED_MODELS", "x")];
    for command in ["render", "validate"] {
        let output = folder.run_with(&variables, &[command, &file]).await;
        let expected = "ALOWED_MODELS is not a setting (did you mean ALLOWED_MODELS?)";
        assert!(output.stderr.contains(expected), "{output:?}");
    }
    let message = "the environment variable ALOWED_MODELS is not a setting (did you mean \
                   ALLOWED_MODELS?)";
    for arguments in [
        &["render", "--json", &file][..],
        &["validate", "--json", &file],
        &["invoke", "--json", "--simulate", &file, "--data", "topic=a"],
        &["invoke", "--json", "--simulate", "--event", &file],
        &["providers", "--json"],
    ] {
        let output = folder.run_with(&variables, arguments).await;
        assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
        output.json();
        let line: Value = serde_json::from_str(output.stderr.lines().next().unwrap()).unwrap();
        assert_eq!(line, json!({ "warning": message }), "{arguments:?}");
    }
    // The warning precedes an error, which is an object in a line of its own.
    let output = folder.run_with(&variables, &["render", "--json", "missing.json"]).await;
    let lines = output.stderr.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    assert_eq!(lines[0]["warning"], message);
    assert_eq!(lines[1]["error"]["type"], "InvalidRequest");
    let output = folder.run_with(&variables, &["schema"]).await;
    assert!(output.stderr.contains(message), "{output:?}");
    let output = folder.run_with(&[("ALLOWED_MODELS", "opnai:gpt-4o")], &["render", &file]).await;
    assert_eq!(output.code, Some(2), "{output:?}");
    let expected = "ALLOWED_MODELS: unknown provider in \"opnai:gpt-4o\" (did you mean openai?)";
    assert!(output.stderr.contains(expected), "{output:?}");
    let variables = [("ALLOWED_MODELS", "opnai:gpt-4o")];
    for arguments in [
        &["render", "--json", &file][..],
        &["validate", "--json", &file],
        &["invoke", "--json", &file],
        &["providers", "--json"],
    ] {
        let output = folder.run_with(&variables, arguments).await;
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output:?}");
        let error = output.error();
        assert_eq!((&error["type"], &error["problems"]), (&json!("InvalidRequest"), &json!([])));
        assert!(error["message"].as_str().unwrap().contains(expected), "{error}");
    }
}
