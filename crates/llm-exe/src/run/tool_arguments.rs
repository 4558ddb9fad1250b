//! Reads the arguments of a tool call, and checks them against the schema of the tool.

use serde_json::{Map, Value};

use crate::chat::ToolCall;
use crate::json::{parse_unique, reword_for_model, shown};
use crate::plan::ConvertArguments;
use crate::schema::{Origin, Schema};

/// Parses the arguments of a call, coerces them to the schema of the tool, and converts them to
/// those of its Rust type.
///
/// # Errors
/// Returns why the arguments are invalid, worded for the model.
pub(super) fn read_arguments(
    call: &ToolCall,
    schema: &Schema,
    convert: Option<ConvertArguments>,
) -> Result<Map<String, Value>, String> {
    let text = call.arguments_text();
    let value = parse_unique(text).map_err(|error| {
        reword_for_model(&format!("the arguments are {error}; expected a JSON object"))
    })?;
    if !value.is_object() {
        let received = shown(&value);
        return Err(format!("expected the arguments as a JSON object, got {received}"));
    }
    let read = schema.coerce_from(value, Origin::Json(Some(text)));
    match read.map(|read| read.value) {
        Ok(Value::Object(arguments)) => match convert {
            Some(convert) => convert(arguments).map_err(|reason| reword_for_model(&reason)),
            None => Ok(arguments),
        },
        Ok(other) => Err(format!("expected the arguments as an object, got {}", shown(&other))),
        Err(error) => {
            Err(reword_for_model(&format!("the arguments do not satisfy the parameters: {error}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read_arguments;
    use crate::chat::ToolCall;
    use crate::schema::Schema;

    #[test]
    fn arguments_are_coerced_or_rejected_with_the_reason() {
        let schema = json!({
            "type": "object",
            "properties": { "count": { "type": "integer" }, "unit": { "default": "m" } },
            "required": ["count"],
            "additionalProperties": false,
        });
        let Value::Object(schema) = schema else { panic!() };
        let schema = Schema::compile(schema).unwrap();
        for (arguments, expected) in [
            (r#"{"count":"3"}"#, Ok(json!({ "count": 3, "unit": "m" }))),
            (r#"{"count":5.0,"unit":"km"}"#, Ok(json!({ "count": 5.0, "unit": "km" }))),
            ("", Err("the arguments do not satisfy the parameters: ")),
            (r#"{"count":"#, Err("the arguments are ")),
            ("[1]", Err("expected the arguments as a JSON object, got a list")),
            (r#"{"count":"many"}"#, Err("the arguments do not satisfy the parameters: /count")),
        ] {
            let read = read_arguments(&ToolCall::new("a", "f", arguments), &schema, None);
            match (read, expected) {
                (Ok(read), Ok(expected)) => assert_eq!(Value::Object(read), expected),
                (Err(reason), Err(start)) => {
                    assert!(reason.starts_with(start), "{arguments}: {reason}");
                }
                (read, expected) => panic!("{arguments}: {read:?}, expected {expected:?}"),
            }
        }
    }
}
