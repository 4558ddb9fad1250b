//! Generates random schemas of all drafts, and values that almost satisfy them.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// The drafts, from the newest to the oldest.
const DRAFTS: &[&str] = &[
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema#",
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-04/schema#",
];
const TYPES: &[&str] = &["null", "boolean", "object", "array", "number", "string", "integer"];
const NAMES: &[&str] = &["a", "b", "c", "x-1", "foo", "é", ""];
const STRINGS: &[&str] =
    &["", "a", "aa", "ab", "abc", "é", "😀", "x-1", "foo", "1", "a b", "\n", "日本", "12", "A"];
const PATTERNS: &[&str] = &[
    "^a",
    "^x-",
    "a+$",
    "^[a-z]+$",
    "^.{1,2}$",
    "\\d",
    "^\\w+$",
    "^\\p{L}+$",
    "(?!a)",
    "^(?=a)",
    "b|é",
    "^\\S*$",
    "^(a)\\1$",
    "",
    "^foo$",
    "^(a|ab|abc)$",
    "[^a-c]",
    "\\s",
    "^[\\w-]{2,}$",
    "(?<=a)b",
    "^\\p{Lu}",
    "\\u00e9",
    "^(?:a{1,2}b?){1,2}$",
];
/// Numbers that are easy to get wrong. `jsonschema` counts those below the smallest 64-bit float as
/// zero, so they are not among these.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "3",
    "5",
    "10",
    "1.0",
    "1e0",
    "2.5",
    "0.1",
    "0.3",
    "1e2",
    "100",
    "-0.0",
    "0.1e1",
    "9007199254740993",
    "9007199254740992",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890",
    "1.5e300",
    "1e400",
    "0.30000000000000004",
    "-9223372036854775809",
    "3.0",
    "12.50",
];
const DIVISORS: &[&str] =
    &["1", "2", "3", "0.1", "0.01", "1.5", "1e2", "7", "1e-2", "2.0", "9007199254740993"];
/// The number of definitions.
const DEFINITIONS: usize = 3;

pub(super) struct Generator {
    rng: Rng,
    /// The index in [`DRAFTS`].
    draft: usize,
    /// The first definition that can be referred to without a cycle.
    first_target: usize,
    /// Whether the schema is a resource of its own, which can't refer to definitions.
    is_resource: bool,
    /// Whether the schema has dynamic references.
    dynamic: bool,
    /// Whether the definitions have an anchor.
    anchors: [bool; DEFINITIONS],
    /// Whether the definitions are resources.
    resources: [bool; DEFINITIONS],
}

