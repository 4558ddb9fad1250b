//! Where the parts of a request came from, so that what is wrong with it is told at its place.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::config::{HostedConfig, Lines};
use super::merge::{MERGED, respell};
use crate::error::{Error, Problem};

/// What a run tells of its hosted config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSource {
    /// `s3://bucket/key`, or the URL without its query.
    pub place: String,
    /// The id of the version that was read, where the store keeps versions.
    pub version: Option<String>,
    /// What names the state that was read.
    pub etag: Option<String>,
}

/// Which fields of a request a document states, and on which lines.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    told: String,
    /// Paths of fields; of `data` and `options` those inside.
    stated: HashSet<String>,
    lines: Lines,
}

impl Origin {
    /// The origin of a file's own fields: problems with them name the file's line.
    pub fn of_file(config: &HostedConfig) -> Origin {
        Origin::new(String::new(), config, &Map::new())
    }

    /// The origin of what is left of a config's fields behind a caller's.
    pub(super) fn new(told: String, config: &HostedConfig, caller: &Map<String, Value>) -> Origin {
        let mut fields = config.fields.clone();
        respell(&mut fields);
        let mut stated = HashSet::new();
        for (name, value) in &fields {
            let inner = value.as_object().filter(|_| MERGED.contains(&name.as_str()));
            let above = caller.get(name).filter(|value| !value.is_null());
            match (inner, above) {
                (Some(inner), Some(Value::Object(above))) => {
                    let own = inner.keys().filter(|key| !above.contains_key(*key));
                    stated.extend(own.map(|key| format!("{name}.{key}")));
                }
                (_, Some(_)) => {}
                (_, None) => {
                    stated.insert(name.clone());
                }
            }
        }
        Origin { told, stated, lines: config.lines.clone() }
    }

    /// Says of an error's problems which are the document's, and on which line of it.
    #[must_use]
    pub fn label(&self, error: Error) -> Error {
        if error.problems().is_empty() {
            return error;
        }
        let told = error.problems().iter().map(|problem| self.labelled(problem.clone()));
        Error::from_problems(told.collect())
    }

    fn labelled(&self, problem: Problem) -> Problem {
        if !self.states(&problem.path) {
            return problem;
        }
        let place = match (self.told.as_str(), self.line(&problem)) {
            ("", None) => return problem,
            ("", Some(line)) => format!("line {line} of the file"),
            (told, None) => format!("in the hosted config {told}"),
            (told, Some(line)) => format!("in the hosted config {told}, line {line}"),
        };
        Problem { message: format!("{} ({place})", problem.message), ..problem }
    }

    fn states(&self, path: &str) -> bool {
        let root = path.split(['.', '[']).next().unwrap_or(path);
        let inner = path.splitn(3, ['.', '[']).take(2).collect::<Vec<_>>().join(".");
        self.stated.contains(root) || self.stated.contains(&inner)
    }

    /// The document's line: where the text begins, and so many below it as the template says.
    fn line(&self, problem: &Problem) -> Option<usize> {
        let begins = |known: &str| {
            let rest = problem.path.strip_prefix(known)?;
            (rest.is_empty() || rest.starts_with(['.', '['])).then_some(known.len())
        };
        let nearest = self.lines.iter().filter_map(|(path, line)| Some((begins(path)?, *line)));
        let (_, first) = nearest.max()?;
        Some(first + template_line(&problem.message).map_or(0, |line| line - 1))
    }
}

/// The line of a template that a problem is about, at its head or, in brackets, at its end.
fn template_line(message: &str) -> Option<usize> {
    let rest = match message.strip_prefix("line ") {
        Some(rest) => rest,
        None => message.rsplit_once("(line ")?.1,
    };
    let (line, _) = rest.split_once(", column ")?;
    line.parse().ok().filter(|line| *line > 0)
}
