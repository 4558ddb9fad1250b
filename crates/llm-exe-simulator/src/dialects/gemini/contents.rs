//! Validates the `contents` and the `systemInstruction` of a Gemini request.

use serde_json::Value;

use super::calls;
use super::error::{invalid_field, invalid_request, rule_violation};
use super::models::Model;
use super::signature;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field};

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
const MEDIA: &[&str] = &["image/", "audio/", "video/", "text/", "application/pdf"];
const IMAGES: &[&str] = &["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"];

/// Rejects `contents` and a `systemInstruction` that the real service would reject.
pub(crate) fn validate(body: &Value, model: Model) -> Result<(), Rejection> {
    if let Some(system) = field(body, "systemInstruction") {
        validate_content(system, "system_instruction")?;
    }
    let contents = array_field(body, "contents");
    if contents.is_empty() {
        return Err(rule_violation("contents", "contents is not specified"));
    }
    for (index, turn) in contents.iter().enumerate() {
        validate_content(turn, &format!("contents[{index}]"))?;
        if !matches!(str_field(turn, "role"), None | Some("user" | "model")) {
            return Err(invalid_request("Please use a valid role: user, model."));
        }
    }
    calls::validate_turns(contents, model)
}

fn validate_content(content: &Value, path: &str) -> Result<(), Rejection> {
    let parts = array_field(content, "parts");
    let path = format!("{path}.parts");
    if parts.is_empty() {
        return Err(rule_violation(&path, "contents.parts must not be empty."));
    }
    let mut parts = parts.iter().enumerate();
    parts.try_for_each(|(index, part)| validate_part(part, &format!("{path}[{index}]")))
}

fn validate_part(part: &Value, path: &str) -> Result<(), Rejection> {
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
    if let Some(signature) = str_field(part, "thoughtSignature") {
        validate_bytes(signature, &format!("{path}.thought_signature"))?;
        signature::validate(part)?;
    }
    match (*kind, field(part, kind)) {
        ("functionCall", Some(call)) => {
            calls::validate_name(call, &format!("{path}.function_call"))
        }
        ("functionResponse", Some(response)) => {
            calls::validate_response(response, &format!("{path}.function_response"))
        }
        ("inlineData", Some(data)) => validate_inline_data(data, &format!("{path}.inline_data")),
        ("fileData", Some(data)) => validate_file_data(data),
        _ => Ok(()),
    }
}

fn validate_inline_data(data: &Value, path: &str) -> Result<(), Rejection> {
    let mime_type = str_field(data, "mimeType").unwrap_or_default();
    if mime_type.is_empty() {
        return Err(rule_violation(&format!("{path}.mime_type"), "mime_type must not be empty"));
    }
    let unsupported = !MEDIA.iter().any(|prefix| mime_type.starts_with(prefix))
        || mime_type.starts_with("image/") && !IMAGES.contains(&mime_type);
    if unsupported {
        return Err(invalid_request(&format!("Unsupported MIME type: {mime_type}")));
    }
    let path = format!("{path}.data");
    match str_field(data, "data") {
        Some(bytes) => validate_bytes(bytes, &path),
        None => Err(rule_violation(&path, "data must not be empty")),
    }
}

fn validate_file_data(data: &Value) -> Result<(), Rejection> {
    let uri = str_field(data, "fileUri").unwrap_or_default();
    if uri.starts_with("https://") {
        Ok(())
    } else {
        Err(invalid_request(&format!("Invalid or unsupported file uri: {uri}")))
    }
}

fn validate_bytes(bytes: &str, path: &str) -> Result<(), Rejection> {
    if is_base64(bytes) {
        return Ok(());
    }
    let message = format!("Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed");
    Err(invalid_field(path, &message))
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
