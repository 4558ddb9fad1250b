//! Validates a schema against the rules of OpenAI's strict mode.
//! <https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>
//!
//! The error messages are OpenAI's. They begin with the location in the schema:
//! `In context=('properties', 'a'), ...`.

use serde_json::Value;

use crate::dialects::json::{array_field, has_type};

const MAX_DEPTH: usize = 10;
const MAX_PROPERTIES: usize = 5000;
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
/// Keywords of which each node must have at least one. `enum` and `const` are not sufficient.
const TYPE_KEYWORDS: &[&str] = &["type", "anyOf", "$ref"];
/// The keywords that are allowed next to a `$ref`.
const REF_SIBLINGS: &[&str] = &["$ref", "$defs", "definitions"];

/// Builds the error message for a root schema whose type is not `object`.
pub(crate) fn not_an_object(schema: &Value) -> String {
    let got = schema.get("type").map_or_else(|| "None".to_owned(), Value::to_string);
    let got = got.replace('"', "");
    format!("schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{got}\"'.")
}

/// Rejects a schema that strict mode does not support.
pub(crate) fn validate(schema: &Value) -> Result<(), String> {
    if schema.get("anyOf").is_some() {
        return Err(error_at(&[], "'anyOf' is not permitted at the root."));
    }
    let mut walk = Walk { path: Vec::new(), properties: 0, root: schema };
    walk.check_node(schema, 1)
}

struct Walk<'a> {
    path: Vec<String>,
    properties: usize,
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
        self.check_reference(node)?;
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
