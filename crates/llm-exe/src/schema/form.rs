//! The walk that turns a schema into the form that a dialect takes: what the form has no keyword
//! for moves into the description of its node, what it can't say at all makes it `None`.

use serde_json::{Map, Value, json};

use super::referenced;

/// Keywords that constrain nothing and are left out.
const ANNOTATIONS: &[&str] = &["$schema", "$id", "$comment", "examples", "deprecated"];
/// The most levels of a schema, and of references in it.
const MOST_LEVELS: usize = 64;

/// A node of a schema.
type Rules = Map<String, Value>;
/// A keyword, and which values of it are passed on.
type Kept = (&'static str, fn(&Value) -> bool);

/// What a dialect takes.
pub(super) struct Form {
    /// Keywords that no description can stand for: the schema is then sent another way.
    pub(super) not_sayable: &'static [&'static str],
    /// Keywords that are passed on where the check lets their value through.
    pub(super) kept: &'static [Kept],
    /// What stands for a node's `enum` or `const`; `None` where words and its type have to.
    pub(super) literal: fn(&Rules) -> Option<Rules>,
    /// `allOf` has a keyword of its own; elsewhere only one of a single form can be said.
    pub(super) all_of: bool,
    /// Objects take the properties that they name and no others.
    pub(super) closed: bool,
    /// Definitions stand at the root, in `$defs`, and references lead there only.
    pub(super) definitions_at_root: bool,
}

impl Form {
    /// The schema in this form, or `None` where the form can't say it. A reference that leads
    /// back to itself never can be.
    pub(super) fn of(&self, schema: &Value) -> Option<Value> {
        if !references_end(schema, schema, &mut Vec::new(), &mut Vec::new()) {
            return None;
        }
        self.node(schema, 0)
    }

    fn node(&self, schema: &Value, depth: usize) -> Option<Value> {
        let rules = schema.as_object()?;
        if depth > MOST_LEVELS || self.not_sayable.iter().any(|key| rules.contains_key(*key)) {
            return None;
        }
        let mut out = Map::new();
        self.definitions(rules, &mut out, depth)?;
        if let Some(target) = rules.get("$ref") {
            out.insert("$ref".to_owned(), json!(self.reference(target.as_str()?)?));
            return Some(Value::Object(out));
        }
        let mut said = Vec::new();
        self.kind(rules, &mut out, &mut said, depth)?;
        for (key, value) in rules {
            match key.as_str() {
                "type" | "enum" | "const" | "anyOf" | "oneOf" | "allOf" | "$defs" => {}
                "definitions" | "properties" | "required" | "additionalProperties" => {}
                "items" | "prefixItems" | "description" => {}
                key if self.kept.iter().any(|(kept, fits)| *kept == key && fits(value)) => {
                    out.insert(key.to_owned(), value.clone());
                }
                key if ANNOTATIONS.contains(&key) => {}
                _ => said.push(format!("{key}: {value}")),
            }
        }
        describe(rules.get("description"), &said, &mut out);
        Some(Value::Object(out))
    }

    fn definitions(&self, rules: &Rules, out: &mut Rules, depth: usize) -> Option<()> {
        for key in ["$defs", "definitions"] {
            let Some(all) = rules.get(key).and_then(Value::as_object) else { continue };
            if self.definitions_at_root && depth > 0 {
                return None;
            }
            let sent = if self.definitions_at_root { "$defs" } else { key };
            let kept = out.entry(sent).or_insert_with(|| json!({})).as_object_mut()?;
            for (name, definition) in all {
                if kept.insert(name.clone(), self.node(definition, depth + 1)?).is_some() {
                    return None;
                }
            }
        }
        Some(())
    }

    fn reference(&self, target: &str) -> Option<String> {
        if !self.definitions_at_root {
            return Some(target.to_owned());
        }
        let name = target.strip_prefix("#/$defs/").or(target.strip_prefix("#/definitions/"))?;
        (!name.contains('/')).then(|| format!("#/$defs/{name}"))
    }

