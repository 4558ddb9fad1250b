//! Compiles the keywords of a schema, and rejects values of keywords that the meta-schemas reject.

use serde_json::{Map, Number, Value};

use super::builder::{Builder, Reference, ReferenceKind};
use super::decimal::{Decimal, MAX_SCHEMA_DIGITS};
use super::draft::Draft;
use super::node::{
    ALWAYS, Conditional, ContainsRule, Content, DependentRequired, DynamicRef, Encoding,
    Enumeration, ItemRules, Keyword, Node, NodeId, NumberRule, NumberRuleKind, ObjectRules,
    PatternProperty, PatternRule, PropertyRule, Range, Types, Union, is_written_integer,
};
use super::pattern::Pattern;
use super::places::{MAX_POINTER, Step};
use crate::error::shorten;
use crate::json::{quoted, shown};
use crate::request::suggestion;
use crate::schema::SchemaError;

/// Maximum length in bytes of an `$id`, which is joined with each reference that is relative to it.
const MAX_ID: usize = 2000;
/// Maximum number of properties that are searched without sorting them.
const MAX_UNSORTED: usize = 8;

/// Maximum number of names in a warning.
const MAX_NAMES: usize = 5;

/// The keywords that describe the form of a string, in all drafts together.
const TEXT_FORMS: &[&str] = &["format", "contentEncoding", "contentMediaType", "contentSchema"];

/// The names of the JSON types.
const TYPES: &[(&str, Types)] = &[
    ("null", Types::NULL),
    ("boolean", Types::BOOLEAN),
    ("integer", Types::INTEGER),
    ("number", Types::NUMBER),
    ("string", Types::STRING),
    ("array", Types::ARRAY),
    ("object", Types::OBJECT),
];

/// Compiles the keywords of a schema to a node.
///
/// # Errors
/// Returns an error with the position of the first keyword whose value is invalid.
pub(super) fn compile<'a>(
    builder: &mut Builder<'a>,
    id: NodeId,
    schema: &'a Map<String, Value>,
) -> Result<Node, SchemaError> {
    let place = builder.places.get(id);
    let (draft, resource) = place.map_or_else(Default::default, |at| (at.draft, at.resource));
    let mut rules = Rules {
        builder,
        id,
        draft,
        schema,
        types: Types::ALL,
        keywords: Vec::new(),
        parts: Parts::default(),
        unknown: 0,
    };
    for (name, value) in schema {
        rules.compile_keyword(name, value)?;
    }
    if rules.unknown == schema.len() && !schema.is_empty() {
        rules.report_no_keyword()?;
    }
    rules.finish()?;
    let Rules { types, mut keywords, .. } = rules;
    keywords.sort_by_key(Keyword::order);
    if draft.ignores_ref_siblings() && schema.contains_key("$ref") {
        keywords.retain(|keyword| matches!(keyword, Keyword::Ref(_) | Keyword::Default(_)));
        return Ok(Node { resource, keywords, ..Node::accepting(Types::ALL) });
    }
    let has_unevaluated = keywords.iter().any(|keyword| {
        matches!(keyword, Keyword::UnevaluatedProperties(_) | Keyword::UnevaluatedItems(_))
    });
    let has_text_form = TEXT_FORMS.iter().any(|name| schema.contains_key(*name));
    Ok(Node { has_unevaluated, has_text_form, resource, keywords, ..Node::accepting(types) })
}

/// The keywords of a schema while they are compiled.
struct Rules<'c, 'a> {
    builder: &'c mut Builder<'a>,
    id: NodeId,
    draft: Draft,
    schema: &'a Map<String, Value>,
    types: Types,
    keywords: Vec<Keyword>,
    parts: Parts<'a>,
    /// The number of names that are not keywords of the draft.
    unknown: usize,
}

