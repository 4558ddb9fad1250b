//! The content of spans: prompts, replies, and the arguments and results of tools, as JSON in the
//! format of the conventions (`gen-ai-input-messages.json`), without secrets and shortened.
//! <https://github.com/open-telemetry/semantic-conventions-genai/tree/v0.1.0/docs/gen-ai>

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::chat::{Message, Part, Reply};
use crate::scrub::{remove_keys, remove_secrets};

/// Maximum size of the content of an attribute in bytes, without the structure around it.
pub const MAX_CONTENT_BYTES: usize = 32 * 1024;

/// The length up to which a text that looks like an API key is found where a text is cut.
const MAX_KEY_BYTES: usize = 512;

/// Copies texts without secrets until the limit is reached.
struct Texts<'a> {
    secrets: &'a [&'a str],
    bytes_left: usize,
}

impl Texts<'_> {
    /// Returns the start of a text that fits.
    fn copy(&mut self, text: &str) -> String {
        // A secret must be found as a whole, so more is scanned than is copied.
        let longest = self.secrets.iter().map(|secret| secret.len()).max().unwrap_or(0);
        let longest = longest.max(MAX_KEY_BYTES);
        let scanned = text.floor_char_boundary(self.bytes_left.saturating_add(longest));
        let is_cut = scanned < text.len();
        let mut copy = remove_secrets(text.get(..scanned).unwrap_or(text).to_owned(), self.secrets);
        if let Cow::Owned(changed) = remove_keys(&copy) {
            copy = changed;
        }
        let end = if is_cut { copy.len().saturating_sub(longest) } else { copy.len() };
        copy.truncate(copy.floor_char_boundary(end.min(self.bytes_left)));
        self.bytes_left -= copy.len();
        if is_cut || self.bytes_left == 0 {
            self.bytes_left = 0;
            copy.push('…');
        }
        copy
    }

    fn part(&mut self, part: &Part) -> Value {
        match part {
            Part::Text(text) => json!({ "type": "text", "content": self.copy(text) }),
            Part::Media(media) => {
                // The data of an image is not useful in a trace, and the query of a URL can be a
                // signature.
                let end = if media.url.starts_with("data:") { ',' } else { '?' };
                let url = media.url.split(end).next().unwrap_or_default();
                json!({ "type": "uri", "modality": "image", "uri": self.copy(url) })
            }
            Part::ToolCall(call) => {
                let arguments = self.copy(&call.arguments);
                let arguments = serde_json::from_str(&arguments).unwrap_or(json!(arguments));
                let (id, name) = (&call.id, &call.name);
                json!({ "type": "tool_call", "id": id, "name": name, "arguments": arguments })
            }
            Part::ToolResult(result) => {
                let response = self.copy(&result.text_with_error());
                json!({ "type": "tool_call_response", "id": result.call_id, "response": response })
            }
        }
    }

    fn parts(&mut self, parts: &[Part]) -> Vec<Value> {
        let mut copies = Vec::new();
        for part in parts {
            if self.bytes_left == 0 {
                break;
            }
            copies.push(self.part(part));
        }
        copies
    }
}

/// Returns the messages of a prompt.
pub(crate) fn input_messages(messages: &[Message], secrets: &[&str]) -> String {
    let mut texts = Texts { secrets, bytes_left: MAX_CONTENT_BYTES };
    let mut copies = Vec::new();
    for message in messages {
        if texts.bytes_left == 0 {
            break;
        }
        let is_result = |part: &Part| matches!(part, Part::ToolResult(_));
        let role = match message.parts.iter().any(is_result) {
            true => "tool",
            false => message.role.name(),
        };
        copies.push(json!({ "role": role, "parts": texts.parts(&message.parts) }));
    }
    Value::Array(copies).to_string()
}

/// Returns the reply of a model.
pub(crate) fn output_messages(reply: &Reply, secrets: &[&str]) -> String {
    let mut texts = Texts { secrets, bytes_left: MAX_CONTENT_BYTES };
    let mut parts = texts.parts(&reply.parts);
    if let Some(refusal) = &reply.refusal {
        parts.push(json!({ "type": "text", "content": texts.copy(refusal) }));
    }
    let reason = reply.provider_stop_reason.as_deref().unwrap_or(reply.stop_reason.name());
    json!([{ "role": "assistant", "parts": parts, "finish_reason": reason }]).to_string()
}

