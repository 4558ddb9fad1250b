//! Validates the function calls and responses in the contents of a Gemini request.

use serde_json::Value;

use super::error::{invalid_request, rule_violation};
use super::models::Model;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field};

/// Checks the name of a `functionCall` or of a `functionResponse`.
pub(super) fn validate_name(value: &Value, path: &str) -> Result<(), Rejection> {
    if str_field(value, "name").unwrap_or_default().is_empty() {
        return Err(rule_violation(&format!("{path}.name"), "Name cannot be empty."));
    }
    Ok(())
}

/// Checks that a `functionResponse` has a name and a response.
pub(super) fn validate_response(response: &Value, path: &str) -> Result<(), Rejection> {
    validate_name(response, path)?;
    if field(response, "response").is_none() {
        let path = format!("{path}.response");
        return Err(rule_violation(&path, "required field is missing."));
    }
    Ok(())
}

/// Checks the order of the turns with calls and responses, that each call has its response, and
/// the signatures.
pub(super) fn validate_turns(contents: &[Value], model: Model) -> Result<(), Rejection> {
    let mut previous: Option<&Value> = None;
    for content in contents {
        let role = str_field(content, "role").unwrap_or("user");
        let calls = data(content, "functionCall");
        let responses = data(content, "functionResponse");
        if !calls.is_empty() && role != "model" || !responses.is_empty() && role != "user" {
            return Err(invalid_request(
                "Please ensure that function calls have the role model and function responses the \
                 role user.",
            ));
        }
        let is_model = |content: &Value| str_field(content, "role") == Some("model");
        if !calls.is_empty() && previous.is_none_or(is_model) {
            return Err(invalid_request(
                "Please ensure that function call turn comes immediately after a user turn or \
                 after a function response turn.",
            ));
        }
        let open = previous.map(|previous| data(previous, "functionCall")).unwrap_or_default();
        validate_pairs(&open, &responses)?;
        previous = Some(content);
    }
    if model.needs_signatures { validate_signatures(contents) } else { Ok(()) }
}

/// Returns the values of the parts that have this data field.
fn data<'a>(content: &'a Value, name: &str) -> Vec<&'a Value> {
    array_field(content, "parts").iter().filter_map(|part| field(part, name)).collect()
}

/// Checks that the responses belong to the calls of the previous turn.
fn validate_pairs(calls: &[&Value], responses: &[&Value]) -> Result<(), Rejection> {
    if calls.is_empty() && !responses.is_empty() {
        return Err(invalid_request(
            "Please ensure that function response turn comes immediately after a function call \
             turn.",
        ));
    }
    if calls.len() != responses.len() {
        return Err(invalid_request(
            "Please ensure that the number of function response parts is equal to the number of \
             function call parts of the function call turn.",
        ));
    }
    let mut open = calls.to_vec();
    for response in responses {
        let key = |value: &Value| {
            ["id", "name"].map(|name| str_field(value, name).unwrap_or_default().to_owned())
        };
        let Some(at) = open.iter().position(|call| key(call) == key(response)) else {
            let [id, name] = key(response);
            return Err(invalid_request(&format!(
                "The function response with the name \"{name}\" and the id \"{id}\" does not match \
                 a function call of the previous turn."
            )));
        };
        open.remove(at);
    }
    Ok(())
}

/// Checks that the first call of each content of the current turn has a signature. The turn begins
/// after the last user content that is not a response.
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>
fn validate_signatures(contents: &[Value]) -> Result<(), Rejection> {
    let is_prompt = |content: &Value| {
        str_field(content, "role") != Some("model") && data(content, "functionResponse").is_empty()
    };
    let start = contents.iter().rposition(is_prompt).map_or(0, |last| last + 1);
    for (index, content) in contents.iter().enumerate().skip(start) {
        let parts = array_field(content, "parts");
        let first = parts.iter().find(|part| field(part, "functionCall").is_some());
        let Some(part) = first.filter(|part| field(part, "thoughtSignature").is_none()) else {
            continue;
        };
        let name = part.pointer("/functionCall/name").and_then(Value::as_str).unwrap_or_default();
        return Err(invalid_request(&format!(
            "Function call is missing a thought_signature in functionCall parts. This is required \
             for tools to work correctly, and missing thought_signature may lead to degraded model \
             performance. Additional data, function call `default_api:{name}`, position {}. Please \
             refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.",
            index + 1
        )));
    }
    Ok(())
}