/// The values of keywords that become one keyword of the node.
#[derive(Default)]
struct Parts<'a> {
    properties: Vec<(&'a str, NodeId)>,
    required: Vec<&'a str>,
    patterns: Vec<(&'a str, NodeId)>,
    additional_properties: Option<NodeId>,
    has_object_rules: bool,
    prefix: Vec<NodeId>,
    items: Option<NodeId>,
    additional_items: Option<NodeId>,
    has_item_rules: bool,
    contains: Option<NodeId>,
    min_contains: Option<u64>,
    max_contains: Option<u64>,
    condition: Option<NodeId>,
    then: Option<NodeId>,
    otherwise: Option<NodeId>,
    lengths: [Option<u64>; 2],
    item_counts: [Option<u64>; 2],
    property_counts: [Option<u64>; 2],
    content: Content,
}

impl<'a> Rules<'_, 'a> {
    /// Compiles or checks one keyword. Keywords that the draft does not know are ignored.
    fn compile_keyword(&mut self, name: &'a str, value: &'a Value) -> Result<(), SchemaError> {
        let draft = self.draft;
        match name {
            "type" => self.types = self.read_types(value)?,
            "enum" => {
                let values = self.list(name, value)?.clone();
                let by_hash = Default::default();
                self.keywords.push(Keyword::Enum(Box::new(Enumeration { values, by_hash })));
            }
            "const" if draft >= Draft::Draft6 => {
                self.keywords.push(Keyword::Const(Box::new(value.clone())));
            }
            "default" => {
                self.builder.has_default = true;
                self.keywords.push(Keyword::Default(Box::new(value.clone())));
            }
            "$ref" => self.add_reference(name, ReferenceKind::Ref, value)?,
            "$dynamicRef" if draft == Draft::Draft202012 => {
                self.add_reference(name, ReferenceKind::DynamicRef, value)?;
            }
            "$recursiveRef" if draft == Draft::Draft201909 => {
                self.add_reference(name, ReferenceKind::RecursiveRef, value)?;
            }
            "allOf" => {
                let branches = self.schemas(name, value)?;
                self.keywords.push(Keyword::AllOf(branches.into()));
            }
            "anyOf" | "oneOf" => {
                let branches = self.schemas(name, value)?;
                let union = Box::new(Union { branches, by_hash: Default::default() });
                let is_any = name == "anyOf";
                self.keywords.push(if is_any {
                    Keyword::AnyOf(union)
                } else {
                    Keyword::OneOf(union)
                });
            }
            "not" => {
                let inner = self.schema(name, None, value)?;
                self.keywords.push(Keyword::Not(inner));
            }
            "if" if draft >= Draft::Draft7 => {
                self.parts.condition = Some(self.schema(name, None, value)?);
            }
            "then" if draft >= Draft::Draft7 => {
                self.parts.then = Some(self.schema(name, None, value)?);
            }
            "else" if draft >= Draft::Draft7 => {
                self.parts.otherwise = Some(self.schema(name, None, value)?);
            }
            "$defs" if draft >= Draft::Draft201909 => drop(self.named_schemas(name, value)?),
            "definitions" => drop(self.named_schemas(name, value)?),
            "contentSchema" if draft >= Draft::Draft201909 => {
                self.schema(name, None, value)?;
            }
            _ => return self.compile_number_or_text(name, value),
        }
        Ok(())
    }

    fn compile_number_or_text(
        &mut self,
        name: &'a str,
        value: &'a Value,
    ) -> Result<(), SchemaError> {
        match name {
            "minimum" => self.add_bound(name, "exclusiveMinimum", value)?,
            "maximum" => self.add_bound(name, "exclusiveMaximum", value)?,
            "exclusiveMinimum" | "exclusiveMaximum" if self.draft == Draft::Draft4 => {
                let bound = if name == "exclusiveMinimum" { "minimum" } else { "maximum" };
                self.boolean(name, value)?;
                if !self.schema.contains_key(bound) {
                    return Err(self.invalid(name, &format!("it needs {bound} next to it")));
                }
            }
            "exclusiveMinimum" => {
                self.add_number(name, NumberRuleKind::ExclusiveMinimum, value)?;
            }
            "exclusiveMaximum" => {
                self.add_number(name, NumberRuleKind::ExclusiveMaximum, value)?;
            }
            "multipleOf" => {
                let number = self.number(name, value)?;
                let decimal = Decimal::from(number);
                if decimal <= Decimal::from(&Number::from(0u8)) {
                    let text = format!("expected a number greater than 0, got {}", shown(value));
                    return Err(self.invalid(name, &text));
                }
                self.add_number(name, NumberRuleKind::MultipleOf, value)?;
            }
            "minLength" => self.parts.lengths[0] = Some(self.count(name, value)?),
            "maxLength" => self.parts.lengths[1] = Some(self.count(name, value)?),
            "pattern" => {
                let text = self.string(name, value)?;
                let pattern = self.parse_pattern(&[Step::Name(name)], text)?;
                let rule = PatternRule { text: text.into(), pattern };
                self.keywords.push(Keyword::Pattern(Box::new(rule)));
            }
            "contentEncoding" | "contentMediaType" => self.read_content(name, value)?,
            _ => return self.compile_list(name, value),
        }
        Ok(())
    }

    fn compile_list(&mut self, name: &'a str, value: &'a Value) -> Result<(), SchemaError> {
        let draft = self.draft;
        match name {
            "items" => self.read_items(name, value)?,
            "prefixItems" if draft == Draft::Draft202012 => {
                self.parts.prefix = self.schemas(name, value)?;
                self.parts.has_item_rules = true;
            }
            "additionalItems" if draft <= Draft::Draft201909 => {
                self.parts.additional_items = Some(self.schema_or_boolean(name, value)?);
            }
            "minItems" => self.parts.item_counts[0] = Some(self.count(name, value)?),
            "maxItems" => self.parts.item_counts[1] = Some(self.count(name, value)?),
            "uniqueItems" => {
                if self.boolean(name, value)? {
                    self.keywords.push(Keyword::UniqueItems);
                }
            }
            "contains" if draft >= Draft::Draft6 => {
                self.parts.contains = Some(self.schema(name, None, value)?);
            }
            "minContains" if draft >= Draft::Draft201909 => {
                self.parts.min_contains = Some(self.count(name, value)?);
            }
            "maxContains" if draft >= Draft::Draft201909 => {
                self.parts.max_contains = Some(self.count(name, value)?);
            }
            "unevaluatedItems" if draft >= Draft::Draft201909 => {
                let inner = self.schema(name, None, value)?;
                self.keywords.push(Keyword::UnevaluatedItems(inner));
            }
            _ => return self.compile_object(name, value),
        }
        Ok(())
    }

    fn compile_object(&mut self, name: &'a str, value: &'a Value) -> Result<(), SchemaError> {
        let draft = self.draft;
        match name {
            "properties" => {
                self.parts.properties = self.named_schemas(name, value)?;
                self.parts.has_object_rules = true;
            }
            "required" => {
                self.parts.required = self.names(&[Step::Name(name)], value)?;
                self.parts.has_object_rules = true;
            }
            "patternProperties" => {
                self.parts.patterns = self.named_schemas(name, value)?;
                self.parts.has_object_rules = true;
            }
            "additionalProperties" => {
                self.parts.additional_properties = Some(self.schema_or_boolean(name, value)?);
                self.parts.has_object_rules = true;
            }
            "unevaluatedProperties" if draft >= Draft::Draft201909 => {
                let inner = self.schema(name, None, value)?;
                self.keywords.push(Keyword::UnevaluatedProperties(inner));
            }
            "minProperties" => self.parts.property_counts[0] = Some(self.count(name, value)?),
            "maxProperties" => self.parts.property_counts[1] = Some(self.count(name, value)?),
            "propertyNames" if draft >= Draft::Draft6 => {
                let inner = self.schema(name, None, value)?;
                self.keywords.push(Keyword::PropertyNames(inner));
            }
            "dependencies" => self.add_dependencies(name, value)?,
            "dependentRequired" if draft >= Draft::Draft201909 => {
                let mut all = Vec::new();
                for (property, names) in self.object(name, value)? {
                    all.push(self.dependent_required(name, property, names)?);
                }
                self.keywords.push(Keyword::DependentRequired(all.into()));
            }
            "dependentSchemas" if draft >= Draft::Draft201909 => {
                let all = self.named_schemas(name, value)?.into_iter();
                let all = all.map(|(property, schema)| (property.into(), schema)).collect();
                self.keywords.push(Keyword::DependentSchemas(all));
            }
            _ => return self.check_annotation(name, value),
        }
        Ok(())
    }

    /// Checks the value of a keyword that does not constrain values.
    fn check_annotation(&mut self, name: &'a str, value: &'a Value) -> Result<(), SchemaError> {
        let draft = self.draft;
        match name {
            "title" | "description" | "format" | "$schema" => {
                self.string(name, value)?;
            }
            "$comment" if draft >= Draft::Draft7 => {
                self.string(name, value)?;
            }
            "id" | "$id" if (name == "id") == (draft == Draft::Draft4) => {
                let id = self.string(name, value)?;
                if id.len() > MAX_ID {
                    let text = format!("expected at most {MAX_ID} bytes, got {}", id.len());
                    return Err(self.invalid(name, &text));
                }
                let fragment = id.split_once('#').map_or("", |(_, fragment)| fragment);
                if draft >= Draft::Draft201909 && !fragment.is_empty() {
                    let text = "a fragment is not allowed; use $anchor to name a schema";
                    return Err(self.invalid(name, text));
                }
            }
            "$anchor" if draft >= Draft::Draft201909 => self.check_anchor(name, value)?,
            "$dynamicAnchor" if draft == Draft::Draft202012 => self.check_anchor(name, value)?,
            "$recursiveAnchor" if draft == Draft::Draft201909 => {
                self.boolean(name, value)?;
            }
            "readOnly" | "writeOnly" if draft >= Draft::Draft7 => {
                self.boolean(name, value)?;
            }
            "deprecated" if draft >= Draft::Draft201909 => {
                self.boolean(name, value)?;
            }
            "examples" if draft >= Draft::Draft6 => {
                self.list(name, value)?;
            }
            "$vocabulary" if draft >= Draft::Draft201909 => {
                for (vocabulary, is_required) in self.object(name, value)? {
                    if !is_required.is_boolean() {
                        let text = format!("expected true or false, got {}", shown(is_required));
                        let steps = [Step::Name(name), Step::Name(vocabulary)];
                        return Err(self.invalid_at(&steps, &text));
                    }
                }
            }
            _ => self.unknown += 1,
        }
        Ok(())
    }

    /// Reports a schema without any keyword, which accepts every value.
    ///
    /// # Errors
    /// Returns an error if it is a shorthand such as `{"name": "string"}`.
    fn report_no_keyword(&mut self) -> Result<(), SchemaError> {
        let names_type = |(name, value): (&'a String, &'a Value)| {
            let word = value.as_str()?.split(|next: char| !next.is_alphanumeric()).next()?;
            let is_type = word == "any" || TYPES.iter().any(|(known, _)| *known == word);
            (is_type && !name.starts_with("x-") && name != "example").then_some(name)
        };
        if let Some(name) = self.schema.iter().find_map(names_type) {
            let text = format!(
                "{} is not a keyword; write a property as {{\"type\": \"object\", \
                 \"properties\": {{{}: {{\"type\": …}}}}}}",
                quoted(name),
                quoted(name)
            );
            return Err(self.invalid_at(&[], &text));
        }
        let Rules { builder, id, schema, .. } = self;
        let places = &builder.places;
        builder.warnings.add(|| {
            let mut names: Vec<String> =
                schema.keys().take(MAX_NAMES).map(|name| quoted(name)).collect();
            if schema.len() > MAX_NAMES {
                names.push("…".to_owned());
            }
            let names = names.join(", ");
            let pointer = shorten(&places.pointer(*id, &[]), MAX_POINTER);
            let place = if pointer.is_empty() { "the schema" } else { &*pointer };
            format!("schema: {place} accepts every value, because it has no keyword, only {names}")
        });
        Ok(())
    }

    /// Checks a name for a schema, which must be usable as the fragment of a reference.
    fn check_anchor(&mut self, name: &'a str, value: &'a Value) -> Result<(), SchemaError> {
        let anchor = self.string(name, value)?;
        let extra = if self.draft == Draft::Draft202012 { "-._" } else { "-._:" };
        let starts_well = anchor.starts_with(|first: char| {
            first.is_ascii_alphabetic() || first == '_' && self.draft == Draft::Draft202012
        });
        let is_valid =
            anchor.chars().all(|next| next.is_ascii_alphanumeric() || extra.contains(next));
        if starts_well && is_valid {
            return Ok(());
        }
        let text = format!(
            "expected a name of letters, digits, \"-\", \".\" and \"_\" that begins with a letter, \
             got {}",
            quoted(anchor)
        );
        Err(self.invalid(name, &text))
    }

    /// Adds the keywords of the node that are made from several keywords of the schema.
    fn finish(&mut self) -> Result<(), SchemaError> {
        let parts = std::mem::take(&mut self.parts);
        let bounds = [
            (parts.lengths, Keyword::Length as fn(Range) -> Keyword),
            (parts.item_counts, Keyword::ItemCount),
            (parts.property_counts, Keyword::PropertyCount),
        ];
        for ([min, max], keyword) in bounds {
            if min.or(max).is_some() {
                let range = Range { min: min.unwrap_or(0), max: max.unwrap_or(u64::MAX) };
                self.keywords.push(keyword(range));
            }
        }
        if parts.content != Content::default() {
            self.keywords.push(Keyword::Content(parts.content));
        }
        if parts.has_item_rules {
            let is_modern = self.draft == Draft::Draft202012;
            let rest = if is_modern { parts.items } else { parts.items.or(parts.additional_items) };
            let rules = ItemRules { prefix: parts.prefix, rest };
            self.keywords.push(Keyword::Items(Box::new(rules)));
        }
        if let Some(schema) = parts.contains {
            let min = parts.min_contains.unwrap_or(1);
            let count = Range { min, max: parts.max_contains.unwrap_or(u64::MAX) };
            self.keywords.push(Keyword::Contains(Box::new(ContainsRule { schema, count })));
        }
        if let Some(condition) = parts.condition {
            let Parts { then, otherwise, .. } = parts;
            let conditional = Conditional { condition, then, otherwise };
            self.keywords.push(Keyword::If(Box::new(conditional)));
        }
        if parts.has_object_rules {
            let rules = self.object_rules(
                parts.properties,
                &parts.required,
                parts.patterns,
                parts.additional_properties,
            )?;
            self.keywords.push(Keyword::Object(Box::new(rules)));
        }
        Ok(())
    }

    fn object_rules(
        &mut self,
        properties: Vec<(&'a str, NodeId)>,
        required: &[&'a str],
        patterns: Vec<(&'a str, NodeId)>,
        additional: Option<NodeId>,
    ) -> Result<ObjectRules, SchemaError> {
        let rule = |(name, schema): (&str, NodeId)| PropertyRule {
            name: name.into(),
            schema: Some(schema),
            is_required: false,
            default: None,
        };
        let mut rules = ObjectRules {
            has_defaults: false,
            properties: properties.into_iter().map(rule).collect(),
            sorted: Vec::new(),
            required: required.len(),
            patterns: Vec::new(),
            additional: additional.filter(|schema| *schema != ALWAYS || self.needs_evaluated()),
        };
        rules.sort();
        let mut more = Vec::new();
        let mut cursor = 0;
        for name in required {
            match rules.position(name, &mut cursor).and_then(|at| rules.properties.get_mut(at)) {
                Some(rule) => rule.is_required = true,
                None => more.push(PropertyRule {
                    name: (*name).into(),
                    schema: None,
                    is_required: true,
                    default: None,
                }),
            }
        }
        if !more.is_empty() {
            rules.properties.extend(more);
            rules.sort();
        }
        for (text, schema) in patterns {
            let steps = [Step::Name("patternProperties"), Step::Name(text)];
            let pattern = self.parse_pattern(&steps, text)?;
            rules.patterns.push(PatternProperty { pattern, schema });
        }
        Ok(rules)
    }

    /// Returns whether `"additionalProperties": true` could matter, because it evaluates properties
    /// for an `unevaluatedProperties` of this or another schema.
    fn needs_evaluated(&self) -> bool {
        self.draft >= Draft::Draft201909
    }

    fn add_reference(
        &mut self,
        name: &'a str,
        kind: ReferenceKind,
        value: &'a Value,
    ) -> Result<(), SchemaError> {
        let text = self.string(name, value)?;
        self.builder.add_reference(Reference { from: self.id, kind, text });
        // The targets are set when all subschemas are known.
        self.keywords.push(match kind {
            ReferenceKind::Ref => Keyword::Ref(ALWAYS),
            _ => Keyword::DynamicRef(DynamicRef { target: ALWAYS, anchors: None }),
        });
        Ok(())
    }

    /// Adds `minimum` or `maximum`, which a boolean makes exclusive in draft-04.
    fn add_bound(
        &mut self,
        name: &'a str,
        exclusive: &str,
        value: &'a Value,
    ) -> Result<(), SchemaError> {
        let is_exclusive =
            self.draft == Draft::Draft4 && self.schema.get(exclusive) == Some(&Value::Bool(true));
        let kind = match (name, is_exclusive) {
            ("minimum", false) => NumberRuleKind::Minimum,
            ("minimum", true) => NumberRuleKind::ExclusiveMinimum,
            (_, false) => NumberRuleKind::Maximum,
            (_, true) => NumberRuleKind::ExclusiveMaximum,
        };
        self.add_number(name, kind, value)
    }

    fn add_number(
        &mut self,
        name: &'a str,
        kind: NumberRuleKind,
        value: &'a Value,
    ) -> Result<(), SchemaError> {
        let number = self.number(name, value)?.clone();
        let decimal = Decimal::from(&number);
        self.keywords.push(Keyword::Number(Box::new(NumberRule { kind, number, decimal })));
        Ok(())
    }

    fn read_types(&mut self, value: &'a Value) -> Result<Types, SchemaError> {
        let steps = [Step::Name("type")];
        let Value::Array(names) = value else { return self.read_type(&steps, value) };
        let mut types = Types::NONE;
        for (index, name) in names.iter().enumerate() {
            let steps = [Step::Name("type"), Step::Index(index)];
            let kind = self.read_type(&steps, name)?;
            if types.0 & kind.0 == kind.0 {
                let text = format!("the type {name} is listed twice");
                return Err(self.invalid_at(&steps, &text));
            }
            types = types.with(kind);
        }
        if names.is_empty() {
            return Err(self.invalid_at(&steps, "expected at least one type name, got none"));
        }
        Ok(types)
    }

    fn read_type(&mut self, steps: &[Step<'a>], value: &Value) -> Result<Types, SchemaError> {
        let name = value.as_str();
        let types = TYPES.iter().find(|(known, _)| name == Some(known));
        match types {
            Some((_, Types::INTEGER)) if self.draft == Draft::Draft4 => Ok(Types::WRITTEN_INTEGER),
            Some((_, types)) => Ok(*types),
            None => {
                let known: Vec<&str> = TYPES.iter().map(|(known, _)| *known).collect();
                let got = name.map_or_else(|| shown(value), quoted);
                let hint = name.map(|name| suggestion(name, &known)).unwrap_or_default();
                let text = format!("expected a type name ({}), got {got}{hint}", known.join(", "));
                Err(self.invalid_at(steps, &text))
            }
        }
    }

    /// Reads `contentEncoding` or `contentMediaType`, which constrain strings in draft-06 and
    /// draft-07 only.
    fn read_content(&mut self, name: &'a str, value: &'a Value) -> Result<(), SchemaError> {
        let constrains = matches!(self.draft, Draft::Draft6 | Draft::Draft7);
        let text = match value.as_str() {
            Some(text) => text,
            None if self.draft <= Draft::Draft6 => return Ok(()),
            None => self.string(name, value)?,
        };
        match (name, text) {
            _ if !constrains => {}
            ("contentMediaType", "application/json") => self.parts.content.is_json = true,
            ("contentEncoding", "base64") => {
                self.parts.content.encoding = Some(Encoding::Base64);
            }
            ("contentEncoding", "base64url") => {
                self.parts.content.encoding = Some(Encoding::Base64Url);
            }
            _ => {}
        }
        Ok(())
    }

    fn read_items(&mut self, name: &'a str, value: &'a Value) -> Result<(), SchemaError> {
        self.parts.has_item_rules = true;
        match value {
            Value::Array(_) if self.draft == Draft::Draft202012 => {
                let text = "expected a schema, got a list; use prefixItems for a list of schemas";
                Err(self.invalid(name, text))
            }
            Value::Array(_) => {
                self.parts.prefix = self.schemas(name, value)?;
                Ok(())
            }
            _ => {
                self.parts.items = Some(self.schema(name, None, value)?);
                Ok(())
            }
        }
    }

    /// Adds `dependencies`, whose values are schemas or lists of names.
    fn add_dependencies(&mut self, name: &'a str, value: &'a Value) -> Result<(), SchemaError> {
        let (mut required, mut schemas) = (Vec::new(), Vec::new());
        for (property, dependency) in self.object(name, value)? {
            if dependency.is_array() {
                required.push(self.dependent_required(name, property, dependency)?);
            } else {
                let schema = self.schema(name, Some(Step::Name(property)), dependency)?;
                schemas.push((property.as_str().into(), schema));
            }
        }
        if !required.is_empty() {
            self.keywords.push(Keyword::DependentRequired(required.into()));
        }
        if !schemas.is_empty() {
            self.keywords.push(Keyword::DependentSchemas(schemas.into()));
        }
        Ok(())
    }

    fn dependent_required(
        &mut self,
        keyword: &'a str,
        property: &'a str,
        names: &'a Value,
    ) -> Result<DependentRequired, SchemaError> {
        let names = self.names(&[Step::Name(keyword), Step::Name(property)], names)?;
        let required = names.into_iter().map(Box::from).collect();
        Ok(DependentRequired { name: property.into(), required })
    }
}

/// Reads the values of keywords.
impl<'a> Rules<'_, 'a> {
    fn invalid(&self, name: &'a str, text: &str) -> SchemaError {
        self.invalid_at(&[Step::Name(name)], text)
    }

    fn invalid_at(&self, steps: &[Step<'a>], text: &str) -> SchemaError {
        self.builder.places.invalid(self.id, steps, text)
    }

    fn unexpected(&self, name: &'a str, expected: &str, value: &Value) -> SchemaError {
        self.invalid(name, &format!("expected {expected}, got {}", shown(value)))
    }

    fn string(&self, name: &'a str, value: &'a Value) -> Result<&'a str, SchemaError> {
        value.as_str().ok_or_else(|| self.unexpected(name, "a string", value))
    }

    fn boolean(&self, name: &'a str, value: &Value) -> Result<bool, SchemaError> {
        value.as_bool().ok_or_else(|| self.unexpected(name, "true or false", value))
    }

    fn list(&self, name: &'a str, value: &'a Value) -> Result<&'a Vec<Value>, SchemaError> {
        value.as_array().ok_or_else(|| self.unexpected(name, "a list", value))
    }

    fn object(
        &self,
        name: &'a str,
        value: &'a Value,
    ) -> Result<&'a Map<String, Value>, SchemaError> {
        value.as_object().ok_or_else(|| self.unexpected(name, "an object", value))
    }

    fn number(&self, name: &'a str, value: &'a Value) -> Result<&'a Number, SchemaError> {
        let Value::Number(number) = value else {
            return Err(self.unexpected(name, "a number", value));
        };
        if number.as_i64().is_none() && number.to_string().len() > MAX_SCHEMA_DIGITS {
            let text = format!("expected a number of at most {MAX_SCHEMA_DIGITS} digits");
            return Err(self.invalid(name, &text));
        }
        Ok(number)
    }

    /// Reads a length or a number of items. A number that is too large for 64 bits becomes the
    /// largest one, because no value has that many items.
    fn count(&self, name: &'a str, value: &'a Value) -> Result<u64, SchemaError> {
        let number = self.number(name, value)?;
        if let Some(count) = number.as_u64() {
            return Ok(count);
        }
        let decimal = Decimal::from(number);
        let is_integer = match self.draft {
            Draft::Draft4 => is_written_integer(number),
            _ => decimal.is_integer(),
        };
        if !is_integer || decimal < Decimal::from(&Number::from(0u8)) {
            return Err(self.unexpected(name, "a number of 0 or more without a fraction", value));
        }
        let is_huge = decimal >= Decimal::from(&Number::from(u64::MAX));
        let float = if is_huge { f64::INFINITY } else { number.as_f64().unwrap_or(f64::INFINITY) };
        // The conversion saturates.
        Ok(float as u64)
    }

    fn schema(
        &mut self,
        name: &'a str,
        step: Option<Step<'a>>,
        value: &'a Value,
    ) -> Result<NodeId, SchemaError> {
        self.builder.add_schema(value, self.id, (Step::Name(name), step))
    }

    /// Reads a schema that can also be a boolean in draft-04.
    fn schema_or_boolean(
        &mut self,
        name: &'a str,
        value: &'a Value,
    ) -> Result<NodeId, SchemaError> {
        match value {
            Value::Bool(true) => Ok(ALWAYS),
            Value::Bool(false) => Ok(super::node::NEVER),
            _ => self.schema(name, None, value),
        }
    }

    fn schemas(&mut self, name: &'a str, value: &'a Value) -> Result<Vec<NodeId>, SchemaError> {
        let list = self.list(name, value)?;
        if list.is_empty() {
            return Err(self.invalid(name, "expected at least one schema, got none"));
        }
        let mut nodes = Vec::with_capacity(list.len());
        for (index, schema) in list.iter().enumerate() {
            nodes.push(self.schema(name, Some(Step::Index(index)), schema)?);
        }
        Ok(nodes)
    }

    fn named_schemas(
        &mut self,
        name: &'a str,
        value: &'a Value,
    ) -> Result<Vec<(&'a str, NodeId)>, SchemaError> {
        let object = self.object(name, value)?;
        let mut nodes = Vec::with_capacity(object.len());
        for (key, schema) in object {
            nodes.push((key.as_str(), self.schema(name, Some(Step::Name(key)), schema)?));
        }
        Ok(nodes)
    }

    /// Reads a list of different names.
    fn names(&self, steps: &[Step<'a>], value: &'a Value) -> Result<Vec<&'a str>, SchemaError> {
        let Value::Array(list) = value else {
            let text = format!("expected a list of names, got {}", shown(value));
            return Err(self.invalid_at(steps, &text));
        };
        if list.is_empty() && self.draft == Draft::Draft4 {
            return Err(self.invalid_at(steps, "expected at least one name, got none"));
        }
        let mut names = Vec::with_capacity(list.len());
        for (index, name) in list.iter().enumerate() {
            let Some(name) = name.as_str() else {
                let text = format!("expected a name, got {}", shown(name));
                let steps: Vec<Step<'a>> =
                    steps.iter().copied().chain([Step::Index(index)]).collect();
                return Err(self.invalid_at(&steps, &text));
            };
            names.push(name);
        }
        let mut sorted = names.clone();
        sorted.sort_unstable();
        let repeated = sorted.windows(2).find_map(|pair| match pair {
            [first, second] if first == second => Some(*first),
            _ => None,
        });
        match repeated {
            None => Ok(names),
            Some(name) => {
                let text = format!("the name {} is listed twice", quoted(name));
                Err(self.invalid_at(steps, &text))
            }
        }
    }

    fn parse_pattern(&self, steps: &[Step<'a>], text: &str) -> Result<Pattern, SchemaError> {
        Pattern::parse(text).map_err(|error| {
            let text = format!("{} is not a regular expression: {error}", quoted(text));
            self.invalid_at(steps, &text)
        })
    }
}

impl ObjectRules {
    /// Fills in `sorted` if there are many properties.
    fn sort(&mut self) {
        if self.properties.len() <= MAX_UNSORTED {
            return;
        }
        let mut named: Vec<(&str, u32)> =
            (0..).zip(&self.properties).map(|(at, rule)| (&*rule.name, at)).collect();
        named.sort_unstable();
        self.sorted = named.into_iter().map(|(_, index)| index).collect();
    }
}