impl Generator {
    pub(super) fn new(seed: u64, index: u64) -> Self {
        let mut rng = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(index));
        let draft = [0, 0, 0, 1, 1, 2, 3, 4][rng.usize(..8)];
        let (anchors, resources) = ([false; DEFINITIONS], [false; DEFINITIONS]);
        Generator {
            rng,
            draft,
            first_target: 0,
            is_resource: false,
            dynamic: false,
            anchors,
            resources,
        }
    }

    /// Returns a schema.
    pub(super) fn schema(&mut self) -> Map<String, Value> {
        self.dynamic = self.draft < 2 && self.rng.usize(..3) == 0;
        // The last definition comes first, because a reference needs to know its anchor.
        let mut definitions = Vec::new();
        for index in (0..DEFINITIONS).rev() {
            self.first_target = index + 1;
            definitions.push((format!("d{index}"), self.definition(index)));
        }
        let definitions = Map::from_iter(definitions);
        self.first_target = 0;
        let mut root = self.rules(3);
        if self.draft > 0 || self.rng.bool() {
            root.insert("$schema".to_owned(), json!(DRAFTS[self.draft]));
        }
        let place = if self.draft < 2 { "$defs" } else { "definitions" };
        root.insert(place.to_owned(), Value::Object(definitions));
        if self.dynamic {
            let (name, value) = self.dynamic_anchor();
            root.insert(name.to_owned(), value);
        }
        if self.rng.usize(..40) == 0 {
            let name = self.pick(&["minimum", "type", "required", "pattern", "properties", "$ref"]);
            root.insert(name.to_owned(), self.any(1));
        }
        root
    }

    fn definition(&mut self, index: usize) -> Value {
        if self.dynamic && self.rng.bool() {
            return self.resource(index);
        }
        let mut rules = match self.schema_of(2) {
            Value::Object(rules) => rules,
            other => return other,
        };
        let is_reference = rules.contains_key("$ref") && self.draft > 1;
        // Old drafts ignore what is next to a reference.
        if !is_reference && self.rng.usize(..3) == 0 {
            self.anchors[index] = true;
            match self.draft {
                0 | 1 => rules.insert("$anchor".to_owned(), json!(format!("n{index}"))),
                2 | 3 => rules.insert("$id".to_owned(), json!(format!("#n{index}"))),
                _ => rules.insert("id".to_owned(), json!(format!("#n{index}"))),
            };
        }
        Value::Object(rules)
    }

    /// Returns a definition that is a resource of its own, because a resource has each anchor once.
    fn resource(&mut self, index: usize) -> Value {
        self.is_resource = true;
        let mut rules = self.rules(2);
        self.is_resource = false;
        rules.insert("$id".to_owned(), json!(uri(index)));
        self.resources[index] = true;
        let (name, value) = self.dynamic_anchor();
        rules.insert(name.to_owned(), value);
        Value::Object(rules)
    }

    fn dynamic_anchor(&self) -> (&'static str, Value) {
        match self.draft {
            0 => ("$dynamicAnchor", json!("node")),
            _ => ("$recursiveAnchor", json!(true)),
        }
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.rng.usize(..from.len())]
    }

    fn number(&mut self) -> Value {
        let text = self.pick(NUMBERS);
        serde_json::from_str(text).unwrap()
    }

    /// Returns a schema for the same value.
    fn schema_of(&mut self, depth: usize) -> Value {
        if self.draft < 4 && self.rng.usize(..14) == 0 {
            return Value::Bool(self.rng.bool());
        }
        Value::Object(self.rules(depth))
    }

    /// Returns a schema for a part of the value, which may refer to any definition.
    fn child(&mut self, depth: usize) -> Value {
        let first_target = std::mem::take(&mut self.first_target);
        let schema = match self.rng.usize(..8) {
            0 if self.dynamic && self.draft == 0 => json!({ "$dynamicRef": "#node" }),
            0 if self.dynamic => json!({ "$recursiveRef": "#" }),
            1 => json!({ "$ref": "#" }),
            _ => self.schema_of(depth),
        };
        self.first_target = first_target;
        schema
    }

    fn rules(&mut self, depth: usize) -> Map<String, Value> {
        let mut rules = Map::new();
        for _ in 0..1 + self.rng.usize(..3) {
            match self.rng.usize(..10) {
                0 | 1 => self.add_any_type(&mut rules),
                2 => self.add_number(&mut rules),
                3 => self.add_string(&mut rules),
                4 | 5 if depth > 0 => self.add_object(&mut rules, depth - 1),
                6 if depth > 0 => self.add_array(&mut rules, depth - 1),
                7 | 8 if depth > 0 => self.add_combination(&mut rules, depth - 1),
                9 => self.add_reference(&mut rules),
                _ => self.add_counts(&mut rules),
            }
        }
        rules
    }

    fn add_any_type(&mut self, rules: &mut Map<String, Value>) {
        let value = match self.rng.usize(..4) {
            0 => ("type", json!(self.pick(TYPES))),
            1 => {
                let (first, second) = (self.pick(TYPES), self.pick(TYPES));
                ("type", if first == second { json!([first]) } else { json!([first, second]) })
            }
            2 if self.draft < 4 => ("const", self.any(2)),
            _ => {
                let mut values: Vec<Value> = Vec::new();
                for _ in 0..1 + self.rng.usize(..4) {
                    values.push(self.any(2));
                }
                // Draft 4 requires that they differ.
                let mut seen = std::collections::HashSet::new();
                values.retain(|value| self.draft < 4 || seen.insert(type_name(value)));
                ("enum", json!(values))
            }
        };
        rules.insert(value.0.to_owned(), value.1);
    }

    fn add_number(&mut self, rules: &mut Map<String, Value>) {
        let name = self.pick(&[
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
        ]);
        if name == "multipleOf" {
            let divisor = serde_json::from_str(self.pick(DIVISORS)).unwrap();
            rules.insert(name.to_owned(), divisor);
        } else if let (Some(rest), 4) = (name.strip_prefix("exclusive"), self.draft) {
            rules.insert(name.to_owned(), json!(self.rng.bool()));
            rules.insert(rest.to_lowercase(), self.number());
        } else {
            rules.insert(name.to_owned(), self.number());
        }
    }

    fn add_string(&mut self, rules: &mut Map<String, Value>) {
        match self.rng.usize(..4) {
            0 => rules.insert("minLength".to_owned(), json!(self.rng.usize(..3))),
            1 => rules.insert("maxLength".to_owned(), json!(self.rng.usize(..3))),
            2 => rules.insert("format".to_owned(), json!("email")),
            _ => rules.insert("pattern".to_owned(), json!(self.pick(PATTERNS))),
        };
    }

    fn add_counts(&mut self, rules: &mut Map<String, Value>) {
        let name =
            self.pick(&["minItems", "maxItems", "minProperties", "maxProperties", "uniqueItems"]);
        let value = match name {
            "uniqueItems" => json!(self.rng.usize(..4) > 0),
            _ if self.rng.usize(..8) == 0 && self.draft < 4 => serde_json::from_str("2.0").unwrap(),
            _ => json!(self.rng.usize(..4)),
        };
        rules.insert(name.to_owned(), value);
    }

    fn add_object(&mut self, rules: &mut Map<String, Value>, depth: usize) {
        match self.rng.usize(..9) {
            0..=2 => {
                let properties = self.named(NAMES, depth, Self::child);
                rules.insert("properties".to_owned(), properties);
                if self.rng.bool() {
                    rules.insert("additionalProperties".to_owned(), self.closing(depth));
                }
            }
            3 => drop(rules.insert("required".to_owned(), self.some_names())),
            4 => {
                let patterns = self.named(PATTERNS, depth, Self::child);
                rules.insert("patternProperties".to_owned(), patterns);
            }
            5 => drop(rules.insert("additionalProperties".to_owned(), self.closing(depth))),
            6 if self.draft < 4 => {
                let schema = self.child(depth);
                rules.insert("propertyNames".to_owned(), schema);
            }
            7 if self.draft < 2 => {
                let schema = self.closing(depth);
                rules.insert("unevaluatedProperties".to_owned(), schema);
            }
            _ => self.add_dependencies(rules, depth),
        }
    }

    fn add_dependencies(&mut self, rules: &mut Map<String, Value>, depth: usize) {
        let names = |generator: &mut Self, _| generator.some_names();
        match (self.draft, self.rng.bool()) {
            (0 | 1, true) => {
                let dependencies = self.named(NAMES, depth, names);
                rules.insert("dependentRequired".to_owned(), dependencies);
            }
            (0 | 1, false) => {
                let dependencies = self.named(NAMES, depth, Self::schema_of);
                rules.insert("dependentSchemas".to_owned(), dependencies);
            }
            (_, true) => {
                let dependencies = self.named(NAMES, depth, names);
                rules.insert("dependencies".to_owned(), dependencies);
            }
            (_, false) => {
                let dependencies = self.named(NAMES, depth, Self::schema_of);
                rules.insert("dependencies".to_owned(), dependencies);
            }
        }
    }

    /// Returns an object with some of the names, whose values `make` returns.
    fn named(
        &mut self,
        names: &[&str],
        depth: usize,
        make: impl Fn(&mut Self, usize) -> Value,
    ) -> Value {
        let mut object = Map::new();
        for _ in 0..1 + self.rng.usize(..3) {
            let name = self.pick(names).to_owned();
            let value = make(self, depth);
            object.insert(name, value);
        }
        Value::Object(object)
    }

    fn some_names(&mut self) -> Value {
        let (first, second) = (self.pick(NAMES), self.pick(NAMES));
        if first == second { json!([first]) } else { json!([first, second]) }
    }

    /// Returns a schema for the rest of the properties or items, which is often `false`.
    fn closing(&mut self, depth: usize) -> Value {
        if self.rng.bool() { json!(false) } else { self.child_or_bool(depth) }
    }

    /// Returns a schema for a keyword that can have a boolean in draft 4 too.
    fn child_or_bool(&mut self, depth: usize) -> Value {
        if self.rng.usize(..8) == 0 { json!(true) } else { self.child(depth) }
    }

    fn add_array(&mut self, rules: &mut Map<String, Value>, depth: usize) {
        let list = if self.draft == 0 { "prefixItems" } else { "items" };
        match self.rng.usize(..7) {
            0 | 1 => drop(rules.insert("items".to_owned(), self.child(depth))),
            2 | 3 => {
                let items: Vec<Value> =
                    (0..1 + self.rng.usize(..2)).map(|_| self.child(depth)).collect();
                rules.insert(list.to_owned(), json!(items));
                if self.rng.bool() {
                    let rest = if self.draft == 0 { "items" } else { "additionalItems" };
                    rules.insert(rest.to_owned(), self.closing_items(depth));
                }
            }
            4 | 5 if self.draft < 4 => {
                rules.insert("contains".to_owned(), self.child(depth));
                if self.draft < 2 && self.rng.bool() {
                    let name = self.pick(&["minContains", "maxContains"]);
                    rules.insert(name.to_owned(), json!(self.rng.usize(..3)));
                }
            }
            6 if self.draft < 2 => {
                let schema = self.closing(depth);
                rules.insert("unevaluatedItems".to_owned(), schema);
            }
            _ => self.add_counts(rules),
        }
    }

    fn closing_items(&mut self, depth: usize) -> Value {
        if self.draft == 4 { self.child_or_bool(depth) } else { self.closing(depth) }
    }

    fn add_combination(&mut self, rules: &mut Map<String, Value>, depth: usize) {
        let name = self.pick(&["allOf", "anyOf", "oneOf", "not", "if"]);
        match name {
            "not" => drop(rules.insert(name.to_owned(), self.schema_of(depth))),
            "if" if self.draft < 3 => {
                rules.insert("if".to_owned(), self.schema_of(depth));
                for name in ["then", "else"] {
                    if self.rng.usize(..4) > 0 {
                        rules.insert(name.to_owned(), self.schema_of(depth));
                    }
                }
            }
            _ => {
                let name = if name == "if" { "anyOf" } else { name };
                let schemas: Vec<Value> =
                    (0..1 + self.rng.usize(..3)).map(|_| self.schema_of(depth)).collect();
                rules.insert(name.to_owned(), json!(schemas));
            }
        }
    }

    fn add_reference(&mut self, rules: &mut Map<String, Value>) {
        if self.is_resource || self.first_target >= DEFINITIONS {
            return self.add_counts(rules);
        }
        let index = self.first_target + self.rng.usize(..DEFINITIONS - self.first_target);
        let place = if self.draft < 2 { "$defs" } else { "definitions" };
        let target = match self.rng.usize(..60) {
            // This anchor may not exist.
            0 => format!("#n{index}"),
            1 => format!("#/{place}/d{index}/not"),
            2..=50 if self.resources[index] => uri(index),
            2..=30 if self.anchors[index] => format!("#n{index}"),
            _ => format!("#/{place}/d{index}"),
        };
        rules.insert("$ref".to_owned(), json!(target));
    }

    /// Returns a random value.
    fn any(&mut self, depth: usize) -> Value {
        match self.rng.usize(..8) {
            0 => Value::Null,
            1 => json!(self.rng.bool()),
            2 | 3 => self.number(),
            4 | 5 => json!(self.pick(STRINGS)),
            6 if depth > 0 => (0..self.rng.usize(..4)).map(|_| self.any(depth - 1)).collect(),
            7 if depth > 0 => self.named(NAMES, depth - 1, Self::any),
            _ => json!({}),
        }
    }

    /// Returns a value that satisfies a schema or is close to it.
    pub(super) fn value(&mut self, schema: &Map<String, Value>) -> Value {
        let root = Value::Object(schema.clone());
        let mut value = self.satisfy(&root, &root, 4);
        for _ in 0..self.rng.usize(..3) {
            self.mutate(&mut value);
        }
        value
    }

    fn satisfy(&mut self, root: &Value, schema: &Value, depth: usize) -> Value {
        let Some(rules) = schema.as_object().filter(|_| depth > 0) else { return self.any(1) };
        let mut hints: Vec<&Value> = Vec::new();
        hints.extend(rules.get("const"));
        hints.extend(rules.get("enum").and_then(Value::as_array).into_iter().flatten());
        if !hints.is_empty() && self.rng.usize(..4) > 0 {
            return hints[self.rng.usize(..hints.len())].clone();
        }
        let mut inner: Vec<&Value> = Vec::new();
        for name in ["allOf", "anyOf", "oneOf"] {
            inner.extend(rules.get(name).and_then(Value::as_array).into_iter().flatten());
        }
        inner.extend(["if", "then", "else"].iter().filter_map(|name| rules.get(*name)));
        let target =
            rules.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
        inner.extend(target.and_then(|pointer| root.pointer(pointer)));
        if ["$dynamicRef", "$recursiveRef"].iter().any(|name| rules.contains_key(*name)) {
            inner.push(root);
        }
        if !inner.is_empty() && self.rng.bool() {
            let chosen = inner[self.rng.usize(..inner.len())];
            return self.satisfy(root, chosen, depth - 1);
        }
        let objects = ["properties", "required", "patternProperties", "additionalProperties"];
        let arrays = ["items", "prefixItems", "contains", "minItems", "uniqueItems"];
        let numbers = ["minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"];
        let has = |names: &[&str]| names.iter().any(|name| rules.contains_key(*name));
        let kind = match rules.get("type") {
            Some(Value::String(name)) => name.as_str(),
            Some(Value::Array(names)) if !names.is_empty() => {
                names[self.rng.usize(..names.len())].as_str().unwrap_or_default()
            }
            _ if has(&objects) => "object",
            _ if has(&arrays) => "array",
            _ if has(&numbers) => "number",
            _ if has(&["pattern", "minLength", "maxLength"]) => "string",
            _ => return self.any(2),
        };
        match kind {
            "object" => self.object(root, rules, depth),
            "array" => self.array(root, rules, depth),
            "string" => json!(self.pick(STRINGS)),
            "boolean" => json!(self.rng.bool()),
            "null" => Value::Null,
            _ => self.near_number(rules),
        }
    }

    fn object(&mut self, root: &Value, rules: &Map<String, Value>, depth: usize) -> Value {
        let mut object = Map::new();
        if let Some(properties) = rules.get("properties").and_then(Value::as_object) {
            for (name, schema) in properties {
                if self.rng.usize(..4) > 0 {
                    object.insert(name.clone(), self.satisfy(root, schema, depth - 1));
                }
            }
        }
        for name in rules.get("required").and_then(Value::as_array).into_iter().flatten() {
            let name = name.as_str().unwrap_or_default().to_owned();
            if self.rng.usize(..5) > 0 && !object.contains_key(&name) {
                object.insert(name, self.any(1));
            }
        }
        let schemas = ["additionalProperties", "unevaluatedProperties"];
        let rest = schemas.iter().find_map(|name| rules.get(*name)).unwrap_or(&Value::Null);
        for _ in 0..self.rng.usize(..2) {
            let name = self.pick(NAMES).to_owned();
            object.insert(name, self.satisfy(root, rest, depth - 1));
        }
        Value::Object(object)
    }

    fn array(&mut self, root: &Value, rules: &Map<String, Value>, depth: usize) -> Value {
        let lists = ["prefixItems", "items"];
        let list = lists.iter().find_map(|name| rules.get(*name).and_then(Value::as_array));
        let mut items: Vec<Value> = Vec::new();
        for schema in list.into_iter().flatten() {
            items.push(self.satisfy(root, schema, depth - 1));
        }
        let rest = ["items", "additionalItems", "contains"];
        let rest = rest.iter().filter_map(|name| rules.get(*name)).find(|rest| !rest.is_array());
        for _ in 0..self.rng.usize(..3) {
            items.push(self.satisfy(root, rest.unwrap_or(&Value::Null), depth - 1));
        }
        Value::Array(items)
    }

    /// Returns a limit of the schema, a number next to it, or another number.
    fn near_number(&mut self, rules: &Map<String, Value>) -> Value {
        let limits: Vec<&Value> = rules.values().filter(|rule| rule.is_number()).collect();
        if limits.is_empty() || self.rng.usize(..3) == 0 {
            return self.number();
        }
        let limit = limits[self.rng.usize(..limits.len())];
        let Some(integer) = limit.as_i64().filter(|integer| integer.abs() < 1000) else {
            return limit.clone();
        };
        json!(integer * [1, 1, 2, 3][self.rng.usize(..4)] + [-1, 0, 0, 1][self.rng.usize(..4)])
    }

    /// Changes one part of a value.
    fn mutate(&mut self, value: &mut Value) {
        match value {
            Value::Array(items) if !items.is_empty() && self.rng.usize(..4) > 0 => {
                let index = self.rng.usize(..items.len());
                match self.rng.usize(..4) {
                    0 => drop(items.remove(index)),
                    1 => items.push(items[index].clone()),
                    2 => items.push(self.any(1)),
                    _ => self.mutate(&mut items[index]),
                }
            }
            Value::Object(fields) if !fields.is_empty() && self.rng.usize(..4) > 0 => {
                let index = self.rng.usize(..fields.len());
                match self.rng.usize(..3) {
                    0 => drop(remove_at(fields, index)),
                    1 => {
                        let name = self.pick(NAMES).to_owned();
                        fields.insert(name, self.any(1));
                    }
                    _ => {
                        if let Some(field) = fields.values_mut().nth(index) {
                            self.mutate(field);
                        }
                    }
                }
            }
            _ => *value = self.any(2),
        }
    }
}

fn type_name(value: &Value) -> &'static str {
    llm_exe::json::type_name(value)
}

/// Returns the URI of a definition that is a resource.
fn uri(index: usize) -> String {
    format!("https://schemas.example/d{index}")
}

fn remove_at(fields: &mut Map<String, Value>, index: usize) -> Option<Value> {
    let name = fields.keys().nth(index).cloned()?;
    fields.shift_remove(&name)
}
