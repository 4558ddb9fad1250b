//! Checks that the requests in the documentation and in examples/ are valid, and that links between
//! documents lead to existing files.

use llm_exe::{Plan, Rules};
use serde_json::Value;

use crate::common::root;

pub(crate) fn json_blocks(text: &str) -> Vec<Value> {
    let blocks = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(|block| serde_json::from_str(block).expect(block)).collect()
}

#[test]
fn requests_in_the_docs_are_valid() {
    let mut count = 0;
    let mut files = vec![root().join("README.md")];
    files.extend(root().join("docs").read_dir().unwrap().map(|entry| entry.unwrap().path()));
    for path in files {
        for mut block in json_blocks(&std::fs::read_to_string(&path).unwrap()) {
            if block.get("message").or(block.get("steps")).is_some() {
                // The Lambda function removes `idempotencyKey` before it builds the plan.
                block.as_object_mut().unwrap().shift_remove("idempotencyKey");
                let plan = Plan::from_value(block, &Rules::default()).unwrap();
                assert_eq!(plan.warnings, Vec::<String>::new(), "{}", path.display());
                count += 1;
            }
        }
    }
    assert!(count >= 2, "only {count} requests");
}

#[test]
fn examples_are_valid_without_warnings() {
    let mut count = 0;
    for entry in root().join("examples").read_dir().unwrap() {
        let path = entry.unwrap().path();
        // Other tests check the subfolders.
        if path.is_dir() {
            continue;
        }
        let text = std::fs::read(&path).unwrap();
        let plan = Plan::from_value(serde_json::from_slice(&text).unwrap(), &Rules::default());
        assert_eq!(plan.unwrap().warnings, Vec::<String>::new(), "{}", path.display());
        count += 1;
    }
    assert!(count >= 5, "only {count} examples");
}

/// The base of links in documents that are shown outside of the repository.
const REPOSITORY: &str = "https://github.com/llm-exe/llm-exe-lambda/blob/main/";

/// docs/library.md is also the page of the crate, so its links must not be relative, and neither
/// must those in doc comments.
#[test]
fn links_in_the_documentation_of_the_crate_are_absolute() {
    let mut sources = vec![root().join("docs/library.md")];
    let mut folders = vec![root().join("crates/llm-exe/src")];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { sources.push(path) }
        }
    }
    let link = regex_lite::Regex::new(r"\]\(([^)#]+)[^)]*\)|\]: (\S+)").unwrap();
    let mut broken_links = Vec::new();
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        let is_doc = |line: &&str| !is_source || line.trim_start().starts_with("//");
        for found in text.lines().filter(is_doc).flat_map(|line| link.captures_iter(line)) {
            let target = found.get(1).or(found.get(2)).unwrap().as_str();
            let file = target.strip_prefix(REPOSITORY).map(|file| root().join(file));
            if target.contains(".md") && !file.is_some_and(|file| file.exists()) {
                broken_links.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken_links.is_empty(), "{}", broken_links.join("\n"));
}

#[test]
fn links_between_documents_have_a_target() {
    let mut broken_links = Vec::new();
    let mut files: Vec<_> = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .iter()
        .map(|name| root().join(name))
        .collect();
    files.extend(root().join("docs").read_dir().unwrap().map(|entry| entry.unwrap().path()));
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        for rest in text.split("](").skip(1) {
            let target = rest.split(')').next().unwrap().split('#').next().unwrap();
            let is_file = !target.is_empty() && !target.contains("://");
            if is_file && !path.parent().unwrap().join(target).exists() {
                broken_links.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken_links.is_empty(), "{}", broken_links.join("\n"));
}
