//! Reads a reply that a server reports as an error, because it is not valid JSON.
//!
//! Groq sends the text of the reply in the field `failed_generation`, with status 400. It rejects
//! some replies that are valid, and others that a repair corrects. Sources:
//! langchain-ai/langchain#31459, thepersonalaicompany/amurex-backend#38.

use crate::chat::{Chat, Reply, ReplyBuilder, ReplyEvent, StopReason};
use crate::providers::error_body::ErrorBody;
use crate::wire::WireReply;

/// The code of the error.
const CODE: &str = "json_validate_failed";
/// The text about a reply that reached the maximum number of tokens. It is the message, or takes
/// the place of the reply.
const TRUNCATED: &str = "max completion tokens reached";

/// Returns the reply in an error response, if there is one.
pub(super) fn read_failed_reply(wire: &WireReply, chat: &Chat) -> Option<Reply> {
    if wire.status != 400 {
        return None;
    }
    let body = ErrorBody::parse(&wire.body);
    if !body.has_code(|code| code == CODE) {
        return None;
    }
    let text = body.error_text("failed_generation").unwrap_or_default();
    let has_text = !text.starts_with(TRUNCATED);
    let is_truncated =
        !has_text || body.message().is_some_and(|message| message.contains(TRUNCATED));
    let reason = if is_truncated { StopReason::Length } else { StopReason::Stop };
    let mut builder = ReplyBuilder::new(chat);
    if has_text {
        builder.push(ReplyEvent::Text(text.to_owned())).ok()?;
    }
    builder.push(ReplyEvent::Stop { reason, provider: Some(CODE.to_owned()) }).ok()?;
    Some(builder.finish())
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use serde_json::{Value, json};

    use super::read_failed_reply;
    use crate::chat::{Chat, StopReason};
    use crate::wire::WireReply;

    fn read(status: u16, error: Value) -> Option<(String, StopReason)> {
        let body = json!({ "error": error }).to_string().into();
        let wire = WireReply { status, headers: HeaderMap::new(), body };
        let reply = read_failed_reply(&wire, &Chat::new("m", Vec::new()))?;
        assert_eq!(reply.provider_stop_reason.as_deref(), Some("json_validate_failed"));
        Some((reply.text(), reply.stop_reason))
    }

    #[test]
    fn only_the_error_with_the_code_contains_a_reply() {
        let code = "json_validate_failed";
        let limit = "max completion tokens reached before generating a valid document";
        let reply = |text: &str, reason| Some((text.to_owned(), reason));
        for (status, error, expected) in [
            (400, json!({ "code": code, "failed_generation": "{" }), reply("{", StopReason::Stop)),
            (400, json!({ "code": code, "failed_generation": "" }), reply("", StopReason::Stop)),
            (400, json!({ "code": code, "failed_generation": 7 }), reply("", StopReason::Stop)),
            (400, json!({ "code": code, "message": "Failed" }), reply("", StopReason::Stop)),
            (
                400,
                json!({ "code": code, "failed_generation": limit }),
                reply("", StopReason::Length),
            ),
            (
                400,
                json!({ "code": code, "message": limit, "failed_generation": "{" }),
                reply("{", StopReason::Length),
            ),
            // A call of a tool is not a reply.
            (400, json!({ "code": "tool_use_failed", "failed_generation": "{" }), None),
            (400, json!({ "failed_generation": "{" }), None),
            (500, json!({ "code": code, "failed_generation": "{" }), None),
        ] {
            assert_eq!(read(status, error.clone()), expected, "{status} {error}");
        }
    }
}
