//! Builds the request for a chat after checking that the model accepts its parts, so that a request
//! that can't succeed is rejected before the call.

use super::dialect::{BuiltRequest, Capabilities, Dialect, Endpoint};
use crate::chat::{Chat, Part};
use crate::error::{Error, Problem};

/// Checks a chat and builds the HTTP request for it.
///
/// # Errors
/// `InvalidRequest` if the chat's tools, calls and results do not belong together, if the model
/// does not support its images or tools ([`Capabilities`]), or if the API does not accept a part of
/// it.
pub fn build_request(
    dialect: &dyn Dialect,
    endpoint: &Endpoint,
    chat: &Chat,
) -> Result<BuiltRequest, Error> {
    chat.check()?;
    if !is_plain_text(chat) {
        check_support(chat, dialect.capabilities(&chat.model))?;
    }
    dialect.build_request(endpoint, chat)
}

/// Returns whether a chat consists of texts, which every model accepts.
fn is_plain_text(chat: &Chat) -> bool {
    let mut parts = chat.messages.iter().flat_map(|message| &message.parts);
    chat.tools.is_empty() && parts.all(|part| matches!(part, Part::Text(_)))
}

/// Checks that the model accepts the images, the tools, and the tool calls and results of a chat.
///
/// # Errors
/// `InvalidRequest` with the path of every image, and of the tools or the first call or result.
fn check_support(chat: &Chat, capabilities: Capabilities) -> Result<(), Error> {
    let mut problems = Vec::new();
    if !chat.tools.is_empty() && !capabilities.tools {
        let text = format!("the model {} can't call tools", chat.model);
        problems.push(Problem::request("tools", text));
    }
    let mut checks_calls = !capabilities.tools && problems.is_empty();
    for (index, message) in chat.messages.iter().enumerate() {
        for (part_index, part) in message.parts.iter().enumerate() {
            let text = match part {
                Part::Media(_) if !capabilities.images => "the model does not accept images",
                Part::ToolCall(_) | Part::ToolResult(_) if checks_calls => {
                    checks_calls = false;
                    "the model does not accept tool calls and their results"
                }
                _ => continue,
            };
            let path = format!("message[{index}].content[{part_index}]");
            problems.push(Problem::request(path, text));
        }
    }
    match problems {
        problems if problems.is_empty() => Ok(()),
        problems => Err(Error::from_problems(problems)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Capabilities, check_support};
    use crate::chat::{Chat, Media, Message, Part, Role, Tool, ToolCall, ToolContent, ToolResult};
    use crate::providers::{build_request, provider};

    fn chat_with_tools(model: &str) -> Chat {
        let call = ToolCall::new("a", "f", "{}");
        let result = ToolResult::new(&call, ToolContent::Text("1".to_owned()));
        let messages = vec![
            Message::text(Role::User, "Hi"),
            Message::new(Role::Assistant, vec![Part::ToolCall(call)]),
            Message::tool_results([result]),
        ];
        let tools = vec![Tool::new("f", json!({"type": "object"}))];
        Chat { tools, ..Chat::new(model, messages) }
    }

    fn error(provider_name: &str, chat: &Chat) -> Option<String> {
        let row = provider(provider_name).unwrap();
        let endpoint = row.endpoint(None, Some("eu-central-1"));
        build_request(row.dialect, &endpoint, chat)
            .err()
            .map(|error| format!("{}: {error}", error.kind()))
    }

    #[test]
    fn tools_are_rejected_for_models_without_tools() {
        for (provider, model) in [
            ("openai", "chatgpt-4o-latest"),
            ("anthropic", "claude-2.1"),
            ("amazon:anthropic", "anthropic.claude-instant-v1"),
            ("amazon", "anthropic.claude-v2:1"),
            ("amazon", "amazon.titan-text-express-v1"),
            ("amazon", "us.meta.llama3-2-3b-instruct-v1:0"),
            ("amazon:meta", "meta.llama3-70b-instruct-v1:0"),
            ("amazon", "us.deepseek.r1-v1:0"),
            ("google", "gemma-3-27b-it"),
            ("ollama", "deepseek-r1:8b"),
        ] {
            let mut chat = chat_with_tools(model);
            let expected = format!("InvalidRequest: tools: the model {model} can't call tools");
            assert_eq!(error(provider, &chat), Some(expected), "{provider} {model}");
            chat.tools.clear();
            let expected = "InvalidRequest: message[1].content[0]: the model does not accept tool \
                            calls and their results";
            assert_eq!(error(provider, &chat).as_deref(), Some(expected), "{provider} {model}");
            chat.messages.truncate(1);
            assert_eq!(error(provider, &chat), None, "{provider} {model}");
        }
        for (provider, model) in [
            ("openai", "gpt-4o"),
            ("anthropic", "claude-3-haiku-20240307"),
            ("amazon", "us.meta.llama3-1-70b-instruct-v1:0"),
            ("amazon", "deepseek.v3-v1:0"),
            ("google", "gemini-2.5-flash"),
            ("ollama", "llama3.1"),
        ] {
            assert_eq!(error(provider, &chat_with_tools(model)), None, "{provider} {model}");
        }
    }

    #[test]
    fn tools_of_the_responses_api_are_rejected_with_the_setting() {
        let mut chat = chat_with_tools("gpt-6.2-sol");
        let expected = "InvalidRequest: tools: the model gpt-6.2-sol can call tools only through \
                        the Responses API; set OPENAI_API_MODE to responses, or use another model";
        assert_eq!(error("openai", &chat).as_deref(), Some(expected));
        chat.tools.clear();
        assert_eq!(error("openai", &chat), None);
    }

    #[test]
    fn images_are_rejected_for_models_that_accept_only_text() {
        let images = vec![Part::Media(Media::new("data:image/png;base64,iVBORw0="))];
        for (provider, model, is_accepted) in [
            ("anthropic", "claude-2.1", false),
            ("anthropic", "claude-opus-4-7", true),
            ("amazon", "amazon.nova-micro-v1:0", false),
            ("amazon", "amazon.nova-lite-v1:0", true),
            ("amazon", "us.meta.llama3-3-70b-instruct-v1:0", false),
            ("amazon", "us.meta.llama4-scout-17b-instruct-v1:0", true),
        ] {
            let chat = Chat::new(model, vec![Message::new(Role::User, images.clone())]);
            let expected =
                "InvalidRequest: message[0].content[0]: the model does not accept images";
            let expected = (!is_accepted).then(|| expected.to_owned());
            assert_eq!(error(provider, &chat), expected, "{provider} {model}");
        }
    }

    #[test]
    fn a_dialect_without_capabilities_accepts_only_text() {
        let text_only = Capabilities::default();
        let text = Chat::new("m", vec![Message::text(Role::User, "Hi")]);
        check_support(&text, text_only).unwrap();
        let mut chat = chat_with_tools("m");
        chat.messages[0].parts.push(Part::Media(Media::new("https://a.b/c")));
        let paths = |chat: &Chat| -> Vec<String> {
            let error = check_support(chat, text_only).unwrap_err();
            error.problems().iter().map(|problem| problem.path.clone()).collect()
        };
        assert_eq!(paths(&chat), ["tools", "message[0].content[1]"]);
        chat.tools.clear();
        assert_eq!(paths(&chat), ["message[0].content[1]", "message[1].content[0]"]);
    }
}
