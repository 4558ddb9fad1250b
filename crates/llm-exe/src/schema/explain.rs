//! Explains why a value does not satisfy a schema, with bounded memory use.
//!
//! The validator collects all errors, at about 400 bytes each, before it returns the first one. The
//! error of an `anyOf` or `oneOf` also contains the errors of every branch, so a reply that repeats
//! `{},{},…` can cause millions of errors.

use jsonschema::Validator;
use jsonschema::error::{ValidationError, ValidationErrorKind};
use serde_json::{Map, Value, json};

use super::error::{SchemaError, one_line};
use super::keywords::change_subschemas;
use super::validator::build;
use super::work::Graph;
use crate::error::shorten;

/// Maximum number of errors to quote in a message.
const MAX_QUOTED: usize = 3;
/// Maximum number of errors that the validator may collect, at about 400 bytes each.
const MAX_COLLECTED: u64 = 20_000;

/// Returns up to three reasons why a value is invalid, each with its position. If collecting all
/// errors could exhaust memory, returns only one reason.
pub(super) fn explain(
    schema: &Value,
    validator: &Validator,
    graph: &Graph,
    value: &Value,
) -> SchemaError {
    if graph.max_errors(value).is_some_and(|count| count <= MAX_COLLECTED) {
        let errors = validator.iter_errors(value).take(MAX_QUOTED);
        let errors: Vec<String> = errors.map(|error| describe(&error)).collect();
        return SchemaError::new(errors.join("; "));
    }
    let first = first_error_finder(schema)
        .and_then(|validator| validator.validate(value).err().map(|error| describe(&error)));
    SchemaError::new(first.unwrap_or_else(|| "the value does not satisfy the schema".to_owned()))
}

/// Builds a validator that accepts the same values but does not collect errors from branches, so
/// finding the first error needs little memory. Returns `None` if the schema can't be rewritten for
/// this.
fn first_error_finder(schema: &Value) -> Option<Validator> {
    let mut rules = schema.as_object()?.clone();
    let mut exact = true;
    hide_branches(&mut rules, &mut exact);
    if !exact {
        return None;
    }
    build(&Value::Object(rules)).ok()
}

/// Wraps each `anyOf` and `oneOf` in a double `not`, because the error of a `not` does not contain
/// the errors of the branches.
fn hide_branches(rules: &mut Map<String, Value>, exact: &mut bool) {
    // These keywords depend on which properties or items the branches have evaluated, and a `not`
    // would hide that.
    if rules.contains_key("unevaluatedProperties") || rules.contains_key("unevaluatedItems") {
        *exact = false;
    }
    change_subschemas(rules, &mut |inner| hide_branches(inner, exact));
    let mut hidden = Vec::new();
    for keyword in ["anyOf", "oneOf"] {
        if let Some(branches) = rules.shift_remove(keyword) {
            hidden.push(json!({ "not": { "not": { keyword: branches } } }));
        }
    }
    if hidden.is_empty() {
        return;
    }
    match rules.get_mut("allOf").and_then(Value::as_array_mut) {
        Some(all) => all.append(&mut hidden),
        None => drop(rules.insert("allOf".to_owned(), Value::Array(hidden))),
    }
}

fn describe(error: &ValidationError<'_>) -> String {
    let place = error.instance_path().as_str();
    let place = if place.is_empty() { "the value" } else { place };
    let message = match hidden_branches(error.kind()) {
        Some("anyOf") => "it does not match any schema in anyOf".to_owned(),
        Some(_) => "it does not match exactly one schema in oneOf".to_owned(),
        None => shorten(&one_line(&error.masked_with("it").to_string()), 200),
    };
    format!("{place}: {message}")
}

/// Returns `anyOf` or `oneOf` if the error comes from a `not` that [`hide_branches`] added.
fn hidden_branches(kind: &ValidationErrorKind) -> Option<&'static str> {
    let ValidationErrorKind::Not { schema } = kind else { return None };
    let hidden = schema.get("not")?;
    ["anyOf", "oneOf"].into_iter().find(|keyword| hidden.get(keyword).is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Schema;

    fn validation_error(schema: Value, value: &Value) -> String {
        let Value::Object(schema) = schema else { panic!("{schema}") };
        Schema::compile(schema).unwrap().validate(value).unwrap_err().to_string()
    }

    fn rows(count: usize, row: Value) -> Value {
        json!({ "rows": vec![row; count] })
    }

    fn table(item: Value) -> Value {
        json!({ "type": "object", "properties": { "rows": { "type": "array", "items": item } } })
    }

    #[test]
    fn a_small_value_has_its_first_three_errors_named() {
        let item = json!({ "type": "object", "required": ["a", "b"] });
        let text = validation_error(table(item), &rows(2, json!({})));
        assert_eq!(text.matches("is a required property").count(), 3, "{text}");
        assert!(text.starts_with("/rows/0: \"a\" is a required property; /rows/0: "), "{text}");
    }

    #[test]
    fn a_large_value_has_its_first_error_named() {
        let columns: Vec<String> = (0..20).map(|index| format!("column{index}")).collect();
        let item = json!({ "type": "object", "required": columns });
        let text = validation_error(table(item), &rows(50_000, json!({})));
        assert_eq!(text, "/rows/0: \"column0\" is a required property");
    }

    #[test]
    fn branches_of_a_large_value_are_not_collected() {
        let row = json!({ "type": "object", "required": ["a", "b", "c"] });
        let inside = table(json!({ "anyOf": [row, { "type": "null" }] }));
        let text = validation_error(inside, &rows(50_000, json!({})));
        assert_eq!(text, "/rows/0: it does not match any schema in anyOf");

        let tables = json!({ "type": "object", "oneOf": [table(row.clone()), table(row)] });
        let text = validation_error(tables, &rows(50_000, json!({})));
        assert_eq!(text, "the value: it does not match exactly one schema in oneOf");
    }

    #[test]
    fn a_schema_whose_branches_can_not_be_hidden_has_no_place_named() {
        let schema = json!({
            "anyOf": [{ "properties": { "rows": { "items": { "type": "integer" } } } }],
            "unevaluatedProperties": false
        });
        let text = validation_error(schema, &rows(50_000, json!("x")));
        assert_eq!(text, "the value does not satisfy the schema");
    }

    #[test]
    fn a_not_of_the_schema_is_reported_as_such() {
        let schema = json!({ "not": { "not": { "type": "integer" } } });
        assert!(!validation_error(schema, &json!("x")).contains("anyOf"));
    }
}
