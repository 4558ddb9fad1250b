//! Values as JSON text, the way `JSON.stringify` writes it: JavaScript's order of keys and its
//! numbers, except that integers beyond 2^53 stay as they came.

use serde_json::Value as Json;

use super::limits::{Budget, Fault};
use super::number::Number;
use super::value::Value;
use super::write::push;

/// How deep lists and objects may stand in each other.
const NESTING: usize = 200;

/// Appends a value as JSON; with an `indent`, in lines.
pub(crate) fn write(
    out: &mut String,
    value: &Value<'_>,
    indent: usize,
    budget: &mut Budget,
) -> Result<(), Fault> {
    Writer { out, indent, budget }.value(value, 0)
}

struct Writer<'w> {
    out: &'w mut String,
    indent: usize,
    budget: &'w mut Budget,
}

impl Writer<'_> {
    fn push(&mut self, text: &str) -> Result<(), Fault> {
        push(self.out, text, self.budget)
    }

    fn value(&mut self, value: &Value<'_>, depth: usize) -> Result<(), Fault> {
        self.budget.step()?;
        if depth > NESTING {
            return Err(Fault::TooDeep);
        }
        match value {
            Value::Undefined | Value::Null => self.push("null"),
            Value::Bool(value) => self.push(if *value { "true" } else { "false" }),
            Value::Number(number) => self.number(*number),
            Value::Text(text) => self.text(text),
            Value::Made(text) => self.text(text),
            Value::Array(items) => self.list(items, depth),
            value => self.object(value, depth),
        }
    }

    fn number(&mut self, number: Number<'_>) -> Result<(), Fault> {
        if number.to_f64().is_finite() { self.push(&number.print()) } else { self.push("null") }
    }

    fn text(&mut self, text: &str) -> Result<(), Fault> {
        let quoted = Json::from(text).to_string();
        self.push(&quoted)
    }

    fn list(&mut self, items: &[Json], depth: usize) -> Result<(), Fault> {
        if items.is_empty() {
            return self.push("[]");
        }
        self.push("[")?;
        for (index, item) in items.iter().enumerate() {
            self.next(index, depth + 1)?;
            self.value(&Value::from(item), depth + 1)?;
        }
        self.line(depth)?;
        self.push("]")
    }

    fn object(&mut self, object: &Value<'_>, depth: usize) -> Result<(), Fault> {
        let mut count = 0;
        for key in object.keys(self.budget)? {
            let value = object.property(&key);
            if matches!(value, Value::Undefined) {
                continue;
            }
            if count == 0 {
                self.push("{")?;
            }
            self.next(count, depth + 1)?;
            self.text(&key)?;
            self.push(if self.indent > 0 { ": " } else { ":" })?;
            self.value(&value, depth + 1)?;
            count += 1;
        }
        if count == 0 {
            return self.push("{}");
        }
        self.line(depth)?;
        self.push("}")
    }

    /// What stands before an element.
    fn next(&mut self, index: usize, depth: usize) -> Result<(), Fault> {
        if index > 0 {
            self.push(",")?;
        }
        self.line(depth)
    }

    fn line(&mut self, depth: usize) -> Result<(), Fault> {
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
