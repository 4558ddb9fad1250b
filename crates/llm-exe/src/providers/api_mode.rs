//! Selects the API of a provider that offers both chat completions and the Responses API.

use super::dialect::Dialect;
use super::openai_responses::apis::OpenAiResponses;
use super::registry::Provider;
use crate::chat::Chat;

/// Which API requests to OpenAI's models are sent to, at OpenAI, Azure and Amazon Bedrock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiMode {
    /// The API that serves the model and the parts of the request. Requests to a base URL of your
    /// own for OpenAI are sent to chat completions, unless the server rejects them with a message
    /// that names the Responses API.
    #[default]
    Auto,
    /// Chat completions.
    Chat,
    /// The Responses API.
    Responses,
}

impl ApiMode {
    /// The values of the setting `OPENAI_API_MODE`.
    pub const WORDS: &'static [(&'static str, ApiMode)] =
        &[("auto", ApiMode::Auto), ("chat", ApiMode::Chat), ("responses", ApiMode::Responses)];

    /// Returns the mode with this name, whose case is ignored.
    pub fn from_name(name: &str) -> Option<ApiMode> {
        let known = ApiMode::WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(name));
        known.map(|(_, mode)| *mode)
    }
}

/// The API that a request is sent to.
#[derive(Clone, Copy)]
pub(crate) struct SelectedApi<'a> {
    pub(crate) dialect: &'a dyn Dialect,
    /// Whether `dialect` is that of the Responses API.
    pub(crate) is_responses: bool,
    /// The Responses API, if it replaces `dialect` after a rejection that requires it.
    pub(crate) alternative: Option<&'a dyn Dialect>,
}

/// Selects the API for a request. `has_own_url` states whether the base URL is configured, and
/// `is_learned` whether the provider rejected an earlier request like it in chat completions.
pub(crate) fn select_api<'a>(
    provider: &'a Provider,
    chat: &Chat,
    mode: ApiMode,
    has_own_url: bool,
    is_learned: bool,
) -> SelectedApi<'a> {
    let dialect = provider.dialect();
    let chat_completions = SelectedApi { dialect, is_responses: false, alternative: None };
    let Some(api) = provider.responses() else { return chat_completions };
    let responses = SelectedApi { dialect: api.dialect(), is_responses: true, alternative: None };
    let prefers_responses = match (api, mode) {
        // The setting does not apply to xAI.
        (OpenAiResponses::Xai, _) | (_, ApiMode::Auto) => {
            is_learned || needs_responses(api, chat, has_own_url)
        }
        (_, ApiMode::Chat) => return chat_completions,
        (_, ApiMode::Responses) => true,
    };
    if prefers_responses {
        responses
    } else {
        SelectedApi { alternative: Some(responses.dialect), ..chat_completions }
    }
}

