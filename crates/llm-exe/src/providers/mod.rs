//! The providers: a row each, on a dialect that several may share.
//!
//! In: a [`Chat`]. Out: a [`WireRequest`]; and back, a [`WireReply`] to a [`Reply`]. No I/O here,
//! and no environment: where a provider is reached is an [`Endpoint`] that settings name.

mod anthropic;
mod anthropic_body;
mod anthropic_reply;
mod base_url;
mod bedrock;
mod bedrock_anthropic;
mod compatible;
mod converse;
mod converse_reply;
mod data_url;
mod failure;
mod gemini;
mod gemini_reply;
mod models;
mod ollama;
mod openai;
mod openai_reply;
mod segment;

use serde_json::Value;

use crate::chat::{Chat, Reply, Sampling, Structure};
use crate::error::Error;
use crate::ports::KeyName;
use crate::schema::Schema;
use crate::wire::{WireReply, WireRequest};

pub use base_url::check_base_url;
pub use compatible::{COMPATIBLE_SETTING, Compatible, Providers, StructuredOutput};
pub use failure::Failure;
pub(crate) use models::EFFORTS;
pub use models::{Capability, capabilities, capability_of};

/// A wire format: how a chat is asked and how it is answered.
pub trait Dialect: Send + Sync {
    /// The dialect's name, as docs and the simulator have it.
    fn name(&self) -> &'static str;

    /// The best way in which this model can be held to a schema.
    fn structure(&self, model: &str, name: &str, schema: &Schema) -> Structure;

    /// The request for a chat.
    ///
    /// # Errors
    /// `InvalidRequest` for what this dialect or model can't say at all.
    fn wire_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error>;

    /// The reply in a 200's body.
    ///
    /// # Errors
    /// `ProviderUnavailable` for a body that is not of this dialect.
    fn read_reply(&self, wire: &WireReply) -> Result<Reply, Error>;

    /// What a status other than 2xx means.
    fn read_failure(&self, wire: &WireReply) -> Failure {
        failure::read(wire)
    }

    /// Whether a lone system message stays one. Elsewhere it is sent as a user message.
    fn takes_lone_system(&self) -> bool {
        false
    }
}

/// A wire request, with what had to be left out of it.
#[derive(Debug, Clone)]
pub struct BuiltRequest {
    /// The request.
    pub request: WireRequest,
    /// What the caller asked for and this model or dialect does not take.
    pub warnings: Vec<String>,
}

/// Where a provider is reached and which key it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The base URL, without a slash at the end.
    pub base_url: String,
    /// The key, if the provider needs one.
    pub key: Option<KeyName>,
    /// The AWS region, where it is known.
    pub region: Option<String>,
}

/// How a provider lets callers in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// By a key.
    Key {
        /// The key's name in the store of secrets.
        store: &'static str,
        /// The environment variables that may hold it.
        environment: &'static [&'static str],
    },
    /// By AWS credentials.
    Aws,
    /// Everybody who reaches it.
    Open,
}

/// A provider: its name, its dialect, where it is and whose key it takes.
pub struct ProviderRow {
    /// The name that requests use.
    pub name: &'static str,
    /// How it is spoken to.
    pub dialect: &'static dyn Dialect,
    /// The setting that moves it elsewhere.
    pub base_url_setting: &'static str,
    /// Where it is otherwise; `REGION` stands for the AWS region.
    pub base_url: &'static str,
    /// How it lets callers in.
    pub access: Access,
}

impl std::fmt::Debug for ProviderRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderRow").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ProviderRow {
    /// The provider at a base URL of the operator's, or at its own.
    pub fn endpoint(&self, base_url: Option<&str>, region: Option<&str>) -> Endpoint {
        let own = || match region {
            // AWS in China has a domain of its own.
            Some(region) if region.starts_with("cn-") && self.access == Access::Aws => {
                format!("{}.cn", self.base_url.replace("REGION", region))
            }
            Some(region) => self.base_url.replace("REGION", region),
            None => self.base_url.to_owned(),
        };
        let base_url = base_url.map_or_else(own, str::to_owned);
        Endpoint {
            base_url: base_url.trim_end_matches('/').to_owned(),
            key: self.key(),
            region: region.map(str::to_owned),
        }
    }

    /// The key that it needs, if it needs one.
    pub fn key(&self) -> Option<KeyName> {
        match self.access {
            Access::Key { store, environment } => Some(KeyName::new(store, environment)),
            Access::Aws | Access::Open => None,
        }
    }
}

