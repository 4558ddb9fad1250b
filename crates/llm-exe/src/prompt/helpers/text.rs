//! Helpers that make a text of a value: `join`, `pluralize`, `substring`, `objectToList`,
//! `upper`, `lower`, `trim`.

use std::cmp::Ordering;

use super::Args;
use crate::prompt::compare;
use crate::prompt::limits::{Budget, Fault};
use crate::prompt::scan::is_js_space;
use crate::prompt::value::{Value, utf16_len};
use crate::prompt::write;

/// `{{join tags}}`: the elements with `, ` between them; a text stays, anything else is nothing.
pub(super) fn join<'a>(args: &Args<'_, 'a>, budget: &mut Budget) -> Result<Value<'a>, Fault> {
    match args.get(0) {
        Value::Array(items) => {
            let mut out = String::new();
            write::list(&mut out, items, ", ", 0, budget)?;
            Ok(Value::made(out))
        }
        value if value.as_text().is_some() => Ok(value),
        _ => Ok(Value::Text("")),
    }
}

/// `{{pluralize "item|items" count}}`: the second form if there is more than one.
pub(super) fn pluralize<'a>(args: &Args<'_, 'a>, budget: &mut Budget) -> Result<Value<'a>, Fault> {
    let first = args.get(0);
    let Some(forms) = first.as_text() else {
        return Err(Fault::failed("takes two forms in one text, such as \"item|items\""));
    };
    let one = Value::index(1);
    let many = compare::order(&args.get(1), &one, budget)? == Some(Ordering::Greater);
    let form = forms.split('|').nth(usize::from(many));
    Ok(form.map_or(Value::Undefined, Value::made))
}

/// `{{substring text 0 100}}`: the units from the first place to before the second; a text that
/// is no longer than the second place stays whole.
pub(super) fn substring<'a>(args: &Args<'_, 'a>, budget: &mut Budget) -> Result<Value<'a>, Fault> {
    let (value, start, end) = (args.get(0), args.get(1), args.get(2));
    if compare::order(&start, &end, budget)? == Some(Ordering::Greater) {
        return Ok(Value::Text(""));
    }
    let len = match &value {
        Value::Undefined | Value::Null => {
            return Err(Fault::failed("takes a text, but its first argument is missing"));
        }
        Value::Array(items) => items.len(),
        value => match value.as_text() {
            Some(text) => utf16_len(text),
            None => return Ok(value.clone()),
        },
    };
    let longer = compare::order(&Value::index(len), &end, budget)? == Some(Ordering::Greater);
    if !longer {
        return Ok(value);
    }
    let Some(text) = value.as_text() else {
        return Err(Fault::failed("takes a text, not a list"));
    };
    let start = place(&start, budget)?;
    let end = place(&end, budget)?;
    Ok(Value::made(units(text, start.min(end), start.max(end))))
}

/// A place in a text, as JavaScript reads one: no number is 0, and so is what is below.
fn place(value: &Value<'_>, budget: &mut Budget) -> Result<usize, Fault> {
    let text = write::to_string(value, budget)?;
    let number = if value.is_object() { Value::Text(&text).to_number() } else { value.to_number() };
    Ok(number as usize)
}

/// The UTF-16 units of a text from one place to another.
fn units(text: &str, start: usize, end: usize) -> String {
    if text.is_ascii() {
        return text.get(start..end.min(text.len())).unwrap_or_default().to_owned();
    }
    let units: Vec<u16> = text.encode_utf16().take(end).skip(start).collect();
    String::from_utf16_lossy(&units)
}

/// `{{objectToList facts}}`: a line `- key: value` for each.
pub(super) fn object_to_list<'a>(
    args: &Args<'_, 'a>,
    budget: &mut Budget,
) -> Result<Value<'a>, Fault> {
    let value = args.get(0);
    if matches!(value, Value::Null) {
        return Err(Fault::failed("takes an object, not null"));
    }
    let mut out = String::new();
    for key in value.keys(budget)? {
        budget.step()?;
        let start = if out.is_empty() { "- " } else { "\n- " };
        for text in [start, &key, ": "] {
            write::push(&mut out, text, budget)?;
        }
        write::string(&mut out, &value.property(&key), budget)?;
    }
    Ok(Value::made(out))
}

/// `{{upper name}}`
pub(super) fn upper<'a>(args: &Args<'_, 'a>, budget: &mut Budget) -> Result<Value<'a>, Fault> {
    Ok(Value::made(printed(args, budget)?.to_uppercase()))
}

/// `{{lower name}}`
pub(super) fn lower<'a>(args: &Args<'_, 'a>, budget: &mut Budget) -> Result<Value<'a>, Fault> {
    Ok(Value::made(printed(args, budget)?.to_lowercase()))
}

/// `{{trim text}}`
pub(super) fn trim<'a>(args: &Args<'_, 'a>, budget: &mut Budget) -> Result<Value<'a>, Fault> {
    Ok(Value::made(printed(args, budget)?.trim_matches(is_js_space)))
}

/// What the only argument prints.
fn printed(args: &Args<'_, '_>, budget: &mut Budget) -> Result<String, Fault> {
    args.exactly(1)?;
    let mut out = String::new();
    write::print(&mut out, &args.get(0), budget)?;
    Ok(out)
}
