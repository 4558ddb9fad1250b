//! The providers that offer the Responses API, and the differences between them.

use crate::providers::capabilities::efforts::{Efforts, MAX};
use crate::providers::capabilities::rows::OpenAiModel;
use crate::providers::capabilities::{ModelRows, models};
use crate::providers::dialect::Dialect;
use crate::providers::openai_chat::models::{base_model, find_model};

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
}

impl OpenAiResponses {
    /// Returns the dialect of the API.
    pub(crate) fn dialect(self) -> &'static dyn Dialect {
        match self {
            OpenAiResponses::OpenAi => &OpenAiResponses::OpenAi,
            OpenAiResponses::Azure => &OpenAiResponses::Azure,
            OpenAiResponses::Xai => &OpenAiResponses::Xai,
        }
    }

    /// Returns the capabilities of a model.
    pub(crate) fn model(self, name: &str) -> OpenAiModel {
        let others = match self {
            OpenAiResponses::Azure => models::ANY_WITH_JSON_SCHEMA,
            OpenAiResponses::OpenAi | OpenAiResponses::Xai => self.models(),
        };
        let mut model = find_model(self.models(), others, name);
        if model.responses_max {
            model.efforts = Efforts(model.efforts.0 | MAX);
        }
        model
    }

    /// Returns whether the table contains the family of a model. A model of another family may be
    /// that of any server.
    pub(super) fn is_known(self, name: &str) -> bool {
        self.models().find(base_model(name)).is_some()
    }

    fn models(self) -> &'static ModelRows<[OpenAiModel]> {
        match self {
            OpenAiResponses::OpenAi | OpenAiResponses::Azure => models::OPENAI,
            OpenAiResponses::Xai => models::XAI,
        }
    }

    /// Returns the dialect that raw turns name. Encrypted reasoning is bound to an account, so each
    /// provider has its own name.
    pub(super) fn turns(self) -> &'static str {
        match self {
            OpenAiResponses::OpenAi => "openai-responses",
            OpenAiResponses::Azure => "azure-responses",
            OpenAiResponses::Xai => "xai-responses",
        }
    }
}
