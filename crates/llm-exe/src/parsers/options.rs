//! Parses the `outputOptions` of a request. Each parser removes and validates its own options. Any
//! options that remain are unknown.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::json;
use crate::request::suggestion;

/// Maximum number of strings in an option.
const MAX_STRINGS: usize = 10_000;

/// Maximum length of a string in an option, in bytes.
const MAX_STRING_BYTES: usize = 4096;

/// The options that no parser has removed yet, and the problems found so far.
#[derive(Debug, Default)]
pub struct OutputOptions {
    values: Map<String, Value>,
    problems: Vec<(String, String)>,
}

impl OutputOptions {
    /// Creates the options from the `outputOptions` object. Treats `null` options as absent.
    pub fn new(mut values: Map<String, Value>) -> Self {
        values.retain(|_, value| !value.is_null());
        OutputOptions { values, problems: Vec::new() }
    }

    /// Returns the problems with invalid options, each as a path relative to `outputOptions` and a
    /// message.
    pub fn problems(&self) -> &[(String, String)] {
        &self.problems
    }

    /// Returns the names of the options that no parser has removed.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Removes an option that must be one of several strings and returns the matching choice.
    /// Returns the default if the option is absent or invalid.
    pub(crate) fn take_choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[(&str, T)],
        default: T,
    ) -> T {
        let Some(value) = self.values.shift_remove(name) else {
            return default;
        };
        let chosen = |text: &str| choices.iter().find(|(word, _)| *word == text);
        if let Some((_, choice)) = value.as_str().and_then(chosen) {
            return *choice;
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let hint = value.as_str().map(|text| suggestion(text, &words)).unwrap_or_default();
        let received = match &value {
            Value::String(text) => json::quoted(text),
            other => json::shown(other),
        };
        self.add_problem(name, format!("expected {}, got {received}{hint}", words.join(" or ")));
        default
    }

    /// Removes an option that must be true or false and returns it. Returns the default if the
    /// option is absent or invalid.
    pub(crate) fn take_bool(&mut self, name: &str, default: bool) -> bool {
        match self.values.shift_remove(name) {
            None => default,
            Some(Value::Bool(flag)) => flag,
            Some(other) => {
                let received = json::shown(&other);
                self.add_problem(name, format!("expected true or false, got {received}"));
                default
            }
        }
    }

    /// Removes an option that must be a whole number from 0 to `max` and returns it.
    pub(crate) fn take_count(&mut self, name: &str, max: u32) -> Option<u32> {
        let value = self.values.shift_remove(name)?;
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
        if count.is_none_or(|count| count > max) {
            let received = json::shown(&value);
            let message = format!("expected a whole number from 0 to {max}, got {received}");
            self.add_problem(name, message);
        }
        count
    }

    /// Removes a required option that must be a non-empty array of non-empty strings and returns
    /// the strings without duplicates.
    pub(crate) fn take_strings(&mut self, name: &str) -> Vec<String> {
        let items = match self.values.shift_remove(name) {
            Some(Value::Array(items)) => items,
            Some(other) => {
                let received = json::shown(&other);
                self.add_problem(name, format!("expected a list of strings, got {received}"));
                return Vec::new();
            }
            None => {
                self.add_problem(name, "is missing; expected a list of strings".to_owned());
                return Vec::new();
            }
        };
        if items.is_empty() {
            self.add_problem(name, "is empty; expected at least one string".to_owned());
        }
        if items.len() > MAX_STRINGS {
            let message = format!("expected at most {MAX_STRINGS} strings, got {}", items.len());
            self.add_problem(name, message);
            return Vec::new();
        }
        let mut known = HashSet::with_capacity(items.len());
        let mut strings: Vec<String> = Vec::with_capacity(items.len());
        for (index, value) in items.into_iter().enumerate() {
            match value {
                Value::String(text) if text.trim().is_empty() => {
                    self.add_problem(
                        &format!("{name}[{index}]"),
                        "is empty; expected at least one visible character".to_owned(),
                    );
                }
                Value::String(text) if text.len() > MAX_STRING_BYTES => {
                    let message = format!(
                        "expected at most {MAX_STRING_BYTES} bytes, got {} bytes",
                        text.len()
                    );
                    self.add_problem(&format!("{name}[{index}]"), message);
                }
                Value::String(text) => {
                    if known.insert(text.clone()) {
                        strings.push(text);
                    }
                }
                other => {
                    let message = format!("expected a string, got {}", json::shown(&other));
                    self.add_problem(&format!("{name}[{index}]"), message);
                }
            }
        }
        strings
    }

    fn add_problem(&mut self, path: &str, message: String) {
        self.problems.push((path.to_owned(), message));
    }
}
