//! A compiled schema: an arena of nodes, whose references to each other are indexes.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::{Number, Value};

use super::decimal::Decimal;
use super::pattern::Pattern;

/// The index of a node.
pub(crate) type NodeId = u32;

/// The node of the schema `true`.
pub(super) const ALWAYS: NodeId = 0;
/// The node of the schema `false`.
pub(super) const NEVER: NodeId = 1;
/// The node of the root.
pub(super) const ROOT: NodeId = 2;

/// A set of JSON types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Types(pub(super) u8);

impl Types {
    pub(super) const NONE: Types = Types(0);
    pub(super) const NULL: Types = Types(1);
    pub(super) const BOOLEAN: Types = Types(2);
    pub(super) const STRING: Types = Types(4);
    pub(super) const ARRAY: Types = Types(8);
    pub(super) const OBJECT: Types = Types(16);
    pub(super) const NUMBER: Types = Types(32);
    /// Numbers without a fraction, such as 1 and 1.0.
    pub(super) const INTEGER: Types = Types(64);
    /// The integers of draft-04, which are written without a fraction and an exponent.
    pub(super) const WRITTEN_INTEGER: Types = Types(128);
    pub(super) const ALL: Types = Types(255);

    pub(super) fn contains(self, types: Types) -> bool {
        self.0 & types.0 != 0
    }

    pub(super) const fn with(self, types: Types) -> Types {
        Types(self.0 | types.0)
    }

    /// Returns whether the type of a value is one of the types.
    #[inline(always)]
    pub(super) fn accept(self, value: &Value) -> bool {
        self.contains(Types::of(value)) || self.accept_integer(value)
    }

    fn accept_integer(self, value: &Value) -> bool {
        match value {
            Value::Number(number) if self.contains(Types::INTEGER) => {
                number.is_i64() || number.is_u64() || Decimal::from(number).is_integer()
            }
            Value::Number(number) if self.contains(Types::WRITTEN_INTEGER) => {
                is_written_integer(number)
            }
            _ => false,
        }
    }

    /// Returns the type of a value. The type of each number is `NUMBER`.
    #[inline(always)]
    fn of(value: &Value) -> Types {
        match value {
            Value::Null => Types::NULL,
            Value::Bool(_) => Types::BOOLEAN,
            Value::Number(_) => Types::NUMBER,
            Value::String(_) => Types::STRING,
            Value::Array(_) => Types::ARRAY,
            Value::Object(_) => Types::OBJECT,
        }
    }
}

/// Returns whether a number is an integer of draft-04, which has no fraction and no exponent.
pub(super) fn is_written_integer(number: &Number) -> bool {
    number.is_i64()
        || number.is_u64()
        || number.to_string().bytes().all(|byte| byte == b'-' || byte.is_ascii_digit())
}

/// A compiled schema.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) dynamic_anchors: Vec<DynamicAnchors>,
}

impl Graph {
    #[inline(always)]
    pub(super) fn node(&self, id: NodeId) -> &Node {
        static ANY: Node = Node::accepting(Types::ALL);
        usize::try_from(id).ok().and_then(|index| self.nodes.get(index)).unwrap_or(&ANY)
    }

    /// Returns the target of a node's `$ref`. Compiled references have no cycles.
    pub(super) fn reference_of(&self, node: NodeId) -> Option<NodeId> {
        self.node(node).keywords.iter().find_map(|keyword| match keyword {
            Keyword::Ref(target) => Some(*target),
            _ => None,
        })
    }

    /// Returns the rules of a node for objects.
    pub(super) fn object_rules(&self, node: NodeId) -> Option<&ObjectRules> {
        self.node(node).keywords.iter().find_map(|keyword| match keyword {
            Keyword::Object(rules) => Some(&**rules),
            _ => None,
        })
    }

    /// Returns the rules of a node for objects.
    pub(super) fn object_rules_mut(&mut self, node: NodeId) -> Option<&mut ObjectRules> {
        let node = self.nodes.get_mut(usize::try_from(node).ok()?)?;
        node.keywords.iter_mut().find_map(|keyword| match keyword {
            Keyword::Object(rules) => Some(&mut **rules),
            _ => None,
        })
    }

    /// Returns the rules of a node for items.
    pub(super) fn item_rules(&self, node: NodeId) -> Option<&ItemRules> {
        self.node(node).keywords.iter().find_map(|keyword| match keyword {
            Keyword::Items(rules) => Some(&**rules),
            _ => None,
        })
    }

    /// Returns the `default` of a node.
    pub(super) fn default_of(&self, node: NodeId) -> Option<&Value> {
        self.node(node).keywords.iter().find_map(|keyword| match keyword {
            Keyword::Default(default) => Some(&**default),
            _ => None,
        })
    }
}

