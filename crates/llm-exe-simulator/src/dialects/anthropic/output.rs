//! What Anthropic refuses in `output_config`.
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>
//!
//! In: the request's body and what its model takes. Out: nothing, or the refusal.

use super::super::Refusal;
use super::super::check::field;
use super::models::Model;
use super::refuse::{extra, invalid, required, tag};
use super::schema;
use serde_json::Value;

const EFFORTS: &[&str] = &["low", "medium", "high", "xhigh", "max"];

/// Refuses what the service would refuse in `output_config`.
pub(crate) fn refuse(body: &Value, model: Model) -> Result<(), Refusal> {
    let Some(output) = field(body, "output_config") else {
        return Ok(());
    };
    if !output.is_object() {
        return Err(invalid("output_config: Input should be an object"));
    }
    extra(output, &["effort", "format"], "output_config")?;
    if let Some(effort) = field(output, "effort") {
        if !effort.as_str().is_some_and(|effort| EFFORTS.contains(&effort)) {
            return Err(invalid(
                "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
            ));
        }
        if model.refuses_effort() {
            return Err(invalid("This model does not support the effort parameter."));
        }
    }
    let Some(format) = field(output, "format") else {
        return Ok(());
    };
    tag(format, &["json_schema"], "output_config.format")?;
    extra(format, &["type", "schema"], "output_config.format")?;
    if model.refuses_format() {
        return Err(invalid("output_config.format: This model does not support output format."));
    }
    let path = "output_config.format.schema";
    match field(format, "schema") {
        None => Err(required(path)),
        Some(schema) if !schema.is_object() => {
            Err(invalid(&format!("{path}: Input should be a valid dictionary")))
        }
        Some(schema) => {
            schema::refuse(schema).map_err(|reason| invalid(&format!("{path}: {reason}")))
        }
    }
}
