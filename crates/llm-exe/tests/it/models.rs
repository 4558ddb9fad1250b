//! Checks that each row of the models' capability tables has a wire case and is listed in
//! docs/models.md.
//!
//! `scripts/update` rewrites the table in docs/models.md.

use std::collections::BTreeSet;

use llm_exe::providers::{PROVIDERS, Providers, capabilities, capability_of};

use crate::common::{root, update, wire_cases};

/// Returns the provider and patterns of each capability row that matches a model in the wire cases.
fn rows_with_a_case() -> BTreeSet<(&'static str, &'static str)> {
    let mut rows = BTreeSet::new();
    for row in PROVIDERS {
        for case in wire_cases(row.name).values() {
            let value = case["request"]["provider"].as_str().unwrap_or(row.name);
            let (provider, named_model) = Providers::default().named(value).unwrap();
            let model = case["request"]["model"].as_str().or(named_model);
            rows.extend(model.and_then(|model| capability_of(provider.name(), model)));
        }
    }
    rows
}

#[test]
fn every_row_has_a_wire_case() {
    let with_a_case = rows_with_a_case();
    let rows = capabilities();
    assert!(rows.len() > 60, "{}", rows.len());
    let missing: Vec<String> = rows
        .iter()
        .filter(|row| !with_a_case.contains(&(row.provider, row.models)))
        .map(|row| format!("{} {}", row.provider, row.models))
        .collect();
    assert!(missing.is_empty(), "no wire case for:\n{}", missing.join("\n"));
}

#[test]
fn every_pattern_is_reachable() {
    for row in capabilities() {
        for pattern in row.models.split(' ') {
            let name = pattern.trim_end_matches('*');
            let name = if name.is_empty() { "unknown-model" } else { name };
            // An earlier row may match the pattern's own name, so the test also tries longer names.
            let reachable = [name.to_owned(), format!("{name}x"), format!("{name}1")]
                .iter()
                .any(|name| capability_of(row.provider, name) == Some((row.provider, row.models)));
            let provider = row.provider;
            assert!(reachable, "{provider} {pattern}: earlier rows match all its models");
        }
    }
}

#[test]
fn table_of_models_is_up_to_date() {
    const HEADER: &str =
        "| provider | models | effort | max tokens | structured output | not supported |\n";
    let path = root().join("docs/models.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, _) = page.split_once(HEADER).expect("the header of the table");
    let mut expected = format!("{before}{HEADER}|---|---|---|---|---|---|\n");
    for row in capabilities() {
        let models = row.models.replace(' ', "`, `");
        let max_output = row.max_output.map_or(String::new(), |maximum| maximum.to_string());
        expected.push_str(&format!(
            "| {} | `{models}` | {} | {max_output} | {} | {} |\n",
            row.provider, row.effort, row.structured, row.unsupported
        ));
    }
    let expected = expected.replace("|  |", "| |");
    if update() {
        std::fs::write(&path, &expected).unwrap();
    } else {
        assert!(page == expected, "docs/models.md is out of date; run scripts/update");
    }
}
