//! Changes a value that does not satisfy its schema where the value and the schema together allow
//! one reading. For example, the string `"42"` becomes a number if the schema requires a number.
//!
//! Coercion follows `properties`, `items`, `additionalProperties`, references, `allOf`, and the
//! branch of a union that the value must be meant for (`applied.rs`). Each change adds a warning.

use serde_json::{Map, Number, Value};

use super::applied::{Finder, Purpose};
use super::budget::{Budget, TooMuchWork};
use super::equal::byte_work;
use super::node::{Graph, ItemRules, Keyword, NodeId, ObjectRules, ROOT, Types};
use super::path::Path;
use super::places::Step;
use super::warnings::Warnings;
use crate::json::{self, LossyNumber, MAX_DEPTH, NumberError, WrittenNumbers, parse_number};

/// The number of units of work per byte to parse JSON in a string. It also limits the memory.
const UNITS_PER_BYTE: u64 = 16;

/// The reasons to remove a property.
const UNKNOWN: &str = "the unknown property was dropped";
const ABSENT: &str = "null was read as an absent property";

/// The types that strings can be converted to.
const NUMBERS: Types = Types::NUMBER.with(Types::INTEGER).with(Types::WRITTEN_INTEGER);

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin<'t> {
    /// JSON, whose values have types, and its text if it is known.
    Json(Option<&'t str>),
    /// Text, whose values are all strings. Reading one as a number is not worth a warning.
    Text,
}

/// Coerces a value to the root of a schema, in place. Returns the last number in a string that
/// would have lost digits, if any.
///
/// # Errors
/// Returns an error if the budget is spent.
pub(super) fn coerce(
    graph: &Graph,
    value: &mut Value,
    origin: Origin<'_>,
    budget: &Budget,
    warnings: &mut Warnings,
) -> Result<Option<LossyNumber>, TooMuchWork> {
    let finder = Finder::new(graph, budget);
    let (is_json, text) = match origin {
        Origin::Json(text) => (true, text),
        Origin::Text => (false, None),
    };
    let (written, lossy, is_in_text) = (None, None, false);
    let mut coercer = Coercer { finder, is_json, text, written, warnings, lossy, is_in_text };
    coercer.coerce_value(&[ROOT], value, &Path::ROOT, 0)?;
    Ok(coercer.lossy)
}

struct Coercer<'a, 'w> {
    finder: Finder<'a>,
    /// Whether the value comes from JSON.
    is_json: bool,
    /// The text of the value, and the numbers in it once they are needed.
    text: Option<&'a str>,
    written: Option<WrittenNumbers>,
    warnings: &'w mut Warnings,
    /// The last number that would have lost digits.
    lossy: Option<LossyNumber>,
    /// Whether the value was JSON in a string. Strings in it are not parsed.
    is_in_text: bool,
}

