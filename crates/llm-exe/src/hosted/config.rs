//! A document's bytes to a hosted config: the request's fields that it states, and which of them
//! the caller may state instead.

use serde_json::{Map, Value};

use super::error::ConfigError;
use super::format::Format;
use super::{MOST_BYTES, json, markdown, yaml};
use crate::json as values;
use crate::request::{Request, field_names, is_field, suggestion};

/// Where texts begin: their paths in the request, and the document's lines.
pub(super) type Lines = Vec<(String, usize)>;

/// What no config may name as overridable: these point to it.
const POINTERS: &[&str] = &["key", "bucket", "version", "url"];

/// A config as it was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HostedConfig {
    /// The request's fields.
    pub fields: Map<String, Value>,
    /// The fields that a caller may state instead; `None` where nothing is pinned.
    pub overridable: Option<Vec<String>>,
    pub(super) lines: Lines,
}

impl HostedConfig {
    /// Reads a document.
    ///
    /// # Errors
    /// What is wrong with it and where: over 1 MiB, not UTF-8, not of its format, not an object.
    pub fn read(body: &[u8], format: Format) -> Result<HostedConfig, ConfigError> {
        if body.len() > MOST_BYTES {
            let (came, most) = (body.len(), MOST_BYTES);
            return Err(ConfigError::new(format!("has {came} bytes; at most {most} (1 MiB)")));
        }
        let text = std::str::from_utf8(body).map_err(|error| {
            let at = error.valid_up_to() + 1;
            ConfigError::new(format!("is not UTF-8: byte {at} is of no character"))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (value, lines) = match format {
            Format::Json => (json::read(text)?, Lines::new()),
            Format::Yaml => yaml::read(text)?,
            Format::Markdown => markdown::read(text)?,
        };
        let Value::Object(mut fields) = value else {
            let came = values::shown(&value);
            return Err(ConfigError::new(format!("expected an object with fields, got {came}")));
        };
        let overridable = fields.shift_remove("overridable").unwrap_or_default();
        Ok(HostedConfig { fields, overridable: names(overridable)?, lines })
    }
}

/// The names in `overridable`.
fn names(written: Value) -> Result<Option<Vec<String>>, ConfigError> {
    let items = match written {
        Value::Null => return Ok(None),
        Value::Array(items) => items,
        other => {
            let came = values::shown(&other);
            let text = format!("overridable: expected a list of field names, got {came}");
            return Err(ConfigError::new(text));
        }
    };
    let mut names = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let refuse = |what: String| Err(ConfigError::new(format!("overridable[{index}]: {what}")));
        let Value::String(name) = item else {
            return refuse(format!("expected a field's name, got {}", values::shown(&item)));
        };
        if POINTERS.contains(&name.as_str()) || !is_field(&name) {
            let hint = suggestion(&name, field_names::<Request>());
            let name = values::quoted(&name);
            return refuse(format!("{name} is not a field that can be overridden{hint}"));
        }
        names.push(if name == "providor" { "provider".to_owned() } else { name });
    }
    Ok(Some(names))
}
