//! The supported providers. [`PROVIDERS`] has one row per built-in provider, and a dialect
//! implements each API format. A program can register more providers ([`Provider`]).
//!
//! A dialect converts a [`Chat`](crate::chat::Chat) to a [`WireRequest`](crate::wire::WireRequest),
//! and a [`WireReply`](crate::wire::WireReply) to a [`Reply`](crate::chat::Reply). Dialects do no
//! I/O and do not read the environment, so the caller passes the [`Endpoint`].

mod anthropic;
mod api_mode;
mod base_url;
mod bedrock;
mod build_request;
mod call_arguments;
mod call_ids;
mod capabilities;
mod catalog;
mod content_parts;
mod data_url;
mod dialect;
mod error_body;
mod failure;
mod function_calls;
mod gemini;
mod lenient;
mod ollama;
mod open_calls;
mod openai_chat;
mod openai_responses;
mod options;
mod prices;
mod quoted_chat;
mod raw_object;
mod registry;
mod rejection;
mod rejection_text;
mod streams;

use std::borrow::Cow;

use self::openai_chat::quirks;
use self::openai_responses::apis::OpenAiResponses;
use crate::ports::KeyName;
use crate::region::aws_domain;

pub use api_mode::ApiMode;
pub(crate) use api_mode::{SelectedApi, select_api};
pub use base_url::{API_PATHS, InvalidBaseUrl, check_base_url};
pub(crate) use bedrock::MANTLE;
pub use build_request::build_request;
pub use capabilities::{Capability, ModelTable};
pub(crate) use capabilities::{EFFORTS, is_effort};
pub use catalog::{MODEL_CATALOG, catalog_name, today};
pub use dialect::{
    BuiltRequest, Capabilities, Dialect, Endpoint, StreamDecoder, StreamState, StructureSupport,
};
pub use failure::Failure;
pub(crate) use failure::{FailedResponse, reported_error};
pub(crate) use prices::{
    Billing, CalledModel, PriceBook, TokenPrices, amount_of_dollars, format_dollars,
    highest_prices, read_billing,
};
pub use prices::{Cost, InvalidPrices, PriceList};
pub use registry::{InvalidProvider, Provider, Providers, StructuredOutput};
pub(crate) use rejection::{
    RejectedPart, Rejection, SamplingOption, read_rejection, read_stream_rejection,
};

/// The placeholder in a default base URL for the host of an AWS region.
const REGION_HOST: &str = "REGION.amazonaws.com";

/// The beginning of a default base URL that lacks the name of the operator's resource.
pub(crate) const NAMED_RESOURCE: &str = "//RESOURCE.";

/// How requests to a provider are authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Requests contain an API key.
    Key {
        /// The name of the key in the secret store.
        store: &'static str,
        /// The names of the environment variables that may contain the key.
        environment: &'static [Cow<'static, str>],
    },
    /// Requests are signed with AWS credentials.
    Aws,
    /// Requests are not authenticated.
    Open,
}

/// Describes how to call a built-in provider.
pub struct ProviderRow {
    /// The value of `provider` in requests.
    pub name: &'static str,
    /// The API format that the provider uses.
    pub dialect: &'static dyn Dialect,
    /// The provider's Responses API, if it offers both that API and chat completions.
    pub(crate) responses: Option<OpenAiResponses>,
    /// The name of the setting that overrides the base URL.
    pub base_url_setting: &'static str,
    /// The default base URL, in which `REGION` is a placeholder for the AWS region. A URL with
    /// `RESOURCE` is only an example: requests fail until the setting is set.
    pub base_url: &'static str,
    /// How requests to the provider are authenticated.
    pub access: Access,
}