impl<'a> Coercer<'a, '_> {
    fn warn(&mut self, path: &Path<'_>, text: &str) {
        self.warnings.add(|| format!("{}: {text}", path.text()));
    }

    /// Coerces a value to all schemas that apply to it.
    fn coerce_value(
        &mut self,
        schemas: &[NodeId],
        value: &mut Value,
        path: &Path<'_>,
        depth: usize,
    ) -> Result<(), TooMuchWork> {
        if depth > MAX_DEPTH || matches!(value, Value::Null | Value::Bool(_)) {
            return Ok(());
        }
        let nodes = self.finder.find(schemas, value, Purpose::Coerce)?;
        match value {
            Value::Number(number) => {
                if let Some(text) = self.text_of(&nodes, number)? {
                    *value = Value::String(text);
                    self.warn(path, "the number was read as a string");
                }
                Ok(())
            }
            Value::String(text) => {
                match self.coerce_string(&nodes, text, path)? {
                    Some(coerced) => *value = coerced,
                    None => {
                        if let Some(inner) = self.parse_text(schemas, &nodes, value, path, depth)? {
                            *value = inner;
                        }
                    }
                }
                Ok(())
            }
            Value::Object(fields) => self.coerce_object(&nodes, fields, path, depth),
            Value::Array(items) => self.coerce_items(&nodes, items, path, depth),
            _ => Ok(()),
        }
    }

    /// Returns the text of a number if a string without any rules is required.
    fn text_of(
        &mut self,
        nodes: &[NodeId],
        number: &Number,
    ) -> Result<Option<String>, TooMuchWork> {
        // The text of other numbers is not stored.
        if !json::stores_text() && !number.is_i64() && !number.is_u64() {
            return Ok(None);
        }
        let mut requires_string = false;
        for node in nodes {
            let node = self.finder.graph.node(*node);
            if node.has_text_form || !node.types.contains(Types::STRING) {
                return Ok(None);
            }
            requires_string |= node.types == Types::STRING;
            for keyword in &node.keywords {
                let is_free = match keyword {
                    Keyword::Default(_)
                    | Keyword::Ref(_)
                    | Keyword::DynamicRef(_)
                    | Keyword::AllOf(_) => true,
                    Keyword::AnyOf(union) | Keyword::OneOf(union) => {
                        self.finder.only_branch(union)?.is_some()
                    }
                    _ => false,
                };
                if !is_free {
                    return Ok(None);
                }
            }
        }
        if !requires_string {
            return Ok(None);
        }
        let stored = number.to_string();
        if !stored.contains('e') {
            return Ok(Some(stored));
        }
        // An exponent is not stored as it was written.
        let Some(text) = self.text.filter(|_| !self.is_in_text) else { return Ok(None) };
        if self.written.is_none() {
            self.finder.budget.spend(byte_work(text.len()))?;
        }
        let written = self.written.get_or_insert_with(|| WrittenNumbers::new(text));
        Ok(written.find(&stored).map(str::to_owned))
    }

    /// Converts a string to a number or a boolean if that is required, or to the spelling that
    /// `enum` or `const` have.
    fn coerce_string(
        &mut self,
        nodes: &[NodeId],
        text: &str,
        path: &Path<'_>,
    ) -> Result<Option<Value>, TooMuchWork> {
        for node in nodes {
            if let Some(scalar) = self.parse_scalar(self.finder.graph.node(*node).types, text) {
                if self.is_json {
                    let kind = if scalar.is_number() { "a number" } else { "a boolean" };
                    self.warn(path, &format!("the string was read as {kind}"));
                }
                return Ok(Some(scalar));
            }
        }
        for node in nodes {
            if let Some(listed) = self.find_in_other_case(*node, text)? {
                self.warn(path, "the string was read without regard to case");
                return Ok(Some(listed.clone()));
            }
        }
        Ok(None)
    }

    /// Converts a string to a number or a boolean if the schema requires that type and does not
    /// allow strings.
    fn parse_scalar(&mut self, types: Types, text: &str) -> Option<Value> {
        if types.contains(Types::STRING) {
            return None;
        }
        match text {
            "true" if types.contains(Types::BOOLEAN) => Some(Value::Bool(true)),
            "false" if types.contains(Types::BOOLEAN) => Some(Value::Bool(false)),
            _ if types.contains(NUMBERS) => match parse_number(text) {
                Ok(number) => Some(Value::Number(number)),
                Err(NumberError::Lossy(error)) => {
                    self.lossy = Some(error);
                    None
                }
                Err(NumberError::Invalid) => None,
            },
            _ => None,
        }
    }

    /// Returns the only string of `enum` or `const` that differs from a text in case only.
    fn find_in_other_case(
        &self,
        node: NodeId,
        text: &str,
    ) -> Result<Option<&'a Value>, TooMuchWork> {
        let listed = match self.finder.graph.node(node).keywords.first() {
            Some(Keyword::Const(constant)) => std::slice::from_ref(&**constant),
            Some(Keyword::Enum(all)) => all.values.as_slice(),
            _ => return Ok(None),
        };
        let mut found: Option<&Value> = None;
        for value in listed {
            let Value::String(other) = value else { continue };
            self.finder.budget.spend(1 + byte_work(other.len().min(text.len())))?;
            if other == text {
                return Ok(None);
            }
            if equal_without_case(other, text) {
                if found.is_some_and(|found| found != value) {
                    return Ok(None);
                }
                found = Some(value);
            }
        }
        Ok(found)
    }

    /// Parses a string that contains an object or a list, if the schemas require one. Strings in it
    /// are not parsed again.
    fn parse_text(
        &mut self,
        schemas: &[NodeId],
        nodes: &[NodeId],
        value: &Value,
        path: &Path<'_>,
        depth: usize,
    ) -> Result<Option<Value>, TooMuchWork> {
        let Value::String(text) = value else { return Ok(None) };
        let required = match text.trim_start().as_bytes().first() {
            Some(b'{') => Types::OBJECT,
            Some(b'[') => Types::ARRAY,
            _ => return Ok(None),
        };
        let graph = self.finder.graph;
        if self.is_in_text || !nodes.iter().all(|node| graph.node(*node).types.contains(required)) {
            return Ok(None);
        }
        let mut accepts_text = true;
        for schema in schemas {
            accepts_text = accepts_text && self.finder.accepts(*schema, value)?;
        }
        if accepts_text {
            return Ok(None);
        }
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.finder.budget.spend(length.saturating_mul(UNITS_PER_BYTE))?;
        let parsed = json::parse_unique(text).ok();
        let parsed = parsed.filter(|inner| depth_of(inner) + depth <= MAX_DEPTH);
        let Some(mut inner) = parsed else { return Ok(None) };
        self.warn(path, "the string was read as JSON");
        self.is_in_text = true;
        let outcome = self.coerce_value(schemas, &mut inner, path, depth);
        self.is_in_text = false;
        outcome.map(|()| Some(inner))
    }

    fn coerce_object(
        &mut self,
        nodes: &[NodeId],
        fields: &mut Map<String, Value>,
        path: &Path<'_>,
        depth: usize,
    ) -> Result<(), TooMuchWork> {
        let rules = nodes.iter().flat_map(|node| self.finder.object_rules(*node));
        let rules: Vec<&ObjectRules> = rules.collect();
        if rules.is_empty() {
            return Ok(());
        }
        let is_closed = rules.iter().any(|rules| rules.is_closed());
        let (mut removed, mut unknown) = (Vec::new(), 0);
        let mut cursors = vec![0; rules.len()];
        let mut schemas = Vec::new();
        for (index, (name, field)) in fields.iter_mut().enumerate() {
            self.finder.budget.spend(1)?;
            schemas.clear();
            let mut is_declared = false;
            for (rules, cursor) in rules.iter().zip(&mut cursors) {
                let own = rules.find(name, cursor).and_then(|rule| rule.schema);
                is_declared |= own.is_some();
                schemas.extend(own.or_else(|| rules.coerced_additional()));
            }
            if is_closed && !is_declared && !self.matches_pattern(&rules, name)? {
                removed.push((index, UNKNOWN));
                unknown += 1;
            } else if !field.is_null() {
                self.coerce_value(&schemas, field, &path.with(Step::Name(name)), depth + 1)?;
            } else if is_declared && self.means_absent(&rules, name, &schemas)? {
                removed.push((index, ABSENT));
            }
        }
        // An object of which nothing remains is another object and not an answer.
        if fields.len() > removed.len() || unknown == 0 {
            self.remove(fields, &removed, path);
        }
        Ok(())
    }

    /// Removes the properties at these positions, which are sorted, each for a reason.
    fn remove(
        &mut self,
        fields: &mut Map<String, Value>,
        removed: &[(usize, &'static str)],
        path: &Path<'_>,
    ) {
        if removed.is_empty() {
            return;
        }
        let (mut index, mut removed) = (0, removed.iter().peekable());
        fields.retain(|name, _| {
            let found = removed.next_if(|(position, _)| *position == index);
            index += 1;
            if let Some((_, reason)) = found {
                self.warn(&path.with(Step::Name(name)), reason);
            }
            found.is_none()
        });
    }

    fn matches_pattern(&self, rules: &[&ObjectRules], name: &str) -> Result<bool, TooMuchWork> {
        for rule in rules.iter().flat_map(|rules| &rules.patterns) {
            if rule.pattern.is_match(name, self.finder.budget)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns whether null means an absent property: one that is not required and can't be
    /// null.
    fn means_absent(
        &self,
        rules: &[&ObjectRules],
        name: &str,
        schemas: &[NodeId],
    ) -> Result<bool, TooMuchWork> {
        let is_required =
            |rules: &&ObjectRules| rules.find(name, &mut 0).is_some_and(|rule| rule.is_required);
        if rules.iter().any(is_required) {
            return Ok(false);
        }
        for schema in schemas {
            if !self.finder.accepts(*schema, &Value::Null)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn coerce_items(
        &mut self,
        nodes: &[NodeId],
        items: &mut [Value],
        path: &Path<'_>,
        depth: usize,
    ) -> Result<(), TooMuchWork> {
        let graph = self.finder.graph;
        let rules: Vec<&ItemRules> =
            nodes.iter().filter_map(|node| graph.item_rules(*node)).collect();
        let mut schemas = Vec::new();
        for (index, item) in items.iter_mut().enumerate() {
            schemas.clear();
            schemas.extend(rules.iter().filter_map(|rules| rules.schema_at(index)));
            if schemas.is_empty() {
                break;
            }
            self.coerce_value(&schemas, item, &path.with(Step::Index(index)), depth + 1)?;
        }
        Ok(())
    }
}

fn equal_without_case(first: &str, second: &str) -> bool {
    let lower = |text: &'_ str| text.chars().flat_map(char::to_lowercase).collect::<String>();
    first.eq_ignore_ascii_case(second)
        || !(first.is_ascii() && second.is_ascii()) && lower(first) == lower(second)
}

/// Returns the nesting depth of lists and objects.
fn depth_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth_of).max().unwrap_or(0),
        _ => 0,
    }
}
