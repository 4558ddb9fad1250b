//! Tools: their declaration, the calls of the model and the results.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::schema::{to_draft_2020_12, with_pointers};

/// A tool that the model may call.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Tool {
    /// The name. All providers accept `[A-Za-z_][A-Za-z0-9_-]{0,63}`.
    pub name: String,
    /// What the tool does and when to call it, for the model.
    pub description: Option<String>,
    /// The JSON Schema of the arguments, which must be an object.
    pub parameters: Value,
}

impl Tool {
    /// Creates a tool from its name and the JSON Schema of its arguments.
    pub fn new(name: impl Into<String>, parameters: Value) -> Self {
        Tool { name: name.into(), description: None, parameters }
    }

    /// Returns the schema of the arguments, with pointers in place of references by name, which no
    /// provider resolves, and with the fields that an API may require at its root.
    /// OpenAI rejects an "object schema missing properties", and other APIs reject a missing
    /// `type`.
    pub(crate) fn object_schema(&self) -> Value {
        with_object_fields(with_pointers(&self.parameters).into_owned())
    }

    /// Returns the schema of [`Tool::object_schema`] in draft 2020-12. The fields are added after
    /// the conversion, which would remove them next to a reference of an older draft.
    pub(crate) fn draft_2020_12_schema(&self) -> Value {
        with_object_fields(to_draft_2020_12(&self.parameters).into_owned())
    }

    /// Sets the description.
    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        Tool { description: Some(description.into()), ..self }
    }
}

fn with_object_fields(mut schema: Value) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        fields.entry("type").or_insert_with(|| json!("object"));
        fields.entry("properties").or_insert_with(|| json!({}));
    }
    schema
}

/// Whether the model may, must or must not call a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// The model must not call a tool.
    None,
    /// The model must call at least one tool.
    Required,
    /// The model must call the tool with this name.
    Named(String),
}

/// A tool call that the model requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolCall {
    /// The id that pairs the call with its result.
    pub id: String,
    /// The name of the tool.
    pub name: String,
    /// The arguments as serialized JSON, exactly as the provider sent them. They may be empty, or
    /// not valid JSON.
    pub arguments: String,
}

impl ToolCall {
    /// Creates a call. `arguments` is serialized JSON.
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        arguments: impl Into<String>,
    ) -> Self {
        ToolCall { id: id.into(), name: name.into(), arguments: arguments.into() }
    }

    /// Returns the arguments as serialized JSON. Missing arguments, which some servers send as an
    /// empty text or as `null`, become `{}`.
    pub(crate) fn arguments_text(&self) -> &str {
        match self.arguments.trim() {
            "" | "null" => "{}",
            _ => &self.arguments,
        }
    }

    /// Returns the arguments byte for byte if they are a JSON object. Their numbers are not parsed,
    /// so that none of them loses digits.
    pub(crate) fn arguments_object(&self) -> Option<&RawValue> {
        let json: &RawValue = serde_json::from_str(self.arguments_text()).ok()?;
        json.get().starts_with('{').then_some(json)
    }
}

/// The result of a tool call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ToolResult {
    /// The id of the call.
    pub call_id: String,
    /// The name of the tool. Some providers pair results with calls by it.
    pub name: String,
    /// The content for the model.
    pub content: ToolContent,
    /// Whether the call failed. The content is then the error.
    pub is_error: bool,
}

impl ToolResult {
    /// Creates the result of a successful call.
    pub fn new(call: &ToolCall, content: ToolContent) -> Self {
        let (call_id, name) = (call.id.clone(), call.name.clone());
        ToolResult { call_id, name, content, is_error: false }
    }

    /// Creates the result of a failed call. The model sees the message.
    pub fn error(call: &ToolCall, message: impl Into<String>) -> Self {
        let content = ToolContent::Text(message.into());
        ToolResult { is_error: true, ..ToolResult::new(call, content) }
    }

    /// Returns the content as text for an API that has no flag for errors.
    pub(crate) fn text_with_error(&self) -> String {
        let text = self.content.to_text();
        if self.is_error { format!("Error: {text}") } else { text.into_owned() }
    }
}

/// The content of a tool result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ToolContent {
    /// A text.
    Text(String),
    /// A JSON value. APIs that accept only text receive it serialized.
    Json(Value),
}

impl ToolContent {
    /// Returns the text, or the serialized JSON value.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            ToolContent::Text(text) => Cow::Borrowed(text),
            ToolContent::Json(value) => Cow::Owned(value.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use serde_json::value::RawValue;

    use super::{ToolCall, ToolContent, ToolResult};

    #[test]
    fn arguments_are_an_object_or_nothing() {
        let long = r#"{"n":123456789012345678901234567890,"m":1e400}"#;
        for (arguments, text, object) in [
            ("", "{}", Some("{}")),
            (" null ", "{}", Some("{}")),
            ("{}", "{}", Some("{}")),
            (
                "\n{ \"b\":1.0,\"a\":1e2} ",
                "\n{ \"b\":1.0,\"a\":1e2} ",
                Some(r#"{ "b":1.0,"a":1e2}"#),
            ),
            (long, long, Some(long)),
            (r#"{"a":"#, r#"{"a":"#, None),
            ("{}{}", "{}{}", None),
            ("[1]", "[1]", None),
            ("\"{}\"", "\"{}\"", None),
        ] {
            let call = ToolCall::new("id", "name", arguments);
            assert_eq!(call.arguments_text(), text);
            assert_eq!(call.arguments_object().map(RawValue::get), object, "{arguments}");
        }
    }

    #[test]
    fn errors_are_marked_in_the_text() {
        let call = ToolCall::new("id", "name", "");
        let result = ToolResult::new(&call, ToolContent::Json(json!({"a": [1]})));
        assert_eq!(result.text_with_error(), r#"{"a":[1]}"#);
        assert_eq!(
            ToolResult::error(&call, "no such rate").text_with_error(),
            "Error: no such rate"
        );
    }
}
