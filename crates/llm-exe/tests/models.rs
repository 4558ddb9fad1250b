//! The capability tables: each row has a wire case, and docs/models.md says what they say.
//!
//! `UPDATE=1 cargo test -p llm-exe --test models` writes the page's table anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use llm_exe::providers::{PROVIDERS, Providers, capabilities, capability_of};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows that decide for the requests of the wire cases.
fn covered() -> BTreeSet<(&'static str, &'static str)> {
    let mut covered = BTreeSet::new();
    for row in PROVIDERS {
        let folder =
            root().join("crates/llm-exe/tests/cases/wire").join(row.name.replace(':', "-"));
        for entry in folder.read_dir().unwrap() {
            let case = std::fs::read(entry.unwrap().path()).unwrap();
            let case: Value = serde_json::from_slice(&case).unwrap();
            let written = case["request"]["provider"].as_str().unwrap_or(row.name);
            let (found, named) = Providers::default().named(written).unwrap();
            let model = case["request"]["model"].as_str().or(named);
            covered.extend(model.and_then(|model| capability_of(found.name, model)));
        }
    }
    covered
}

#[test]
fn every_row_has_a_wire_case() {
    let covered = covered();
    let rows = capabilities();
    assert!(rows.len() > 80, "{}", rows.len());
    let missing: Vec<String> = rows
        .iter()
        .filter(|row| !covered.contains(&(row.provider, row.pattern)))
        .map(|row| format!("{} {}", row.provider, row.pattern))
        .collect();
    assert!(missing.is_empty(), "no wire case for:\n{}", missing.join("\n"));
}

#[test]
fn every_row_can_be_reached() {
    let rows = capabilities();
    for row in &rows {
        let name = row.pattern.trim_end_matches('*');
        let name = if name.is_empty() { "a-name-of-tomorrow" } else { name };
        // The exact name, or a longer one where a row before has the exact one.
        let found = [name.to_owned(), format!("{name}x"), format!("{name}1")]
            .iter()
            .any(|name| capability_of(row.provider, name) == Some((row.provider, row.pattern)));
        assert!(found, "{} {} is behind rows that take all of it", row.provider, row.pattern);
    }
}

#[test]
fn the_page_says_what_the_tables_say() {
    let path = root().join("docs/models.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let head = "| provider | model | effort | structured output | does not take |\n";
    let (before, _) = page.split_once(head).expect("the table's head");
    let mut told = format!("{before}{head}|---|---|---|---|---|\n");
    for row in capabilities() {
        told.push_str(&format!(
            "| {} | `{}` | {} | {} | {} |\n",
            row.provider, row.pattern, row.effort, row.structured, row.unsupported
        ));
    }
    let told = told.replace("|  |", "| |");
    if option_env!("UPDATE").is_some() {
        std::fs::write(&path, &told).unwrap();
    } else {
        assert!(page == told, "docs/models.md is not what the tables say; see this test's head");
    }
}
