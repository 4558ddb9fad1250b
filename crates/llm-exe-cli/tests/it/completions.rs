//! Completes command lines in the shells that are installed.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::harness::{Folder, wait};

/// Runs a script in a shell that finds the program by its name, and returns the words that it
/// prints.
async fn run(folder: &Folder, shell: &str, arguments: &[&str]) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_llm-exe")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", program.display());
    let child = Command::new(shell)
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder.path())
        .env("TERM", "dumb")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let output = wait(child).await;
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout
}

#[expect(clippy::print_stderr, reason = "the output names the shells that are not tested")]
fn is_installed(shell: &str) -> bool {
    let is_installed = ["/bin", "/usr/bin", "/usr/local/bin"]
        .iter()
        .any(|folder| Path::new(folder).join(shell).exists());
    if !is_installed {
        eprintln!("{shell} is not installed, so its completions are not tested");
    }
    is_installed
}

/// The words of a command line, of which the last is to be completed, with some of the words that
/// must be offered and some that must not.
const CASES: &[(&[&str], &[&str], &[&str])] = &[
    (&["llm-exe", ""], &["invoke", "validate", "completions"], &["--simulate"]),
    (&["llm-exe", "inv"], &["invoke"], &["validate"]),
    (&["llm-exe", "invoke", "--"], &["--simulate", "--data-file", "--script"], &["--auth"]),
    (&["llm-exe", "serve", "--"], &["--auth", "--port"], &["--full"]),
    (&["llm-exe", "serve", "--auth", ""], &["AWS_IAM", "API_KEY", "NONE"], &[]),
    (&["llm-exe", "completions", "b"], &["bash"], &["zsh"]),
    (&["llm-exe", "invoke", "-o", ""], &["json", "listToArray"], &["file.json", "--simulate"]),
    (&["llm-exe", "render", "--output", "m"], &["markdownCodeBlock"], &["json", "file.json"]),
    (&["llm-exe", "render", "-m", ""], &[], &["file.json", "--simulate"]),
    (&["llm-exe", "invoke", "--data-file", ""], &["file.json"], &["json"]),
];

/// Creates a folder with a file that may be completed.
fn folder_with_file() -> Folder {
    let folder = Folder::new();
    folder.file("file.json", "{}");
    folder
}

/// The words that bash completes to files by default must be paths.
#[tokio::test]
async fn bash_offers_files_only_for_paths() {
    let folder = folder_with_file();
    for (command, option, expected) in [
        ("invoke", "--model", false),
        ("invoke", "--set", false),
        ("invoke", "--data", false),
        ("invoke", "--timeout", false),
        ("invoke", "--script", true),
        ("render", "-o", false),
        ("render", "--data-file", true),
        ("validate", "--exclude", false),
        ("serve", "--port", false),
        ("serve", "--host", false),
        ("serve", "--script", true),
    ] {
        let script = format!(
            "source <(llm-exe completions bash); COMP_WORDS=(llm-exe {command} {option} file); \
             COMP_CWORD=3; compopt() {{ :; }}; _llm__exe llm-exe file {option}; \
             echo \"${{COMPREPLY[@]}}\""
        );
        let offered = run(&folder, "bash", &["--norc", "-c", &script]).await;
        assert_eq!(offered.contains("file.json"), expected, "{command} {option}: {offered}");
    }
}

fn check(shell: &str, line: &[&str], offered: &str, expected: &[&str], unexpected: &[&str]) {
    let words: Vec<&str> = offered.split_whitespace().collect();
    for word in expected {
        assert!(words.contains(word), "{shell} {line:?}: {word} is not in {offered}");
    }
    for word in unexpected {
        assert!(!words.contains(word), "{shell} {line:?}: {word} is in {offered}");
    }
}

#[tokio::test]
async fn bash_completes_commands_options_and_values() {
    let folder = folder_with_file();
    for (line, expected, unexpected) in CASES {
        let words = line.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let script = format!(
            "source <(llm-exe completions bash); COMP_WORDS=({words}); COMP_CWORD={}; \
             compopt() {{ :; }}; _llm__exe llm-exe '{}' '{}'; echo \"${{COMPREPLY[@]}}\"",
            line.len() - 1,
            line[line.len() - 1],
            line[line.len() - 2],
        );
        let offered = run(&folder, "bash", &["--norc", "-c", &script]).await;
        check("bash", line, &offered, expected, unexpected);
    }
}

#[tokio::test]
async fn fish_completes_commands_options_and_values() {
    if !is_installed("fish") {
        return;
    }
    let folder = folder_with_file();
    for (line, expected, unexpected) in CASES {
        let line_text = line.join(" ");
        let script = format!("llm-exe completions fish | source; complete -C '{line_text}'");
        let offered = run(&folder, "fish", &["--no-config", "-c", &script]).await;
        // Each line is a word and its description.
        let words = offered.lines().filter_map(|line| line.split('\t').next());
        let words = words.collect::<Vec<_>>().join(" ");
        check("fish", line, &words, expected, unexpected);
    }
}

#[tokio::test]
async fn zsh_completes_commands_options_and_values() {
    if !is_installed("zsh") {
        return;
    }
    let folder = folder_with_file();
    // zsh completes only on a terminal, which its module zpty provides. `list-choices` prints the
    // words. The terminal may still print the commands, so they do not contain the marker.
    let script = r#"
        zmodload zsh/zpty || exit 3
        zpty shell zsh -f -i
        zpty -w shell "PS1=; stty -echo; autoload -Uz compinit; compinit -u"
        zpty -w shell "zstyle ':completion:*' list-prompt ''; zstyle ':completion:*' menu no"
        zpty -w shell "LISTMAX=10000; setopt no_list_beep; bindkey '^I' list-choices"
        zpty -w shell "llm-exe completions zsh > _llm-exe; source ./_llm-exe"
        zpty -w shell 'print STAR""TED'
        zpty -r -m shell skipped '*STARTED*'
        zpty -w -n shell "$LINE"$'\t'
        sleep 0.5
        while zpty -r -t shell part; do print -rn -- "$part"; done
        zpty -d shell
    "#;
    for (line, expected, unexpected) in CASES {
        let script = format!("LINE='{}'\n{script}", line.join(" "));
        let mut offered = String::new();
        // The shell needs time to list the words, which are read after a wait.
        for _ in 0..5 {
            offered = run(&folder, "zsh", &["-f", "-c", &script]).await;
            if expected.iter().all(|word| offered.contains(word)) {
                break;
            }
        }
        check("zsh", line, &offered, expected, unexpected);
    }
}
