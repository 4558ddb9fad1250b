//! Checks that dependencies between files, modules and crates have no cycles and never point to a
//! higher layer.

use std::path::Path;

use crate::files::{root, rust_files, shown};
use crate::imports::{cycles, files_of};

#[test]
fn files_do_not_import_each_other_in_a_circle() {
    let mut wrong = Vec::new();
    let folders = root().join("crates").read_dir().unwrap();
    let mut sources: Vec<_> = folders.map(|entry| entry.unwrap().path().join("src")).collect();
    sources.push(root().join("benches/src"));
    for source in sources {
        let files = files_of(&source);
        assert!(!files.is_empty(), "{}", source.display());
        for group in cycles(&files) {
            wrong.push(format!("a cycle of {} files:", group.len()));
            for at in &group {
                for (to, names) in files[*at].uses.iter().filter(|(to, _)| group.contains(to)) {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    let (from, to) = (shown(&files[*at].path), shown(&files[*to].path));
                    wrong.push(format!("  {from} uses {} of {to}", names.join(", ")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The layers of the core's modules, from the bottom up. A module may depend only on lower layers,
/// except that modules in the lowest layer may depend on each other.
const LAYERS: &[&[&str]] = &[
    &[
        "error",
        "chat",
        "wire",
        "schema",
        "request",
        "ports",
        "function_name",
        "json",
        "deadline",
        "scrub",
        "glob",
        "gzip",
        "hex",
        "tls",
        "single_flight",
        "destination",
        "keys",
        "region",
        "word_list",
        "trace",
    ],
    &["hosted", "prompt", "providers", "parsers", "transport", "web_config"],
    &["endpoints"],
    &["plan"],
    &["run"],
    &["client"],
];

#[test]
fn modules_of_the_core_depend_on_lower_layers_only() {
    let layer_of = |name: &str| LAYERS.iter().position(|modules| modules.contains(&name));
    let files = files_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut wrong = Vec::new();
    for file in &files {
        let Some(module) = file.module.first() else { continue };
        let Some(layer) = layer_of(module) else {
            wrong.push(format!("{module}: not in a layer; add it to LAYERS"));
            continue;
        };
        for other in file.uses.keys().filter_map(|at| files[*at].module.first()) {
            let is_allowed = other == module
                || layer_of(other).is_some_and(|other| other < layer || other == 0 && layer == 0);
            if !is_allowed {
                wrong.push(format!("{} depends on {other}", shown(&file.path)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The workspace crates on which each crate may depend. Dev-dependencies are not checked.
const CRATES: &[(&str, &[&str])] = &[
    ("llm-exe", &[]),
    ("llm-exe-aws", &["llm-exe", "llm-exe-function"]),
    ("llm-exe-events", &["llm-exe"]),
    ("llm-exe-function", &["llm-exe", "llm-exe-events"]),
    ("llm-exe-lambda", &["llm-exe", "llm-exe-aws", "llm-exe-events", "llm-exe-function"]),
    (
        "llm-exe-cli",
        &["llm-exe", "llm-exe-aws", "llm-exe-events", "llm-exe-function", "llm-exe-simulator"],
    ),
    ("llm-exe-simulator", &[]),
    ("llm-exe-testkit", &["llm-exe-simulator"]),
];

#[test]
fn crates_depend_on_lower_layers_only() {
    let mut count = 0;
    for entry in root().join("crates").read_dir().unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let (_, allowed) = CRATES.iter().find(|(known, _)| *known == name).expect(&name);
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap();
        for line in dependencies.lines().filter(|line| line.starts_with("llm-exe")) {
            let other = line.split(['.', ' ', '=']).next().unwrap();
            assert!(allowed.contains(&other), "{name} depends on {other}");
        }
        count += 1;
    }
    assert_eq!(count, CRATES.len());
}

/// The only files of a library that read the environment. Users enable them with the feature `env`.
const ENVIRONMENT_FILES: &[&str] =
    &["crates/llm-exe/src/client/env.rs", "crates/llm-exe/src/keys/environment.rs"];

/// The packages whose programs keep all digits of numbers.
const EXACT_PACKAGES: &[&str] = &["benches", "crates/llm-exe-cli", "crates/llm-exe-lambda"];

/// Cargo unifies features when it builds the workspace, so the tests of a program do not fail if
/// the program itself does not enable the feature `exact-numbers`.
#[test]
fn only_programs_enable_exact_numbers() {
    let folders = root().join("crates").read_dir().unwrap();
    let mut folders: Vec<_> = folders.map(|entry| entry.unwrap().path()).collect();
    folders.push(root().join("benches"));
    for folder in folders {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let mut lines = manifest.lines();
        let enables =
            lines.any(|line| line.starts_with("llm-exe = ") && line.contains("\"exact-numbers\""));
        let is_program = EXACT_PACKAGES.contains(&shown(&folder).as_str());
        assert_eq!(enables, is_program, "{}", shown(&folder));
    }
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(!workspace.contains("arbitrary_precision"));
    assert!(!workspace.contains("arbitrary-precision"));
}

/// For each folder, the words that its code must not contain, and the reason.
const FORBIDDEN_WORDS: &[(&str, &[&str], &str)] = &[
    (
        "crates/llm-exe/src",
        &["std::env", "std::fs", "std::process"],
        "the core does not read its environment",
    ),
    ("crates/llm-exe/src/providers", &["hyper", "tokio", "async fn"], "dialects do no I/O"),
    ("crates/llm-exe/src/parsers", &["hyper", "tokio", "async fn"], "parsers do no I/O"),
    ("crates/llm-exe/src/prompt", &["hyper", "tokio", "async fn"], "templates do no I/O"),
    ("crates/llm-exe-events/src", &["std::env", "std::fs", "tokio", "async fn"], "events are pure"),
    ("crates/llm-exe-aws/src", &["std::env", "std::fs"], "only binaries read the environment"),
    (
        "crates/llm-exe-function/src",
        &["std::env", "std::fs", "hyper"],
        "only binaries read the environment, and only the core speaks HTTP",
    ),
    (
        "crates/llm-exe-simulator/src",
        &["llm_exe::", "llm_exe_events"],
        "the simulator shares no code with the client",
    ),
];

#[test]
fn folders_do_not_contain_forbidden_words() {
    let mut wrong = Vec::new();
    for (folder, words, why) in FORBIDDEN_WORDS {
        for path in rust_files(&root().join(folder)) {
            if ENVIRONMENT_FILES.iter().any(|file| path.ends_with(file)) {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code: Vec<&str> =
                text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            for word in words.iter().filter(|word| code.iter().any(|line| line.contains(**word))) {
                wrong.push(format!("{}: contains {word}: {why}", shown(&path)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The modules of the core that use HTTP: one for providers and AWS, and one for the URLs of hosted
/// configs.
const HTTP_MODULES: &[&str] = &["transport", "web_config"];

#[test]
fn only_two_modules_speak_http() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in rust_files(&source) {
        let is_allowed = HTTP_MODULES.iter().any(|name| path.starts_with(source.join(name)));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(is_allowed || !text.contains("hyper"), "{}: speaks HTTP", shown(&path));
    }
}
