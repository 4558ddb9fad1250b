//! Validates the `output_config` of an Anthropic request.
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>

use serde_json::Value;

use super::error::{invalid_request, missing_field, reject_unknown_fields, type_tag};
use super::models::{EFFORTS, Model};
use super::schema;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::field;

/// Rejects an `output_config` that the real service would reject.
pub(crate) fn validate(body: &Value, model: Model) -> Result<(), Rejection> {
    let Some(output) = field(body, "output_config") else {
        return Ok(());
    };
    if !output.is_object() {
        return Err(invalid_request("output_config: Input should be an object"));
    }
    reject_unknown_fields(output, &["effort", "format"], "output_config")?;
    if let Some(effort) = field(output, "effort") {
        let Some(effort) = effort.as_str().filter(|effort| EFFORTS.contains(effort)) else {
            return Err(invalid_request(
                "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
            ));
        };
        if model.rejects_effort() {
            return Err(invalid_request("This model does not support the effort parameter."));
        }
        if !model.efforts().contains(&effort) {
            return Err(invalid_request(&format!(
                "This model does not support effort level '{effort}'. Supported levels: {}.",
                model.efforts().join(", ")
            )));
        }
    }
    let Some(format) = field(output, "format") else {
        return Ok(());
    };
    type_tag(format, &["json_schema"], "output_config.format")?;
    reject_unknown_fields(format, &["type", "schema"], "output_config.format")?;
    if model.rejects_format() {
        return Err(invalid_request(
            "output_config.format: This model does not support output format.",
        ));
    }
    let path = "output_config.format.schema";
    match field(format, "schema") {
        None => Err(missing_field(path)),
        Some(schema) if !schema.is_object() => {
            Err(invalid_request(&format!("{path}: Input should be a valid dictionary")))
        }
        Some(schema) => {
            schema::validate(schema).map_err(|reason| invalid_request(&format!("{path}: {reason}")))
        }
    }
}
