//! Tests how values are changed to satisfy a schema. The cases are in
//! `cases/schemas/coercion.json`.

use llm_exe::schema::Schema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::common::cases;

/// A schema and the values that are coerced to it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Group {
    name: String,
    schema: Map<String, Value>,
    /// Whether the cases require the feature `exact-numbers`.
    #[serde(default)]
    exact_numbers: bool,
    /// A string that the error of the schema must contain.
    schema_error: Option<String>,
    /// The beginnings of the warnings about the schema.
    #[serde(default)]
    schema_warnings: Vec<String>,
    #[serde(default)]
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    value: Value,
    #[serde(default, deserialize_with = "present")]
    result: Option<Value>,
    /// A string that the error must contain.
    error: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
}

/// Deserializes a value that is present, even if it is null.
fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

/// Returns how the outcome of a case differs from the expected one.
fn difference(schema: &Schema, case: &Case) -> Option<String> {
    let is_valid = schema.is_valid(&case.value);
    match (schema.coerce(case.value.clone()), &case.result, &case.error) {
        (Ok(coerced), Some(expected), None) => {
            // Comparing the JSON as text also compares the order of the keys.
            let (actual, expected) = (coerced.value.to_string(), expected.to_string());
            let is_right = actual == expected && coerced.warnings == case.warnings;
            (!is_right || coerced.as_written != is_valid).then(|| format!("{coerced:?}"))
        }
        (Err(error), None, Some(expected)) => {
            let error = error.to_string();
            (!error.contains(expected)).then_some(error)
        }
        (outcome, ..) => Some(format!("{outcome:?}")),
    }
}

#[test]
fn values_with_one_reading_are_changed_and_others_are_rejected() {
    let text = std::fs::read_to_string(cases().join("schemas/coercion.json")).unwrap();
    // The library does not read numbers that would lose digits.
    let text = match cfg!(feature = "exact-numbers") {
        true => text,
        false => text.replace("{\"v\": 1.50}", "{\"v\": 0}"),
    };
    let groups: Vec<Group> = serde_json::from_str(&text).unwrap();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for group in groups {
        if group.exact_numbers && !cfg!(feature = "exact-numbers") {
            continue;
        }
        let schema = match (Schema::compile(group.schema), &group.schema_error) {
            (Ok(schema), None) => schema,
            (Err(error), Some(expected)) if error.to_string().contains(expected) => continue,
            (outcome, _) => {
                wrong.push(format!("{}: {outcome:?}", group.name));
                continue;
            }
        };
        let warnings = schema.warnings();
        let are_same = warnings.len() == group.schema_warnings.len()
            && (warnings.iter().zip(&group.schema_warnings))
                .all(|(warning, start)| warning.starts_with(start));
        if !are_same {
            wrong.push(format!("{}: {warnings:?}", group.name));
        }
        for case in &group.cases {
            count += 1;
            if let Some(difference) = difference(&schema, case) {
                wrong.push(format!("{}: {}: {difference}", group.name, case.value));
            }
        }
    }
    assert!(count > 100, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
