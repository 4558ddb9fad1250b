//! Finds the violation of a union that is worth reporting.
//!
//! A value that fits no type of a union violates each of them. The sender meant the type whose
//! tag, for example `type` or `role`, the value has.

use jsonschema::JsonType;
use serde_json::Value;

use super::violation::{Expected, Path, Problem, Violation};

/// Returns the violation to report for a value at `path`, given the violations of each type of the
/// union. Returns `None` if one of the types has no violation.
pub(super) fn best(path: &Path, value: Value, branches: Vec<Vec<Violation>>) -> Option<Violation> {
    if branches.iter().any(Vec::is_empty) {
        return None;
    }
    let at_path = |problem| Violation { path: path.clone(), problem };
    let (other_types, branches): (Vec<_>, Vec<_>) = branches
        .into_iter()
        .partition(|branch| branch.iter().any(|violation| has_wrong_type(violation, path)));
    if branches.is_empty() {
        let expected = other_types.into_iter().flatten().flat_map(expected_types);
        let expected = expected.fold(Vec::new(), add_type);
        return Some(at_path(Problem::WrongType { expected, value }));
    }
    if let Some(supported) = supported_values(&branches, path.len()) {
        return Some(at_path(Problem::UnknownValue {
            supported,
            value,
            is_tag: false,
            name: None,
        }));
    }
    let (other_tags, branches): (Vec<_>, Vec<_>) = branches
        .into_iter()
        .partition(|branch| branch.iter().any(|violation| has_other_tag(violation, path)));
    if branches.is_empty() {
        return unknown_tag(&other_tags, path);
    }
    let best = branches.into_iter().min_by_key(Vec::len)?;
    best.into_iter().min()
}

fn has_wrong_type(violation: &Violation, path: &Path) -> bool {
    violation.path == *path && matches!(violation.problem, Problem::WrongType { .. })
}

fn expected_types(violation: Violation) -> Vec<Expected> {
    match violation.problem {
        Problem::WrongType { expected, .. } => expected,
        _ => Vec::new(),
    }
}

/// Adds a type to a list. Types that JSON does not tell apart are one type without a name.
fn add_type(mut expected: Vec<Expected>, other: Expected) -> Vec<Expected> {
    let same = |it: &&mut Expected| it.kind == other.kind && it.items == other.items;
    match expected.iter_mut().find(same) {
        Some(same) if same.name == other.name => {}
        Some(same) => same.name = None,
        None => expected.push(other),
    }
    expected
}

/// Whether a field of the value excludes a type of the union.
fn has_other_tag(violation: &Violation, path: &Path) -> bool {
    violation.path.len() == path.len() + 1
        && matches!(violation.problem, Problem::UnknownValue { is_tag: true, .. })
}

/// Returns the values that the types support, if each of them rejects the value at this depth.
fn supported_values(branches: &[Vec<Violation>], depth: usize) -> Option<Vec<Value>> {
    let mut merged: Vec<Value> = Vec::new();
    for branch in branches {
        let mut supported = branch.iter().filter_map(|violation| match &violation.problem {
            Problem::UnknownValue { supported, .. } if violation.path.len() == depth => {
                Some(supported)
            }
            _ => None,
        });
        for value in supported.next()? {
            if !merged.contains(value) {
                merged.push(value.clone());
            }
        }
    }
    Some(merged)
}

/// Returns the violation for a value whose tag excludes every type of the union.
fn unknown_tag(branches: &[Vec<Violation>], path: &Path) -> Option<Violation> {
    let tags = |branch: &[Violation]| -> Vec<Violation> {
        branch.iter().filter(|violation| has_other_tag(violation, path)).cloned().collect()
    };
    let first = tags(branches.first()?);
    let is_common = |tag: &&Violation| {
        branches.iter().all(|branch| tags(branch).iter().any(|other| other.path == tag.path))
    };
    let tag = first.iter().find(is_common).or(first.first())?;
    let of_tag = |branch: &Vec<Violation>| {
        branch.iter().filter(|violation| violation.path == tag.path).cloned().collect()
    };
    let branches: Vec<Vec<Violation>> = branches.iter().map(of_tag).collect();
    let Problem::UnknownValue { supported, value, .. } = &tag.problem else { return None };
    let problem = if value.is_string() {
        let merged = supported_values(&branches, path.len() + 1);
        let supported = merged.unwrap_or_else(|| supported.clone());
        Problem::UnknownValue { supported, value: value.clone(), is_tag: true, name: None }
    } else {
        let expected = vec![Expected { kind: JsonType::String, items: None, name: None }];
        Problem::WrongType { expected, value: value.clone() }
    };
    Some(Violation { path: tag.path.clone(), problem })
}
