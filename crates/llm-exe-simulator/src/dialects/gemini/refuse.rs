//! What Gemini refuses: the order of the checks, the shape of a refusal, and the checks of the
//! request's own fields.
//!
//! In: a request. Out: nothing, or the refusal that the service would send. The service reads
//! fields in snake_case too; only camelCase, which its documentation writes, is known here.

use super::super::check::{field, unknown_key};
use super::super::{Ask, Refusal};
use super::{config, contents, models, name};
use serde_json::{Value, json};

/// The fields of `GenerateContentRequest`.
const FIELDS: &[&str] = &[
    "cachedContent",
    "contents",
    "generationConfig",
    "model",
    "safetySettings",
    "serviceTier",
    "store",
    "systemInstruction",
    "toolConfig",
    "tools",
];
const INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

/// Refuses what the service would refuse.
pub(crate) fn refuse(ask: &Ask<'_>) -> Result<(), Refusal> {
    key(ask)?;
    let body = ask.body;
    if !ask.is_json {
        return Err(invalid("Invalid JSON payload received. Unexpected token."));
    }
    if !body.is_object() {
        return Err(invalid(
            "Invalid JSON payload received. Unknown name \"\": Root element must \
                            be a message.",
        ));
    }
    unknown(body, FIELDS, "")?;
    let name = name(ask.path).unwrap_or_default();
    if name.starts_with("missing-") {
        return Err(Refusal {
            status: 404,
            body: error(
                404,
                &format!(
                    "models/{name} is not found for API version v1beta, or is not supported for \
                 generateContent. Call ListModels to see the list of available models and their \
                 supported methods."
                ),
            ),
        });
    }
    let model = models::model(name);
    contents::refuse(body)?;
    if field(body, "systemInstruction").is_some() && !model.system {
        return Err(invalid(&format!("Developer instruction is not enabled for models/{name}")));
    }
    config::refuse(body, model, name)
}

/// A key that isn't valid is a 400 here, and none at all a 403.
fn key(ask: &Ask<'_>) -> Result<(), Refusal> {
    match ask.header("x-goog-api-key").unwrap_or_default() {
        "" => {
            let message = "Method doesn't allow unregistered callers (callers without established \
                           identity). Please use API Key or other form of API consumer identity \
                           to call this API.";
            Err(Refusal { status: 403, body: error(403, message) })
        }
        "invalid" => {
            let message = "API key not valid. Please pass a valid API key.";
            let service = json!({"service": "generativelanguage.googleapis.com"});
            let details = json!([{
                "@type": INFO, "reason": "API_KEY_INVALID", "domain": "googleapis.com",
                "metadata": service,
            }]);
            Err(with_details(message, details))
        }
        _ => Ok(()),
    }
}

/// Google's error body for a status.
pub(crate) fn error(status: u16, message: &str) -> Value {
    let word = match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
    json!({"error": {"code": status, "message": message, "status": word}})
}

fn with_details(message: &str, details: Value) -> Refusal {
    let mut body = error(400, message);
    if let Some(error) = body.get_mut("error").and_then(Value::as_object_mut) {
        error.insert("details".to_owned(), details);
    }
    Refusal { status: 400, body }
}

/// A 400.
pub(crate) fn invalid(message: &str) -> Refusal {
    Refusal { status: 400, body: error(400, message) }
}

/// A 400 about a field that breaks a rule of the request's.
pub(crate) fn broken(path: &str, rule: &str) -> Refusal {
    invalid(&format!("* GenerateContentRequest.{path}: {rule}\n"))
}

/// A 400 about a value of the wrong type.
pub(crate) fn wrong_type(path: &str, expected: &str, got: &Value) -> Refusal {
    malformed(path, &format!("Invalid value at '{path}' ({expected}), {got}"))
}

/// A 400 from the reader of JSON, which names the field in its details too.
pub(crate) fn malformed(path: &str, message: &str) -> Refusal {
    let violation = json!({"field": path, "description": message});
    with_details(message, json!([{"@type": BAD_REQUEST, "fieldViolations": [violation]}]))
}

/// A 400 about a name that the message at `path` doesn't have.
pub(crate) fn unknown(value: &Value, known: &[&str], path: &str) -> Result<(), Refusal> {
    let Some(name) = unknown_key(value, known) else {
        return Ok(());
    };
    let at = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
    let message =
        format!("Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field.");
    Err(malformed(path, &message))
}
