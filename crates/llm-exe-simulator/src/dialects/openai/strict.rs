//! Validates a schema against the rules of OpenAI's strict mode.
//! <https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>
//!
//! The error messages are OpenAI's. They begin with the location in the schema:
//! `In context=('properties', 'a'), ...`.

use serde_json::Value;

use crate::dialects::json::{array_field, has_type};

const MAX_DEPTH: usize = 10;
const MAX_PROPERTIES: usize = 5000;
const MAX_ENUM_VALUES: usize = 1000;
/// Maximum number of characters in the names of properties and definitions and in the values of
/// `enum` and `const`.
const MAX_CHARS: usize = 120_000;
/// The number of values up to which the characters of an `enum` are not limited.
const UNLIMITED_ENUM_VALUES: usize = 250;
/// Maximum number of characters in an `enum` with more values.
const MAX_ENUM_CHARS: usize = 15_000;
const UNSUPPORTED: &[&str] = &[
    "default",
    "allOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "contains",
    "minContains",
    "maxContains",
    "uniqueItems",
];
/// Keywords whose values are numbers. In draft-04, some are booleans.
const NUMBERS: &[&str] =
    &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
/// Keywords of which each node must have at least one. `enum` and `const` are not sufficient.
const TYPE_KEYWORDS: &[&str] = &["type", "anyOf", "$ref"];
/// The keywords that are allowed next to a `$ref`.
const REF_SIBLINGS: &[&str] = &["$ref", "$defs", "definitions"];

/// Builds the error message for a root schema whose type is not `object`.
pub(crate) fn is_not_object(schema: &Value) -> String {
    let got = schema.get("type").map_or_else(|| "None".to_owned(), Value::to_string);
    let got = got.replace('"', "");
    format!("schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{got}\"'.")
}

/// Rejects a schema that strict mode does not support.
pub(crate) fn validate(schema: &Value) -> Result<(), String> {
    if schema.get("anyOf").is_some() {
        return Err(error_at(&[], "'anyOf' is not permitted at the root."));
    }
    let mut walk = Walk { path: Vec::new(), properties: 0, enum_values: 0, chars: 0, root: schema };
    walk.check_node(schema, 1)
}

struct Walk<'a> {
    path: Vec<String>,
    properties: usize,
    enum_values: usize,
    chars: usize,
    root: &'a Value,
}

