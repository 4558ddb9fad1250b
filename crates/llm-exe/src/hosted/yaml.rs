//! A YAML document to its fields. The parser is `granit-parser`'s; what its events mean is said
//! here: the core schema, keys that are text and stand once, no tags, one document, aliases that
//! stay within a bound, merge keys (`<<`).

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Value};

use super::config::Lines;
use super::error::ConfigError;
use super::scalar;
use crate::json;

/// The deepest nesting, as JSON's reader has it.
const DEEPEST: usize = 127;

/// How much aliases may add up to, in bytes of text and 16 for each value.
const MOST_REPEATED: usize = 4 * 1024 * 1024;

/// Reads a document, and notes on which lines the texts of `message` begin.
pub(super) fn read(text: &str) -> Result<(Value, Lines), ConfigError> {
    let mut loader = Loader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker();
            ConfigError::at(at.line(), at.col() + 1, format!("not YAML: {}", error.info()))
        })?;
        loader.take(event, span)?;
    }
    Ok((loader.root.unwrap_or_default(), loader.lines))
}

/// A value, and how much it weighs against [`MOST_REPEATED`].
type Weighed = (Value, usize);

#[derive(Default)]
struct Loader {
    stack: Vec<Frame>,
    anchors: HashMap<usize, Weighed>,
    repeated: usize,
    documents: usize,
    root: Option<Value>,
    lines: Lines,
}

/// A list or a mapping that is being read.
struct Frame {
    anchor: usize,
    weight: usize,
    holds: Holds,
}

enum Holds {
    List(Vec<Value>),
    Mapping {
        fields: Map<String, Value>,
        /// The key whose value comes next.
        key: Option<Key>,
        /// What merge keys bring.
        merged: Vec<Value>,
    },
}

enum Key {
    /// `<<`, unquoted: what comes next is merged in.
    Merge,
    Name(String),
}

fn fault(span: Span, message: impl Into<String>) -> ConfigError {
    ConfigError::at(span.start.line(), span.start.col() + 1, message)
}

