//! The fields of a step that are not fields of a request.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Request;
use super::parse::{field_names, is_field};
use super::suggestion::{did_you_mean, nearest};
use crate::error::Problem;
use crate::json;

/// A step of a chain: a request or a pointer to a hosted config, and when and how often it runs.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(rename_all = "camelCase"))]
pub(crate) struct RequestStep {
    /// The name, by which other steps refer to the result: a letter or `_`, followed by letters,
    /// digits and `_`.
    pub(crate) name: Option<String>,
    /// A template. The step is skipped if it renders to nothing, `false`, `no` or `0`.
    pub(crate) when: Option<String>,
    /// Variables for the templates of this step: the name of each, and the path of its value, such
    /// as `steps.outline.title`.
    pub(crate) data_from: Option<Map<String, Value>>,
    /// The path of a list, such as `steps.outline.sections`. The step runs once for each item.
    pub(crate) each: Option<String>,
    /// Maximum number of items that run at the same time, from 1 to 50. Default: the `concurrency`
    /// of the request.
    pub(crate) concurrency: Option<u64>,
    /// What happens if an item fails: `fail` (default) ends the request, and `null` makes the
    /// result of the item null if the item itself is the reason.
    pub(crate) on_item_error: Option<String>,
    /// Runs the step again until a condition is true.
    pub(crate) repeat: Option<RequestRepeat>,
    /// The names of steps that must end before this one, besides those that it refers to.
    pub(crate) needs: Option<Vec<String>>,
}

/// Until when, and how often, a step runs again.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub(crate) struct RequestRepeat {
    /// A template, which is rendered after each run. The step runs again if it renders to nothing,
    /// `false`, `no` or `0`.
    pub(crate) until: Option<String>,
    /// Maximum number of runs, from 2 to 20.
    pub(crate) max: Option<u64>,
}

/// The fields of [`RequestStep`]. In a pointer step, they are not overrides of the hosted config.
pub(crate) const STEP_FIELDS: &[&str] =
    &["name", "when", "dataFrom", "each", "concurrency", "onItemError", "repeat", "needs"];

impl RequestStep {
    /// Moves the fields of a step out of an object, whose other fields are those of a request.
    /// Returns a problem for each field of the wrong type.
    pub(crate) fn take_from(fields: &mut Map<String, Value>) -> (RequestStep, Vec<Problem>) {
        let mut reader = FieldReader { fields, path: "", problems: Vec::new() };
        let step = RequestStep {
            name: reader.take_text("name"),
            when: reader.take_text("when"),
            data_from: reader.take("dataFrom", "an object", into_object),
            each: reader.take_text("each"),
            concurrency: reader.take_count("concurrency"),
            on_item_error: reader.take_text("onItemError"),
            repeat: None,
            needs: reader.take("needs", "a list of names", into_texts),
        };
        let repeat = reader.take("repeat", "{until, max}", into_object);
        let mut problems = reader.problems;
        problems.extend(take_misspelled(fields));
        let repeat = repeat.map(|mut fields| {
            let inner = Vec::new();
            let mut reader = FieldReader { fields: &mut fields, path: "repeat.", problems: inner };
            let (until, max) = (reader.take_text("until"), reader.take_count("max"));
            problems.append(&mut reader.problems);
            let unknown = fields.keys().take(MAX_UNKNOWN).map(|name| format!("repeat.{name}"));
            let text = "unknown field; expected until and max";
            problems.extend(unknown.map(|path| Problem::request(path, text)));
            RequestRepeat { until, max }
        });
        (RequestStep { repeat, ..step }, problems)
    }
}

/// Maximum number of unknown fields of a step that are compared with the known ones, and of unknown
/// fields of `repeat` that are reported.
const MAX_UNKNOWN: usize = 100;

/// Removes unknown fields that look like a field of a step, and returns a problem for each. Without
/// the field, the step would run in another way.
fn take_misspelled(fields: &mut Map<String, Value>) -> Vec<Problem> {
    let known: Vec<&str> = field_names::<Request>().iter().chain(STEP_FIELDS).copied().collect();
    let mut problems = Vec::new();
    for name in fields.keys().filter(|name| !is_field(name)).take(MAX_UNKNOWN) {
        if let Some(near) = nearest(name, &known).filter(|near| STEP_FIELDS.contains(near)) {
            let text = format!("unknown field{}", did_you_mean(near));
            problems.push(Problem::request(name.clone(), text));
        }
    }
    if !problems.is_empty() {
        let names: HashSet<&str> = problems.iter().map(|problem| &*problem.path).collect();
        fields.retain(|name, _| !names.contains(name.as_str()));
    }
    problems
}

/// Takes fields of an object, and collects those of the wrong type.
struct FieldReader<'a> {
    fields: &'a mut Map<String, Value>,
    /// The path of the object, with a dot at its end.
    path: &'static str,
    problems: Vec<Problem>,
}

impl FieldReader<'_> {
    fn take<T>(
        &mut self,
        name: &str,
        expected: &str,
        convert: fn(Value) -> Result<T, Value>,
    ) -> Option<T> {
        let value = self.fields.shift_remove(name).filter(|value| !value.is_null())?;
        match convert(value) {
            Ok(value) => Some(value),
            Err(value) => {
                let text = format!("expected {expected}, got {}", json::shown(&value));
                self.problems.push(Problem::request(format!("{}{name}", self.path), text));
                None
            }
        }
    }

    fn take_text(&mut self, name: &str) -> Option<String> {
        self.take(name, "a string", |value| match value {
            Value::String(text) => Ok(text),
            other => Err(other),
        })
    }

    fn take_count(&mut self, name: &str) -> Option<u64> {
        self.take(name, "a whole number", |value| value.as_u64().ok_or(value))
    }
}

fn into_object(value: Value) -> Result<Map<String, Value>, Value> {
    match value {
        Value::Object(fields) => Ok(fields),
        other => Err(other),
    }
}

fn into_texts(value: Value) -> Result<Vec<String>, Value> {
    let texts = value.as_array().and_then(|items| {
        items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
    });
    texts.ok_or(value)
}