/// A compiled subschema.
#[derive(Debug)]
pub(super) struct Node {
    /// The types that the schema allows.
    pub(super) types: Types,
    /// Whether one of the keywords is `unevaluatedProperties` or `unevaluatedItems`.
    pub(super) has_unevaluated: bool,
    /// Whether a part of a value can get a default.
    pub(super) can_fill: bool,
    /// Whether a keyword that is not checked, such as `format`, describes the form of a string.
    pub(super) has_text_form: bool,
    /// The schema resource that contains the node, for dynamic references.
    pub(super) resource: u32,
    /// The other keywords, in the order in which they are checked.
    pub(super) keywords: Vec<Keyword>,
}

impl Node {
    pub(super) const fn accepting(types: Types) -> Node {
        Node {
            types,
            has_unevaluated: false,
            can_fill: false,
            has_text_form: false,
            resource: 0,
            keywords: Vec::new(),
        }
    }
}

/// A keyword of a schema, or several keywords whose meanings depend on each other.
#[derive(Debug)]
pub(super) enum Keyword {
    /// `default`, which only coercion uses.
    Default(Box<Value>),
    Const(Box<Value>),
    Enum(Box<Enumeration>),
    Number(Box<NumberRule>),
    /// `minLength` and `maxLength`.
    Length(Range),
    Pattern(Box<PatternRule>),
    /// `contentEncoding` and `contentMediaType` of draft-06 and draft-07.
    Content(Content),
    /// `minItems` and `maxItems`.
    ItemCount(Range),
    UniqueItems,
    /// `minProperties` and `maxProperties`.
    PropertyCount(Range),
    DependentRequired(Box<[DependentRequired]>),
    Object(Box<ObjectRules>),
    PropertyNames(NodeId),
    Items(Box<ItemRules>),
    Contains(Box<ContainsRule>),
    DependentSchemas(Box<[(Box<str>, NodeId)]>),
    AllOf(Box<[NodeId]>),
    AnyOf(Box<Union>),
    OneOf(Box<Union>),
    Not(NodeId),
    If(Box<Conditional>),
    Ref(NodeId),
    DynamicRef(DynamicRef),
    UnevaluatedProperties(NodeId),
    UnevaluatedItems(NodeId),
}

impl Keyword {
    /// The order in which keywords are checked. Cheap keywords come first. References come after
    /// the other keywords because a check of the last keyword needs no stack, but before the
    /// `unevaluated` keywords, which need to know what references have evaluated.
    pub(super) fn order(&self) -> u8 {
        match self {
            Keyword::Const(_) | Keyword::Enum(_) => 0,
            Keyword::Number(_)
            | Keyword::Length(_)
            | Keyword::ItemCount(_)
            | Keyword::PropertyCount(_)
            | Keyword::DependentRequired(_) => 1,
            Keyword::Pattern(_) | Keyword::Content(_) => 2,
            Keyword::Object(_) | Keyword::Items(_) => 3,
            Keyword::PropertyNames(_) | Keyword::Contains(_) | Keyword::UniqueItems => 4,
            Keyword::DependentSchemas(_)
            | Keyword::AllOf(_)
            | Keyword::AnyOf(_)
            | Keyword::OneOf(_)
            | Keyword::Not(_)
            | Keyword::If(_)
            | Keyword::Default(_) => 5,
            Keyword::Ref(_) | Keyword::DynamicRef(_) => 6,
            Keyword::UnevaluatedProperties(_) | Keyword::UnevaluatedItems(_) => 7,
        }
    }
}

/// An inclusive range of a length or count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) min: u64,
    pub(super) max: u64,
}

impl Range {
    pub(super) fn contains(self, count: usize) -> bool {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.min <= count && count <= self.max
    }
}

/// `enum`.
#[derive(Debug)]
pub(super) struct Enumeration {
    pub(super) values: Vec<Value>,
    /// The hashes and indexes of the values, sorted. Filled in when a long list is first needed.
    pub(super) by_hash: OnceLock<Vec<(u64, u32)>>,
}

/// A rule for numbers.
#[derive(Debug)]
pub(super) struct NumberRule {
    pub(super) kind: NumberRuleKind,
    /// The operand as the schema writes it.
    pub(super) number: Number,
    pub(super) decimal: Decimal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberRuleKind {
    Minimum,
    ExclusiveMinimum,
    Maximum,
    ExclusiveMaximum,
    MultipleOf,
}

/// `pattern`.
#[derive(Debug)]
pub(super) struct PatternRule {
    pub(super) text: Box<str>,
    pub(super) pattern: Pattern,
}

/// The required content of a string.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) encoding: Option<Encoding>,
    pub(super) is_json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Base64,
    Base64Url,
}

/// A property and the names of the properties that it requires.
#[derive(Debug)]
pub(super) struct DependentRequired {
    pub(super) name: Box<str>,
    pub(super) required: Box<[Box<str>]>,
}

