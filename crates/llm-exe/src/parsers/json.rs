//! The parser for `output: "json"`, which returns a JSON value that satisfies the schema.

use serde_json::Value;

use super::find_json::{EmbeddedJson, FoundJson, find_json};
use super::parser::{Context, OutputError};
use crate::json::{Deviation, NearJson, parse_near, parse_unique};
use crate::schema::{Budget, CoercedValue, Schema};

/// The warning about a list that is read as the object in it.
const LIST_OF_ONE: &str = "the reply is a list of one object; the object is used";

/// Returns the one JSON value in the reply that satisfies the schema. Values are first coerced to
/// the schema where this is unambiguous. Values that satisfy it as written have priority.
pub(super) fn parse(text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
    let read = match find_json(text, context.schema)? {
        // The value is parsed again if it is needed after it has been changed.
        FoundJson::Whole(value, content) => {
            read_whole(value, Some(content), || parse_unique(content).ok(), context)?
        }
        FoundJson::WholeNear(NearJson { value, deviations }, content) => {
            let mut read = read_whole(value, None, || reparse_near(content), context)?;
            read.warnings.insert(0, describe_deviations(&deviations, content));
            read
        }
        FoundJson::Embedded(found) => choose(found, context)?,
    };
    context.warn(read.warnings);
    Ok(read.value)
}

/// Reads a value that is the whole reply, with its text if that is strict JSON. `reparse` parses
/// the unchanged value again, because a copy could need much memory.
fn read_whole(
    value: Value,
    text: Option<&str>,
    reparse: impl FnOnce() -> Option<Value>,
    context: &Context<'_>,
) -> Result<CoercedValue, OutputError> {
    context.read(value, text).or_else(|error| {
        let reparsed = reparse();
        let object = reparsed.as_ref().and_then(only_object).cloned();
        let read = object.and_then(|object| context.read(object, text).ok()).map(|mut read| {
            read.warnings.insert(0, LIST_OF_ONE.to_owned());
            read
        });
        read.ok_or_else(|| {
            OutputError::new(format!("the reply does not satisfy the schema: {error}"))
        })
    })
}

/// Returns the object in a list of exactly one object.
fn only_object(value: &Value) -> Option<&Value> {
    match value.as_array()?.as_slice() {
        [object @ Value::Object(_)] => Some(object),
        _ => None,
    }
}

/// Describes where a text is not strict JSON.
pub(super) fn describe_deviations(deviations: &[(Deviation, usize)], content: &str) -> String {
    let places = deviations.iter().map(|(deviation, at)| {
        let before = content.get(..*at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        format!("{} at line {line}, column {column}", deviation.describe())
    });
    let places: Vec<String> = places.collect();
    format!("the reply is not strict JSON: it has {}", places.join(", and "))
}

/// Chooses the value that satisfies the schema from several ones.
fn choose(found: EmbeddedJson<'_>, context: &Context<'_>) -> Result<CoercedValue, OutputError> {
    let EmbeddedJson { texts, near, are_lines } = found;
    // The limit of the work for one value applies to all of them together.
    let mut choice = Choice::new(context);
    let mut previous = "";
    for text in &texts {
        if *text != previous {
            choice.add(parse_value(text)?, Some(text), || parse_unique(text).ok(), None)?;
        }
        previous = text;
    }
    if let Some((NearJson { value, deviations }, content)) = near {
        let warning = describe_deviations(&deviations, content);
        choice.add(value, None, || reparse_near(content), Some(warning))?;
    }
    if are_lines && choice.is_empty() {
        // The limits of the number of values and of their depth apply to the list.
        let list = parse_value(&format!("[{}]", texts.join(",")))?;
        if let Ok(mut read) = context.read(list, None) {
            let warning = "the reply is one object per line; they are read as a list".to_owned();
            read.warnings.insert(0, warning);
            return Ok(read);
        }
    }
    choice.finish()
}

fn parse_value(text: &str) -> Result<Value, OutputError> {
    parse_unique(text).map_err(|error| OutputError::new(format!("the reply is {error}")))
}

fn reparse_near(text: &str) -> Option<Value> {
    parse_near(text).ok().flatten().map(|near| near.value)
}

/// The values that satisfy the schema. Those with a lower priority are used only if there are none
/// with a higher one.
struct Choice<'a> {
    context: &'a Context<'a>,
    budget: Budget,
    as_written: OneValue,
    after_changes: OneValue,
    from_lists: OneValue,
    /// The number of values.
    count: usize,
    /// The last value that does not satisfy the schema.
    invalid: Option<Value>,
}

impl<'a> Choice<'a> {
    fn new(context: &'a Context<'a>) -> Self {
        Choice {
            context,
            budget: Schema::new_budget(),
            as_written: OneValue::default(),
            after_changes: OneValue::default(),
            from_lists: OneValue::default(),
            count: 0,
            invalid: None,
        }
    }

    /// Adds a value with the warning about its text. `reparse` parses the unchanged value again,
    /// because a copy could need much memory.
    fn add(
        &mut self,
        value: Value,
        text: Option<&str>,
        reparse: impl FnOnce() -> Option<Value>,
        warning: Option<String>,
    ) -> Result<(), OutputError> {
        self.count += 1;
        let with_warning = |mut read: CoercedValue| {
            read.warnings.splice(0..0, warning.clone());
            read
        };
        let read =
            |value| self.context.read_within(value, text, &self.budget).map_err(OutputError::new);
        match read(value)? {
            Some(read) if read.as_written => self.as_written.add(with_warning(read)),
            Some(read) => self.after_changes.add(with_warning(read)),
            None => {
                let reparsed = reparse();
                if let Some(object) = reparsed.as_ref().and_then(only_object)
                    && let Some(mut object) = read(object.clone())?
                {
                    object.warnings.insert(0, LIST_OF_ONE.to_owned());
                    self.from_lists.add(with_warning(object));
                }
                self.invalid = reparsed;
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        let all = [&self.as_written, &self.after_changes, &self.from_lists];
        all.iter().all(|one| one.value.is_none())
    }

    fn finish(self) -> Result<CoercedValue, OutputError> {
        let all = [self.as_written, self.after_changes, self.from_lists];
        if let Some(one) = all.into_iter().find(|one| one.value.is_some())
            && let Some(read) = one.value
        {
            let message = "the reply contains several different JSON values that satisfy the \
                           schema; expected one";
            return if one.has_others { Err(OutputError::new(message)) } else { Ok(read) };
        }
        let summary = match self.count {
            1 => "the reply does not satisfy the schema".to_owned(),
            count => format!("none of the {count} JSON values in the reply satisfies the schema"),
        };
        // Only one of the values is described, because this can take as long as a check.
        let error = self.invalid.and_then(|value| self.context.read(value, None).err());
        Err(OutputError::new(format!("{summary}: {}", error.unwrap_or_default())))
    }
}

/// The first of several values, and whether one of the others is different.
#[derive(Default)]
struct OneValue {
    value: Option<CoercedValue>,
    has_others: bool,
}

impl OneValue {
    fn add(&mut self, read: CoercedValue) {
        match &self.value {
            None => self.value = Some(read),
            Some(first) => self.has_others |= first.value != read.value,
        }
    }
}
