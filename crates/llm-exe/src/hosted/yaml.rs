//! Parses a YAML document. `granit-parser` parses the syntax into events, and this module builds
//! the value from them.
//!
//! The module follows YAML's core schema and supports anchors, aliases and merge keys (`<<`). Keys
//! must be strings and must not repeat. Tags, multiple documents, and aliases that expand to too
//! much data are errors.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Value};

use super::error::ConfigError;
use super::position::TextLine;
use super::scalar;
use crate::json::{self, MAX_DEPTH};

/// Maximum total size in bytes of the values that are copied for anchors and aliases. Each value
/// counts as 16 bytes plus the length of its text.
const MAX_COPIED_BYTES: usize = 4 * 1024 * 1024;

/// Parses a document. Returns its value and the document lines on which the message texts begin.
pub(super) fn parse(text: &str) -> Result<(Value, Vec<TextLine>), ConfigError> {
    let mut loader = Loader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker();
            ConfigError::at(at.line(), at.col() + 1, format!("not valid YAML: {}", error.info()))
        })?;
        loader.handle(event, span)?;
    }
    Ok((loader.root.unwrap_or_default(), loader.text_lines))
}

/// The value of an anchor, which is copied for each alias.
#[derive(Clone)]
struct Anchored {
    value: Value,
    size: usize,
}

#[derive(Default)]
struct Loader {
    stack: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    copied_bytes: usize,
    documents: usize,
    root: Option<Value>,
    text_lines: Vec<TextLine>,
}

/// A list or mapping that has been opened but not yet closed.
struct Frame {
    anchor: usize,
    size: usize,
    content: Content,
}

enum Content {
    List(Vec<Value>),
    Mapping {
        fields: Map<String, Value>,
        /// The key for the next value, or `None` if a key is expected next.
        key: Option<Key>,
        /// The values of the merge keys (`<<`) in this mapping.
        merged: Vec<Value>,
    },
}

enum Key {
    /// An unquoted `<<`, whose value is merged into the mapping.
    Merge,
    Name(String),
}

fn error_at(span: Span, message: impl Into<String>) -> ConfigError {
    ConfigError::at(span.start.line(), span.start.col() + 1, message)
}

impl Loader {
    fn handle(&mut self, event: Event<'_>, span: Span) -> Result<(), ConfigError> {
        if let Some(tag) = event.tag() {
            let tag = json::quoted(&tag.original());
            let message = format!("the tag {tag} is not supported; remove it");
            return Err(error_at(span.tag_span().unwrap_or(span), message));
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a second YAML document begins here; only one is supported";
                    return Err(error_at(span, message));
                }
                Ok(())
            }
            Event::Alias(anchor) => {
                let anchored = self.anchors.get(&anchor).cloned();
                let Anchored { value, size } = anchored.ok_or_else(|| {
                    error_at(span, "the alias is inside the value that it refers to")
                })?;
                self.count_copy(size, span)?;
                if self.expects_key() {
                    return Err(error_at(span, "a key can't be an alias; write the key itself"));
                }
                self.add_value(value, size, span)
            }
            Event::Scalar(text, style, anchor, _) if self.expects_key() => {
                if anchor != 0 {
                    return Err(error_at(span, "a key can't have an anchor"));
                }
                self.set_key(&text, style, span)
            }
            Event::Scalar(text, style, anchor, _) => self.add_scalar(&text, style, anchor, span),
            Event::SequenceStart(_, anchor, _) => {
                self.open(anchor, Content::List(Vec::new()), span)
            }
            Event::MappingStart(_, anchor, _) => {
                let (fields, merged) = (Map::new(), Vec::new());
                self.open(anchor, Content::Mapping { fields, key: None, merged }, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            _ => Ok(()),
        }
    }

    fn expects_key(&self) -> bool {
        let content = self.stack.last().map(|frame| &frame.content);
        matches!(content, Some(Content::Mapping { key: None, .. }))
    }

    fn set_key(&mut self, text: &str, style: ScalarStyle, span: Span) -> Result<(), ConfigError> {
        if style == ScalarStyle::Plain {
            let value = scalar::parse(text).map_err(|message| error_at(span, message))?;
            if !value.is_string() {
                let received = json::shown(&value);
                let message = format!("a key must be a string, got {received}; put it in quotes");
                return Err(error_at(span, message));
            }
        }
        if let Some(Frame { content: Content::Mapping { fields, key, .. }, .. }) =
            self.stack.last_mut()
        {
            if fields.contains_key(text) {
                let name = json::quoted(text);
                return Err(error_at(span, format!("the key {name} appears twice in one mapping")));
            }
            // A quoted `<<` is an ordinary key.
            let is_merge = text == "<<" && style == ScalarStyle::Plain;
            *key = Some(if is_merge { Key::Merge } else { Key::Name(text.to_owned()) });
        }
        Ok(())
    }

