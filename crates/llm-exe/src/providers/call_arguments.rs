//! The arguments of tool calls for APIs that accept only an object.

use serde_json::json;
use serde_json::value::RawValue;

use crate::chat::ToolCall;
use crate::wire::BodyItem;

/// The key that contains arguments that are not a JSON object.
const INVALID_ARGUMENTS: &str = "INVALID_JSON";

/// Returns the arguments of a call, byte for byte if they are an object. Anything else is wrapped
/// in an object as text, so that the model sees what it sent.
pub(super) fn arguments_item(call: &ToolCall) -> BodyItem {
    match call.arguments_object() {
        Some(object) => BodyItem::Raw(object.to_owned()),
        None => BodyItem::Value(json!({ INVALID_ARGUMENTS: call.arguments_text() })),
    }
}

/// Returns whether the arguments of a call are an object. Some models send another value, which no
/// API accepts when it is sent back.
pub(super) fn is_object(arguments: &RawValue) -> bool {
    arguments.get().starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::arguments_item;
    use crate::chat::ToolCall;

    #[test]
    fn arguments_that_are_not_an_object_are_wrapped_as_text() {
        for (arguments, expected) in [
            ("", "{}"),
            (
                r#"{ "n": 123456789012345678901234567890 }"#,
                r#"{ "n": 123456789012345678901234567890 }"#,
            ),
            (r#"{"a":"#, r#"{"INVALID_JSON":"{\"a\":"}"#),
            ("[1]", r#"{"INVALID_JSON":"[1]"}"#),
        ] {
            let item = arguments_item(&ToolCall::new("id", "name", arguments));
            assert_eq!(serde_json::to_string(&item).unwrap(), expected);
        }
    }
}