/// Returns the arguments or the result of a tool.
pub(crate) fn text(text: &str, secrets: &[&str]) -> String {
    Texts { secrets, bytes_left: MAX_CONTENT_BYTES }.copy(text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{MAX_CONTENT_BYTES, input_messages, output_messages, text};
    use crate::chat::{Media, Message, Part, Reply, Role, ToolCall, ToolContent, ToolResult};

    fn parse(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn messages_have_the_format_of_the_conventions() {
        let call = ToolCall::new("1", "rate", "{\"currency\": \"EUR\"}");
        let broken = ToolCall::new("2", "rate", "{oops");
        let image = Part::Media(Media::new("data:image/png;base64,AAAA"));
        let result = ToolResult::new(&call, ToolContent::Text("1.1".to_owned()));
        let messages = [
            Message::text(Role::System, "Be brief."),
            Message::new(Role::User, vec![Part::Text("Hi".to_owned()), image]),
            Message::new(Role::Assistant, vec![Part::ToolCall(call), Part::ToolCall(broken)]),
            Message::tool_results([result]),
        ];
        let expected = json!([
            {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
            {"role": "user", "parts": [
                {"type": "text", "content": "Hi"},
                {"type": "uri", "modality": "image", "uri": "data:image/png;base64"},
            ]},
            {"role": "assistant", "parts": [
                {"type": "tool_call", "id": "1", "name": "rate", "arguments": {"currency": "EUR"}},
                {"type": "tool_call", "id": "2", "name": "rate", "arguments": "{oops"},
            ]},
            {"role": "tool", "parts": [
                {"type": "tool_call_response", "id": "1", "response": "1.1"},
            ]},
        ]);
        assert_eq!(parse(&input_messages(&messages, &[])), expected);
        let mut reply = Reply::from_text("Hello");
        reply.refusal = Some("no".to_owned());
        let parts =
            json!([{"type": "text", "content": "Hello"}, {"type": "text", "content": "no"}]);
        let expected = json!([{"role": "assistant", "parts": parts, "finish_reason": "stop"}]);
        assert_eq!(parse(&output_messages(&reply, &[])), expected);
    }

    #[test]
    fn secrets_are_removed_even_where_the_text_is_cut() {
        let secret = "a-secret-of-some-length-0123456789";
        for before in [0, 10, MAX_CONTENT_BYTES - 40, MAX_CONTENT_BYTES - 10, MAX_CONTENT_BYTES] {
            let input = format!("{}{secret} end", "x".repeat(before));
            let messages =
                [Message::text(Role::User, input.clone()), Message::text(Role::User, &input)];
            for copy in [text(&input, &[secret]), input_messages(&messages, &[secret])] {
                assert!(!copy.contains("a-secret"), "{before}: {}", &copy[copy.len() - 60..]);
                assert!(copy.len() < MAX_CONTENT_BYTES + 200, "{before}: {}", copy.len());
            }
        }
        assert_eq!(text(&format!("{secret} ok"), &[secret]), "[redacted] ok");
        // Other keys are recognized by their form.
        assert_eq!(text("use sk-proj-abcdefgh12 now", &[]), "use [redacted] now");
        let url = "https://a.example/b.png?X-Amz-Signature=0123456789abcdef";
        let image = Message::new(Role::User, vec![Part::Media(Media::new(url))]);
        assert!(input_messages(&[image], &[]).contains(r#""https://a.example/b.png""#));
    }

    #[test]
    fn long_contents_are_cut_at_a_character() {
        let long = "é".repeat(MAX_CONTENT_BYTES);
        let cut = text(&long, &[]);
        assert!(cut.ends_with('…') && cut.len() <= MAX_CONTENT_BYTES + 3, "{}", cut.len());
        let messages = vec![Message::text(Role::User, long); 1_000];
        assert!(parse(&input_messages(&messages, &[])).as_array().unwrap().len() == 1);
    }
}