impl std::fmt::Debug for ProviderRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderRow").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ProviderRow {
    /// Returns the provider's endpoint. If `base_url` is `None`, the default base URL is used.
    pub fn endpoint(&self, base_url: Option<&str>, region: Option<&str>) -> Endpoint {
        let base_url = match (base_url, region) {
            (Some(base_url), _) => Cow::Borrowed(base_url),
            (None, Some(region)) if self.base_url.contains(REGION_HOST) => {
                let host = format!("{region}.{}", aws_domain(region));
                Cow::Owned(self.base_url.replace(REGION_HOST, &host))
            }
            (None, _) => Cow::Borrowed(self.base_url),
        };
        Endpoint {
            base_url: base_url.trim_end_matches('/').to_owned(),
            key: self.key(),
            region: region.filter(|_| self.access == Access::Aws).map(str::to_owned),
        }
    }

    /// Returns the format of the provider's Responses API, if it offers both that API and chat
    /// completions.
    pub fn responses(&self) -> Option<&'static dyn Dialect> {
        self.responses.map(OpenAiResponses::dialect)
    }

    /// Returns the name of the API key that the provider needs, if any.
    pub fn key(&self) -> Option<KeyName> {
        match self.access {
            Access::Key { store, environment } => {
                Some(KeyName { store: store.into(), environment: environment.into() })
            }
            Access::Aws | Access::Open => None,
        }
    }
}

