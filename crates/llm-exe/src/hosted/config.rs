//! Parses a document into a hosted config, which contains request fields and the names of the
//! fields that the caller may override.

use serde_json::{Map, Value};

use super::error::ConfigError;
use super::format::Format;
use super::position::TextLine;
use super::{json, markdown, yaml};
use crate::json as values;
use crate::request::{Request, field_names, is_field, suggestion};

/// Maximum size of a hosted config in bytes.
pub const MAX_CONFIG_BYTES: usize = 1024 * 1024;

/// The request fields that point to a config. `overridable` must not list them, because they select
/// the config itself.
const POINTER_FIELDS: &[&str] = &["key", "bucket", "version", "url"];

/// A parsed hosted config.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HostedConfig {
    /// The request fields that the config sets.
    pub fields: Map<String, Value>,
    /// The fields that a caller may override. If this is `None`, the caller may override all
    /// fields.
    pub overridable: Option<Vec<String>>,
    pub(super) text_lines: Vec<TextLine>,
}

impl HostedConfig {
    /// Parses a document in the given format.
    ///
    /// # Errors
    /// Fails if the document is larger than 1 MiB, is not valid UTF-8, is not valid in its format,
    /// is not an object, or lists fields in `overridable` that can't be overridden.
    pub fn parse(body: &[u8], format: Format) -> Result<HostedConfig, ConfigError> {
        if body.len() > MAX_CONFIG_BYTES {
            let message = format!(
                "the document has {} bytes; the maximum is {MAX_CONFIG_BYTES} (1 MiB)",
                body.len()
            );
            return Err(ConfigError::new(message));
        }
        let text = std::str::from_utf8(body).map_err(|error| {
            ConfigError::new(match binary_format(body) {
                Some(format) => format!("the document is {format}; store it as UTF-8 text"),
                None => {
                    let byte = error.valid_up_to() + 1;
                    format!("the document is not valid UTF-8 at byte {byte}")
                }
            })
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (value, text_lines) = match format {
            Format::Json => (json::parse(text)?, Vec::new()),
            Format::Yaml => yaml::parse(text)?,
            Format::Markdown => markdown::parse(text)?,
        };
        let Value::Object(mut fields) = value else {
            let received = values::shown(&value);
            return Err(ConfigError::new(format!(
                "expected an object with request fields, got {received}"
            )));
        };
        let overridable = fields.shift_remove("overridable").unwrap_or_default();
        Ok(HostedConfig { fields, overridable: parse_overridable(overridable)?, text_lines })
    }
}

/// Returns the format of a document that is not UTF-8, if its first bytes show it.
fn binary_format(body: &[u8]) -> Option<&'static str> {
    match body {
        [0x1F, 0x8B, ..] => Some("compressed with gzip"),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Some("compressed with zstd"),
        [b'P', b'K', 3, 4, ..] => Some("a zip file"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some("encoded in UTF-16"),
        _ => None,
    }
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
        if POINTER_FIELDS.contains(&name.as_str()) {
            return Err(error(format!(
                "{name} can't be overridden, because it points to the config"
            )));
        }
        if !is_field(&name) {
            let hint = suggestion(&name, field_names::<Request>());
            return Err(error(format!("unknown field {}{hint}", values::quoted(&name))));
        }
        names.push(if name == "providor" { "provider".to_owned() } else { name });
    }
    Ok(Some(names))
}
