//! Tests that the program handles a full disk and closed output pipes, as in `llm-exe … | head
//! -c1`.

use std::process::Stdio;

use crate::harness::{Folder, assert_no_secrets, request};

/// Runs the program with one of its output pipes closed and returns what it wrote to the other
/// pipe.
async fn run_with_closed_pipe(folder: &Folder, arguments: &[&str], closed: &str) -> String {
    let mut command = folder.command(arguments);
    let mut child = command.stdin(Stdio::null()).spawn().unwrap();
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let text = match closed {
        "stdout" => {
            drop(stdout);
            read_all(stderr).await
        }
        _ => {
            drop(stderr);
            read_all(stdout).await
        }
    };
    let status = tokio::time::timeout(crate::harness::TIMEOUT, child.wait()).await;
    let status = status.expect("the program should exit in time").unwrap();
    // A panic would end the program with exit code 101.
    assert_ne!(status.code(), Some(101), "{arguments:?} without {closed}: {text}");
    assert_no_secrets(&text);
    text
}

async fn read_all(mut pipe: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut text = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut pipe, &mut text).await.unwrap();
    text
}

#[tokio::test]
async fn closed_pipe_does_not_panic() {
    let folder = Folder::new();
    let file = folder.file("request.json", request().to_string());
    let bad = folder.file("bad.json", r#"{"messages":1}"#);
    let commands: [&[&str]; 12] = [
        &["schema"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
        &["nonsense"],
        &["invoke", "--simulate", &file],
        &["invoke", "--simulate", "--stream", &file],
        &["invoke", "--simulate", "--event", &file],
        &["invoke", "--simulate", &bad],
        &["render", &file],
        &["validate", &file, &bad],
        &["validate", "--json", &file, &bad],
    ];
    for arguments in commands {
        run_with_closed_pipe(&folder, arguments, "stdout").await;
        run_with_closed_pipe(&folder, arguments, "stderr").await;
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn full_disk_is_an_error() {
    let folder = Folder::new();
    let file = folder.file("request.json", request().to_string());
    let commands: [&[&str]; 5] = [
        &["schema"],
        &["invoke", "--simulate", &file],
        &["invoke", "--simulate", "--stream", &file],
        &["render", &file],
        &["validate", &file],
    ];
    for arguments in commands {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = folder.command(arguments).stdout(full).spawn().unwrap().wait_with_output();
        let output = tokio::time::timeout(crate::harness::TIMEOUT, output).await;
        let output = output.expect("the program should exit in time").unwrap();
        assert_no_secrets(&String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
    }
}
