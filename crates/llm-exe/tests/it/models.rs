//! Checks that each row of the models' capability tables has a wire case and is listed in
//! docs/models.md.
//!
//! `scripts/update` rewrites the tables in docs/models.md.

use std::collections::{BTreeMap, BTreeSet};

use llm_exe::providers::{MODEL_CATALOG, PROVIDERS, Providers, capabilities, capability_of};
use serde_json::{Value, json};

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

/// Replaces the table below a header at the end of a page, or of a part of a page.
fn with_table(page: &str, header: &str, rows: &str) -> String {
    let (before, table) = page.split_once(header).expect("the header of the table");
    let after = table.split_once("\n\n").map_or("", |(_, after)| after);
    let columns = header.matches('|').count() - 1;
    let after = if after.is_empty() { String::new() } else { format!("\n{after}") };
    format!("{before}{header}|{}\n{rows}{after}", "---|".repeat(columns))
}

#[test]
fn tables_of_models_are_up_to_date() {
    const CAPABILITIES: &str =
        "| provider | models | effort | max tokens | structured output | not supported |\n";
    const PRICES: &str =
        "| provider | model | context | input | cached input | cache write | output |\n";
    let path = root().join("docs/models.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let mut rows = String::new();
    for row in capabilities() {
        let models = row.models.replace(' ', "`, `");
        let max_output = row.max_output.map_or(String::new(), |maximum| maximum.to_string());
        rows.push_str(&format!(
            "| {} | `{models}` | {} | {max_output} | {} | {} |\n",
            row.provider, row.effort, row.structured, row.unsupported
        ));
    }
    let expected = with_table(&page, CAPABILITIES, &rows);
    let expected =
        with_table(&expected, PRICES, &price_rows()).replace("|  |", "| |").replace("|  |", "| |");
    if update() {
        std::fs::write(&path, &expected).unwrap();
    } else {
        assert!(page == expected, "docs/models.md is out of date; run scripts/update");
    }
}

/// Returns the rows of the table of prices. A dated name with the price of the name without the
/// date has no row.
fn price_rows() -> String {
    let catalog: Value = serde_json::from_str(MODEL_CATALOG).unwrap();
    let models = catalog["models"].as_array().unwrap();
    let key = |model: &Value| (model["provider"].to_string(), model["model"].to_string());
    let prices: BTreeMap<_, _> = models.iter().map(|it| (key(it), &it["prices"])).collect();
    let mut rows = String::new();
    for model in models.iter().filter(|model| !model["prices"].is_null()) {
        let name = model["model"].as_str().unwrap();
        let bases = name.match_indices("-20").map(|(at, _)| &name[..at]);
        let is_dated = |base: &str| {
            let key = (model["provider"].to_string(), json!(base).to_string());
            prices.get(&key) == Some(&&model["prices"])
        };
        if bases.into_iter().any(is_dated) {
            continue;
        }
        let number = |field: &str| model[field].as_u64().map_or(String::new(), |it| it.to_string());
        for price in model["prices"].as_array().unwrap() {
            let part = |field: &str| price[field].as_str().unwrap_or_default().to_owned();
            let above = price["above"].as_array().into_iter().flatten();
            let above: Vec<String> = above
                .map(|tier| {
                    let input = tier["input"].as_str().unwrap_or_default();
                    format!(" ({input} above {})", tier["tokens"])
                })
                .collect();
            let from = price["from"].as_str().map_or(String::new(), |date| format!(" from {date}"));
            rows.push_str(&format!(
                "| {} | `{name}`{from} | {} | {}{} | {} | {} | {} |\n",
                model["provider"].as_str().unwrap(),
                number("context"),
                part("input"),
                above.concat(),
                part("cachedInput"),
                part("cacheWrite"),
                part("output"),
            ));
        }
    }
    rows
}
