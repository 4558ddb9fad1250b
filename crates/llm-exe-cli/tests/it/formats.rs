//! Tests prompts from YAML files, Markdown files, folders and URLs.

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
