//! Arrays with as many items as they need, and one where they need none.
//!
//! In: a flat schema. Out: an array, or nothing when an item that is needed can't be made.

use super::{Place, value as any_value};
use serde_json::Value;

/// An array.
pub(super) fn value(flat: &Value, place: &Place<'_>) -> Option<Value> {
    let count = |name: &str| flat.get(name).and_then(Value::as_u64).map(to_usize);
    let least = count("minItems").unwrap_or(0);
    let most = count("maxItems").unwrap_or(usize::MAX);
    let rest = Value::Bool(true);
    // Older drafts write prefixItems as a list of items, with additionalItems behind them.
    let listed = flat.get("items").filter(|items| items.is_array());
    let prefix = flat.get("prefixItems").or(listed).and_then(Value::as_array);
    let prefix = prefix.map_or(&[][..], Vec::as_slice);
    let items = match listed {
        Some(_) => flat.get("additionalItems"),
        None => flat.get("items"),
    };
    let mut made = Vec::new();
    for schema in prefix.iter().take(most) {
        match any_value(schema, &place.item(0)) {
            Some(item) => made.push(item),
            None if made.len() >= least => return Some(Value::Array(made)),
            None => return None,
        }
    }
    contained(flat, place, &mut made)?;
    let wanted = match items {
        Some(_) if prefix.is_empty() => least.max(1).max(made.len()),
        _ => least,
    };
    while made.len() < wanted.min(most) {
        let variant = place.variant * wanted + made.len();
        match any_value(items.unwrap_or(&rest), &place.item(variant)) {
            Some(item) => made.push(item),
            None if made.len() >= least => break,
            None => return None,
        }
    }
    Some(Value::Array(made))
}

/// Adds the items that `contains` asks for.
fn contained(flat: &Value, place: &Place<'_>, made: &mut Vec<Value>) -> Option<()> {
    let Some(schema) = flat.get("contains") else {
        return Some(());
    };
    let wanted = flat.get("minContains").and_then(Value::as_u64).map_or(1, to_usize);
    let schema = match flat.get("items") {
        Some(items) => super::merge::both(items, schema),
        None => schema.clone(),
    };
    for variant in 0..wanted {
        made.push(any_value(&schema, &place.item(variant))?);
    }
    Some(())
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
