//! `output: "replaceStringTemplate"`: the reply rendered as a template with the request's data.
//! Asking for this output is what makes the reply a template; nothing else does.

use serde_json::Value;

use super::{Context, OutputError};

/// The rendered reply.
pub(crate) fn parse(text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
    (context.render)(text).map(Value::String).map_err(|fault| {
        OutputError::new(format!("the reply can't be rendered as a template: {fault}"))
    })
}