/// The built-in providers.
pub static PROVIDERS: &[ProviderRow] = &[
    ProviderRow {
        name: "openai",
        dialect: &quirks::OPENAI,
        responses: Some(OpenAiResponses::OpenAi),
        base_url_setting: "OPENAI_BASE_URL",
        base_url: "https://api.openai.com/v1",
        access: Access::Key {
            store: "KeyOpenAI",
            environment: &[Cow::Borrowed("OPENAI_API_KEY"), Cow::Borrowed("OPEN_AI_API_KEY")],
        },
    },
    ProviderRow {
        name: "anthropic",
        dialect: &anthropic::Anthropic,
        responses: None,
        base_url_setting: "ANTHROPIC_BASE_URL",
        base_url: "https://api.anthropic.com",
        access: Access::Key {
            store: "KeyAnthropic",
            environment: &[Cow::Borrowed("ANTHROPIC_API_KEY")],
        },
    },
    ProviderRow {
        name: "xai",
        dialect: &quirks::XAI,
        responses: Some(OpenAiResponses::Xai),
        base_url_setting: "XAI_BASE_URL",
        base_url: "https://api.x.ai/v1",
        access: Access::Key { store: "KeyXAI", environment: &[Cow::Borrowed("XAI_API_KEY")] },
    },
    ProviderRow {
        name: "deepseek",
        dialect: &quirks::DEEPSEEK,
        responses: None,
        base_url_setting: "DEEPSEEK_BASE_URL",
        base_url: "https://api.deepseek.com/v1",
        access: Access::Key {
            store: "KeyDeepSeek",
            environment: &[Cow::Borrowed("DEEPSEEK_API_KEY")],
        },
    },
    ProviderRow {
        name: "google",
        dialect: &gemini::Gemini,
        responses: None,
        base_url_setting: "GEMINI_BASE_URL",
        base_url: "https://generativelanguage.googleapis.com/v1beta",
        access: Access::Key { store: "KeyGoogle", environment: &[Cow::Borrowed("GEMINI_API_KEY")] },
    },
    ProviderRow {
        name: "ollama",
        dialect: &ollama::Ollama,
        responses: None,
        base_url_setting: "OLLAMA_ENDPOINT",
        base_url: "http://localhost:11434",
        access: Access::Open,
    },
    ProviderRow {
        name: "amazon:anthropic",
        dialect: &bedrock::InvokeAnthropic,
        responses: None,
        base_url_setting: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        base_url: "https://bedrock-runtime.REGION.amazonaws.com",
        access: Access::Aws,
    },
    ProviderRow {
        name: "amazon:meta",
        dialect: &bedrock::Converse { default_family: "meta.llama" },
        responses: None,
        base_url_setting: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        base_url: "https://bedrock-runtime.REGION.amazonaws.com",
        access: Access::Aws,
    },
    ProviderRow {
        name: "amazon:nova",
        dialect: &bedrock::Converse { default_family: "amazon.nova" },
        responses: None,
        base_url_setting: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        base_url: "https://bedrock-runtime.REGION.amazonaws.com",
        access: Access::Aws,
    },
    ProviderRow {
        name: "amazon",
        dialect: &bedrock::Converse { default_family: "" },
        responses: None,
        base_url_setting: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        base_url: "https://bedrock-runtime.REGION.amazonaws.com",
        access: Access::Aws,
    },
    ProviderRow {
        name: "amazon:openai",
        dialect: &quirks::BEDROCK,
        responses: Some(OpenAiResponses::Bedrock),
        base_url_setting: "AWS_BEDROCK_BASE_URL",
        base_url: "https://bedrock-runtime.REGION.amazonaws.com/openai/v1",
        access: Access::Aws,
    },
    ProviderRow {
        name: "azure",
        dialect: &quirks::AZURE,
        responses: Some(OpenAiResponses::Azure),
        base_url_setting: "AZURE_OPENAI_ENDPOINT",
        base_url: "https://RESOURCE.openai.azure.com/openai/v1",
        access: Access::Key {
            store: "KeyAzureOpenAI",
            environment: &[Cow::Borrowed("AZURE_OPENAI_API_KEY")],
        },
    },
    ProviderRow {
        name: "mistral",
        dialect: &quirks::MISTRAL,
        responses: None,
        base_url_setting: "MISTRAL_BASE_URL",
        base_url: "https://api.mistral.ai/v1",
        access: Access::Key {
            store: "KeyMistral",
            environment: &[Cow::Borrowed("MISTRAL_API_KEY")],
        },
    },
    ProviderRow {
        name: "groq",
        dialect: &quirks::GROQ,
        responses: None,
        base_url_setting: "GROQ_BASE_URL",
        base_url: "https://api.groq.com/openai/v1",
        access: Access::Key { store: "KeyGroq", environment: &[Cow::Borrowed("GROQ_API_KEY")] },
    },
    ProviderRow {
        name: "openrouter",
        dialect: &quirks::OPENROUTER,
        responses: None,
        base_url_setting: "OPENROUTER_BASE_URL",
        base_url: "https://openrouter.ai/api/v1",
        access: Access::Key {
            store: "KeyOpenRouter",
            environment: &[Cow::Borrowed("OPENROUTER_API_KEY")],
        },
    },
    ProviderRow {
        name: "together",
        dialect: &quirks::TOGETHER,
        responses: None,
        base_url_setting: "TOGETHER_BASE_URL",
        base_url: "https://api.together.xyz/v1",
        access: Access::Key {
            store: "KeyTogether",
            environment: &[Cow::Borrowed("TOGETHER_API_KEY")],
        },
    },
    ProviderRow {
        name: "fireworks",
        dialect: &quirks::FIREWORKS,
        responses: None,
        base_url_setting: "FIREWORKS_BASE_URL",
        base_url: "https://api.fireworks.ai/inference/v1",
        access: Access::Key {
            store: "KeyFireworks",
            environment: &[Cow::Borrowed("FIREWORKS_API_KEY")],
        },
    },
    ProviderRow {
        name: "cerebras",
        dialect: &quirks::CEREBRAS,
        responses: None,
        base_url_setting: "CEREBRAS_BASE_URL",
        base_url: "https://api.cerebras.ai/v1",
        access: Access::Key {
            store: "KeyCerebras",
            environment: &[Cow::Borrowed("CEREBRAS_API_KEY")],
        },
    },
    ProviderRow {
        name: "perplexity",
        dialect: &quirks::PERPLEXITY,
        responses: None,
        base_url_setting: "PERPLEXITY_BASE_URL",
        base_url: "https://api.perplexity.ai",
        access: Access::Key {
            store: "KeyPerplexity",
            environment: &[Cow::Borrowed("PERPLEXITY_API_KEY")],
        },
    },
];

/// Looks up a built-in provider by its name.
pub fn provider(name: &str) -> Option<&'static ProviderRow> {
    PROVIDERS.iter().find(|row| row.name == name)
}

/// Returns the rows of all capability tables.
pub fn capabilities() -> Vec<Capability> {
    PROVIDERS.iter().flat_map(|row| row.dialect.models().rows(row.name)).collect()
}

/// Returns the provider whose capability table contains a model, and the patterns of the matching
/// row. Returns `None` if the provider is unknown.
pub fn capability_of(name: &str, model: &str) -> Option<(&'static str, &'static str)> {
    let row = provider(name)?;
    Some(row.dialect.models().find_row(row.name, model))
}

#[cfg(test)]
mod tests {
    use super::provider;

    #[test]
    fn default_bedrock_url_has_the_domain_of_the_partition() {
        let bedrock = provider("amazon").unwrap();
        for (region, expected) in [
            ("us-gov-west-1", "https://bedrock-runtime.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"),
            ("eusc-de-east-1", "https://bedrock-runtime.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(bedrock.endpoint(None, Some(region)).base_url, expected);
        }
    }
}
