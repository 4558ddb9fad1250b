//! Writes values as JSON, as `JSON.stringify` does. The order of keys and the format of numbers
//! match JavaScript, except that integers beyond 2^53 keep all their digits.

use serde_json::Value as Json;

use super::error::RenderError;
use super::limits::Budget;
use super::value::Value;
use super::write::push;
use crate::prompt::number::Number;

/// Maximum nesting depth of arrays and objects.
const MAX_NESTING: usize = 200;

/// Appends a value as JSON. If `indent` is 0, the JSON is on one line; otherwise, each level is
/// indented with that many spaces, at most 10.
pub(crate) fn write(
    out: &mut String,
    value: &Value<'_>,
    indent: usize,
    budget: &mut Budget,
) -> Result<(), RenderError> {
    JsonWriter { out, indent, budget }.value(value, 0)
}

struct JsonWriter<'w> {
    out: &'w mut String,
    indent: usize,
    budget: &'w mut Budget,
}

impl JsonWriter<'_> {
    fn push(&mut self, text: &str) -> Result<(), RenderError> {
        push(self.out, text, self.budget)
    }

    fn value(&mut self, value: &Value<'_>, depth: usize) -> Result<(), RenderError> {
        self.budget.step()?;
        if depth > MAX_NESTING {
            return Err(RenderError::TooDeep);
        }
        match value {
            Value::Undefined | Value::Null => self.push("null"),
            Value::Bool(value) => self.push(if *value { "true" } else { "false" }),
            Value::Number(number) => self.number(*number),
            Value::Text(text) => self.text(text),
            Value::OwnedText(text) => self.text(text),
            Value::Array(items) => self.list(items, depth),
            value => self.object(value, depth),
        }
    }

    fn number(&mut self, number: Number<'_>) -> Result<(), RenderError> {
        if number.to_f64().is_finite() {
            self.push(&number.to_js_string())
        } else {
            self.push("null")
        }
    }

    fn text(&mut self, text: &str) -> Result<(), RenderError> {
        let quoted = Json::from(text).to_string();
        self.push(&quoted)
    }

    fn list(&mut self, items: &[Json], depth: usize) -> Result<(), RenderError> {
        if items.is_empty() {
            return self.push("[]");
        }
        self.push("[")?;
        for (index, item) in items.iter().enumerate() {
            self.separator(index, depth + 1)?;
            self.value(&Value::from(item), depth + 1)?;
        }
        self.new_line(depth)?;
        self.push("]")
    }

    fn object(&mut self, object: &Value<'_>, depth: usize) -> Result<(), RenderError> {
        let mut count = 0;
        for key in object.keys(self.budget)? {
            let value = object.property(&key);
            if matches!(value, Value::Undefined) {
                continue;
            }
            if count == 0 {
                self.push("{")?;
            }
            self.separator(count, depth + 1)?;
            self.text(&key)?;
            self.push(if self.indent > 0 { ": " } else { ":" })?;
            self.value(&value, depth + 1)?;
            count += 1;
        }
        if count == 0 {
            return self.push("{}");
        }
        self.new_line(depth)?;
        self.push("}")
    }

    /// Writes the comma and line break before an element or member.
    fn separator(&mut self, index: usize, depth: usize) -> Result<(), RenderError> {
        if index > 0 {
            self.push(",")?;
        }
        self.new_line(depth)
    }

    fn new_line(&mut self, depth: usize) -> Result<(), RenderError> {
        if self.indent == 0 {
            return Ok(());
        }
        self.push("\n")?;
        for _ in 0..depth {
            let spaces = "          ".get(..self.indent).unwrap_or_default();
            self.push(spaces)?;
        }
        Ok(())
    }
}
