//! Which fields of a request come from a hosted config, so that an error can name the document and
//! the line.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::config::HostedConfig;
use super::merge::{MERGED_FIELDS, normalize_provider};
use super::position::TextLine;
use crate::error::{Error, Problem};

/// The hosted config of a request, as reports name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSource {
    /// `s3://bucket/key`, or the URL without its query.
    pub location: String,
    /// The id of the version that was read, if the store has versions.
    pub version: Option<String>,
    /// The ETag of the document that was read.
    pub etag: Option<String>,
}

/// The fields of a request that come from a document, and the lines of its texts.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The document, as messages name it; empty for a local file.
    location: String,
    /// The paths of the document's fields; for `data` and `options`, of the fields inside.
    fields: HashSet<String>,
    text_lines: Vec<TextLine>,
}

impl Origin {
    /// The origin of a local file: problems in its fields get the line of the file.
    pub fn from_file(config: &HostedConfig) -> Origin {
        Origin::new(String::new(), config, &Map::new())
    }

    /// The origin of the config's fields that the caller does not override.
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

    /// Adds the document and the line to the problems that concern its fields.
    #[must_use]
    pub fn label(&self, error: Error) -> Error {
        if error.problems().is_empty() {
            return error;
        }
        let labelled = error.problems().iter().map(|problem| self.label_problem(problem.clone()));
        Error::from_problems(labelled.collect())
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

    /// Whether the field at a path comes from the document.
    fn contains(&self, path: &str) -> bool {
        let root = path.split(['.', '[']).next().unwrap_or(path);
        let inner = path.splitn(3, ['.', '[']).take(2).collect::<Vec<_>>().join(".");
        self.fields.contains(root) || self.fields.contains(&inner)
    }

    /// The line in the document: where the text begins, plus the line in the template.
    fn line(&self, problem: &Problem) -> Option<usize> {
        let match_len = |path: &str| {
            let rest = problem.path.strip_prefix(path)?;
            (rest.is_empty() || rest.starts_with(['.', '['])).then_some(path.len())
        };
        let matches = self.text_lines.iter();
        let matches = matches.filter_map(|text| Some((match_len(&text.path)?, text.line)));
        let (_, first_line) = matches.max()?;
        Some(first_line + template_line(&problem.message).map_or(0, |line| line - 1))
    }
}

/// The line of the template in a problem's message: at its start, or in parentheses at its end.
fn template_line(message: &str) -> Option<usize> {
    let rest = match message.strip_prefix("line ") {
        Some(rest) => rest,
        None => message.rsplit_once("(line ")?.1,
    };
    let (line, _) = rest.split_once(", column ")?;
    line.parse().ok().filter(|line| *line > 0)
}