/// Every provider.
pub const PROVIDERS: &[ProviderRow] = &[
    ProviderRow {
        name: "openai",
        dialect: &openai::OPENAI,
        base_url_setting: "OPENAI_BASE_URL",
        base_url: "https://api.openai.com/v1",
        access: Access::Key {
            store: "KeyOpenAI",
            environment: &["OPENAI_API_KEY", "OPEN_AI_API_KEY"],
        },
    },
    ProviderRow {
        name: "anthropic",
        dialect: &anthropic::Anthropic,
        base_url_setting: "ANTHROPIC_BASE_URL",
        base_url: "https://api.anthropic.com",
        access: Access::Key { store: "KeyAnthropic", environment: &["ANTHROPIC_API_KEY"] },
    },
    ProviderRow {
        name: "xai",
        dialect: &openai::XAI,
        base_url_setting: "XAI_BASE_URL",
        base_url: "https://api.x.ai/v1",
        access: Access::Key { store: "KeyXAI", environment: &["XAI_API_KEY"] },
    },
    ProviderRow {
        name: "deepseek",
        dialect: &openai::DEEPSEEK,
        base_url_setting: "DEEPSEEK_BASE_URL",
        base_url: "https://api.deepseek.com/v1",
        access: Access::Key { store: "KeyDeepSeek", environment: &["DEEPSEEK_API_KEY"] },
    },
    ProviderRow {
        name: "google",
        dialect: &gemini::Gemini,
        base_url_setting: "GEMINI_BASE_URL",
        base_url: "https://generativelanguage.googleapis.com/v1beta",
        access: Access::Key { store: "KeyGoogle", environment: &["GEMINI_API_KEY"] },
    },
    ProviderRow {
        name: "ollama",
        dialect: &ollama::Ollama,
        base_url_setting: "OLLAMA_ENDPOINT",
        base_url: "http://localhost:11434",
        access: Access::Open,
    },
    ProviderRow {
        name: "amazon:anthropic",
        dialect: &bedrock_anthropic::BedrockAnthropic,
        base_url_setting: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        base_url: "https://bedrock-runtime.REGION.amazonaws.com",
        access: Access::Aws,
    },
    ProviderRow {
        name: "amazon:meta",
        dialect: &converse::Converse { opaque: "meta.llama" },
        base_url_setting: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        base_url: "https://bedrock-runtime.REGION.amazonaws.com",
        access: Access::Aws,
    },
    ProviderRow {
        name: "amazon:nova",
        dialect: &converse::Converse { opaque: "amazon.nova" },
        base_url_setting: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        base_url: "https://bedrock-runtime.REGION.amazonaws.com",
        access: Access::Aws,
    },
    ProviderRow {
        name: "amazon",
        dialect: &converse::Converse { opaque: "" },
        base_url_setting: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        base_url: "https://bedrock-runtime.REGION.amazonaws.com",
        access: Access::Aws,
    },
];

/// The provider with this name.
pub fn provider(name: &str) -> Option<&'static ProviderRow> {
    PROVIDERS.iter().find(|row| row.name == name)
}

fn row_named(
    row: impl Fn(&str) -> Option<&'static ProviderRow>,
    written: &str,
) -> Option<(&'static ProviderRow, Option<&str>)> {
    if let Some(row) = row(written) {
        return Some((row, None));
    }
    let (name, rest) = written.split_once('.')?;
    let row = row(name)?;
    match rest {
        "" => None,
        "chat" | "chat.v1" => Some((row, None)),
        model => Some((row, Some(model))),
    }
}

/// Puts the options that are set and taken into a body; what is not taken becomes a warning.
pub(crate) struct Options<'a> {
    pub(crate) body: &'a mut serde_json::Map<String, Value>,
    pub(crate) warnings: Vec<String>,
    pub(crate) model: &'a str,
}

impl Options<'_> {
    /// Sends `value` as `field` where it is set and taken.
    pub(crate) fn put(&mut self, option: &str, field: &str, value: Option<Value>, taken: Taken) {
        let Some(value) = value else { return };
        match taken {
            Taken::Yes => {
                self.body.insert(field.to_owned(), value);
            }
            Taken::No(reason) => self.leave_out(option, reason),
        }
    }

    /// Says that `effort` is `none` and the model always reasons.
    pub(crate) fn least_effort(&mut self) {
        self.warnings.push(format!(
            "options.effort is the least that {} takes: it can't be asked not to reason",
            self.model
        ));
    }

    /// Says that an option was left out.
    pub(crate) fn leave_out(&mut self, option: &str, reason: &str) {
        self.warnings.push(format!("options.{option} was left out for {}: {reason}", self.model));
    }
}

/// Whether an option is taken.
#[derive(Clone, Copy)]
pub(crate) enum Taken {
    Yes,
    No(&'static str),
}

impl Taken {
    pub(crate) fn when(yes: bool, otherwise: &'static str) -> Taken {
        if yes { Taken::Yes } else { Taken::No(otherwise) }
    }
}

/// The stop sequences as a JSON list, if there are any.
pub(crate) fn stop_list(sampling: &Sampling) -> Option<Value> {
    let list = &sampling.stop_sequences;
    (!list.is_empty()).then(|| Value::from(list.clone()))
}
