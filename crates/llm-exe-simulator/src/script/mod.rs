//! The script, a queue of steps. Each step defines the response to the calls that match its
//! conditions.
//!
//! A call uses the first step whose `when` matches. A step is removed from the queue after it has
//! been used `times` times.

pub(crate) mod response;
pub(crate) mod stream;

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::Value;

use crate::dialects;
use response::{Fault, ScriptedResponse, ToolCall};
use stream::StreamScript;

/// A step of a script, which defines the response to a limited number of matching calls.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The calls that the step matches. Default: every call.
    #[serde(default)]
    pub when: When,
    /// The number of calls that use the step. Default: 1.
    #[serde(default = "default_times")]
    pub times: u32,
    /// The response that those calls receive.
    pub then: ScriptedResponse,
    /// How a reply is sent to a call that asks for a stream.
    #[serde(default)]
    pub stream: StreamScript,
}

fn default_times() -> u32 {
    1
}

/// The conditions that a call must meet to use a step. An omitted condition matches every call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct When {
    /// The dialect's name, such as `openai` or `anthropic`.
    pub dialect: Option<String>,
    /// The full name of the model.
    pub model: Option<String>,
    /// A string that the prompt must contain. The comparison is case-sensitive.
    pub prompt_contains: Option<String>,
}

impl Step {
    /// Creates a step without conditions, which the next call uses.
    pub fn new(then: ScriptedResponse) -> Self {
        let stream = StreamScript::default();
        Self { when: When::default(), times: default_times(), then, stream }
    }

    /// Creates a step that responds with a status and the provider's own error body.
    pub fn status(status: u16) -> Self {
        Self::new(ScriptedResponse::Status { status, headers: Vec::new(), body: None })
    }

    /// Creates a step that replies with this text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(ScriptedResponse::Text { text: text.into(), stop_reason: None, usage: None })
    }

    /// Creates a step that replies with a call to this tool.
    pub fn tool_call(name: impl Into<String>, arguments: Value) -> Self {
        Self::tool_calls("", vec![ToolCall { name: name.into(), arguments }])
    }

    /// Creates a step that replies with a text, which may be empty, and with calls of tools.
    pub fn tool_calls(text: impl Into<String>, calls: Vec<ToolCall>) -> Self {
        Self::new(ScriptedResponse::ToolCalls { text: text.into(), calls })
    }

    /// Creates a step that injects this fault.
    pub fn fault(fault: Fault) -> Self {
        Self::new(ScriptedResponse::Fault(fault))
    }

    /// Adds a response header to a step that responds with a status. Other steps are not changed.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let ScriptedResponse::Status { headers, .. } = &mut self.then {
            headers.push((name.into(), value.into()));
        }
        self
    }

    /// Sets the number of calls that use the step.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Sets how the reply is sent to a call that asks for a stream.
    #[must_use]
    pub fn stream(mut self, stream: StreamScript) -> Self {
        self.stream = stream;
        self
    }

    /// Sets the conditions that a call must meet to use the step.
    #[must_use]
    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }
}

/// An error in a script. The message names the invalid step and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError(String);

impl std::fmt::Display for ScriptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScriptError {}

/// Parses a script, which is a JSON array of steps.
pub(crate) fn parse(script: Value) -> Result<Vec<Step>, ScriptError> {
    let steps = match script {
        Value::Array(steps) => steps,
        other => {
            let got = dialects::type_name(&other);
            return Err(ScriptError(format!("a script must be an array of steps, got {got}")));
        }
    };
    let parse_step = |(index, step): (usize, Value)| {
        let step: Step = serde_json::from_value(step)
            .map_err(|error| ScriptError(format!("step[{index}]: {error}")))?;
        validate(&step).map_err(|reason| ScriptError(format!("step[{index}]: {reason}")))?;
        Ok(step)
    };
    steps.into_iter().enumerate().map(parse_step).collect()
}

fn validate(step: &Step) -> Result<(), String> {
    if step.times == 0 {
        return Err("times: expected at least 1, got 0".to_owned());
    }
    if step.stream.piece_bytes == Some(0) {
        return Err("stream.pieceBytes: expected at least 1, got 0".to_owned());
    }
    let depends_on_body = step.when.model.is_some() || step.when.prompt_contains.is_some();
    if depends_on_body && step.then == ScriptedResponse::Fault(Fault::DropEarly) {
        return Err("then.fault: dropEarly closes the connection before the body is read, so \
                    when.model and when.promptContains are not supported"
            .to_owned());
    }
    match &step.when.dialect {
        Some(name) if dialects::by_name(name).is_none() => {
            let known = dialects::names().collect::<Vec<_>>().join(", ");
            Err(format!("when.dialect: unknown dialect \"{name}\", expected one of {known}"))
        }
        _ => Ok(()),
    }
}

/// The properties of a call that the conditions of a step are checked against.
pub(crate) struct CallInfo<'a> {
    pub(crate) dialect: &'a str,
    /// The model, if the call names one.
    pub(crate) model: Option<&'a str>,
    /// The full text of the prompt.
    pub(crate) prompt: &'a str,
}

/// The remaining steps of the script.
#[derive(Debug, Default)]
pub(crate) struct Script {
    steps: VecDeque<Step>,
}

impl Script {
    pub(crate) fn append(&mut self, steps: Vec<Step>) {
        self.steps.extend(steps);
    }

    pub(crate) fn clear(&mut self) {
        self.steps.clear();
    }

    /// Returns the step that this call would use, without using it.
    pub(crate) fn peek(&self, call: &CallInfo<'_>) -> Option<&Step> {
        self.steps.iter().find(|step| matches(&step.when, call))
    }

    /// Uses the first step that matches the call. Returns its response, and how it is streamed.
    pub(crate) fn take(&mut self, call: &CallInfo<'_>) -> Option<(ScriptedResponse, StreamScript)> {
        let index = self.steps.iter().position(|step| matches(&step.when, call))?;
        self.take_at(index)
    }

    /// Returns whether to drop the connection before the body is read. If the first step that could
    /// match a call in this dialect is a `dropEarly` step, that step is used up. Its model and
    /// prompt are not compared, because they are in the body.
    pub(crate) fn take_drop_early(&mut self, dialect: &str) -> bool {
        let may_match = |when: &When| when.dialect.as_deref().is_none_or(|name| name == dialect);
        let Some(index) = self.steps.iter().position(|step| may_match(&step.when)) else {
            return false;
        };
        let then = self.steps.get(index).map(|step| &step.then);
        let is_drop_early = then == Some(&ScriptedResponse::Fault(Fault::DropEarly));
        is_drop_early && self.take_at(index).is_some()
    }

    fn take_at(&mut self, index: usize) -> Option<(ScriptedResponse, StreamScript)> {
        let step = self.steps.get_mut(index)?;
        let then = (step.then.clone(), step.stream.clone());
        step.times = step.times.saturating_sub(1);
        if step.times == 0 {
            self.steps.remove(index);
        }
        Some(then)
    }
}

fn matches(when: &When, call: &CallInfo<'_>) -> bool {
    let dialect = when.dialect.as_deref().is_none_or(|name| name == call.dialect);
    let model = when.model.as_deref().is_none_or(|model| Some(model) == call.model);
    let prompt = when.prompt_contains.as_deref().is_none_or(|text| call.prompt.contains(text));
    dialect && model && prompt
}