impl Walk<'_> {
    fn check_node(&mut self, node: &Value, level: usize) -> Result<(), String> {
        let Value::Object(fields) = node else {
            return Err(error_at(&self.path, "a schema must be an object."));
        };
        if level > MAX_DEPTH {
            let reason = format!("the schema has more than {MAX_DEPTH} levels of nesting.");
            return Err(error_at(&self.path, &reason));
        }
        if let Some(keyword) = UNSUPPORTED.iter().find(|name| fields.contains_key(**name)) {
            return Err(error_at(&self.path, &format!("'{keyword}' is not permitted.")));
        }
        if !TYPE_KEYWORDS.iter().any(|name| fields.contains_key(*name)) {
            return Err(error_at(&self.path, "schema must have a 'type' key."));
        }
        let mut numbers = NUMBERS.iter().filter_map(|name| fields.get(*name));
        if let Some(other) = numbers.find(|value| !value.is_number()) {
            return Err(error_at(&self.path, &format!("{other} is not of type 'number'.")));
        }
        self.check_reference(node)?;
        self.check_size(node)?;
        self.check_object(node, level)?;
        self.check_array(node, level)?;
        for (index, branch) in array_field(node, "anyOf").iter().enumerate() {
            self.check_child(&["anyOf", &index.to_string()], branch, level)?;
        }
        for definitions in ["$defs", "definitions"] {
            let Some(Value::Object(named)) = node.get(definitions) else {
                continue;
            };
            for (name, definition) in named {
                // Nesting is counted separately for each definition.
                self.check_child(&[definitions, name], definition, 0)?;
            }
        }
        Ok(())
    }

    /// Checks the limits of the number of `enum` values and of characters.
    fn check_size(&mut self, node: &Value) -> Result<(), String> {
        let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
        let values = array_field(node, "enum");
        let enum_chars: usize = values.iter().map(length).sum();
        self.enum_values += values.len();
        if self.enum_values > MAX_ENUM_VALUES {
            let reason = format!("the schema has more than {MAX_ENUM_VALUES} enum values.");
            return Err(error_at(&self.path, &reason));
        }
        if values.len() > UNLIMITED_ENUM_VALUES && enum_chars > MAX_ENUM_CHARS {
            let reason = format!(
                "the enum has more than {UNLIMITED_ENUM_VALUES} values and {MAX_ENUM_CHARS} \
                 characters."
            );
            return Err(error_at(&self.path, &reason));
        }
        let named = ["properties", "$defs", "definitions"].into_iter();
        let named = named.filter_map(|name| node.get(name)?.as_object());
        let names: usize = named.flat_map(|all| all.keys()).map(|name| name.chars().count()).sum();
        self.chars += enum_chars + names + node.get("const").map_or(0, length);
        if self.chars > MAX_CHARS {
            let reason = format!("the schema has more than {MAX_CHARS} characters.");
            return Err(error_at(&self.path, &reason));
        }
        Ok(())
    }

    fn check_child(&mut self, steps: &[&str], node: &Value, level: usize) -> Result<(), String> {
        self.path.extend(steps.iter().map(|step| (*step).to_owned()));
        self.check_node(node, level + 1)?;
        self.path.truncate(self.path.len() - steps.len());
        Ok(())
    }

    fn check_reference(&self, node: &Value) -> Result<(), String> {
        let Some(reference) = node.get("$ref") else {
            return Ok(());
        };
        let siblings = node.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        let siblings: Vec<String> = siblings
            .filter(|name| !REF_SIBLINGS.contains(name))
            .map(|name| format!("'{name}'"))
            .collect();
        if !siblings.is_empty() {
            let reason = format!("$ref cannot have keywords {{{}}}.", siblings.join(", "));
            return Err(error_at(&self.path, &reason));
        }
        let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
        match pointer.and_then(|pointer| self.root.pointer(pointer)) {
            Some(_) => Ok(()),
            None => Err(error_at(&self.path, &format!("reference {reference} can't be resolved."))),
        }
    }

    fn check_object(&mut self, node: &Value, level: usize) -> Result<(), String> {
        let properties = node.get("properties");
        if !has_type(node, "object") && properties.is_none() {
            return Ok(());
        }
        if node.get("additionalProperties") != Some(&Value::Bool(false)) {
            let reason = "'additionalProperties' is required to be supplied and to be false.";
            return Err(error_at(&self.path, reason));
        }
        let Some(Value::Object(properties)) = properties else {
            return Ok(());
        };
        self.properties += properties.len();
        if self.properties > MAX_PROPERTIES {
            let reason = format!("the schema has more than {MAX_PROPERTIES} properties.");
            return Err(error_at(&self.path, &reason));
        }
        let required = array_field(node, "required");
        let optional = |name: &&String| !required.iter().any(|known| known == name.as_str());
        if let Some(missing) = properties.keys().find(optional) {
            let reason = format!(
                "'required' is required to be supplied and to be an array including every key in \
                 properties. Missing '{missing}'."
            );
            return Err(error_at(&self.path, &reason));
        }
        let known = |name: &&Value| name.as_str().is_some_and(|name| properties.contains_key(name));
        if let Some(extra) = required.iter().find(|name| !known(name)) {
            let reason = format!("'required' names {extra}, which is not in properties.");
            return Err(error_at(&self.path, &reason));
        }
        for (name, property) in properties {
            self.check_child(&["properties", name], property, level)?;
        }
        Ok(())
    }

    fn check_array(&mut self, node: &Value, level: usize) -> Result<(), String> {
        match node.get("items") {
            Some(items) => self.check_child(&["items"], items, level),
            None if has_type(node, "array") => {
                Err(error_at(&self.path, "array schema missing items."))
            }
            None => Ok(()),
        }
    }
}

/// Builds an error message that begins with the path, formatted as a Python tuple.
fn error_at(path: &[String], reason: &str) -> String {
    let steps: Vec<String> = path
        .iter()
        .map(|step| match step.parse::<usize>() {
            Ok(index) => index.to_string(),
            Err(_) => format!("'{step}'"),
        })
        .collect();
    let tail = if steps.len() == 1 { "," } else { "" };
    format!("In context=({}{tail}), {reason}", steps.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::validate;

    fn object(properties: impl Iterator<Item = (String, Value)>) -> Value {
        let properties: Map<String, Value> = properties.collect();
        let required: Vec<&String> = properties.keys().collect();
        json!({
            "type": "object", "required": required, "additionalProperties": false,
            "properties": properties
        })
    }

    fn one_enum(values: usize, chars: usize) -> Value {
        let values: Vec<String> = (0..values).map(|index| format!("{index:0chars$}")).collect();
        object(std::iter::once(("a".to_owned(), json!({"type": "string", "enum": values}))))
    }

    #[test]
    fn sizes_are_limited() {
        let names = |chars: usize| {
            object((0..50).map(|index| (format!("{index:0chars$}"), json!({"type": "null"}))))
        };
        for (schema, expected) in [
            (one_enum(1000, 15), None),
            (one_enum(1001, 1), Some("more than 1000 enum values")),
            (one_enum(250, 60), None),
            (one_enum(251, 60), Some("more than 250 values and 15000 characters")),
            (names(2400), None),
            (names(2401), Some("more than 120000 characters")),
        ] {
            let error = validate(&schema).err();
            let is_expected = match (&error, expected) {
                (Some(error), Some(expected)) => error.contains(expected),
                (error, expected) => error.is_none() && expected.is_none(),
            };
            assert!(is_expected, "{error:?}");
        }
    }
}
