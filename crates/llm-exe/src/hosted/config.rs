//! Parses a document into a hosted config, which contains request fields and the names of the
//! fields that the caller may override.

use serde_json::{Map, Value};

use super::error::ConfigError;
use super::format::{Format, starts_like_object};
use super::position::TextLine;
use super::text::decode_text;
use super::{json, markdown, yaml};
use crate::json as values;
use crate::request::{POINTER_FIELDS, Request, field_names, is_field, suggestion};

/// Maximum size of a hosted config in bytes.
pub const MAX_CONFIG_BYTES: usize = 1024 * 1024;

/// A parsed hosted config.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HostedConfig {
    /// The request fields that the config sets.
    pub fields: Map<String, Value>,
    /// The fields that a caller may override. If this is `None`, the caller may override all
    /// fields.
    pub overridable: Option<Vec<String>>,
    /// Parts of the document that probably do not have the effect that its author expects.
    pub warnings: Vec<String>,
    pub(super) text_lines: Vec<TextLine>,
}

impl HostedConfig {
    /// Parses a document in the given format. See [`decode_text`] for its encoding.
    ///
    /// # Errors
    /// Fails if the document is larger than 1 MiB before or after gzip is decoded, is not valid in
    /// its encoding or format, is not an object, or lists fields in `overridable` that can't be
    /// overridden.
    pub fn parse(body: &[u8], format: Format) -> Result<HostedConfig, ConfigError> {
        HostedConfig::parse_text(&decode_text(body, MAX_CONFIG_BYTES)?, format)
    }

    /// Parses the text of a document in the given format.
    ///
    /// # Errors
    /// The same as for [`HostedConfig::parse`], except for the size and the encoding.
    pub fn parse_text(text: &str, format: Format) -> Result<HostedConfig, ConfigError> {
        let mut warnings = Vec::new();
        let (value, text_lines) = match format {
            Format::Json => (json::parse(text)?, Vec::new()),
            Format::Yaml => yaml::parse(text)?,
            Format::Markdown => {
                warnings.extend(json_in_markdown(text));
                markdown::parse(text, &mut warnings)?
            }
        };
        let Value::Object(mut fields) = value else {
            let received = values::shown(&value);
            return Err(ConfigError::new(format!(
                "expected an object with request fields, got {received}"
            )));
        };
        let overridable = fields.shift_remove("overridable").unwrap_or_default();
        let overridable = parse_overridable(overridable)?;
        Ok(HostedConfig { fields, overridable, warnings, text_lines })
    }
}

/// Returns a warning if a prompt in Markdown is a JSON object with request fields. The model would
/// receive them as text.
fn json_in_markdown(text: &str) -> Option<String> {
    if !starts_like_object(text) {
        return None;
    }
    let value = values::parse(text.as_bytes()).ok()?;
    let name = value.as_object()?.keys().find(|name| is_field(name))?;
    Some(format!(
        "the document is a JSON object with the request field `{name}`, but its name is that of a \
         Markdown prompt, so the JSON is sent to the model as text; rename it to .json"
    ))
}

/// Parses `overridable` and checks that each entry is the name of a field that can be overridden.
fn parse_overridable(value: Value) -> Result<Option<Vec<String>>, ConfigError> {
    let items = match value {
        Value::Null => return Ok(None),
        Value::Array(items) => items,
        other => {
            let received = values::shown(&other);
            let message = format!("overridable: expected a list of field names, got {received}");
            return Err(ConfigError::new(message));
        }
    };
    let mut names = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let error = |message: String| ConfigError::new(format!("overridable[{index}]: {message}"));
        let Value::String(name) = item else {
            return Err(error(format!("expected a field name, got {}", values::shown(&item))));
        };
        // These fields select the config itself.
        if POINTER_FIELDS.contains(&name.as_str()) {
            return Err(error(format!(
                "{name} can't be overridden, because it points to the config"
            )));
        }
        if name == "conversation" {
            let text = "conversation can't be overridden, because it could replace the prompt";
            return Err(error(text.to_owned()));
        }
        if !is_field(&name) {
            let hint = suggestion(&name, field_names::<Request>());
            return Err(error(format!("unknown field {}{hint}", values::quoted(&name))));
        }
        names.push(if name == "providor" { "provider".to_owned() } else { name });
    }
    Ok(Some(names))
}
