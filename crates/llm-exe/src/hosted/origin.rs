//! Records which fields of a request come from a hosted config, so that an error can name the
//! document and the line.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::config::HostedConfig;
use super::merge::{MERGED_FIELDS, normalize_provider};
use super::position::TextLine;
use crate::error::{Error, Problem};

/// The location and version of the hosted config that a request used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSource {
    /// Either `s3://bucket/key` or the https URL without its query.
    pub location: String,
    /// The id of the version that was read, if the store supports versions.
    pub version: Option<String>,
    /// The ETag of the document that was read, if it has one.
    pub etag: Option<String>,
}

/// A record of which request fields come from a document, and on which document lines the message
/// texts begin.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The location of the document, for use in error messages. It is empty for a local file.
    location: String,
    /// The paths of the fields that come from the document. If the caller overrides a part of
    /// `data` or `options`, the paths of the remaining keys are stored, such as `data.name`.
    fields: HashSet<String>,
    text_lines: Vec<TextLine>,
}

impl Origin {
    /// Creates the origin for a local config file. Errors in its fields are labelled with the line
    /// in the file.
    pub fn from_file(config: &HostedConfig) -> Origin {
        Origin::new(String::new(), config, &Map::new())
    }

    /// Creates the origin for the config fields that the caller does not override.
    pub(super) fn new(
        location: String,
        config: &HostedConfig,
        caller: &Map<String, Value>,
    ) -> Origin {
        let mut config_fields = config.fields.clone();
        normalize_provider(&mut config_fields);
        let mut fields = HashSet::new();
        for (name, value) in &config_fields {
            let inner = value.as_object().filter(|_| MERGED_FIELDS.contains(&name.as_str()));
            let override_value = caller.get(name).filter(|value| !value.is_null());
            match (inner, override_value) {
                (Some(inner), Some(Value::Object(overrides))) => {
                    let remaining = inner.keys().filter(|key| !overrides.contains_key(*key));
                    fields.extend(remaining.map(|key| format!("{name}.{key}")));
                }
                (_, Some(_)) => {}
                (_, None) => {
                    fields.insert(name.clone());
                }
            }
        }
        Origin { location, fields, text_lines: config.text_lines.clone() }
    }

    /// Adds the location and line to each problem that concerns a field from the document.
    #[must_use]
    pub fn label(&self, error: Error) -> Error {
        if error.problems().is_empty() {
            return error;
        }
        let labelled = error.problems().iter().map(|problem| self.label_problem(problem.clone()));
        Error::from_problems(labelled.collect())
    }

    /// Labels the problems of the request at a path, as [`Origin::label`] does.
    #[must_use]
    pub(crate) fn label_at(&self, path: &str, error: Error) -> Error {
        if error.problems().is_empty() {
            return error;
        }
        let label = |problem: &Problem| {
            let inner = problem.path.strip_prefix(path).and_then(|rest| rest.strip_prefix('.'));
            let Some(inner) = inner.map(str::to_owned) else { return problem.clone() };
            let labelled = self.label_problem(Problem { path: inner, ..problem.clone() });
            Problem { path: problem.path.clone(), ..labelled }
        };
        Error::from_problems(error.problems().iter().map(label).collect())
    }

    fn label_problem(&self, problem: Problem) -> Problem {
        if !self.contains(&problem.path) {
            return problem;
        }
        let place = match (self.location.as_str(), self.line(&problem)) {
            ("", None) => return problem,
            ("", Some(line)) => format!("line {line} of the file"),
            (location, None) => format!("in the hosted config {location}"),
            (location, Some(line)) => format!("in the hosted config {location}, line {line}"),
        };
        Problem { message: format!("{} ({place})", problem.message), ..problem }
    }

    /// Returns whether the field at a path comes from the document.
    pub(crate) fn contains(&self, path: &str) -> bool {
        let root = path.split(['.', '[']).next().unwrap_or(path);
        let inner = path.splitn(3, ['.', '[']).take(2).collect::<Vec<_>>().join(".");
        self.fields.contains(root) || self.fields.contains(&inner)
    }

    /// Returns the document line of a problem, computed from the line on which the template begins
    /// and the line within the template.
    fn line(&self, problem: &Problem) -> Option<usize> {
        let match_len = |path: &str| {
            let rest = problem.path.strip_prefix(path)?;
            (rest.is_empty() || rest.starts_with(['.', '['])).then_some(path.len())
        };
        let matches = self.text_lines.iter();
        let matches = matches.filter_map(|text| Some((match_len(&text.path)?, text.line)));
        let (_, first_line) = matches.max()?;
        Some(first_line + problem.template_line.map_or(0, |line| line.saturating_sub(1)))
    }
}
