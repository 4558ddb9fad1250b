//! Reads the errors of the validator.

use std::borrow::{Borrow, Cow};

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::LocationSegment;
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::union;
use super::violation::{Accepts, Expected, Limit, Path, Problem, Segment, Violation};

/// Converts the errors of the validator.
pub(super) struct Reader<'a> {
    pub(super) schema: &'a Value,
    pub(super) body: &'a Value,
    pub(super) accepts: Accepts<'a>,
}

impl Reader<'_> {
    /// Converts errors, except for those that the vendor accepts.
    pub(super) fn read_all<'e>(
        &self,
        errors: impl Iterator<Item = impl Borrow<ValidationError<'e>>>,
    ) -> Vec<Violation> {
        let violations = errors.flat_map(|error| self.read(error.borrow()));
        violations.filter(|violation| !(self.accepts)(violation)).collect()
    }

    fn read(&self, error: &ValidationError<'_>) -> Vec<Violation> {
        let path = self.read_path(error);
        let value = || Cow::clone(error.instance()).into_owned();
        let limit = |limit| Problem::Limit { limit, value: value() };
        let problem = match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let problems = unexpected.iter().cloned().map(Problem::UnknownField);
                return problems.map(|problem| Violation { path: path.clone(), problem }).collect();
            }
            ValidationErrorKind::AnyOf { context } => {
                let branches = context.iter().map(|errors| self.read_all(errors.iter()));
                return union::best(&path, value(), branches.collect()).into_iter().collect();
            }
            ValidationErrorKind::Required { property } => {
                Problem::MissingField(property.as_str().unwrap_or_default().to_owned())
            }
            ValidationErrorKind::Type { kind } => {
                Problem::WrongType { expected: self.expected(error, kind), value: value() }
            }
            ValidationErrorKind::Enum { options } => {
                let mut supported = options.as_array().cloned().unwrap_or_default();
                // A null stands for no value.
                supported.retain(|value| !value.is_null());
                let is_tag = supported.len() == 1;
                Problem::UnknownValue { supported, value: value(), is_tag, name: type_name(error) }
            }
            ValidationErrorKind::Constant { expected_value } => {
                let supported = vec![Value::clone(expected_value)];
                Problem::UnknownValue { supported, value: value(), is_tag: true, name: None }
            }
            ValidationErrorKind::MinLength { limit: min } => limit(Limit::MinLength(*min)),
            ValidationErrorKind::MinItems { limit: min } => limit(Limit::MinLength(*min)),
            ValidationErrorKind::MaxLength { limit: max } => limit(Limit::MaxLength(*max)),
            ValidationErrorKind::MaxItems { limit: max } => limit(Limit::MaxLength(*max)),
            ValidationErrorKind::Minimum { limit: min } => limit(Limit::Minimum(min.clone())),
            ValidationErrorKind::Maximum { limit: max } => limit(Limit::Maximum(max.clone())),
            ValidationErrorKind::Pattern { pattern } => limit(Limit::Pattern(pattern.clone())),
            ValidationErrorKind::MinProperties { .. } => limit(Limit::OneField),
            ValidationErrorKind::MaxProperties { .. } => limit(Limit::OneField),
            _ => Problem::Other(value()),
        };
        vec![Violation { path, problem }]
    }

    /// Returns the path of a value. Names of fields may consist of digits, as positions in arrays
    /// do.
    fn read_path(&self, error: &ValidationError<'_>) -> Path {
        let mut value = Some(self.body);
        let segments = error.instance_path().segments().map(|segment| {
            let parent = value;
            match segment {
                LocationSegment::Index(index) if parent.is_some_and(Value::is_array) => {
                    value = parent.and_then(|parent| parent.get(index));
                    Segment::Index(index)
                }
                name => {
                    let name = name.to_string();
                    value = parent.and_then(|parent| parent.get(&name));
                    Segment::Field(name)
                }
            }
        });
        Path(segments.collect())
    }

    /// Returns the types that the schema at the place of an error accepts.
    fn expected(&self, error: &ValidationError<'_>, kind: &TypeKind) -> Vec<Expected> {
        let kinds: Vec<JsonType> = match kind {
            TypeKind::Single(kind) => vec![*kind],
            TypeKind::Multiple(kinds) => kinds.iter().collect(),
        };
        let location = error.schema_path().as_str();
        let location = location.strip_suffix("/type").unwrap_or(location);
        let items = self.schema.pointer(location).and_then(|schema| schema.get("items"));
        let (items, items_name) = items.map_or((None, None), |items| self.resolve(items));
        let expected = |kind: JsonType| match kind {
            JsonType::Array => Expected { kind, items, name: items_name.map(str::to_owned) },
            _ => Expected { kind, items: None, name: type_name(error) },
        };
        kinds.into_iter().map(expected).collect()
    }

    /// Returns the JSON type of a schema, and its name in the vendor's package.
    fn resolve<'s>(&self, schema: &'s Value) -> (Option<JsonType>, Option<&'s str>) {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let name = reference.and_then(|reference| reference.strip_prefix("#/definitions/"));
        let target = reference.and_then(|it| self.schema.pointer(it.trim_start_matches('#')));
        let target = target.unwrap_or(schema);
        let kind = target.get("type").and_then(Value::as_str);
        let kind = kind.and_then(|kind| kind.parse().ok());
        // The types of a package's unions are objects, except for unions of simple types.
        (kind.or(target.get("anyOf").map(|_| JsonType::Object)), name)
    }
}

/// Returns the name of the type in the vendor's package that a value does not have.
fn type_name(error: &ValidationError<'_>) -> Option<String> {
    let (name, keyword) =
        error.schema_path().as_str().strip_prefix("/definitions/")?.rsplit_once('/')?;
    let is_own = !name.contains('/') && matches!(keyword, "type" | "enum");
    is_own.then(|| name.to_owned())
}
