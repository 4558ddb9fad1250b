//! Prompts as YAML and Markdown files, and folders of them.

use crate::harness::Folder;

const PROMPT: &str =
    "---\nprovider: openai\nmodel: gpt-4o-mini\n---\nUser: Conversation of {{topic}}.\n";

#[tokio::test]
async fn a_prompt_runs_before_it_is_hosted() {
    let folder = Folder::new();
    let prompt = folder.file("talk.md", PROMPT);
    let yaml = "provider: openai\nmodel: gpt-4o-mini\nmessage: Conversation of {{topic}}.\n";
    let yaml = folder.file("talk.yaml", yaml);
    for file in [&prompt, &yaml] {
        let done = folder.run(&["invoke", "--simulate", file, "--data", "topic=sharks"]).await;
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(done.stdout.contains("Conversation of sharks."), "{done:?}");
    }
}

#[tokio::test]
async fn a_folder_is_validated_with_lines() {
    let folder = Folder::new();
    folder.file("talk.md", PROMPT);
    folder.file("README.md", "about this folder");
    folder.file("bad.md", format!("{PROMPT}\nAssistant:\nyes {{{{#if x}}}}\n"));
    let done = folder.run(&["validate", "."]).await;
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stdout.contains("talk.md: ok"), "{done:?}");
    assert!(done.stdout.contains("bad.md: message[1].content: line 1"), "{done:?}");
    assert!(done.stdout.contains("(line 8 of the file)"), "{done:?}");
    assert!(!done.stdout.contains("README"), "{done:?}");
}

#[tokio::test]
async fn a_hosted_place_is_asked_with_the_users_own_credentials_or_not_at_all() {
    let folder = Folder::new();
    for (url, kind, said) in [
        ("s3://prompts/a.md", "SecretNotFound", "AWS"),
        ("https://127.0.0.1/a.md", "ConfigForbidden", "loopback"),
        ("https://169.254.169.254/latest/meta-data", "ConfigForbidden", "link-local"),
        ("http://example.com/a.md", "InvalidRequest", "https"),
    ] {
        let done = folder.run(&["invoke", "--simulate", "--json", url]).await;
        assert!(matches!(done.code, Some(2 | 3)), "{done:?}");
        assert_eq!(done.failure()["type"], kind, "{done:?}");
        assert!(done.stderr.contains(said), "{done:?}");
    }
}
