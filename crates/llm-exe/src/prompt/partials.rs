//! Partials: templates that others include by name.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use super::Unit;
use super::ast::{Expr, Partial, PartialName};
use super::error::{ProblemKind, TemplateProblem};

/// Partials by name. Cloning shares what was compiled.
#[derive(Debug, Clone, Default)]
pub struct Partials {
    units: Arc<HashMap<String, Arc<Unit>>>,
}

/// The partials that come with llm-exe, in our words.
const BUILTIN: &[(&str, &str)] = &[];

static COMPILED: LazyLock<Partials> = LazyLock::new(|| {
    let mut partials = Partials::default();
    for (name, source) in BUILTIN {
        // A test compiles each of them; one that did not compile would be unknown here.
        let _ = partials.add(name, source);
    }
    partials
});

impl Partials {
    /// llm-exe's partials.
    pub fn builtin() -> Partials {
        COMPILED.clone()
    }

    /// Adds a partial, or puts another in the place of one. It may use partials that are added
    /// later.
    ///
    /// # Errors
    /// The first place that cannot be read; or else every unknown helper.
    pub fn add(&mut self, name: &str, source: &str) -> Result<(), Vec<TemplateProblem>> {
        let (unit, problems) = Unit::new(Some(name), source).map_err(|problem| vec![*problem])?;
        if !problems.is_empty() {
            return Err(problems);
        }
        Arc::make_mut(&mut self.units).insert(name.to_owned(), Arc::new(unit));
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&Unit> {
        self.units.get(name).map(|unit| &**unit)
    }

    /// The partials that a template asks for, itself or by way of others, and nobody defines.
    pub(super) fn unknown_in(&self, template: &Unit) -> Vec<TemplateProblem> {
        let mut reached: HashSet<&str> = HashSet::new();
        let mut units = vec![template];
        let mut next = 0;
        while let Some(unit) = units.get(next) {
            let names = unit.findings.partials.iter().map(|(name, _)| &**name);
            let new = names.filter(|name| reached.insert(name)).filter_map(|name| self.get(name));
            let new: Vec<&Unit> = new.collect();
            units.extend(new);
            next += 1;
        }
        // An inline partial is in reach of whatever its program calls, so one that is defined
        // anywhere may be meant; whether it is in reach shows when rendering.
        let inlines: HashSet<&str> =
            units.iter().flat_map(|unit| &unit.findings.inlines).map(|name| &**name).collect();
        let mut problems = Vec::new();
        for unit in units {
            for (name, at) in &unit.findings.partials {
                if self.get(name).is_none() && !inlines.contains(&**name) {
                    let message = format!("unknown partial `{name}`");
                    problems.push(unit.problem(ProblemKind::UnknownPartial, *at, message));
                }
            }
        }
        problems
    }
}

/// The partial that stands for a conversation, and the pairs that do not matter to messages.
const DIALOGUE_HISTORY: &str = "DialogueHistory";
const SPEAKERS: [&str; 3] = ["user", "assistant", "system"];

/// The key given to `{{> DialogueHistory key='…'}}`.
pub(super) fn dialogue_history_key(partial: &Partial) -> Option<&str> {
    let PartialName::Fixed(name) = &partial.name else {
        return None;
    };
    if &**name != DIALOGUE_HISTORY || partial.context.is_some() || partial.block.is_some() {
        return None;
    }
    let mut found = None;
    for pair in &partial.hash {
        match (&*pair.key, &pair.value) {
            ("key", Expr::Text(key)) => found = found.or(Some(&**key)),
            (name, _) if SPEAKERS.contains(&name) => {}
            _ => return None,
        }
    }
    found
}
