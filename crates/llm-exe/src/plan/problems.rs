//! Collects the problems of a request while it is validated.

use crate::error::{Error, Problem};
use crate::prompt::TemplateProblem;

/// Maximum number of problems to collect. It bounds the work for a malicious request.
const MAX_PROBLEMS: usize = 200;

/// The problems of a request. A field that already has a problem is not reported again, except for
/// references.
#[derive(Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Creates a collection that starts with existing problems, such as those from parsing.
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Problems(problems)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// Adds an `InvalidRequest` problem, unless the path already has a problem.
    pub(super) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        let path = path.into();
        if !self.is_full() && !self.0.iter().any(|problem| problem.path == path) {
            self.0.push(Problem::request(path, message));
        }
    }

    /// Adds an `InvalidRequest` problem to a path that can have several, unless it is known.
    pub(super) fn add_another(&mut self, path: String, message: impl Into<String>) {
        let problem = Problem::request(path, message);
        let is_known =
            |known: &Problem| known.path == problem.path && known.message == problem.message;
        if !self.is_full() && !self.0.iter().any(is_known) {
            self.0.push(problem);
        }
    }

    /// Adds a `PromptInvalid` problem for a problem in a template.
    pub(super) fn add_prompt(&mut self, path: &str, problem: &TemplateProblem) {
        if !self.is_full() {
            self.0.push(Problem::prompt(path, problem.to_string()).at_template_line(problem.line));
        }
    }

    pub(super) fn extend(&mut self, problems: Vec<Problem>) {
        self.0.extend(problems);
    }

    pub(super) fn into_error(self) -> Error {
        Error::from_problems(self.0)
    }

    /// Returns whether no more problems are added.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_PROBLEMS
    }
}
