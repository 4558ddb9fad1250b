//! The arguments of tool calls for APIs that accept only an object.

use serde_json::value::RawValue;
use serde_json::{Value, json};

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

/// Removes the arguments of the calls in a turn. `list` is the field of the turn that contains the
/// calls, and `path` leads from one of its items to the arguments.
pub(super) fn remove_arguments(turn: &mut Value, list: &str, path: &[&str]) {
    let Some((last, outer)) = path.split_last() else { return };
    let items = turn.get_mut(list).and_then(Value::as_array_mut);
    for item in items.into_iter().flatten() {
        let place = outer.iter().try_fold(item, |value, name| value.get_mut(*name));
        if let Some(fields) = place.and_then(Value::as_object_mut) {
            fields.shift_remove(*last);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{arguments_item, remove_arguments};
    use crate::chat::ToolCall;

    #[test]
    fn only_the_arguments_at_the_path_are_removed() {
        let part = json!({ "call": { "name": "f", "args": { "a": 1 } }, "args": 2 });
        let mut turn = json!({ "parts": [part, "text", { "args": 3 }], "call": { "args": 4 } });
        remove_arguments(&mut turn, "parts", &["call", "args"]);
        let part = json!({ "call": { "name": "f" }, "args": 2 });
        let expected = json!({ "parts": [part, "text", { "args": 3 }], "call": { "args": 4 } });
        assert_eq!(turn, expected);
        let unchanged = turn.clone();
        remove_arguments(&mut turn, "missing", &["call", "args"]);
        assert_eq!(turn, unchanged);
    }

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
