//! Checks that every parser has test cases, and that every parser and error kind is documented.

use std::path::Path;

use llm_exe::ErrorKind;
use llm_exe::parsers::PARSERS;

use crate::files::root;

fn doc(name: &str) -> String {
    let path = root().join("docs").join(name);
    std::fs::read_to_string(&path).expect(name)
}

/// Returns the Markdown table rows that begin with inline code, each with the text of that code.
fn rows(text: &str) -> Vec<(String, String)> {
    let rows = text.lines().filter_map(|line| {
        let (first, _) = line.strip_prefix("| `")?.split_once('`')?;
        Some((first.to_owned(), line.to_owned()))
    });
    rows.collect()
}

#[test]
fn every_parser_has_cases_and_a_line_in_the_docs() {
    let table = rows(&doc("outputs.md"));
    for row in PARSERS {
        let line = table.iter().find(|(name, _)| name == row.name).expect(row.name);
        for word in row.aliases.iter().chain(row.options) {
            assert!(line.1.contains(&format!("`{word}`")), "docs/outputs.md: {}: {word}", row.name);
        }
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/parsers");
        let name = format!("{}.json", row.name);
        assert!(cases.join(&name).exists(), "tests/cases/parsers/{name}");
        let printed = llm_exe::request_schema()["properties"]["output"]["description"].to_string();
        for word in row.aliases.iter().chain([&row.name]) {
            assert!(printed.contains(&format!("`{word}`")), "the request's schema: {word}");
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
