//! `outputOptions` as given: each parser takes its own out, by type; what does not fit is noted,
//! and what is left over is unknown.

use serde_json::{Map, Value};

use crate::json;
use crate::request::suggestion;

/// The options of a request that were not taken yet.
#[derive(Debug, Default)]
pub struct GivenOptions {
    values: Map<String, Value>,
    faults: Vec<(String, String)>,
}

impl GivenOptions {
    /// The options as the caller wrote them; `null` is the same as leaving one out.
    pub fn new(mut values: Map<String, Value>) -> Self {
        values.retain(|_, value| !value.is_null());
        GivenOptions { values, faults: Vec::new() }
    }

    /// What is wrong with the options that were taken: path below `outputOptions`, and message.
    pub fn faults(&self) -> &[(String, String)] {
        &self.faults
    }

    /// The names that nobody took.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(&mut self, name: &str, known: &[(&str, T)], usual: T) -> T {
        let Some(value) = self.values.shift_remove(name) else {
            return usual;
        };
        let meant = |text: &str| known.iter().find(|(word, _)| *word == text);
        if let Some((_, meant)) = value.as_str().and_then(meant) {
            return *meant;
        }
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        let hint = value.as_str().map(|text| suggestion(text, &words)).unwrap_or_default();
        let came = match &value {
            Value::String(text) => json::quoted(text),
            other => json::shown(other),
        };
        self.fault(name, format!("expected {}, got {came}{hint}", words.join(" or ")));
        usual
    }

    /// True or false.
    pub(crate) fn flag(&mut self, name: &str, usual: bool) -> bool {
        match self.values.shift_remove(name) {
            None => usual,
            Some(Value::Bool(flag)) => flag,
            Some(other) => {
                self.fault(name, format!("expected true or false, got {}", json::shown(&other)));
                usual
            }
        }
    }

    /// A whole number from 0 to `most`.
    pub(crate) fn count(&mut self, name: &str, most: u32) -> Option<u32> {
        let value = self.values.shift_remove(name)?;
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
        if count.is_none_or(|count| count > most) {
            let came = json::shown(&value);
            self.fault(name, format!("expected a whole number from 0 to {most}, got {came}"));
        }
        count
    }

    /// A list of texts that must be there, none of them empty.
    pub(crate) fn texts(&mut self, name: &str) -> Vec<String> {
        let written = match self.values.shift_remove(name) {
            Some(Value::Array(written)) => written,
            other => {
                let came = other.map_or("is missing".to_owned(), |value| {
                    format!("got {}", json::shown(&value))
                });
                self.fault(name, format!("{came}; expected a list of strings"));
                return Vec::new();
            }
        };
        if written.is_empty() {
            self.fault(name, "is empty; expected at least one string".to_owned());
        }
        let mut texts: Vec<String> = Vec::with_capacity(written.len());
        for (at, value) in written.into_iter().enumerate() {
            match value {
                Value::String(text) if text.trim().is_empty() => {
                    self.fault(&format!("{name}[{at}]"), "is empty".to_owned());
                }
                Value::String(text) if texts.contains(&text) => {}
                Value::String(text) => texts.push(text),
                other => {
                    let text = format!("expected a string, got {}", json::shown(&other));
                    self.fault(&format!("{name}[{at}]"), text);
                }
            }
        }
        texts
    }

    fn fault(&mut self, path: &str, message: String) {
        self.faults.push((path.to_owned(), message));
    }
}