/// `properties`, `required`, `patternProperties` and `additionalProperties`.
#[derive(Debug)]
pub(super) struct ObjectRules {
    /// The properties in `properties` and then the other ones in `required`.
    pub(super) properties: Vec<PropertyRule>,
    /// The indexes of the properties, sorted by name. Empty if there are few properties.
    pub(super) sorted: Vec<u32>,
    /// The number of required properties.
    pub(super) required: usize,
    pub(super) patterns: Vec<PatternProperty>,
    pub(super) additional: Option<NodeId>,
    /// Whether one of the properties has a default.
    pub(super) has_defaults: bool,
}

#[derive(Debug)]
pub(super) struct PropertyRule {
    pub(super) name: Box<str>,
    /// The schema of the property, unless only `required` mentions the name.
    pub(super) schema: Option<NodeId>,
    pub(super) is_required: bool,
    /// The node with the default of the property: its schema, or a target of its `$ref`.
    pub(super) default: Option<NodeId>,
}

#[derive(Debug)]
pub(super) struct PatternProperty {
    pub(super) pattern: Pattern,
    pub(super) schema: NodeId,
}

impl ObjectRules {
    /// Returns the schema that coercion applies to properties without a schema of their own. Next
    /// to patterns, it applies to none, because a pattern may match them.
    pub(super) fn coerced_additional(&self) -> Option<NodeId> {
        self.additional.filter(|_| self.patterns.is_empty())
    }

    /// Returns the schema that coercion applies to a property.
    pub(super) fn coerced_schema(&self, name: &str, cursor: &mut usize) -> Option<NodeId> {
        let own = self.find(name, cursor).and_then(|rule| rule.schema);
        own.or_else(|| self.coerced_additional())
    }

    /// Returns whether coercion removes unknown properties.
    pub(super) fn is_closed(&self) -> bool {
        self.additional == Some(NEVER) && self.patterns.is_empty()
    }

    /// Returns the rule for a property. `cursor` is the position after the previous result, where
    /// the search begins, because objects often have their properties in the order of the schema.
    pub(super) fn find(&self, name: &str, cursor: &mut usize) -> Option<&PropertyRule> {
        self.properties.get(self.position(name, cursor)?)
    }

    /// Returns the position of the rule for a property.
    pub(super) fn position(&self, name: &str, cursor: &mut usize) -> Option<usize> {
        let next = self.properties.get(*cursor);
        let position = if next.is_some_and(|rule| &*rule.name == name) {
            *cursor
        } else if self.sorted.is_empty() {
            self.properties.iter().position(|rule| &*rule.name == name)?
        } else {
            let name_of = |index: &u32| self.at(*index).map(|rule| &*rule.name);
            let found = self.sorted.binary_search_by(|index| name_of(index).cmp(&Some(name)));
            usize::try_from(*self.sorted.get(found.ok()?)?).ok()?
        };
        *cursor = position + 1;
        Some(position)
    }

    fn at(&self, index: u32) -> Option<&PropertyRule> {
        self.properties.get(usize::try_from(index).ok()?)
    }
}

/// `prefixItems` and `items`, or their equivalents in older drafts.
#[derive(Debug)]
pub(super) struct ItemRules {
    pub(super) prefix: Vec<NodeId>,
    /// The schema of the items after the prefix.
    pub(super) rest: Option<NodeId>,
}

impl ItemRules {
    /// Returns the schema of an item.
    pub(super) fn schema_at(&self, index: usize) -> Option<NodeId> {
        self.prefix.get(index).copied().or(self.rest)
    }
}

/// `contains`, `minContains` and `maxContains`.
#[derive(Debug)]
pub(super) struct ContainsRule {
    pub(super) schema: NodeId,
    pub(super) count: Range,
}

/// `anyOf` or `oneOf`.
#[derive(Debug)]
pub(super) struct Union {
    pub(super) branches: Vec<NodeId>,
    /// The hashes of the branches' constants and the branches, sorted. Filled in when a long list
    /// is first needed. `None` if a branch has neither `const` nor `enum`.
    pub(super) by_hash: OnceLock<Option<Vec<(u64, NodeId)>>>,
}

/// `if`, `then` and `else`.
#[derive(Debug)]
pub(super) struct Conditional {
    pub(super) condition: NodeId,
    pub(super) then: Option<NodeId>,
    pub(super) otherwise: Option<NodeId>,
}

/// `$dynamicRef` or `$recursiveRef`.
#[derive(Debug, Clone, Copy)]
pub(super) struct DynamicRef {
    /// The schema that the reference refers to without a dynamic scope.
    pub(super) target: NodeId,
    /// The index of the dynamic anchors that can replace the target.
    pub(super) anchors: Option<u32>,
}

/// The dynamic anchors that have the same name.
#[derive(Debug, Default)]
pub(super) struct DynamicAnchors {
    /// The nodes by the resource that contains them.
    pub(super) by_resource: HashMap<u32, NodeId>,
}
