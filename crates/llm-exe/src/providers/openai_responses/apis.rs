//! The providers that offer the Responses API, and the differences between them.

use crate::providers::capabilities::efforts::{Efforts, MAX};
use crate::providers::capabilities::rows::OpenAiModel;
use crate::providers::capabilities::{ModelRows, models};
use crate::providers::dialect::Dialect;
use crate::providers::openai_chat::models::{base_model, bedrock_name, find_model, served_apis};

/// A provider's Responses API. An enum instead of a struct of differences has no addresses, each of
/// which costs time at the start of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenAiResponses {
    /// OpenAI's own API, and servers that imitate it.
    OpenAi,
    /// The v1 API of Azure OpenAI, whose models are deployments.
    Azure,
    /// xAI's API.
    Xai,
    /// OpenAI's models on Amazon Bedrock.
    Bedrock,
}

impl OpenAiResponses {
    /// Returns the dialect of the API.
    pub(crate) fn dialect(self) -> &'static dyn Dialect {
        match self {
            OpenAiResponses::OpenAi => &OpenAiResponses::OpenAi,
            OpenAiResponses::Azure => &OpenAiResponses::Azure,
            OpenAiResponses::Xai => &OpenAiResponses::Xai,
            OpenAiResponses::Bedrock => &OpenAiResponses::Bedrock,
        }
    }

    /// Returns the capabilities of a model.
    pub(crate) fn model(self, name: &str) -> OpenAiModel {
        let others = match self {
            OpenAiResponses::Azure | OpenAiResponses::Bedrock => models::ANY_WITH_JSON_SCHEMA,
            OpenAiResponses::OpenAi | OpenAiResponses::Xai => self.models(),
        };
        let mut model = find_model(self.models(), others, self.own_name(name));
        if self == OpenAiResponses::Bedrock {
            (model.chat, model.responses) = served_apis(name);
            model.prefers_responses = model.responses && !model.chat;
        }
        if model.responses_max {
            model.efforts = Efforts(model.efforts.0 | MAX);
        }
        model
    }

    /// Returns whether the table contains the family of a model. A model of another family may be
    /// that of any server.
    pub(super) fn is_known(self, name: &str) -> bool {
        self.models().find(base_model(self.own_name(name))).is_some()
    }

    /// Returns the vendor's own name for a model.
    fn own_name(self, name: &str) -> &str {
        match self {
            OpenAiResponses::Bedrock => bedrock_name(name),
            _ => name,
        }
    }

    fn models(self) -> &'static ModelRows<[OpenAiModel]> {
        match self {
            OpenAiResponses::Xai => models::XAI,
            OpenAiResponses::OpenAi | OpenAiResponses::Azure | OpenAiResponses::Bedrock => {
                models::OPENAI
            }
        }
    }

    /// Returns the dialect that raw turns name. Encrypted reasoning is bound to an account, so each
    /// provider has its own name.
    pub(super) fn turns(self) -> &'static str {
        match self {
            OpenAiResponses::OpenAi => "openai-responses",
            OpenAiResponses::Azure => "azure-responses",
            OpenAiResponses::Xai => "xai-responses",
            OpenAiResponses::Bedrock => "bedrock-responses",
        }
    }
}
