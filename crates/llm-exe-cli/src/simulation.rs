//! Scripts the built-in simulator, so that it replies in the form that a request expects.

use std::path::Path;

use llm_exe::{Plan, json};
use llm_exe_simulator::{Simulator, Step, value_for};
use serde_json::Value;

use crate::input;
use crate::input_error::InputError;

/// Reads the script of `--script` and passes it to the simulator.
pub(crate) fn run_script(
    simulator: Option<&Simulator>,
    path: Option<&Path>,
) -> Result<(), InputError> {
    let (Some(simulator), Some(path)) = (simulator, path) else { return Ok(()) };
    let invalid = |message: String| InputError::in_file(path, message);
    let script = json::parse(input::read_text(path, "a script")?.as_bytes());
    let script = script.map_err(|error| invalid(error.to_string()))?;
    simulator.script_json(script).map_err(|error| invalid(error.to_string()))
}

/// Returns whether the reply of the simulator may not fit the output of a request. The simulator
/// knows neither the output nor its options, because they are not sent to providers.
pub(crate) fn may_need_reply(request: &Value) -> bool {
    let output = request.get("output").and_then(Value::as_str);
    let is_hosted = ["key", "url"].iter().any(|name| request.get(name).is_some());
    is_hosted || !matches!(output, None | Some("string" | "json" | "replaceStringTemplate"))
}

/// Scripts a reply that the output of a plan accepts. The steps of `--script` come first.
pub(crate) fn script_reply(simulator: &Simulator, plan: &Plan, request: &Value) {
    if let Some(reply) = fitting_reply(plan, request) {
        simulator.script(vec![Step::text(reply).times(u32::MAX)]);
    }
}

/// Returns a reply that the output of a plan accepts, or `None` for an output that accepts what the
/// simulator replies anyway.
fn fitting_reply(plan: &Plan, request: &Value) -> Option<String> {
    let candidate = match plan.output.parser.name() {
        "list" | "listToArray" => {
            "- Simulated item 1\n- Simulated item 2\n- Simulated item 3".to_owned()
        }
        "listToJson" => lines(plan.schema.as_deref().and_then(value_for)),
        "listToKeyValue" => lines(None),
        "boolean" => "true".to_owned(),
        "number" => "1".to_owned(),
        "stringExtract" => first_value(request)?,
        "markdownCodeBlock" | "markdownCodeBlocks" => "```\nsimulated code\n```".to_owned(),
        _ => return None,
    };
    plan.parse_output(&candidate).is_ok().then_some(candidate)
}

/// Returns the first value that `stringExtract` searches for.
fn first_value(request: &Value) -> Option<String> {
    request.pointer("/outputOptions/enum/0")?.as_str().map(str::to_owned)
}

/// Returns a line with name and value for each field of an object.
fn lines(object: Option<Value>) -> String {
    let Some(Value::Object(fields)) =
        object.filter(|object| object != &Value::Object(Default::default()))
    else {
        return "Simulated key 1: simulated value 1\nSimulated key 2: simulated value 2".to_owned();
    };
    let line = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name}: {text}"),
        other => format!("{name}: {other}"),
    };
    fields.iter().map(line).collect::<Vec<_>>().join("\n")
}
