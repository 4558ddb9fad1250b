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
async fn documents_other_than_requests_are_named() {
    let folder = Folder::new();
    for (file, kind) in [
        ("events/sqs.json", "an event (sqs)"),
        ("events/alb.json", "an event (alb)"),
        ("step-functions/research.asl.json", "a state machine"),
    ] {
        let path = format!("{EXAMPLES}/{file}");
        let output = folder.run(&["validate", &path]).await;
        assert_eq!(output.code, Some(2), "{file}: {output:?}");
        let expected = format!("{path}: this is {kind}, not a request\n");
        assert_eq!(output.stdout, expected, "{file}");
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
