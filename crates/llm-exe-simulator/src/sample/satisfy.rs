//! Validates a value against the JSON Schema keywords that the generator supports. Patterns and
//! formats are not checked.

use serde_json::Value;

use super::merge;

const MAX_DEPTH: usize = 128;

/// Whether the value satisfies the schema. References are resolved within `root`.
pub(super) fn satisfies(root: &Value, schema: &Value, value: &Value) -> bool {
    Validator { root }.node(schema, value, 0)
}

struct Validator<'a> {
    root: &'a Value,
}

impl Validator<'_> {
    fn node(&self, schema: &Value, value: &Value, depth: usize) -> bool {
        let satisfies = |schema: &Value| self.node(schema, value, depth + 1);
        match schema {
            Value::Bool(allowed) => return *allowed,
            Value::Object(_) if depth < MAX_DEPTH => {}
            _ => return true,
        }
        let list = |name: &str| schema.get(name).and_then(Value::as_array);
        let reference = schema.get("$ref").and_then(Value::as_str);
        let target = reference.and_then(|reference| merge::target(self.root, reference));
        let one_of = list("oneOf")
            .is_none_or(|branches| branches.iter().filter(|branch| satisfies(branch)).count() == 1);
        let conditional = schema.get("if").is_none_or(|condition| {
            let name = if satisfies(condition) { "then" } else { "else" };
            schema.get(name).is_none_or(satisfies)
        });
        has_type(schema, value)
            && schema.get("const").is_none_or(|only| equal(only, value))
            && list("enum").is_none_or(|values| values.iter().any(|it| equal(it, value)))
            && target.is_none_or(satisfies)
            && list("allOf").is_none_or(|parts| parts.iter().all(satisfies))
            && list("anyOf").is_none_or(|branches| branches.iter().any(satisfies))
            && one_of
            && conditional
            && schema.get("not").is_none_or(|not| !satisfies(not))
            && match value {
                Value::Object(_) => self.object(schema, value, depth),
                Value::Array(items) => self.array(schema, items, depth),
                Value::String(text) => string(schema, text),
                Value::Number(number) => number.as_f64().is_none_or(|it| self::number(schema, it)),
                _ => true,
            }
    }

    fn object(&self, schema: &Value, value: &Value, depth: usize) -> bool {
        let Value::Object(fields) = value else {
            return true;
        };
        let properties = schema.get("properties").and_then(Value::as_object);
        let has_patterns = schema.get("patternProperties").is_some();
        let fields_are_valid = fields.iter().all(|(name, field)| {
            let property = properties.and_then(|properties| properties.get(name));
            match (property, schema.get("additionalProperties")) {
                (Some(property), _) => self.node(property, field, depth + 1),
                (None, Some(additional)) if !has_patterns => {
                    self.node(additional, field, depth + 1)
                }
                _ => true,
            }
        });
        let required = schema.get("required").and_then(Value::as_array);
        let is_present = |name: &Value| name.as_str().is_none_or(|name| fields.contains_key(name));
        let dependent = schema.get("dependentRequired").and_then(Value::as_object);
        let dependents_are_present = |(name, required): (&String, &Value)| {
            !fields.contains_key(name)
                || required.as_array().is_none_or(|names| names.iter().all(is_present))
        };
        fields_are_valid
            && required.is_none_or(|names| names.iter().all(is_present))
            && dependent.is_none_or(|dependent| dependent.iter().all(dependents_are_present))
            && count_is_valid(schema, "minProperties", "maxProperties", fields.len())
    }

    fn array(&self, schema: &Value, items: &[Value], depth: usize) -> bool {
        let tuple = schema.get("items").filter(|items| items.is_array());
        let prefix = schema.get("prefixItems").or(tuple).and_then(Value::as_array);
        let prefix = prefix.map_or(&[][..], Vec::as_slice);
        let rest = match tuple {
            Some(_) => schema.get("additionalItems"),
            None => schema.get("items"),
        };
        let is_valid = |(index, item): (usize, &Value)| {
            prefix.get(index).or(rest).is_none_or(|schema| self.node(schema, item, depth + 1))
        };
        let contains = schema.get("contains").is_none_or(|wanted| {
            let count = items.iter().filter(|item| self.node(wanted, item, depth + 1)).count();
            let min_count = if schema.get("minContains").is_some() { 0 } else { 1 };
            count >= min_count && count_is_valid(schema, "minContains", "maxContains", count)
        });
        let must_be_unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
        let is_duplicate = |(index, item): (usize, &Value)| {
            items.iter().take(index).any(|previous| equal(previous, item))
        };
        items.iter().enumerate().all(is_valid)
            && count_is_valid(schema, "minItems", "maxItems", items.len())
            && contains
            && !(must_be_unique && items.iter().enumerate().any(is_duplicate))
    }
}

fn has_type(schema: &Value, value: &Value) -> bool {
    let is_type = |name: &Value| match (name.as_str(), value) {
        (Some("object"), Value::Object(_))
        | (Some("array"), Value::Array(_))
        | (Some("string"), Value::String(_))
        | (Some("number"), Value::Number(_))
        | (Some("boolean"), Value::Bool(_))
        | (Some("null"), Value::Null) => true,
        (Some("integer"), Value::Number(number)) => {
            number.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        _ => false,
    };
    match schema.get("type") {
        None => true,
        Some(Value::Array(names)) => names.iter().any(is_type),
        Some(name) => is_type(name),
    }
}

/// Compares two values by the rules of JSON Schema, in which 1 and 1.0 are equal.
fn equal(left: &Value, right: &Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

fn count_is_valid(schema: &Value, min: &str, max: &str, count: usize) -> bool {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
    bound(min).is_none_or(|min| count >= min) && bound(max).is_none_or(|max| count <= max)
}

fn string(schema: &Value, text: &str) -> bool {
    count_is_valid(schema, "minLength", "maxLength", text.chars().count())
}

fn number(schema: &Value, number: f64) -> bool {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let flag = |name: &str| schema.get(name) == Some(&Value::Bool(true));
    let is_multiple_of = |step: f64| {
        let quotient = number / step;
        (quotient - quotient.round()).abs() < 1e-9
    };
    bound("minimum").is_none_or(|min| number > min || number == min && !flag("exclusiveMinimum"))
        && bound("maximum")
            .is_none_or(|max| number < max || number == max && !flag("exclusiveMaximum"))
        && bound("exclusiveMinimum").is_none_or(|min| number > min)
        && bound("exclusiveMaximum").is_none_or(|max| number < max)
        && bound("multipleOf").is_none_or(is_multiple_of)
}
