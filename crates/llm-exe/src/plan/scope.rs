//! The variables that a chain adds to the templates of its steps.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::{Map, Value};

/// The names that a chain sets, which win over fields of `data`.
pub(crate) const RESULTS: &str = "steps";
pub(crate) const PREVIOUS: &str = "previous";
pub(crate) const ITEM: &str = "item";
pub(crate) const INDEX: &str = "index";
pub(crate) const LAST_RESULT: &str = "lastResult";
pub(crate) const ITERATION: &str = "iteration";

/// The variables of a step besides its own `data`.
#[derive(Debug, Clone, Default)]
pub(crate) struct StepScope {
    /// The variables of one run: `item`, `index`, `lastResult` and `iteration`, the innermost
    /// first.
    pub(crate) run: Vec<(&'static str, Value)>,
    /// `steps` and `previous`. A skipped step has the result null.
    pub(crate) results: Arc<Map<String, Value>>,
    /// The paths of those results whose steps were skipped, such as `steps.draft`.
    pub(crate) skipped: Vec<String>,
    /// The `data` of the chains around the step, the innermost first.
    pub(crate) data: Vec<Arc<Map<String, Value>>>,
    /// Whether the chains around the step have failed.
    pub(crate) stops: Vec<Arc<AtomicBool>>,
    /// The names of those variables whose values are known only when the step runs. They are null
    /// until then. `None` if the step runs now.
    pub(crate) unknown: Option<Vec<String>>,
}

impl StepScope {
    /// Returns the variables that [`Scope::more`](crate::prompt::Scope::more) contains if its data
    /// are the results, each name once. `own` is the `data` of the step.
    pub(super) fn variables<'a>(
        &'a self,
        own: &'a Map<String, Value>,
    ) -> Vec<(&'a str, &'a Value)> {
        let run = self.run.iter().map(|(name, value)| (*name, value));
        let maps = std::iter::once(own).chain(self.data.iter().map(|map| &**map));
        let data = maps.flatten().map(|(name, value)| (name.as_str(), value));
        let mut seen: HashSet<&str> = self.results.keys().map(String::as_str).collect();
        run.chain(data).filter(|(name, _)| seen.insert(name)).collect()
    }

    /// Returns a variable by its name.
    pub(crate) fn get<'a>(&'a self, own: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
        let run = || self.run_variable(name);
        let shared = || self.data.iter().find_map(|map| map.get(name));
        self.results.get(name).or_else(run).or_else(|| own.get(name)).or_else(shared)
    }

    fn run_variable(&self, name: &str) -> Option<&Value> {
        self.run.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Returns the value at a path. A value inside of null is null.
    pub(crate) fn find<'a>(
        &'a self,
        own: &'a Map<String, Value>,
        path: &[String],
    ) -> Option<&'a Value> {
        let (first, names) = path.split_first()?;
        find_inside(self.get(own, first)?, names)
    }

    /// Returns whether the value of a variable is known only when the step runs.
    pub(crate) fn is_unknown(&self, name: &str) -> bool {
        matches!(name, RESULTS | PREVIOUS)
            || self.unknown.iter().flatten().any(|unknown| unknown == name)
    }

    /// Returns whether a path leads to the result of a skipped step, or into it.
    pub(crate) fn is_skipped(&self, path: &[String]) -> bool {
        let result = match path {
            [root, ..] if root == PREVIOUS => PREVIOUS.to_owned(),
            [root, name, ..] => format!("{root}.{name}"),
            _ => return false,
        };
        self.skipped.contains(&result)
    }

    /// Returns whether a path leads to a result that is null, because its step was skipped or has
    /// not run yet. Such a path is not a missing variable.
    pub(super) fn is_null_result(&self, path: &str) -> bool {
        let path = path.trim_start_matches("../").trim_start_matches("@root.");
        let mut names = path.split('.');
        let name = names.next().unwrap_or_default();
        if self.unknown.is_some() && self.is_unknown(name) {
            return true;
        }
        let value = match name {
            RESULTS => {
                let results = self.results.get(RESULTS);
                results.zip(names.next()).and_then(|(results, name)| results.get(name))
            }
            PREVIOUS => self.results.get(name),
            LAST_RESULT => self.run_variable(name),
            _ => None,
        };
        value.is_some_and(Value::is_null)
    }
}

/// Returns the value at a path inside of another one. A value inside of null is null.
pub(super) fn find_inside<'a>(value: &'a Value, names: &[String]) -> Option<&'a Value> {
    names.iter().try_fold(value, |value, name| match value {
        Value::Null => Some(value),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    })
}
