//! The texts of validation errors.

use serde_json::Value;

use super::node::{Encoding, Keyword, NumberRuleKind, ObjectRules, Range, Types};
use crate::error::shorten;
use crate::json::{quoted, shown};

/// Maximum number of names or constants in a list.
const MAX_LISTED: usize = 6;
/// Maximum number of characters of a constant or a pattern.
const MAX_VALUE: usize = 60;

/// Returns the error of a value that does not satisfy a keyword without subschemas.
pub(super) fn describe(keyword: &Keyword, value: &Value) -> String {
    let got = got(value);
    match (keyword, value) {
        (Keyword::Const(constant), _) => {
            format!("expected {}, got {got}", list_values([&**constant]))
        }
        (Keyword::Enum(all), _) => format!("expected {}, got {got}", list_values(&all.values)),
        (Keyword::Number(rule), _) => {
            let expected = match rule.kind {
                NumberRuleKind::Minimum => "at least",
                NumberRuleKind::ExclusiveMinimum => "a number greater than",
                NumberRuleKind::Maximum => "at most",
                NumberRuleKind::ExclusiveMaximum => "a number less than",
                NumberRuleKind::MultipleOf => "a multiple of",
            };
            let number = shorten(&rule.number.to_string(), MAX_VALUE);
            format!("expected {expected} {number}, got {got}")
        }
        (Keyword::Length(range), Value::String(text)) => {
            too_few_or_many(*range, text.chars().count(), "characters")
        }
        (Keyword::ItemCount(range), Value::Array(items)) => {
            too_few_or_many(*range, items.len(), "items")
        }
        (Keyword::PropertyCount(range), Value::Object(fields)) => {
            too_few_or_many(*range, fields.len(), "properties")
        }
        (Keyword::Pattern(rule), _) => {
            format!("{got} does not match the pattern {}", quoted(&rule.text))
        }
        (Keyword::Content(content), _) => {
            let encoding = match content.encoding {
                Some(Encoding::Base64) => "base64",
                Some(Encoding::Base64Url) => "base64url",
                None => "",
            };
            match content.is_json {
                true if encoding.is_empty() => format!("expected JSON, got {got}"),
                true => format!("expected JSON encoded as {encoding}, got {got}"),
                false => format!("expected {encoding}, got {got}"),
            }
        }
        (Keyword::Not(_), _) => "it must not match the schema in not".to_owned(),
        _ => format!("{got} is not allowed"),
    }
}

/// Returns the error of a value that has none of the types.
pub(super) fn expected_types(types: Types, value: &Value) -> String {
    let names = [
        (Types::STRING, "a string"),
        (Types::NUMBER, "a number"),
        (Types(Types::INTEGER.0 | Types::WRITTEN_INTEGER.0), "an integer"),
        (Types::BOOLEAN, "a boolean"),
        (Types::ARRAY, "an array"),
        (Types::OBJECT, "an object"),
        (Types::NULL, "null"),
    ];
    let names = names.iter().filter(|(kind, name)| {
        types.contains(*kind) && !(*name == "an integer" && types.contains(Types::NUMBER))
    });
    let names: Vec<String> = names.map(|(_, name)| (*name).to_owned()).collect();
    match names.as_slice() {
        [] => "no value is allowed here".to_owned(),
        _ => format!("expected {}, got {}", join(&names), got(value)),
    }
}

/// Returns the error of a length or count that is not in a range.
pub(super) fn too_few_or_many(range: Range, count: usize, unit: &str) -> String {
    let is_more = u64::try_from(count).unwrap_or(u64::MAX) > range.max;
    let (limit, bound) = if is_more { ("at most", range.max) } else { ("at least", range.min) };
    let unit = match (bound, unit) {
        (1, "characters") => "character",
        (1, "items") => "item",
        (1, "properties") => "property",
        (1, "items that match contains") => "item that matches contains",
        _ => unit,
    };
    format!("expected {limit} {bound} {unit}, got {count}")
}

/// Returns the error of a property that an object does not allow.
pub(super) fn unknown_property(rules: &ObjectRules) -> String {
    let known: Vec<String> = rules
        .properties
        .iter()
        .filter(|rule| rule.schema.is_some())
        .map(|rule| quoted(&rule.name))
        .take(MAX_LISTED + 1)
        .collect();
    let list = match known.get(..MAX_LISTED) {
        Some(first) if known.len() > MAX_LISTED => format!("{}, …", first.join(", ")),
        _ => known.join(", "),
    };
    match (known.is_empty(), rules.patterns.is_empty()) {
        (false, true) => format!("the property is not allowed (known: {list})"),
        _ => "the property is not allowed".to_owned(),
    }
}

/// Lists constants as JSON, such as `"a", "b" or 3`.
pub(super) fn list_values<'v>(values: impl IntoIterator<Item = &'v Value>) -> String {
    let mut listed: Vec<String> = Vec::new();
    let mut more = 0;
    for value in values {
        let text = shorten(&value.to_string(), MAX_VALUE);
        if listed.contains(&text) {
            continue;
        }
        if listed.len() < MAX_LISTED {
            listed.push(text);
        } else {
            more += 1;
        }
    }
    match listed.as_slice() {
        [] => "nothing (the list of allowed values is empty)".to_owned(),
        _ if more > 0 => format!("one of {} or {more} other values", listed.join(", ")),
        [only] => only.clone(),
        several => format!("one of {}", join(several)),
    }
}

/// Describes a received value: scalars by their JSON, objects and arrays by their type.
pub(super) fn got(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(_) => "an array".to_owned(),
        other => shown(other),
    }
}

/// Joins names as in `a, b or c`.
fn join(names: &[String]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => names.concat(),
    }
}