    fn add_scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        span: Span,
    ) -> Result<(), ConfigError> {
        let value = match style {
            ScalarStyle::Plain => scalar::parse(text).map_err(|message| error_at(span, message))?,
            _ => Value::from(text),
        };
        let size = 16 + text.len();
        if let Some(path) = self.message_path() {
            // Only literal style (`|`) preserves line breaks. In other styles, the lines of a
            // multi-line template do not match the lines of the document.
            if style == ScalarStyle::Literal || !text.contains('\n') {
                self.text_lines.push(TextLine { path, line: span.start.line() });
            }
        }
        self.set_anchor(anchor, &value, size, span)?;
        self.add_value(value, size, span)
    }

    fn open(&mut self, anchor: usize, content: Content, span: Span) -> Result<(), ConfigError> {
        if self.expects_key() {
            return Err(error_at(span, "a key must be a string, got a list or a mapping"));
        }
        if self.stack.len() >= MAX_DEPTH {
            let message = format!(
                "the document is nested deeper than {MAX_DEPTH} levels, which is the limit"
            );
            return Err(error_at(span, message));
        }
        self.stack.push(Frame { anchor, size: 16, content });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Result<(), ConfigError> {
        let Some(Frame { anchor, size, content }) = self.stack.pop() else {
            return Ok(());
        };
        let value = match content {
            Content::List(items) => Value::Array(items),
            Content::Mapping { mut fields, merged, .. } => {
                for value in merged {
                    merge_into(&mut fields, value, span)?;
                }
                Value::Object(fields)
            }
        };
        self.set_anchor(anchor, &value, size, span)?;
        self.add_value(value, size, span)
    }

    /// Stores a copy of the value for later aliases. `anchor` is 0 if the value has no anchor.
    fn set_anchor(
        &mut self,
        anchor: usize,
        value: &Value,
        size: usize,
        span: Span,
    ) -> Result<(), ConfigError> {
        if anchor != 0 {
            self.count_copy(size, span)?;
            self.anchors.insert(anchor, Anchored { value: value.clone(), size });
        }
        Ok(())
    }

    fn count_copy(&mut self, size: usize, span: Span) -> Result<(), ConfigError> {
        self.copied_bytes += size;
        if self.copied_bytes > MAX_COPIED_BYTES {
            let message =
                format!("aliases expand to more than the limit of {MAX_COPIED_BYTES} bytes");
            return Err(error_at(span, message));
        }
        Ok(())
    }

    /// Adds a value to the innermost open list or mapping. If none is open, the value becomes the
    /// root.
    fn add_value(&mut self, value: Value, size: usize, span: Span) -> Result<(), ConfigError> {
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        frame.size += size;
        match &mut frame.content {
            Content::List(items) => items.push(value),
            Content::Mapping { fields, key, merged } => match key.take() {
                Some(Key::Merge) => merged.push(value),
                Some(Key::Name(name)) => {
                    frame.size += name.len();
                    fields.insert(name, value);
                }
                None => return Err(error_at(span, "this mapping entry has no key")),
            },
        }
        Ok(())
    }

    /// Returns the request path of the next value, such as `message[0].content`, or `None` if the
    /// value is not inside `message`.
    fn message_path(&self) -> Option<String> {
        let mut path = String::new();
        for frame in &self.stack {
            match &frame.content {
                Content::List(items) => path.push_str(&format!("[{}]", items.len())),
                Content::Mapping { key, .. } => {
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

/// Merges the value of a merge key into a mapping. The value must be a mapping or a list of
/// mappings. Existing fields are not overwritten.
fn merge_into(
    fields: &mut Map<String, Value>,
    value: Value,
    span: Span,
) -> Result<(), ConfigError> {
    let mappings = match value {
        Value::Array(items) => items,
        single => vec![single],
    };
    for mapping in mappings {
        let Value::Object(merged) = mapping else {
            let received = json::shown(&mapping);
            let message =
                format!("<< must be followed by a mapping or a list of mappings, got {received}");
            return Err(error_at(span, message));
        };
        for (name, value) in merged {
            fields.entry(name).or_insert(value);
        }
    }
    Ok(())
}
