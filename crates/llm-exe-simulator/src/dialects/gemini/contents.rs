//! Validates the `contents` and the `systemInstruction` of a Gemini request.

use serde_json::Value;

use super::calls;
use super::error::{
    invalid_field, invalid_request, reject_unknown_fields, rule_violation, wrong_type,
};
use super::models::Model;
use super::signature;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{field, str_field};

/// The data fields of a part. Exactly one of them must be set.
const DATA: &[&str] = &[
    "codeExecutionResult",
    "executableCode",
    "fileData",
    "functionCall",
    "functionResponse",
    "inlineData",
    "text",
    "toolCall",
    "toolResponse",
];
/// The fields of a part that may be set in addition to its data.
const METADATA: &[&str] =
    &["mediaResolution", "partMetadata", "thought", "thoughtSignature", "videoMetadata"];
const MEDIA: &[&str] = &["image/", "audio/", "video/", "text/", "application/pdf"];
const IMAGES: &[&str] = &["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"];

/// Rejects `contents` and a `systemInstruction` that the real service would reject.
pub(crate) fn validate(body: &Value, model: Model) -> Result<(), Rejection> {
    if let Some(system) = field(body, "systemInstruction") {
        validate_content(system, "system_instruction")?;
    }
    let contents = match field(body, "contents") {
        Some(Value::Array(contents)) if !contents.is_empty() => contents,
        None | Some(Value::Array(_)) => {
            return Err(rule_violation("contents", "contents is not specified"));
        }
        Some(other) => return Err(wrong_type("contents", "type.googleapis.com/Content", other)),
    };
    for (index, turn) in contents.iter().enumerate() {
        validate_content(turn, &format!("contents[{index}]"))?;
        match field(turn, "role") {
            None => {}
            Some(Value::String(role)) if role == "user" || role == "model" => {}
            Some(Value::String(_)) => {
                return Err(invalid_request("Please use a valid role: user, model."));
            }
            Some(other) => {
                let path = format!("contents[{index}].role");
                return Err(wrong_type(&path, "TYPE_STRING", other));
            }
        }
    }
    calls::validate_turns(contents, model)
}

fn validate_content(content: &Value, path: &str) -> Result<(), Rejection> {
    if !content.is_object() {
        return Err(wrong_type(path, "type.googleapis.com/Content", content));
    }
    reject_unknown_fields(content, &["parts", "role"], path)?;
    let path = format!("{path}.parts");
    match field(content, "parts") {
        Some(Value::Array(parts)) if !parts.is_empty() => {
            let mut parts = parts.iter().enumerate();
            parts.try_for_each(|(index, part)| validate_part(part, &format!("{path}[{index}]")))
        }
        None | Some(Value::Array(_)) => {
            Err(rule_violation(&path, "contents.parts must not be empty."))
        }
        Some(other) => Err(wrong_type(&path, "type.googleapis.com/Part", other)),
    }
}

fn validate_part(part: &Value, path: &str) -> Result<(), Rejection> {
    if !part.is_object() {
        return Err(wrong_type(path, "type.googleapis.com/Part", part));
    }
    reject_unknown_fields(part, &[DATA, METADATA].concat(), path)?;
    let mut data_fields = DATA.iter().filter(|name| field(part, name).is_some());
    let Some(kind) = data_fields.next() else {
        let rule = "required oneof field 'data' must have one initialized field";
        return Err(rule_violation(&format!("{path}.data"), rule));
    };
    if let Some(second) = data_fields.next() {
        let message = format!(
            "Invalid value at '{path}' (oneof), oneof field 'data' is already set. Cannot set \
             '{second}'"
        );
        return Err(invalid_field(path, &message));
    }
    validate_signature(part, path)?;
    match (*kind, field(part, kind)) {
        ("functionCall", Some(call)) => {
            calls::validate_call(call, &format!("{path}.function_call"))
        }
        ("functionResponse", Some(response)) => {
            calls::validate_response(response, &format!("{path}.function_response"))
        }
        ("text", Some(Value::String(_))) => Ok(()),
        ("text", Some(other)) => Err(wrong_type(&format!("{path}.text"), "TYPE_STRING", other)),
        ("inlineData", Some(data)) => validate_inline_data(data, &format!("{path}.inline_data")),
        ("fileData", Some(data)) => validate_file_data(data, &format!("{path}.file_data")),
        _ => Ok(()),
    }
}

fn validate_signature(part: &Value, path: &str) -> Result<(), Rejection> {
    let path = format!("{path}.thought_signature");
    match field(part, "thoughtSignature") {
        None => Ok(()),
        Some(Value::String(signature)) if is_base64(signature) => signature::validate(part),
        Some(Value::String(_)) => {
            let message = format!("Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed");
            Err(invalid_field(&path, &message))
        }
        Some(other) => Err(wrong_type(&path, "TYPE_BYTES", other)),
    }
}

fn validate_inline_data(data: &Value, path: &str) -> Result<(), Rejection> {
    if !data.is_object() {
        return Err(wrong_type(path, "type.googleapis.com/Blob", data));
    }
    reject_unknown_fields(data, &["mimeType", "data", "displayName"], path)?;
    let mime_type = str_field(data, "mimeType").unwrap_or_default();
    if mime_type.is_empty() {
        return Err(rule_violation(&format!("{path}.mime_type"), "mime_type must not be empty"));
    }
    let unsupported = !MEDIA.iter().any(|prefix| mime_type.starts_with(prefix))
        || mime_type.starts_with("image/") && !IMAGES.contains(&mime_type);
    if unsupported {
        return Err(invalid_request(&format!("Unsupported MIME type: {mime_type}")));
    }
    match field(data, "data") {
        Some(Value::String(bytes)) if is_base64(bytes) => Ok(()),
        Some(Value::String(_)) => {
            let path = format!("{path}.data");
            let message = format!("Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed");
            Err(invalid_field(&path, &message))
        }
        Some(other) => Err(wrong_type(&format!("{path}.data"), "TYPE_BYTES", other)),
        None => Err(rule_violation(&format!("{path}.data"), "data must not be empty")),
    }
}

fn validate_file_data(data: &Value, path: &str) -> Result<(), Rejection> {
    reject_unknown_fields(data, &["mimeType", "fileUri", "displayName"], path)?;
    let uri = str_field(data, "fileUri").unwrap_or_default();
    if uri.starts_with("https://") {
        Ok(())
    } else {
        Err(invalid_request(&format!("Invalid or unsupported file uri: {uri}")))
    }
}

/// Whether a string is base64 in the standard or the URL-safe alphabet, with or without padding.
fn is_base64(text: &str) -> bool {
    let unpadded = text.trim_end_matches('=');
    let padding = text.len() - unpadded.len();
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    let has_valid_length =
        padding == 0 && unpadded.len() % 4 != 1 || padding <= 2 && text.len().is_multiple_of(4);
    !unpadded.is_empty() && has_valid_length && unpadded.bytes().all(is_digit)
}
