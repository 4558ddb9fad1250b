//! Readers that go away: `llm-exe … | head -c1`.

use std::process::Stdio;

use crate::harness::{Folder, is_discreet, request};

/// Runs a command whose streams nobody reads: the ends of the pipes are closed at once.
async fn unread(folder: &Folder, arguments: &[&str], which: &str) -> String {
    let mut command = folder.command(arguments);
    let mut child = command.stdin(Stdio::null()).spawn().unwrap();
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let told = match which {
        "stdout" => {
            drop(stdout);
            all_of(stderr).await
        }
        _ => {
            drop(stderr);
            all_of(stdout).await
        }
    };
    let status = tokio::time::timeout(crate::harness::PATIENCE, child.wait()).await;
    let status = status.expect("it ends").unwrap();
    // 101 is a panic's.
    assert_ne!(status.code(), Some(101), "{arguments:?} without {which}: {told}");
    is_discreet(&told);
    told
}

async fn all_of(mut pipe: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut text = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut pipe, &mut text).await.unwrap();
    text
}

#[tokio::test]
async fn nothing_panics_when_the_reader_is_gone() {
    let folder = Folder::new();
    let file = folder.file("request.json", request().to_string());
    let bad = folder.file("bad.json", r#"{"messages":1}"#);
    let commands: [&[&str]; 11] = [
        &["schema"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
        &["nonsense"],
        &["invoke", "--simulate", &file],
        &["invoke", "--simulate", "--event", &file],
        &["invoke", "--simulate", &bad],
        &["render", &file],
        &["validate", &file, &bad],
        &["validate", "--json", &file, &bad],
    ];
    for arguments in commands {
        unread(&folder, arguments, "stdout").await;
        unread(&folder, arguments, "stderr").await;
    }
}

/// A reader that is gone wants no more; a disk that is full has lost the answer.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn an_answer_that_can_not_be_written_is_no_success() {
    let folder = Folder::new();
    let file = folder.file("request.json", request().to_string());
    let commands: [&[&str]; 4] =
        [&["schema"], &["invoke", "--simulate", &file], &["render", &file], &["validate", &file]];
    for arguments in commands {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = folder.command(arguments).stdout(full).spawn().unwrap().wait_with_output();
        let output = tokio::time::timeout(crate::harness::PATIENCE, output).await;
        let output = output.expect("it ends").unwrap();
        is_discreet(&String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
    }
}
