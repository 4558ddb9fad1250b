//! What each parser makes of a reply: `cases/parsers/<name>.json`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use llm_exe::parsers::PARSERS;
use llm_exe::schema::Schema;
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Case {
    name: String,
    schema: Option<Map<String, Value>>,
    reply: String,
    result: Option<Value>,
    fault: Option<String>,
}

#[test]
fn every_parser_reads_its_cases_and_nothing_else() {
    let mut wrong = Vec::new();
    for row in PARSERS {
        let path = format!("{}/tests/cases/parsers/{}.json", env!("CARGO_MANIFEST_DIR"), row.name);
        let text = std::fs::read_to_string(&path).expect(&path);
        let cases: Vec<Case> = serde_json::from_str(&text).expect(&path);
        assert!(!cases.is_empty(), "{path}");
        for case in cases {
            let schema = case.schema.map(|schema| Schema::compile(schema).unwrap());
            let told = match row.parse(&case.reply, schema.as_ref()) {
                // As text, so that the order of keys counts.
                Ok(value)
                    if case.result.as_ref().map(Value::to_string) == Some(value.to_string()) =>
                {
                    continue;
                }
                Err(fault) if case.fault.as_ref().is_some_and(|text| fault.0.contains(text)) => {
                    continue;
                }
                Ok(value) => value.to_string(),
                Err(fault) => fault.0,
            };
            wrong.push(format!("{}: {}: {told}", row.name, case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
