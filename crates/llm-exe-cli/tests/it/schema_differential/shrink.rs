//! Makes a schema and a value smaller while they still differ.

use serde_json::{Map, Value, json};

/// Returns a smaller schema and value for which `differs` is true.
pub(super) fn shrink(
    schema: &Map<String, Value>,
    value: &Value,
    differs: impl Fn(&Map<String, Value>, &Value) -> bool,
) -> (Map<String, Value>, Value) {
    let (mut schema, mut value) = (schema.clone(), value.clone());
    loop {
        let smaller = candidates(&Value::Object(schema.clone())).into_iter().find_map(|smaller| {
            let Value::Object(smaller) = smaller else { return None };
            differs(&smaller, &value).then_some(smaller)
        });
        if let Some(smaller) = smaller {
            schema = smaller;
            continue;
        }
        match candidates(&value).into_iter().find(|smaller| differs(&schema, smaller)) {
            Some(smaller) => value = smaller,
            None => return (schema, value),
        }
    }
}

/// Returns values that differ from a value by one part that is removed or simpler.
fn candidates(value: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    match value {
        Value::Array(items) => {
            for index in 0..items.len() {
                let mut fewer = items.clone();
                fewer.remove(index);
                all.push(Value::Array(fewer));
            }
            for (index, item) in items.iter().enumerate() {
                for smaller in candidates(item) {
                    let mut changed = items.clone();
                    changed[index] = smaller;
                    all.push(Value::Array(changed));
                }
            }
        }
        Value::Object(fields) => {
            for name in fields.keys() {
                let mut fewer = fields.clone();
                fewer.shift_remove(name);
                all.push(Value::Object(fewer));
            }
            for (name, field) in fields {
                for smaller in candidates(field) {
                    let mut changed = fields.clone();
                    changed.insert(name.clone(), smaller);
                    all.push(Value::Object(changed));
                }
            }
        }
        Value::String(text) if text.len() > 1 && !text.starts_with(['#', '/', 'h', '^']) => {
            let fewer: String = text.chars().skip(1).collect();
            all.push(json!(fewer));
        }
        Value::Number(number) if !matches!(number.to_string().as_str(), "0" | "1") => {
            all.extend([json!(0), json!(1)]);
        }
        _ => {}
    }
    all
}
