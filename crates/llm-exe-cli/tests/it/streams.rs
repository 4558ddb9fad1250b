//! Tests `invoke --stream`.

use serde_json::{Value, json};

use crate::harness::{Folder, request};

/// Runs a request with a script of the simulator. Returns the code and the output.
async fn run(script: Value, request: &Value, arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = Folder::new();
    let script = folder.file("script.json", script.to_string());
    let file = folder.file("request.json", request.to_string());
    let invoke = ["invoke", &file, "--simulate", "--script", &script];
    let output = folder.run(&[&invoke, arguments].concat()).await;
    (output.code, output.stdout, output.stderr)
}

#[tokio::test]
async fn text_is_printed_once() {
    let script = json!([{"then": {"text": "Größe 😀"}, "stream": {"pieceBytes": 1}}]);
    let (code, stdout, stderr) = run(script, &request(), &["--stream"]).await;
    assert_eq!((code, &*stdout), (Some(0), "Größe 😀\n"), "{stderr}");
}

#[tokio::test]
async fn a_result_that_is_not_the_text_follows() {
    let mut request = request();
    request["output"] = json!("listToArray");
    let script = json!([{"then": {"text": "- a\n- b"}}]);
    let (code, stdout, stderr) = run(script, &request, &["--stream"]).await;
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(stdout, "- a\n- b\n[\n  \"a\",\n  \"b\"\n]\n");
}

#[tokio::test]
async fn events_are_lines_of_json() {
    let script = json!([{"then": {"text": "Hi you"}}]);
    let (code, stdout, stderr) = run(script, &request(), &["--stream", "--json"]).await;
    assert_eq!((code, &*stderr), (Some(0), ""));
    let expected = [
        r#"{"event":"text","data":{"delta":"Hi y","turn":1}}"#,
        r#"{"event":"text","data":{"delta":"ou","turn":1}}"#,
        r#"{"event":"result","data":"Hi you"}"#,
    ];
    assert_eq!(stdout.lines().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn an_error_follows_the_text() {
    let script =
        || json!([{"then": {"text": "Hi there"}, "stream": {"events": 2, "end": "error"}}]);
    let (code, stdout, stderr) = run(script(), &request(), &["--stream"]).await;
    assert_eq!((code, &*stdout), (Some(5), "Hi t\n"), "{stderr}");
    assert!(stderr.contains("error: ProviderUnavailable: "), "{stderr}");
    let (code, stdout, stderr) = run(script(), &request(), &["--stream", "--json"]).await;
    let last: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!((code, &last["event"]), (Some(5), &json!("error")));
    assert_eq!(last["data"]["type"], "ProviderUnavailable");
    let line: Value = serde_json::from_str(stderr.lines().last().unwrap()).unwrap();
    assert_eq!(line["error"], last["data"]);
}

#[tokio::test]
async fn without_the_option_the_field_stream_is_a_warning() {
    let mut request = request();
    request["stream"] = json!(true);
    let script = || json!([{"then": {"text": "Hi"}}]);
    let (code, stdout, stderr) = run(script(), &request, &[]).await;
    assert_eq!((code, &*stdout), (Some(0), "Hi\n"));
    assert!(stderr.contains("stream: the result is returned in one piece"), "{stderr}");
    let (_, _, stderr) = run(script(), &request, &["--stream"]).await;
    assert!(!stderr.contains("in one piece"), "{stderr}");
}

#[tokio::test]
async fn the_time_limit_applies_while_the_output_is_not_read() {
    let folder = Folder::new();
    // More than a pipe holds, in one event.
    let message = json!({"role": "assistant", "content": "x".repeat(400_000)});
    let body = json!({"choices": [{"message": message, "finish_reason": "stop"}]});
    let script = json!([{"then": {"json": body}}]);
    let script = folder.file("script.json", script.to_string());
    let file = folder.file("request.json", request().to_string());
    for arguments in [&["--stream"][..], &["--stream", "--json"]] {
        let invoke = ["invoke", &file, "--simulate", "--script", &script, "--timeout", "2"];
        let mut command = folder.command(&[&invoke, arguments].concat());
        let mut child = command.stdin(std::process::Stdio::null()).spawn().unwrap();
        let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let status = tokio::time::timeout(crate::harness::TIMEOUT, child.wait()).await;
        let status = status.expect("the program should exit in time").unwrap();
        let mut text = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut stderr, &mut text).await.unwrap();
        assert!(text.contains("standard output was not read in time"), "{text}");
        assert!(text.contains("the time limit is 2 s (--timeout)"), "{text}");
        assert_eq!(status.code(), Some(5), "{text}");
        drop(stdout);
    }
}

#[tokio::test]
async fn a_slow_reader_receives_everything() {
    let folder = Folder::new();
    let stream = json!({"pieceBytes": 50_000});
    let script = json!([{"then": {"text": "x".repeat(300_000)}, "stream": stream}]);
    let script = folder.file("script.json", script.to_string());
    let file = folder.file("request.json", request().to_string());
    let invoke = ["invoke", &file, "--simulate", "--script", &script, "--stream"];
    let mut child = folder.command(&invoke).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let mut text = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stdout, &mut text).await.unwrap();
    assert_eq!(text.trim_end().len(), 300_000);
    assert!(child.wait().await.unwrap().success());
}
