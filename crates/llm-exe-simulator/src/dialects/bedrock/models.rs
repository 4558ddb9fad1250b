//! The restrictions of Bedrock models, which depend on the maker and model name in the model id.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html>
//!
//! Models by unknown makers have no restrictions.

use crate::dialects::anthropic::models::{self, Model};

/// The maker or the family of a model. It determines the restrictions of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    Claude,
    Nova,
    Titan,
    Llama,
    Mistral,
    Cohere,
    Ai21,
    DeepSeek,
    GptOss,
    Gpt,
    Grok,
    Qwen,
    Unknown,
}

/// Substrings of model ids, each with the maker of the model. The first match is used.
const MAKERS: &[(&str, Maker)] = &[
    ("anthropic.", Maker::Claude),
    ("amazon.nova", Maker::Nova),
    ("amazon.titan", Maker::Titan),
    ("meta.llama", Maker::Llama),
    ("mistral.", Maker::Mistral),
    ("cohere.", Maker::Cohere),
    ("ai21.", Maker::Ai21),
    ("deepseek.", Maker::DeepSeek),
    ("openai.gpt-oss", Maker::GptOss),
    ("openai.", Maker::Gpt),
    ("xai.", Maker::Grok),
    ("qwen.", Maker::Qwen),
];

/// A model id and the maker of the model.
#[derive(Debug, Clone, Copy)]
pub(super) struct BedrockModel<'a> {
    pub(super) id: &'a str,
    pub(super) maker: Maker,
}

impl<'a> BedrockModel<'a> {
    /// Creates a model from its id, which may have a region prefix or be part of an ARN.
    pub(super) fn from_id(id: &'a str) -> Self {
        let is_maker = |(part, _): &&(&str, Maker)| id.contains(part);
        let maker = MAKERS.iter().find(is_maker).map_or(Maker::Unknown, |(_, maker)| *maker);
        Self { id, maker }
    }

    /// Returns the restrictions of a Claude model, or `None` for any other model.
    pub(super) fn claude(self) -> Option<Model> {
        (self.maker == Maker::Claude).then(|| models::model(self.id))
    }

    fn is_one_of(self, names: &[&str]) -> bool {
        names.iter().any(|name| self.id.contains(name))
    }

    pub(super) fn rejects_system(self) -> bool {
        self.maker == Maker::Titan
            || self.is_one_of(&[
                "mistral.mistral-7b",
                "mistral.mixtral",
                "cohere.command-text",
                "ai21.j2",
            ])
    }

    pub(super) fn rejects_stop(self) -> bool {
        matches!(self.maker, Maker::Titan | Maker::GptOss | Maker::Gpt | Maker::Grok | Maker::Qwen)
    }

    /// Whether the model rejects `temperature` and `topP`.
    pub(super) fn rejects_sampling(self) -> bool {
        self.maker == Maker::Gpt
    }

    /// Whether only the Responses API serves the model.
    pub(super) fn is_responses_only(self) -> bool {
        self.is_one_of(&["openai.gpt-5.4", "openai.gpt-5.5"])
    }

    /// Whether the model accepts a conversation that begins with an assistant message.
    pub(super) fn accepts_assistant_first(self) -> bool {
        self.maker == Maker::Claude
    }

    /// Whether the model accepts `reasoningConfig`.
    pub(super) fn is_nova_2(self) -> bool {
        self.is_one_of(&["amazon.nova-2"])
    }

    /// Returns the values of `reasoning.effort` that a model of OpenAI supports.
    pub(super) fn gpt_efforts(self) -> &'static [&'static str] {
        let all = &["none", "low", "medium", "high", "xhigh", "max"];
        if self.is_one_of(&["gpt-5.6", "gpt-6-sol", "gpt-6-luna", "gpt-6.1-terra"]) {
            all
        } else {
            &all[1..]
        }
    }

    /// Whether the model rejects tools.
    pub(super) fn rejects_tools(self) -> bool {
        let calls_tools = ["llama3-1", "llama3-2-11b", "llama3-2-90b", "llama3-3", "llama4"];
        let is_old = ["mistral-7b", "mixtral", "cohere.command-text", "cohere.command-light"];
        match self.maker {
            Maker::Titan => true,
            Maker::Llama => !self.is_one_of(&calls_tools),
            Maker::Mistral | Maker::Cohere => self.is_one_of(&is_old),
            Maker::Ai21 => self.is_one_of(&["ai21.j2", "jamba-instruct"]),
            Maker::DeepSeek => self.is_one_of(&["deepseek.r1"]),
            Maker::Claude => self.is_one_of(&["claude-v2", "claude-instant"]),
            Maker::Nova | Maker::GptOss | Maker::Qwen | Maker::Unknown => false,
            Maker::Gpt | Maker::Grok => false,
        }
    }

    /// Whether the model rejects images.
    pub(super) fn rejects_images(self) -> bool {
        match self.maker {
            Maker::Titan | Maker::Cohere | Maker::Ai21 | Maker::DeepSeek | Maker::GptOss => true,
            Maker::Nova => self.is_one_of(&["nova-micro"]),
            Maker::Llama => !self.is_one_of(&["llama3-2-11b", "llama3-2-90b", "llama4"]),
            Maker::Mistral => self.is_one_of(&["mistral-7b", "mixtral", "mistral-large-240"]),
            Maker::Claude => self.is_one_of(&["claude-v2", "claude-instant"]),
            Maker::Gpt | Maker::Grok | Maker::Qwen | Maker::Unknown => false,
        }
    }

    /// Whether the model rejects the tool choice `any`.
    pub(super) fn rejects_any_tool(self) -> bool {
        let is_large_mistral = self.is_one_of(&["mistral-large", "pixtral-large"]);
        let is_r1 = self.is_one_of(&["deepseek.r1"]);
        match self.maker {
            Maker::Claude | Maker::Nova | Maker::Gpt | Maker::Unknown => false,
            Maker::Mistral => !is_large_mistral,
            Maker::DeepSeek => is_r1,
            _ => true,
        }
    }

    /// Whether the model rejects a tool choice that names a specific tool. Only Anthropic's and
    /// Amazon's models support it.
    pub(super) fn rejects_specific_tool(self) -> bool {
        !matches!(self.maker, Maker::Claude | Maker::Nova | Maker::Unknown)
    }

    /// Whether the model rejects the `status` of a tool result.
    pub(super) fn rejects_status(self) -> bool {
        !matches!(self.maker, Maker::Claude | Maker::Nova | Maker::Unknown)
    }

    /// Whether a Claude model rejects structured output. From 4-8 on, the models support it only
    /// through an inference profile, whose id has a region prefix.
    fn claude_rejects_format(self) -> bool {
        let model = models::model(self.id);
        let is_profile = self.id.contains(".anthropic.");
        let is_fable_5 = self.id.contains("fable-5") && !model.is_at_least(5, 1);
        match () {
            () if self.is_one_of(&["claude-v2", "claude-instant"]) => true,
            () if is_fable_5 || model.is_at_least(4, 7) && !model.is_at_least(4, 8) => true,
            () if model.is_at_least(4, 8) => !is_profile,
            () => !model.is_at_least(4, 5),
        }
    }

    /// Whether the model rejects `outputConfig.textFormat`.
    pub(super) fn rejects_format(self) -> bool {
        match self.maker {
            Maker::Claude => self.claude_rejects_format(),
            Maker::Mistral => !self.is_one_of(&["mistral-large-3"]),
            Maker::DeepSeek => self.is_one_of(&["deepseek.r1"]),
            Maker::GptOss | Maker::Qwen | Maker::Unknown => false,
            _ => true,
        }
    }
}
