//! What Gemini refuses in `contents` and `systemInstruction`: roles, parts, and inline data that
//! is none.
//!
//! In: the request's body. Out: nothing, or the refusal.

use super::super::Refusal;
use super::super::check::{field, text};
use super::refuse::{broken, invalid, malformed, unknown, wrong_type};
use serde_json::Value;

/// The fields of a part that hold its data, of which there is one.
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
const BESIDE: &[&str] =
    &["mediaResolution", "partMetadata", "thought", "thoughtSignature", "videoMetadata"];
const MEDIA: &[&str] = &["image/", "audio/", "video/", "text/", "application/pdf"];
const IMAGES: &[&str] = &["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"];

/// Refuses what the service would refuse in `contents` and `systemInstruction`.
pub(crate) fn refuse(body: &Value) -> Result<(), Refusal> {
    if let Some(system) = field(body, "systemInstruction") {
        content(system, "system_instruction")?;
    }
    let contents = match field(body, "contents") {
        Some(Value::Array(contents)) if !contents.is_empty() => contents,
        None | Some(Value::Array(_)) => {
            return Err(broken("contents", "contents is not specified"));
        }
        Some(other) => return Err(wrong_type("contents", "type.googleapis.com/Content", other)),
    };
    for (index, one) in contents.iter().enumerate() {
        content(one, &format!("contents[{index}]"))?;
        match field(one, "role") {
            None => {}
            Some(Value::String(role)) if role == "user" || role == "model" => {}
            Some(Value::String(_)) => {
                return Err(invalid("Please use a valid role: user, model."));
            }
            Some(other) => {
                let path = format!("contents[{index}].role");
                return Err(wrong_type(&path, "TYPE_STRING", other));
            }
        }
    }
    Ok(())
}

fn content(content: &Value, path: &str) -> Result<(), Refusal> {
    if !content.is_object() {
        return Err(wrong_type(path, "type.googleapis.com/Content", content));
    }
    unknown(content, &["parts", "role"], path)?;
    let path = format!("{path}.parts");
    match field(content, "parts") {
        Some(Value::Array(parts)) if !parts.is_empty() => {
            let mut parts = parts.iter().enumerate();
            parts.try_for_each(|(index, part)| self::part(part, &format!("{path}[{index}]")))
        }
        None | Some(Value::Array(_)) => Err(broken(&path, "contents.parts must not be empty.")),
        Some(other) => Err(wrong_type(&path, "type.googleapis.com/Part", other)),
    }
}

fn part(part: &Value, path: &str) -> Result<(), Refusal> {
    if !part.is_object() {
        return Err(wrong_type(path, "type.googleapis.com/Part", part));
    }
    unknown(part, &[DATA, BESIDE].concat(), path)?;
    let mut given = DATA.iter().filter(|name| field(part, name).is_some());
    let Some(kind) = given.next() else {
        let rule = "required oneof field 'data' must have one initialized field";
        return Err(broken(&format!("{path}.data"), rule));
    };
    if let Some(second) = given.next() {
        let message = format!(
            "Invalid value at '{path}' (oneof), oneof field 'data' is already set. Cannot set \
             '{second}'"
        );
        return Err(malformed(path, &message));
    }
    match (*kind, field(part, kind)) {
        ("text", Some(Value::String(_))) => Ok(()),
        ("text", Some(other)) => Err(wrong_type(&format!("{path}.text"), "TYPE_STRING", other)),
        ("inlineData", Some(data)) => inline_data(data, &format!("{path}.inline_data")),
        ("fileData", Some(data)) => file_data(data, &format!("{path}.file_data")),
        _ => Ok(()),
    }
}

fn inline_data(data: &Value, path: &str) -> Result<(), Refusal> {
    if !data.is_object() {
        return Err(wrong_type(path, "type.googleapis.com/Blob", data));
    }
    unknown(data, &["mimeType", "data", "displayName"], path)?;
    let media = text(data, "mimeType").unwrap_or_default();
    if media.is_empty() {
        return Err(broken(&format!("{path}.mime_type"), "mime_type must not be empty"));
    }
    let unsupported = !MEDIA.iter().any(|known| media.starts_with(known))
        || media.starts_with("image/") && !IMAGES.contains(&media);
    if unsupported {
        return Err(invalid(&format!("Unsupported MIME type: {media}")));
    }
    match field(data, "data") {
        Some(Value::String(bytes)) if is_base64(bytes) => Ok(()),
        Some(Value::String(_)) => {
            let path = format!("{path}.data");
            let message = format!("Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed");
            Err(malformed(&path, &message))
        }
        Some(other) => Err(wrong_type(&format!("{path}.data"), "TYPE_BYTES", other)),
        None => Err(broken(&format!("{path}.data"), "data must not be empty")),
    }
}

fn file_data(data: &Value, path: &str) -> Result<(), Refusal> {
    unknown(data, &["mimeType", "fileUri", "displayName"], path)?;
    let uri = text(data, "fileUri").unwrap_or_default();
    match uri.starts_with("https://") {
        true => Ok(()),
        false => Err(invalid(&format!("Invalid or unsupported file uri: {uri}"))),
    }
}

/// Whether a text is base64, be it for URLs or not, with its padding or without.
pub(super) fn is_base64(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    let padding = text.len() - bare.len();
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    let whole = padding == 0 && bare.len() % 4 != 1 || padding <= 2 && text.len().is_multiple_of(4);
    !bare.is_empty() && whole && bare.bytes().all(known)
}
