//! The script: a queue of steps, each saying what becomes of the next call that it matches.
//!
//! In: steps, from Rust or as JSON. Out: for a call, the first step whose `when` matches; a step
//! leaves the queue once it was used `times` times.

use crate::then::{Fault, Then};
use serde::Deserialize;
use serde_json::Value;
use std::collections::VecDeque;

/// One step: which calls it is for, how many of them, and what they get.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Which calls; every call when left out.
    #[serde(default)]
    pub when: When,
    /// How many calls the step is for; 1 when left out.
    #[serde(default = "once")]
    pub times: u32,
    /// What those calls get.
    pub then: Then,
}

fn once() -> u32 {
    1
}

/// Which calls a step is for. What is left out matches every call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct When {
    /// The dialect's name, `openai` or `anthropic`.
    pub dialect: Option<String>,
    /// The model's name, whole.
    pub model: Option<String>,
    /// Words that stand somewhere in the prompt's text, as written.
    pub prompt_contains: Option<String>,
}

impl Step {
    /// A step for the next call, whichever it is.
    #[must_use]
    pub fn new(then: Then) -> Self {
        let when = When::default();
        Self { when, times: once(), then }
    }

    /// A step that answers with a status and the provider's own error body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::new(Then::Status { status, headers: Vec::new(), body: None })
    }

    /// A step that answers with a text, in a good reply.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Then::Text { text: text.into(), stop_reason: None, usage: None })
    }

    /// A step that answers with a tool call, in a good reply.
    #[must_use]
    pub fn tool_call(name: impl Into<String>, arguments: Value) -> Self {
        Self::new(Then::ToolCall { name: name.into(), arguments })
    }

    /// A step that fails in the manner of `fault`.
    #[must_use]
    pub fn fault(fault: Fault) -> Self {
        Self::new(Then::Fault(fault))
    }

    /// The same step with a header added, if it answers with a status.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Then::Status { headers, .. } = &mut self.then {
            headers.push((name.into(), value.into()));
        }
        self
    }

    /// The same step for this many calls.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// The same step for the calls that `when` describes.
    #[must_use]
    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }
}

/// A script that can't be read; the message says which step and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError(String);

impl std::fmt::Display for ScriptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScriptError {}

/// Reads a script: a list of steps.
pub(crate) fn parse(script: Value) -> Result<Vec<Step>, ScriptError> {
    let Value::Array(steps) = script else {
        return Err(ScriptError("a script is a list of steps".to_owned()));
    };
    let read = |(index, step): (usize, Value)| {
        let step: Step = serde_json::from_value(step)
            .map_err(|error| ScriptError(format!("step[{index}]: {error}")))?;
        check(&step).map_err(|reason| ScriptError(format!("step[{index}]: {reason}")))?;
        Ok(step)
    };
    steps.into_iter().enumerate().map(read).collect()
}

fn check(step: &Step) -> Result<(), String> {
    if step.times == 0 {
        return Err("times must be 1 or more".to_owned());
    }
    let looks_inside = step.when.model.is_some() || step.when.prompt_contains.is_some();
    if looks_inside && step.then == Then::Fault(Fault::DropEarly) {
        return Err("dropEarly comes before the body is read: `when` may only name a dialect, \
                    not model or promptContains"
            .to_owned());
    }
    match &step.when.dialect {
        Some(name) if crate::dialects::by_name(name).is_none() => {
            Err(format!("when.dialect \"{name}\" is not known"))
        }
        _ => Ok(()),
    }
}

/// What a step may look at in a call.
pub(crate) struct Seen<'a> {
    /// The dialect's name.
    pub(crate) dialect: &'a str,
    /// The model, where the call names one.
    pub(crate) model: Option<&'a str>,
    /// The prompt's text, all of it.
    pub(crate) prompt: &'a str,
}

/// The steps that are still to be used.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    steps: VecDeque<Step>,
}

impl Queue {
    pub(crate) fn append(&mut self, steps: Vec<Step>) {
        self.steps.extend(steps);
    }

    pub(crate) fn clear(&mut self) {
        self.steps.clear();
    }

    /// The step that this call would take, without taking it.
    pub(crate) fn peek(&self, seen: &Seen<'_>) -> Option<&Step> {
        self.steps.iter().find(|step| matches(&step.when, seen))
    }

    /// Takes one use of the first step that matches.
    pub(crate) fn take(&mut self, seen: &Seen<'_>) -> Option<Then> {
        let index = self.steps.iter().position(|step| matches(&step.when, seen))?;
        self.take_at(index)
    }

    /// Takes a `dropEarly` step, if it is the first that a call of this dialect may take.
    pub(crate) fn take_early(&mut self, dialect: &str) -> bool {
        let named = |when: &When| when.dialect.as_deref().is_none_or(|name| name == dialect);
        let Some(index) = self.steps.iter().position(|step| named(&step.when)) else {
            return false;
        };
        let early = self.steps.get(index).map(|step| &step.then);
        let early = early == Some(&Then::Fault(Fault::DropEarly));
        early && self.take_at(index).is_some()
    }

    fn take_at(&mut self, index: usize) -> Option<Then> {
        let step = self.steps.get_mut(index)?;
        let then = step.then.clone();
        step.times = step.times.saturating_sub(1);
        if step.times == 0 {
            self.steps.remove(index);
        }
        Some(then)
    }
}

fn matches(when: &When, seen: &Seen<'_>) -> bool {
    let dialect = when.dialect.as_deref().is_none_or(|name| name == seen.dialect);
    let model = when.model.as_deref().is_none_or(|model| Some(model) == seen.model);
    let prompt = when.prompt_contains.as_deref().is_none_or(|words| seen.prompt.contains(words));
    dialect && model && prompt
}