/// Returns whether a request should be sent to the Responses API according to the table of models.
fn needs_responses(api: OpenAiResponses, chat: &Chat, has_own_url: bool) -> bool {
    let model = api.model(&chat.model);
    match api {
        // A server that imitates OpenAI's API may have only chat completions. The endpoint of an
        // Azure resource is always configured.
        OpenAiResponses::OpenAi if has_own_url => return false,
        OpenAiResponses::Xai if has_own_url => return !model.chat,
        _ => {}
    }
    let has_tools = !chat.tools.is_empty() && model.reasons && model.responses;
    let has_max = model.responses_max && chat.sampling.effort.as_deref() == Some("max");
    model.prefers_responses || has_tools || has_max
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ApiMode, select_api};
    use crate::chat::{Chat, Tool};
    use crate::providers::{Provider, provider};

    /// What a request needs.
    #[derive(Debug, Clone, Copy)]
    enum Needs {
        Text,
        Max,
        Tools,
    }
    use Needs::{Max, Text, Tools};

    /// Returns `chat` or `responses`, with `?` if a rejection can change it.
    fn selected(
        name: &str,
        model: &str,
        needs: Needs,
        mode: ApiMode,
        (has_own_url, is_learned): (bool, bool),
    ) -> &'static str {
        let provider = Provider::from(provider(name).unwrap());
        let mut chat = Chat::new(model, Vec::new());
        match needs {
            Text => {}
            Max => chat.sampling.effort = Some("max".to_owned()),
            Tools => chat.tools.push(Tool::new("f", json!({"type": "object"}))),
        }
        let api = select_api(&provider, &chat, mode, has_own_url, is_learned);
        let is_responses = api.dialect.name() == "openai-responses";
        assert_eq!(api.is_responses, is_responses);
        match (is_responses, api.alternative.is_some()) {
            (true, false) => "responses",
            (false, true) => "chat?",
            (false, false) => "chat",
            (true, true) => "responses?",
        }
    }

    #[test]
    fn the_model_and_the_request_select_the_api() {
        let auto = |name, model, needs| selected(name, model, needs, ApiMode::Auto, (false, false));
        for (name, model, expected) in [
            // The API for a text, for the effort `max`, and for tools.
            ("openai", "gpt-4o", ["chat?", "chat?", "chat?"]),
            ("openai", "gpt-4o-search-preview", ["chat?", "chat?", "chat?"]),
            ("openai", "o3", ["chat?", "chat?", "responses"]),
            ("openai", "gpt-5-mini", ["chat?", "chat?", "responses"]),
            ("openai", "gpt-5.5", ["chat?", "chat?", "responses"]),
            ("openai", "gpt-6-sol", ["chat?", "responses", "responses"]),
            ("openai", "gpt-6.2-astra", ["chat?", "responses", "responses"]),
            ("openai", "gpt-7-sol", ["chat?", "responses", "responses"]),
            ("openai", "gpt-5.4-pro", ["responses"; 3]),
            ("openai", "gpt-5.3-codex", ["responses"; 3]),
            ("openai", "ft:o1-pro:acme", ["responses"; 3]),
            ("openai", "llama-5", ["chat?", "chat?", "chat?"]),
            ("azure", "gpt-6-sol", ["chat?", "responses", "responses"]),
            ("azure", "gpt-5-pro", ["responses"; 3]),
            ("azure", "our-deployment", ["chat?", "chat?", "chat?"]),
            ("amazon:openai", "global.openai.gpt-6-sol", ["chat?", "responses", "responses"]),
            ("amazon:openai", "us.openai.gpt-5.5", ["responses"; 3]),
            ("amazon:openai", "openai.gpt-oss-120b-1:0", ["chat?", "chat?", "chat?"]),
            ("xai", "grok-3", ["chat?", "chat?", "chat?"]),
            ("xai", "grok-4.3", ["chat?", "chat?", "responses"]),
            ("xai", "grok-4.7", ["responses"; 3]),
            ("xai", "grok-4.20-multi-agent", ["responses"; 3]),
            ("deepseek", "deepseek-v4-pro", ["chat"; 3]),
            ("openrouter", "openai/gpt-5-pro", ["chat"; 3]),
            ("anthropic", "gpt-5-pro", ["chat"; 3]),
        ] {
            let apis = [Text, Max, Tools].map(|needs| auto(name, model, needs));
            assert_eq!(apis, expected, "{name} {model}");
        }
    }

    #[test]
    fn settings_and_rejections_select_the_api() {
        use ApiMode::{Auto, Chat, Responses};
        let (default_url, own_url) = ((false, false), (true, false));
        for (name, model, needs, mode, state, expected) in [
            ("openai", "gpt-4o", Text, Responses, default_url, "responses"),
            ("openai", "llama-5", Text, Responses, own_url, "responses"),
            ("openai", "gpt-5-pro", Text, Chat, default_url, "chat"),
            ("openai", "gpt-6-sol", Tools, Chat, default_url, "chat"),
            ("openai", "gpt-6-sol", Tools, Chat, (false, true), "chat"),
            ("openai", "gpt-6-sol", Tools, Auto, own_url, "chat?"),
            ("openai", "gpt-5-pro", Text, Auto, own_url, "chat?"),
            ("openai", "llama-5", Tools, Auto, (true, true), "responses"),
            ("azure", "gpt-6-sol", Tools, Auto, own_url, "responses"),
            ("azure", "our-deployment", Tools, Auto, own_url, "chat?"),
            ("azure", "our-deployment", Tools, Auto, (true, true), "responses"),
            ("azure", "our-deployment", Text, Responses, own_url, "responses"),
            ("azure", "gpt-5-pro", Text, Chat, own_url, "chat"),
            ("amazon:openai", "openai.gpt-5.5", Text, Chat, default_url, "chat"),
            ("amazon:openai", "openai.gpt-6-sol", Tools, Auto, own_url, "responses"),
            ("xai", "grok-4.7", Text, Chat, default_url, "responses"),
            ("xai", "grok-3", Text, Responses, default_url, "chat?"),
            ("xai", "grok-4.7", Tools, Auto, own_url, "chat?"),
            ("xai", "grok-4.20-multi-agent", Text, Auto, own_url, "responses"),
            ("groq", "gpt-4o", Text, Responses, own_url, "chat"),
        ] {
            let api = selected(name, model, needs, mode, state);
            assert_eq!(api, expected, "{name} {model} {needs:?} {mode:?} {state:?}");
        }
    }
}
