//! A small judge of JSON Schema: whether a value satisfies a node, by the keywords that the
//! generator knows. What it can't judge (patterns, formats) it takes for satisfied.
//!
//! In: the whole schema, a node, a value. Out: yes or no.

use super::merge;
use serde_json::Value;

const DEEPEST: usize = 128;

/// Whether the value satisfies the node.
pub(super) fn satisfies(root: &Value, schema: &Value, value: &Value) -> bool {
    Judge { root }.node(schema, value, 0)
}

struct Judge<'a> {
    root: &'a Value,
}

impl Judge<'_> {
    fn node(&self, schema: &Value, value: &Value, depth: usize) -> bool {
        let deeper = |schema: &Value| self.node(schema, value, depth + 1);
        match schema {
            Value::Bool(allowed) => return *allowed,
            Value::Object(_) if depth < DEEPEST => {}
            _ => return true,
        }
        let list = |name: &str| schema.get(name).and_then(Value::as_array);
        let reference = schema.get("$ref").and_then(Value::as_str);
        let target = reference.and_then(|reference| merge::target(self.root, reference));
        let of_one = list("oneOf")
            .is_none_or(|branches| branches.iter().filter(|branch| deeper(branch)).count() == 1);
        let of_condition = schema.get("if").is_none_or(|condition| {
            let name = if deeper(condition) { "then" } else { "else" };
            schema.get(name).is_none_or(deeper)
        });
        of_type(schema, value)
            && schema.get("const").is_none_or(|only| same(only, value))
            && list("enum").is_none_or(|values| values.iter().any(|it| same(it, value)))
            && target.is_none_or(deeper)
            && list("allOf").is_none_or(|parts| parts.iter().all(deeper))
            && list("anyOf").is_none_or(|branches| branches.iter().any(deeper))
            && of_one
            && of_condition
            && schema.get("not").is_none_or(|not| !deeper(not))
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
        let patterned = schema.get("patternProperties").is_some();
        let each = fields.iter().all(|(name, field)| {
            let known = properties.and_then(|properties| properties.get(name));
            match (known, schema.get("additionalProperties")) {
                (Some(known), _) => self.node(known, field, depth + 1),
                (None, Some(other)) if !patterned => self.node(other, field, depth + 1),
                _ => true,
            }
        });
        let required = schema.get("required").and_then(Value::as_array);
        let here = |name: &Value| name.as_str().is_none_or(|name| fields.contains_key(name));
        let dependent = schema.get("dependentRequired").and_then(Value::as_object);
        let fulfilled = |(name, needed): (&String, &Value)| {
            !fields.contains_key(name) || needed.as_array().is_none_or(|it| it.iter().all(here))
        };
        each && required.is_none_or(|names| names.iter().all(here))
            && dependent.is_none_or(|dependent| dependent.iter().all(fulfilled))
            && counted(schema, "minProperties", "maxProperties", fields.len())
    }

    fn array(&self, schema: &Value, items: &[Value], depth: usize) -> bool {
        let listed = schema.get("items").filter(|items| items.is_array());
        let prefix = schema.get("prefixItems").or(listed).and_then(Value::as_array);
        let prefix = prefix.map_or(&[][..], Vec::as_slice);
        let rest = match listed {
            Some(_) => schema.get("additionalItems"),
            None => schema.get("items"),
        };
        let fits = |(index, item): (usize, &Value)| {
            prefix.get(index).or(rest).is_none_or(|schema| self.node(schema, item, depth + 1))
        };
        let contains = schema.get("contains").is_none_or(|wanted| {
            let count = items.iter().filter(|item| self.node(wanted, item, depth + 1)).count();
            let least = if schema.get("minContains").is_some() { 0 } else { 1 };
            count >= least && counted(schema, "minContains", "maxContains", count)
        });
        let unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
        let twice = |(index, item): (usize, &Value)| {
            items.iter().take(index).any(|before| same(before, item))
        };
        items.iter().enumerate().all(fits)
            && counted(schema, "minItems", "maxItems", items.len())
            && contains
            && !(unique && items.iter().enumerate().any(twice))
    }
}

fn of_type(schema: &Value, value: &Value) -> bool {
    let is = |name: &Value| match (name.as_str(), value) {
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
        Some(Value::Array(names)) => names.iter().any(is),
        Some(name) => is(name),
    }
}

/// Equality as JSON Schema has it: 1 and 1.0 are the same.
fn same(left: &Value, right: &Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

fn counted(schema: &Value, least: &str, most: &str, count: usize) -> bool {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
    bound(least).is_none_or(|least| count >= least) && bound(most).is_none_or(|most| count <= most)
}

fn string(schema: &Value, text: &str) -> bool {
    counted(schema, "minLength", "maxLength", text.chars().count())
}

fn number(schema: &Value, number: f64) -> bool {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let flag = |name: &str| schema.get(name) == Some(&Value::Bool(true));
    let multiple = |step: f64| {
        let times = number / step;
        (times - times.round()).abs() < 1e-9
    };
    bound("minimum")
        .is_none_or(|least| number > least || number == least && !flag("exclusiveMinimum"))
        && bound("maximum")
            .is_none_or(|most| number < most || number == most && !flag("exclusiveMaximum"))
        && bound("exclusiveMinimum").is_none_or(|least| number > least)
        && bound("exclusiveMaximum").is_none_or(|most| number < most)
        && bound("multipleOf").is_none_or(multiple)
}
