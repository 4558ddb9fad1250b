//! Runs the JSON Schema Test Suite. The script `scripts/oracles/schema_suite.py` writes its files,
//! and `differences.json` lists the tests whose result is meant to differ.

use std::collections::BTreeSet;

use llm_exe::schema::Schema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::{cases, read_cases};

/// The drafts, each with its `$schema`.
const DRAFTS: &[(&str, &str)] = &[
    ("draft2020-12", "https://json-schema.org/draft/2020-12/schema"),
    ("draft2019-09", "https://json-schema.org/draft/2019-09/schema"),
    ("draft7", "http://json-schema.org/draft-07/schema#"),
    ("draft6", "http://json-schema.org/draft-06/schema#"),
    ("draft4", "http://json-schema.org/draft-04/schema#"),
];

#[derive(Deserialize)]
struct Line {
    file: String,
    group: Group,
}

#[derive(Deserialize)]
struct Group {
    description: String,
    schema: Value,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    description: String,
    data: Value,
    valid: bool,
}

/// Tests whose result is meant to differ. Without `group` or `test`, it applies to all of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    drafts: Vec<String>,
    file: String,
    group: Option<String>,
    test: Option<String>,
    reason: String,
}

impl Difference {
    fn applies(&self, draft: &str, line: &Line, test: &Test) -> bool {
        let is =
            |name: &Option<String>, other: &str| name.as_ref().is_none_or(|name| name == other);
        self.drafts.iter().any(|name| name == draft)
            && self.file == line.file
            && is(&self.group, &line.group.description)
            && is(&self.test, &test.description)
    }
}

/// Compiles the schema of a group as the given draft.
fn compile(schema: &Value, uri: &str) -> Result<Schema, String> {
    let mut schema = match schema {
        Value::Object(schema) => schema.clone(),
        // The root of a schema of a request is always an object.
        other => json!({ "allOf": [other] }).as_object().unwrap().clone(),
    };
    if !schema.contains_key("$schema") {
        schema.insert("$schema".to_owned(), json!(uri));
    }
    Schema::compile(schema).map_err(|error| error.to_string())
}

/// Returns how the result of a test differs from the expected one.
fn difference(schema: &Result<Schema, String>, test: &Test) -> Option<String> {
    let schema = match schema {
        Ok(schema) => schema,
        Err(error) => return Some(format!("can't be compiled: {error}")),
    };
    let valid = schema.is_valid(&test.data);
    assert_eq!(schema.validate(&test.data).is_ok(), valid, "{schema:?} {}", test.data);
    (valid != test.valid).then(|| format!("expected {}, got {valid}", test.valid))
}

/// Reads the groups of a draft. Groups with numbers that can't be stored are skipped.
fn read_groups(draft: &str) -> Vec<Line> {
    let path = cases().join(format!("schemas/suite/{draft}.jsonl"));
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| llm_exe::json::parse(line.as_bytes()));
    let is_stored = |line: &Result<Value, _>| line.is_ok() || cfg!(feature = "exact-numbers");
    let lines: Vec<Line> = lines
        .filter(is_stored)
        .map(|line| serde_json::from_value(line.unwrap()).unwrap())
        .collect();
    assert!(lines.len() > 150, "{draft}: {}", lines.len());
    lines
}

#[test]
fn results_are_those_of_the_test_suite() {
    let accepted: Vec<Difference> = read_cases("schemas/suite/differences.json");
    let mut unused: BTreeSet<(usize, &str)> = (accepted.iter().enumerate())
        .flat_map(|(index, entry)| entry.drafts.iter().map(move |draft| (index, draft.as_str())))
        .collect();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (draft, uri) in DRAFTS {
        for line in read_groups(draft) {
            let schema = compile(&line.group.schema, uri);
            for test in &line.group.tests {
                count += 1;
                let Some(difference) = difference(&schema, test) else { continue };
                let entry = accepted.iter().position(|entry| entry.applies(draft, &line, test));
                match entry {
                    Some(index) => drop(unused.remove(&(index, *draft))),
                    None => wrong.push(format!(
                        "{draft} {}: {}: {}: {difference}",
                        line.file, line.group.description, test.description
                    )),
                }
            }
        }
    }
    assert!(count > 5_000, "{count}");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
    if cfg!(feature = "exact-numbers") {
        let unused: Vec<(&str, &Difference)> =
            unused.iter().map(|(index, draft)| (*draft, &accepted[*index])).collect();
        assert!(unused.is_empty(), "entries that no longer differ: {unused:#?}");
    }
    assert!(accepted.iter().all(|entry| !entry.reason.is_empty()));
}
