//! The house rules that neither Cargo nor clippy holds: lengths, module docs, who may know whom,
//! and that every row of a table has its cases and its line in the documentation.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};

use llm_exe::ErrorKind;
use llm_exe::parsers::PARSERS;
use llm_exe::providers::PROVIDERS;
use syn::spanned::Spanned;
use syn::visit::Visit;

const MOST_LINES: usize = 500;
const USUAL_LINES: usize = 350;
const MOST_FUNCTION_LINES: usize = 70;
const MOST_COLUMNS: usize = 100;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !matches!(name, "target" | "node_modules" | ".tools" | ".git") {
            files.extend(rust_files(&path));
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

fn is_source(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "src")
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = Vec::new();
    let mut lengths = Vec::new();
    for path in rust_files(&root()) {
        let text = std::fs::read_to_string(&path).unwrap();
        if !text.starts_with("//! ") {
            wrong.push(format!("{}: no module doc", shown(&path)));
        }
        for (index, line) in text.lines().enumerate() {
            if line.chars().count() > MOST_COLUMNS && !line.contains("http") {
                wrong.push(format!("{}:{}: over 100 columns", shown(&path), index + 1));
            }
        }
        if is_source(&path) {
            let count = text.split("#[cfg(test)]").next().unwrap().lines().count();
            if count > MOST_LINES {
                wrong.push(format!("{}: {count} lines", shown(&path)));
            }
            lengths.push(count);
        }
    }
    let long = lengths.iter().filter(|count| **count > USUAL_LINES).count();
    assert!(long * 10 <= lengths.len(), "{long} of {} files over 350 lines", lengths.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

struct Functions(Vec<(String, usize)>);

impl Functions {
    fn note(&mut self, name: &syn::Ident, item: &impl Spanned) {
        let span = item.span();
        self.0.push((name.to_string(), span.end().line - span.start().line + 1));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.note(&item.sig.ident, item);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.note(&item.sig.ident, item);
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.ident != "tests" {
            syn::visit::visit_item_mod(self, item);
        }
    }
}

#[test]
fn functions_are_short() {
    let mut wrong = Vec::new();
    for path in rust_files(&root()).iter().filter(|path| is_source(path)) {
        let file = syn::parse_file(&std::fs::read_to_string(path).unwrap()).unwrap();
        let mut functions = Functions(Vec::new());
        functions.visit_file(&file);
        for (name, lines) in functions.0.iter().filter(|(_, lines)| *lines > MOST_FUNCTION_LINES) {
            wrong.push(format!("{}: fn {name} has {lines} lines", shown(path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rooms of the core from the bottom up; a room may know rooms of lower floors only.
const FLOORS: &[&[&str]] = &[
    &["error", "chat", "wire", "schema", "request", "ports", "json", "deadline", "scrub", "tls"],
    &["hosted", "prompt", "providers", "parsers", "transport", "web_config"],
    &["endpoints"],
    &["results"],
    &["plan"],
    &["run"],
];

#[test]
fn rooms_know_only_the_floors_below() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for path in rust_files(&source) {
        let inner = path.strip_prefix(&source).unwrap();
        let first = inner.components().next().unwrap().as_os_str().to_str().unwrap();
        let room = first.trim_end_matches(".rs");
        if room == "lib" {
            continue;
        }
        let floor = FLOORS.iter().position(|rooms| rooms.contains(&room));
        let Some(floor) = floor else {
            wrong.push(format!("{room}: stands on no floor; add it to FLOORS"));
            continue;
        };
        let text = std::fs::read_to_string(&path).unwrap();
        for (other_floor, rooms) in FLOORS.iter().enumerate() {
            for other in rooms.iter().filter(|other| **other != room) {
                let knows = text.contains(&format!("crate::{other}::"))
                    || text.contains(&format!("crate::{other};"));
                // The ground floor's rooms may know each other; the ones above may not.
                let allowed = other_floor < floor || (other_floor == 0 && floor == 0);
                if knows && !allowed {
                    wrong.push(format!("{}: knows {other}", shown(&path)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What must not be said where, and why.
const NOT_SAID: &[(&str, &[&str], &str)] = &[
    (
        "crates/llm-exe/src",
        &["std::env", "std::fs", "std::process"],
        "the core has no surroundings",
    ),
    ("crates/llm-exe/src/providers", &["hyper", "tokio", "async fn"], "dialects do no I/O"),
    ("crates/llm-exe/src/parsers", &["hyper", "tokio", "async fn"], "parsers do no I/O"),
    ("crates/llm-exe/src/prompt", &["hyper", "tokio", "async fn"], "templates do no I/O"),
    ("crates/llm-exe/src/run", &["hyper"], "only transport speaks HTTP"),
    ("crates/llm-exe-events/src", &["std::env", "std::fs", "tokio", "async fn"], "events are pure"),
    ("crates/llm-exe-aws/src", &["std::env", "std::fs"], "binaries look outside"),
    ("crates/llm-exe-function/src", &["std::env", "std::fs", "hyper"], "binaries look outside"),
    ("crates/llm-exe-simulator/src", &["llm_exe::", "llm_exe_events"], "it knows none of ours"),
];

#[test]
fn nobody_reaches_where_they_must_not() {
    let mut wrong = Vec::new();
    for (folder, words, why) in NOT_SAID {
        for path in rust_files(&root().join(folder)) {
            let text = std::fs::read_to_string(&path).unwrap();
            let code: Vec<&str> =
                text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            for word in words.iter().filter(|word| code.iter().any(|line| line.contains(**word))) {
                wrong.push(format!("{}: says {word}: {why}", shown(&path)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The rooms of the core that speak HTTP: each kind of request has one place that bounds it.
const SPEAK_HTTP: &[&str] = &["transport", "web_config"];

#[test]
fn only_two_rooms_speak_http() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in rust_files(&source) {
        let may = SPEAK_HTTP.iter().any(|room| path.starts_with(source.join(room)));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(may || !text.contains("hyper"), "{}: speaks HTTP", shown(&path));
    }
}

/// Which of our crates a crate may depend on, tests aside.
const CRATES: &[(&str, &[&str])] = &[
    ("llm-exe", &[]),
    ("llm-exe-aws", &["llm-exe"]),
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
fn crates_know_only_whom_they_may() {
    let mut found = 0;
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
        found += 1;
    }
    assert_eq!(found, CRATES.len());
}

fn doc(name: &str) -> String {
    let path = root().join("docs").join(name);
    std::fs::read_to_string(&path).expect(name)
}

/// The rows of a Markdown table whose first cell is code: that cell's text and the whole row.
fn rows(text: &str) -> Vec<(String, String)> {
    let rows = text.lines().filter_map(|line| {
        let (first, _) = line.strip_prefix("| `")?.split_once('`')?;
        Some((first.to_owned(), line.to_owned()))
    });
    rows.collect()
}

#[test]
fn every_provider_has_cases_and_a_line_in_the_docs() {
    let table = rows(&doc("providers.md"));
    for row in PROVIDERS {
        // Not every system takes a colon in a file's name.
        let folder = Path::new("tests/cases/wire").join(row.name.replace(':', "-"));
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        assert!(cases.read_dir().is_ok_and(|mut files| files.next().is_some()), "{}", row.name);
        let line = table.iter().find(|(name, _)| name == row.name).expect(row.name);
        for told in [row.base_url_setting, row.base_url, row.dialect.name()] {
            assert!(line.1.contains(told), "docs/providers.md: {}: {told}", row.name);
        }
        for variable in row.key().into_iter().flat_map(|key| key.environment) {
            assert!(line.1.contains(&variable), "docs/providers.md: {}: {variable}", row.name);
        }
    }
}

#[test]
fn every_parser_has_cases_and_a_line_in_the_docs() {
    let table = rows(&doc("outputs.md"));
    for row in PARSERS {
        let line = table.iter().find(|(name, _)| name == row.name).expect(row.name);
        for told in row.also.iter().chain(row.options) {
            assert!(line.1.contains(&format!("`{told}`")), "docs/outputs.md: {}: {told}", row.name);
        }
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/parsers");
        for name in [format!("{}.json", row.name), format!("corpus/{}.in.json", row.name)] {
            assert!(cases.join(&name).exists(), "tests/cases/parsers/{name}");
        }
        let printed = llm_exe::request_schema()["properties"]["output"]["description"].to_string();
        for told in row.also.iter().chain([&row.name]) {
            assert!(printed.contains(&format!("`{told}`")), "the request's schema: {told}");
        }
    }
}

#[test]
fn the_documented_errors_are_the_ones_there_are() {
    let table = rows(&doc("errors.md"));
    let documented: Vec<&str> = table.iter().map(|(name, _)| name.as_str()).collect();
    let known: Vec<&str> = ErrorKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(documented, known);
    for (kind, (_, line)) in ErrorKind::ALL.iter().zip(&table) {
        let retry = if kind.retryable() { "yes" } else { "no" };
        let expected = format!("| {} | {retry} | {} |", kind.http_status(), kind.exit_code());
        assert!(line.contains(&expected), "docs/errors.md: {kind}: expected {expected}");
    }
}
