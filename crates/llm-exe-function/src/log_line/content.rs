//! The log lines with prompts, replies, and the arguments and results of tools.

use std::time::SystemTime;

use llm_exe::trace::{
    AttributeValue, INPUT_MESSAGES, OUTPUT_MESSAGES, Span, TOOL_CALL_ARGUMENTS, TOOL_CALL_RESULT,
};

use super::fields::Fields;

/// The contents of a call of a model or a tool.
#[derive(Debug, Clone)]
pub(crate) struct LoggedContent {
    time: SystemTime,
    /// The operation, such as `chat gpt-4o-mini`.
    operation: String,
    /// The messages of the prompt as JSON.
    input: Option<String>,
    /// The messages of the reply as JSON.
    output: Option<String>,
    arguments: Option<String>,
    result: Option<String>,
}

impl LoggedContent {
    /// Returns the contents of a span, if it has any.
    pub(crate) fn from_span(span: &Span) -> Option<Self> {
        let text = |name: &str| {
            let value = span.attributes.iter().find(|(known, _)| known == name);
            value.and_then(|(_, value)| match value {
                AttributeValue::Text(text) => Some(text.clone().into_owned()),
                _ => None,
            })
        };
        let (input, output) = (text(INPUT_MESSAGES), text(OUTPUT_MESSAGES));
        let (arguments, result) = (text(TOOL_CALL_ARGUMENTS), text(TOOL_CALL_RESULT));
        if [&input, &output, &arguments, &result].into_iter().all(Option::is_none) {
            return None;
        }
        let (time, operation) = (span.start, span.name.clone());
        Some(LoggedContent { time, operation, input, output, arguments, result })
    }

    /// Writes the contents as a log line.
    pub(super) fn to_json(&self, request_id: &str) -> serde_json::Result<Vec<u8>> {
        let mut line = Fields::with_capacity(1024);
        let timestamp = humantime::format_rfc3339_millis(self.time);
        line.add("timestamp", &format_args!("{timestamp}"))?;
        line.add_word("level", "DEBUG");
        line.add("requestId", request_id)?;
        line.add_word("message", "content");
        line.add("operation", &self.operation)?;
        for (name, messages) in [("input", &self.input), ("output", &self.output)] {
            if let Some(messages) = messages {
                line.add_json(name, &[messages]);
            }
        }
        line.add_some("arguments", self.arguments.as_ref())?;
        line.add_some("result", self.result.as_ref())?;
        Ok(line.finish())
    }
}
