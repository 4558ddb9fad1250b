//! What is wrong with a body, in a form that every dialect can turn into its vendor's error.

use std::cmp::Ordering;
use std::fmt;

use jsonschema::JsonType;
use serde_json::Value;

/// Returns whether a vendor accepts a body with this violation.
pub(crate) type Accepts<'a> = &'a dyn Fn(&Violation) -> bool;

/// A part of a body that does not have the type that the vendor's package defines.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    /// The path of the value. For an unknown or a missing field, it is that of the object.
    pub(crate) path: Path,
    pub(crate) problem: Problem,
}

/// What is wrong with a value.
#[derive(Debug, Clone)]
pub(crate) enum Problem {
    UnknownField(String),
    MissingField(String),
    /// A value of another JSON type.
    WrongType {
        expected: Vec<Expected>,
        value: Value,
    },
    /// A value that is not one of the supported values. The tag of an object is a field with a
    /// single supported value, by which the types of a union differ.
    UnknownValue {
        supported: Vec<Value>,
        value: Value,
        is_tag: bool,
        /// The name of the type in the vendor's package.
        name: Option<String>,
    },
    /// A value that violates a limit. Only the types of Amazon Bedrock have limits.
    Limit {
        limit: Limit,
        value: Value,
    },
    /// A value that fits no type of a union.
    Other(Value),
}

/// A limit of a value.
#[derive(Debug, Clone)]
pub(crate) enum Limit {
    MinLength(u64),
    MaxLength(u64),
    Minimum(Value),
    Maximum(Value),
    Pattern(String),
    /// An object must have exactly one field.
    OneField,
}

/// A type that a value may have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expected {
    pub(crate) kind: JsonType,
    /// The type of the items of an array.
    pub(crate) items: Option<JsonType>,
    /// The name of the type in the vendor's package, or that of the items.
    pub(crate) name: Option<String>,
}

/// The path of a value in a body.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path(pub(super) Vec<Segment>);

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Segment {
    Index(usize),
    Field(String),
}

impl Path {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this is the path of the body.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the path of the object or array that contains the value at this path.
    pub(crate) fn parent(&self) -> Self {
        Self(self.0.iter().take(self.len().saturating_sub(1)).cloned().collect())
    }

    /// Returns the path of a field of the object at this path.
    pub(crate) fn field(&self, name: &str) -> Self {
        let field = Segment::Field(name.to_owned());
        Self(self.0.iter().cloned().chain([field]).collect())
    }

    /// Returns the names of the fields, without the positions in arrays.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Field(name) => Some(name.as_str()),
            Segment::Index(_) => None,
        })
    }

    /// Writes the path as `messages[0].content`.
    pub(crate) fn with_brackets(&self) -> String {
        let mut text = String::new();
        for segment in &self.0 {
            match segment {
                Segment::Index(index) => text.push_str(&format!("[{index}]")),
                Segment::Field(name) if text.is_empty() => text.push_str(name),
                Segment::Field(name) => text.push_str(&format!(".{name}")),
            }
        }
        text
    }

    /// Writes the path as `messages.0.content`.
    pub(crate) fn with_dots(&self) -> String {
        self.0.iter().map(Segment::to_string).collect::<Vec<_>>().join(".")
    }

    /// Whether this is the path of an item of an array.
    pub(crate) fn is_item(&self) -> bool {
        matches!(self.0.last(), Some(Segment::Index(_)))
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.0.iter()
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(formatter, "{index}"),
            Self::Field(name) => formatter.write_str(name),
        }
    }
}

/// The order in which violations are reported: first what is missing in the body, then its unknown
/// fields, then everything else in the order of the paths. The tag of an object comes before its
/// other fields.
impl Ord for Violation {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Violation {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Violation {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Violation {}

impl Violation {
    fn order(&self) -> (usize, Path, bool) {
        let is_root = self.path.is_empty();
        let (rank, path) = match &self.problem {
            Problem::MissingField(name) => (if is_root { 0 } else { 2 }, self.path.field(name)),
            Problem::UnknownField(name) => (if is_root { 1 } else { 2 }, self.path.field(name)),
            Problem::UnknownValue { is_tag: true, .. } => (2, self.path.parent()),
            _ => (2, self.path.clone()),
        };
        // A value of another type is not supported either, but the type is reported.
        (rank, path, matches!(self.problem, Problem::UnknownValue { .. }))
    }
}