    /// Type, combinators and literals: exactly one of them leads.
    fn kind(
        &self,
        rules: &Rules,
        out: &mut Rules,
        said: &mut Vec<String>,
        depth: usize,
    ) -> Option<()> {
        if let Some(key) = ["enum", "const"].into_iter().find(|key| rules.contains_key(*key)) {
            if let Some(literal) = (self.literal)(rules) {
                out.extend(literal);
                return Some(());
            }
            said.push(format!("{key}: {}", rules.get(key)?));
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            let Some(forms) = rules.get(key) else { continue };
            let forms = forms.as_array()?;
            let of_all = key == "allOf" && self.all_of;
            let beside = rules.contains_key("properties") || rules.contains_key("items");
            if beside || key == "allOf" && !of_all && forms.len() != 1 {
                return None;
            }
            let forms: Option<Vec<Value>> =
                forms.iter().map(|one| self.node(one, depth + 1)).collect();
            let sent = if of_all { "allOf" } else { "anyOf" };
            out.insert(sent.to_owned(), Value::Array(forms?));
            return Some(());
        }
        let kind = rules.get("type")?;
        out.insert("type".to_owned(), kind.clone());
        let is = |name: &str| match kind {
            Value::Array(several) => several.iter().any(|one| one.as_str() == Some(name)),
            one => one.as_str() == Some(name),
        };
        if is("array") {
            self.list(rules, out, depth)?;
        }
        if is("object") {
            self.object(rules, out, said, depth)?;
        }
        Some(())
    }

    fn list(&self, rules: &Rules, out: &mut Rules, depth: usize) -> Option<()> {
        let placed = rules.get("prefixItems");
        if let Some(placed) = placed {
            let forms: Option<Vec<Value>> =
                placed.as_array()?.iter().map(|one| self.node(one, depth + 1)).collect();
            out.insert("prefixItems".to_owned(), Value::Array(forms?));
        }
        match rules.get("items") {
            None if placed.is_some() => {}
            items => {
                out.insert("items".to_owned(), self.node(items?, depth + 1)?);
            }
        }
        Some(())
    }

    fn object(
        &self,
        rules: &Rules,
        out: &mut Rules,
        said: &mut Vec<String>,
        depth: usize,
    ) -> Option<()> {
        let none = Map::new();
        let properties = rules.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let others = rules.get("additionalProperties");
        if self.closed {
            let free = properties.is_empty() && others != Some(&Value::Bool(false));
            if free || matches!(others, Some(Value::Object(_))) {
                return None;
            }
        }
        let mut kept = Map::new();
        for (name, property) in properties {
            kept.insert(name.clone(), self.node(property, depth + 1)?);
        }
        if self.closed || !kept.is_empty() {
            out.insert("properties".to_owned(), Value::Object(kept));
        }
        let others = match others {
            _ if self.closed => Some(json!(false)),
            Some(schema @ Value::Object(_)) => Some(self.node(schema, depth + 1)?),
            other => other.cloned(),
        };
        out.extend(others.map(|others| ("additionalProperties".to_owned(), others)));
        match rules.get("required") {
            Some(Value::Array(names)) if !self.closed => {
                // A name that is no property would be refused; the model can still be told.
                let is_property =
                    |name: &&Value| name.as_str().is_some_and(|name| properties.contains_key(name));
                let known: Vec<&Value> = names.iter().filter(is_property).collect();
                if known.len() < names.len() {
                    said.push(format!("required: {}", json!(names)));
                }
                if !known.is_empty() {
                    out.insert("required".to_owned(), json!(known));
                }
            }
            Some(required) => drop(out.insert("required".to_owned(), required.clone())),
            None => {}
        }
        Some(())
    }
}

/// Whether every `$ref` leads into this document and none leads back to itself. Each target is
/// walked once, however often it is named.
fn references_end<'a>(
    root: &'a Value,
    schema: &'a Value,
    within: &mut Vec<&'a str>,
    done: &mut Vec<&'a str>,
) -> bool {
    if within.len() > MOST_LEVELS {
        return false;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        if within.contains(&target) {
            return false;
        }
        if !done.contains(&target) {
            let Some(named) = referenced(root, target) else { return false };
            within.push(target);
            let ends = references_end(root, named, within, done);
            within.pop();
            done.push(target);
            if !ends {
                return false;
            }
        }
    }
    match schema {
        Value::Object(rules) => {
            rules.values().all(|inner| references_end(root, inner, within, done))
        }
        Value::Array(items) => items.iter().all(|inner| references_end(root, inner, within, done)),
        _ => true,
    }
}

/// Writes a node's description: the one it has, then what no keyword of the form can say.
pub(super) fn describe(written: Option<&Value>, said: &[String], out: &mut Rules) {
    let mut description = written.and_then(Value::as_str).unwrap_or_default().to_owned();
    if !said.is_empty() {
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        description.push_str(&format!("{{{}}}", said.join(", ")));
    }
    if !description.is_empty() {
        out.insert("description".to_owned(), json!(description));
    }
}
