//! Implements the helpers that return strings: `join`, `pluralize`, `substring`, `objectToList`,
//! `upper`, `lower` and `trim`.

use std::cmp::Ordering;

use super::args::Args;
use crate::prompt::render::compare;
use crate::prompt::render::error::RenderError;
use crate::prompt::render::limits::Budget;
use crate::prompt::render::value::{Value, utf16_len};
use crate::prompt::render::write;
use crate::prompt::syntax::scan::is_js_space;

/// Implements `{{join tags}}`, which joins the elements of an array with `, `. A string is returned
/// unchanged, and any other value becomes an empty string.
pub(super) fn join<'a>(args: &Args<'_, 'a>, budget: &mut Budget) -> Result<Value<'a>, RenderError> {
    match args.get(0) {
        Value::Array(items) => {
            let mut out = String::new();
            write::push_list(&mut out, items, ", ", 0, budget)?;
            Ok(Value::owned_text(out))
        }
        value if value.as_text().is_some() => Ok(value),
        _ => Ok(Value::Text("")),
    }
}

/// Implements `{{pluralize "item|items" count}}`, which returns the second form if the count is
/// greater than 1 and the first form otherwise.
pub(super) fn pluralize<'a>(
    args: &Args<'_, 'a>,
    budget: &mut Budget,
) -> Result<Value<'a>, RenderError> {
    let first = args.get(0);
    let Some(forms) = first.as_text() else {
        return Err(RenderError::helper("expects two forms in one string, such as \"item|items\""));
    };
    let singular = Value::index(1);
    let is_plural = compare::order(&args.get(1), &singular, budget)? == Some(Ordering::Greater);
    let form = forms.split('|').nth(usize::from(is_plural));
    Ok(form.map_or(Value::Undefined, Value::owned_text))
}

/// Implements `{{substring text 0 100}}`, which returns the UTF-16 code units from the first index
/// up to, but not including, the second. As in npm llm-exe, a string is returned unchanged unless
/// it is longer than the second index.
pub(super) fn substring<'a>(
    args: &Args<'_, 'a>,
    budget: &mut Budget,
) -> Result<Value<'a>, RenderError> {
    let (value, start, end) = (args.get(0), args.get(1), args.get(2));
    if compare::order(&start, &end, budget)? == Some(Ordering::Greater) {
        return Ok(Value::Text(""));
    }
    let len = match &value {
        Value::Undefined | Value::Null => {
            return Err(RenderError::helper(
                "expects a string, but its first argument is missing or null",
            ));
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
        return Err(RenderError::helper("expects a string, got a list"));
    };
    let start = to_index(&start, budget)?;
    let end = to_index(&end, budget)?;
    Ok(Value::owned_text(utf16_slice(text, start.min(end), start.max(end))))
}

/// Converts a value to an index as JavaScript does. NaN and negative numbers become 0.
fn to_index(value: &Value<'_>, budget: &mut Budget) -> Result<usize, RenderError> {
    let text = write::to_string(value, budget)?;
    let number = if value.is_object() { Value::Text(&text).to_number() } else { value.to_number() };
    Ok(number as usize)
}

/// Returns the UTF-16 code units of a string from `start` up to, but not including, `end`.
fn utf16_slice(text: &str, start: usize, end: usize) -> String {
    if text.is_ascii() {
        return text.get(start..end.min(text.len())).unwrap_or_default().to_owned();
    }
    let units: Vec<u16> = text.encode_utf16().take(end).skip(start).collect();
    String::from_utf16_lossy(&units)
}

/// Implements `{{objectToList facts}}`, which returns a line `- key: value` for each member of an
/// object.
pub(super) fn object_to_list<'a>(
    args: &Args<'_, 'a>,
    budget: &mut Budget,
) -> Result<Value<'a>, RenderError> {
    let value = args.get(0);
    if matches!(value, Value::Null) {
        return Err(RenderError::helper("expects an object, got null"));
    }
    let mut out = String::new();
    for key in value.keys(budget)? {
        budget.step()?;
        let start = if out.is_empty() { "- " } else { "\n- " };
        for text in [start, &key, ": "] {
            write::push(&mut out, text, budget)?;
        }
        write::push_string(&mut out, &value.property(&key), budget)?;
    }
    Ok(Value::owned_text(out))
}

/// Implements `{{upper name}}`, which converts a string to upper case.
pub(super) fn upper<'a>(
    args: &Args<'_, 'a>,
    budget: &mut Budget,
) -> Result<Value<'a>, RenderError> {
    Ok(Value::owned_text(single_argument_text(args, budget)?.to_uppercase()))
}

/// Implements `{{lower name}}`, which converts a string to lower case.
pub(super) fn lower<'a>(
    args: &Args<'_, 'a>,
    budget: &mut Budget,
) -> Result<Value<'a>, RenderError> {
    Ok(Value::owned_text(single_argument_text(args, budget)?.to_lowercase()))
}

/// Implements `{{trim text}}`, which removes the white space around a string.
pub(super) fn trim<'a>(args: &Args<'_, 'a>, budget: &mut Budget) -> Result<Value<'a>, RenderError> {
    Ok(Value::owned_text(single_argument_text(args, budget)?.trim_matches(is_js_space)))
}

/// Converts the single argument to the string that a tag would render.
fn single_argument_text(args: &Args<'_, '_>, budget: &mut Budget) -> Result<String, RenderError> {
    let mut out = String::new();
    write::print(&mut out, &args.get(0), budget)?;
    Ok(out)
}
