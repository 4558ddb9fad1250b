//! What strict mode refuses in a schema.
//! <https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>
//!
//! In: a schema. Out: nothing, or the reason in OpenAI's words, which begins with the place
//! (`In context=('properties', 'a'), ...`).

use super::super::check::{has_type, list};
use serde_json::Value;

const DEEPEST: usize = 10;
const MOST_PROPERTIES: usize = 5000;
const REFUSED: &[&str] = &[
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
/// Every node has one of these; `enum` and `const` do not replace a type.
const KINDS: &[&str] = &["type", "anyOf", "$ref"];
/// Keywords allowed next to a `$ref`.
const REF_SIBLINGS: &[&str] = &["$ref", "$defs", "definitions"];

/// The reason for a root that isn't an object.
pub(crate) fn not_an_object(schema: &Value) -> String {
    let got = schema.get("type").map_or_else(|| "None".to_owned(), Value::to_string);
    let got = got.replace('"', "");
    format!("schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{got}\"'.")
}

/// Refuses what strict mode refuses.
pub(crate) fn refuse(schema: &Value) -> Result<(), String> {
    if schema.get("anyOf").is_some() {
        return Err(at(&[], "'anyOf' is not permitted at the root."));
    }
    let mut walk = Walk { path: Vec::new(), properties: 0, root: schema };
    walk.node(schema, 1)
}

struct Walk<'a> {
    path: Vec<String>,
    properties: usize,
    root: &'a Value,
}

impl Walk<'_> {
    fn node(&mut self, node: &Value, level: usize) -> Result<(), String> {
        let Value::Object(fields) = node else {
            return Err(at(&self.path, "a schema must be an object."));
        };
        if level > DEEPEST {
            let reason = format!("the schema has more than {DEEPEST} levels of nesting.");
            return Err(at(&self.path, &reason));
        }
        if let Some(refused) = REFUSED.iter().find(|name| fields.contains_key(**name)) {
            return Err(at(&self.path, &format!("'{refused}' is not permitted.")));
        }
        if !KINDS.iter().any(|name| fields.contains_key(*name)) {
            return Err(at(&self.path, "schema must have a 'type' key."));
        }
        self.reference(node)?;
        self.object(node, level)?;
        self.array(node, level)?;
        for (index, branch) in list(node, "anyOf").iter().enumerate() {
            self.below(&["anyOf", &index.to_string()], branch, level)?;
        }
        for definitions in ["$defs", "definitions"] {
            let Some(Value::Object(named)) = node.get(definitions) else {
                continue;
            };
            for (name, definition) in named {
                // A definition counts its own levels.
                self.below(&[definitions, name], definition, 0)?;
            }
        }
        Ok(())
    }

    fn below(&mut self, steps: &[&str], node: &Value, level: usize) -> Result<(), String> {
        self.path.extend(steps.iter().map(|step| (*step).to_owned()));
        self.node(node, level + 1)?;
        self.path.truncate(self.path.len() - steps.len());
        Ok(())
    }

    fn reference(&self, node: &Value) -> Result<(), String> {
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
            return Err(at(&self.path, &reason));
        }
        let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
        match pointer.and_then(|pointer| self.root.pointer(pointer)) {
            Some(_) => Ok(()),
            None => Err(at(&self.path, &format!("reference {reference} can't be resolved."))),
        }
    }

    fn object(&mut self, node: &Value, level: usize) -> Result<(), String> {
        let properties = node.get("properties");
        if !has_type(node, "object") && properties.is_none() {
            return Ok(());
        }
        if node.get("additionalProperties") != Some(&Value::Bool(false)) {
            let reason = "'additionalProperties' is required to be supplied and to be false.";
            return Err(at(&self.path, reason));
        }
        let Some(Value::Object(properties)) = properties else {
            return Ok(());
        };
        self.properties += properties.len();
        if self.properties > MOST_PROPERTIES {
            let reason = format!("the schema has more than {MOST_PROPERTIES} properties.");
            return Err(at(&self.path, &reason));
        }
        let required = list(node, "required");
        let optional = |name: &&String| !required.iter().any(|known| known == name.as_str());
        if let Some(missing) = properties.keys().find(optional) {
            let reason = format!(
                "'required' is required to be supplied and to be an array including every key in \
                 properties. Missing '{missing}'."
            );
            return Err(at(&self.path, &reason));
        }
        let known = |name: &&Value| name.as_str().is_some_and(|name| properties.contains_key(name));
        if let Some(extra) = required.iter().find(|name| !known(name)) {
            let reason = format!("'required' names {extra}, which is not in properties.");
            return Err(at(&self.path, &reason));
        }
        for (name, property) in properties {
            self.below(&["properties", name], property, level)?;
        }
        Ok(())
    }

    fn array(&mut self, node: &Value, level: usize) -> Result<(), String> {
        match node.get("items") {
            Some(items) => self.below(&["items"], items, level),
            None if has_type(node, "array") => Err(at(&self.path, "array schema missing items.")),
            None => Ok(()),
        }
    }
}

/// The reason with its place, written like a tuple of Python's.
fn at(path: &[String], reason: &str) -> String {
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
