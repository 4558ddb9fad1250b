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

/// Adds the defaults in a schema. Values that are not schemas are searched too.
fn add_defaults<'a>(value: &'a Value, defaults: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            defaults.extend(fields.get("default"));
            fields.values().for_each(|inner| add_defaults(inner, defaults));
        }
        Value::Array(items) => items.iter().for_each(|inner| add_defaults(inner, defaults)),
        _ => {}
    }
}

/// The changes of a value that coercion may make. This does not look at the schema, except for its
/// defaults.
struct ListedChanges<'a> {
    defaults: Vec<&'a Value>,
    /// Whether only defaults may be filled in.
    only_defaults: bool,
}

impl ListedChanges<'_> {
    fn explain(&self, before: &Value, after: &Value, in_text: bool) -> bool {
        match (before, after) {
            (Value::Object(before), Value::Object(after)) => {
                let is_same = |name: &str, field: &Value| match after.get(name) {
                    Some(other) => self.explain(field, other, in_text),
                    None => !self.only_defaults,
                };
                let kept = before.keys().filter(|name| after.contains_key(*name)).count();
                let nulls = before.values().filter(|field| field.is_null()).count();
                let added = after.iter().filter(|(name, _)| !before.contains_key(*name));
                before.iter().all(|(name, field)| is_same(name, field))
                    && (kept > 0 || nulls == before.len())
                    && added.into_iter().all(|(_, field)| self.is_default(field))
            }
            (Value::Array(before), Value::Array(after)) => {
                before.len() == after.len()
                    && before.iter().zip(after).all(|pair| self.explain(pair.0, pair.1, in_text))
            }
            _ if before == after => true,
            _ if self.only_defaults => false,
            (Value::String(text), Value::Object(_) | Value::Array(_)) if !in_text => {
                let inner = llm_exe::json::parse(text.as_bytes());
                inner.is_ok_and(|inner| self.explain(&inner, after, true))
            }
            (Value::String(text), Value::Number(number)) => {
                serde_json::from_str(text).is_ok_and(|value: Value| value == json!(number))
            }
            (Value::String(text), Value::Bool(flag)) => *text == flag.to_string(),
            (Value::String(before), Value::String(after)) => {
                before.to_lowercase() == after.to_lowercase()
            }
            (Value::Number(number), Value::String(text)) => number.to_string() == *text,
            _ => false,
        }
    }

    /// Returns whether a value is a default, perhaps with defaults of its own.
    fn is_default(&self, value: &Value) -> bool {
        let inner = ListedChanges { defaults: self.defaults.clone(), only_defaults: true };
        self.defaults.iter().any(|default| inner.explain(default, value, true))
    }
}

/// Checks that coercion changes a valid value only by defaults, and an invalid one only in the ways
/// that are documented. Returns whether an invalid value became valid.
fn check_coercion(written: &Value, schema: &Schema, value: &Value) -> Result<bool, String> {
    let only_defaults = schema.is_valid(value);
    let mut changes = ListedChanges { defaults: Vec::new(), only_defaults };
    add_defaults(written, &mut changes.defaults);
    let coerced = match (schema.coerce(value.clone()), only_defaults) {
        (Ok(coerced), _) => coerced,
        (Err(error), true) => return Err(format!("a valid value is rejected: {error}")),
        (Err(_), false) => return Ok(false),
    };
    let result = &coerced.value;
    let reports_change = coerced.warnings.iter().any(|warning| !warning.contains("defaults"));
    let is_reported = match only_defaults {
        true => !reports_change,
        false => reports_change || !changes.defaults.is_empty(),
    };
    if coerced.as_written != only_defaults
        || !schema.is_valid(result)
        || !changes.explain(value, result, false)
        || !is_reported
    {
        return Err(format!("coerced to {result}, {:?}", coerced.warnings));
    }
    Ok(!only_defaults)
}

#[test]
fn coercion_makes_only_the_listed_changes() {
    let (mut wrong, mut changed) = (Vec::new(), 0);
    for (draft, uri) in DRAFTS {
        let mut texts = 0;
        for line in read_groups(draft) {
            let Ok(schema) = compile(&line.group.schema, uri) else { continue };
            // The defaults of meta-schemas are not in the text of the schema.
            if line.group.schema.to_string().contains("\"$ref\":\"http") {
                continue;
            }
            for test in &line.group.tests {
                // The value as it is, and as JSON in a string.
                for value in [test.data.clone(), json!(test.data.to_string())] {
                    match check_coercion(&line.group.schema, &schema, &value) {
                        Ok(is_changed) => {
                            changed += usize::from(is_changed);
                            texts += usize::from(is_changed && value.is_string());
                        }
                        Err(error) => wrong.push(format!(
                            "{draft} {}: {}: {}: {value}: {error}",
                            line.file, line.group.description, test.description
                        )),
                    }
                }
            }
        }
        assert!(texts > 50, "{draft}: {texts}");
    }
    assert!(changed > 400, "{changed}");
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