impl Loader {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), ConfigError> {
        if let Some(tag) = event.tag() {
            let text =
                format!("the tag {} is not taken; leave it out", json::quoted(&tag.original()));
            return Err(fault(span.tag_span().unwrap_or(span), text));
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(fault(span, "a second document; expected one"));
                }
                Ok(())
            }
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                let (value, weight) =
                    known.ok_or_else(|| fault(span, "an alias inside of what it stands for"))?;
                self.repeat(weight, span)?;
                if self.wants_key() {
                    return Err(fault(span, "a key can't be an alias; write it out"));
                }
                self.put(value, weight, span)
            }
            Event::Scalar(text, style, anchor, _) if self.wants_key() => {
                if anchor != 0 {
                    return Err(fault(span, "a key can't have an anchor"));
                }
                self.key(&text, style, span)
            }
            Event::Scalar(text, style, anchor, _) => self.scalar(&text, style, anchor, span),
            Event::SequenceStart(_, anchor, _) => self.open(anchor, Holds::List(Vec::new()), span),
            Event::MappingStart(_, anchor, _) => {
                let (fields, merged) = (Map::new(), Vec::new());
                self.open(anchor, Holds::Mapping { fields, key: None, merged }, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            _ => Ok(()),
        }
    }

    fn wants_key(&self) -> bool {
        let last = self.stack.last().map(|frame| &frame.holds);
        matches!(last, Some(Holds::Mapping { key: None, .. }))
    }

    fn key(&mut self, text: &str, style: ScalarStyle, span: Span) -> Result<(), ConfigError> {
        if style == ScalarStyle::Plain {
            let read = scalar::value(text).map_err(|why| fault(span, why))?;
            if !read.is_string() {
                let text = format!("a key must be text, got {}; quote it", json::shown(&read));
                return Err(fault(span, text));
            }
        }
        if let Some(Frame { holds: Holds::Mapping { fields, key, .. }, .. }) = self.stack.last_mut()
        {
            if fields.contains_key(text) {
                let text = format!("{} stands twice in one mapping", json::quoted(text));
                return Err(fault(span, text));
            }
            // A quoted `<<` is a key like any other.
            let merges = text == "<<" && style == ScalarStyle::Plain;
            *key = Some(if merges { Key::Merge } else { Key::Name(text.to_owned()) });
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        span: Span,
    ) -> Result<(), ConfigError> {
        let value = match style {
            ScalarStyle::Plain => scalar::value(text).map_err(|why| fault(span, why))?,
            _ => Value::from(text),
        };
        let weight = 16 + text.len();
        if let Some(path) = self.message_path() {
            // Of texts whose lines are folded, the template's lines are not the document's.
            if style == ScalarStyle::Literal || !text.contains('\n') {
                self.lines.push((path, span.start.line()));
            }
        }
        self.remember(anchor, &value, weight, span)?;
        self.put(value, weight, span)
    }

    fn open(&mut self, anchor: usize, holds: Holds, span: Span) -> Result<(), ConfigError> {
        if self.wants_key() {
            return Err(fault(span, "a key must be text, got a list or a mapping"));
        }
        if self.stack.len() >= DEEPEST {
            let text = format!("nested deeper than {DEEPEST} levels, which is the limit");
            return Err(fault(span, text));
        }
        self.stack.push(Frame { anchor, weight: 16, holds });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Result<(), ConfigError> {
        let Some(Frame { anchor, weight, holds }) = self.stack.pop() else {
            return Ok(());
        };
        let value = match holds {
            Holds::List(items) => Value::Array(items),
            Holds::Mapping { mut fields, merged, .. } => {
                for brought in merged {
                    merge_in(&mut fields, brought, span)?;
                }
                Value::Object(fields)
            }
        };
        self.remember(anchor, &value, weight, span)?;
        self.put(value, weight, span)
    }

    /// Keeps what an anchor names. It is a copy, so it counts as repeated.
    fn remember(
        &mut self,
        anchor: usize,
        value: &Value,
        weight: usize,
        span: Span,
    ) -> Result<(), ConfigError> {
        if anchor != 0 {
            self.repeat(weight, span)?;
            self.anchors.insert(anchor, (value.clone(), weight));
        }
        Ok(())
    }

    fn repeat(&mut self, weight: usize, span: Span) -> Result<(), ConfigError> {
        self.repeated += weight;
        if self.repeated > MOST_REPEATED {
            let text = format!("aliases add up to more than {MOST_REPEATED} bytes");
            return Err(fault(span, text));
        }
        Ok(())
    }

    fn put(&mut self, value: Value, weight: usize, span: Span) -> Result<(), ConfigError> {
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        frame.weight += weight;
        match &mut frame.holds {
            Holds::List(items) => items.push(value),
            Holds::Mapping { fields, key, merged } => match key.take() {
                Some(Key::Merge) => merged.push(value),
                Some(Key::Name(name)) => {
                    frame.weight += name.len();
                    fields.insert(name, value);
                }
                None => return Err(fault(span, "a value without a key")),
            },
        }
        Ok(())
    }

    /// The path of the value that comes next, if it is of `message`.
    fn message_path(&self) -> Option<String> {
        let mut path = String::new();
        for frame in &self.stack {
            match &frame.holds {
                Holds::List(items) => path.push_str(&format!("[{}]", items.len())),
                Holds::Mapping { key, .. } => {
                    let dot = if path.is_empty() { "" } else { "." };
                    let Some(Key::Name(name)) = key else {
                        return None;
                    };
                    path.push_str(&format!("{dot}{name}"));
                }
            }
            if !path.starts_with("message") {
                return None;
            }
        }
        Some(path)
    }
}

/// Adds what a merge key brings: a mapping, or a list of them; what is there already wins.
fn merge_in(
    fields: &mut Map<String, Value>,
    brought: Value,
    span: Span,
) -> Result<(), ConfigError> {
    let mappings = match brought {
        Value::Array(items) => items,
        one => vec![one],
    };
    for mapping in mappings {
        let Value::Object(brought) = mapping else {
            let got = json::shown(&mapping);
            return Err(fault(span, format!("<< takes a mapping or a list of them, got {got}")));
        };
        for (name, value) in brought {
            fields.entry(name).or_insert(value);
        }
    }
    Ok(())
}
