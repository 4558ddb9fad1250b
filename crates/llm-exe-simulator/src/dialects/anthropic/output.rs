//! Validates the `output_config` of an Anthropic request.
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>

use serde_json::Value;

use super::error::invalid_request;
use super::models::Model;
use super::schema;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{field, str_field};

/// Rejects an `output_config` that the real service would reject.
pub(crate) fn validate(body: &Value, model: Model) -> Result<(), Rejection> {
    let output = body.get("output_config").unwrap_or(&Value::Null);
    if let Some(effort) = str_field(output, "effort") {
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
    if model.rejects_format() {
        return Err(invalid_request(
            "output_config.format: This model does not support output format.",
        ));
    }
    let schema = format.get("schema").unwrap_or(&Value::Null);
    let path = "output_config.format.schema";
    schema::validate(schema).map_err(|reason| invalid_request(&format!("{path}: {reason}")))
}
