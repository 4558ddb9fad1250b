//! Defines the [`Dialect`] trait. A dialect is an API format that one or more providers share.

use crate::chat::{Chat, Reply, ReplyEvent, Structure};
use crate::error::Error;
use crate::ports::KeyName;
use crate::schema::Schema;
use crate::wire::{WireReply, WireRequest};

use super::capabilities::ModelTable;
use super::failure::{self, Failure};

/// Builds requests and parses responses in one API format.
///
/// A program registers a dialect with [`Provider::new`](super::Provider::new). The example
/// `custom_provider` implements one.
pub trait Dialect: Send + Sync {
    /// Returns the dialect's name, which the documentation and the simulator use. It marks the
    /// turns that can be sent back in this format ([`RawTurn`](crate::chat::RawTurn)).
    fn name(&self) -> &str;

    /// Returns what a model accepts and supports. By default, a model accepts only text.
    fn capabilities(&self, _model: &str) -> Capabilities {
        Capabilities::default()
    }

    /// Returns the table with the capabilities of the models, whose rows docs/models.md lists. By
    /// default, there is no such table.
    fn models(&self) -> ModelTable {
        ModelTable::default()
    }

    /// Chooses how to make the model's reply match a schema. By default, the method is that of the
    /// model's capabilities, and the schema is sent unchanged.
    fn structure(&self, model: &str, name: &str, schema: &Schema) -> Structure {
        let (name, schema) = (name.to_owned(), schema.written().clone());
        match self.capabilities(model).structured_output {
            StructureSupport::JsonSchema => Structure::Native { name, schema, strict: true },
            StructureSupport::ForcedTool => Structure::ForcedTool { name, schema },
            StructureSupport::JsonMode => Structure::JsonMode,
            StructureSupport::Prompt => Structure::PromptOnly,
        }
    }

    /// Builds the HTTP request for a chat. Call [`build_request`] instead, which checks the chat
    /// first.
    ///
    /// # Errors
    /// `InvalidRequest` if the chat contains something that the API or the model does not support,
    /// such as an image.
    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error>;

    /// Parses the reply in a successful response to the request for `chat`.
    ///
    /// # Errors
    /// `ProviderUnavailable` if the response body does not have the expected format.
    fn read_reply(&self, wire: &WireReply, chat: &Chat) -> Result<Reply, Error>;

    /// Parses an error response, that is, any response whose status is not 2xx.
    fn read_failure(&self, wire: &WireReply) -> Failure {
        failure::read_failure(wire)
    }

    /// Returns a decoder for the streamed response to the request for `chat`, or `None` if the
    /// dialect does not support streams.
    fn stream_decoder(&self, _chat: &Chat) -> Option<Box<dyn StreamDecoder>> {
        None
    }

    /// Returns whether the API accepts a conversation that consists of a single system message. If
    /// it does not, the caller sends the message as a user message.
    fn accepts_lone_system(&self) -> bool {
        false
    }
}

/// Decodes the body of a streamed response.
pub trait StreamDecoder: Send {
    /// Decodes the next bytes, which may end anywhere, and returns the events that are complete.
    ///
    /// # Errors
    /// `ProviderUnavailable` if the bytes do not have the expected format, or the error that the
    /// provider reports in the stream.
    fn push(&mut self, bytes: &[u8]) -> Result<Vec<ReplyEvent>, Error>;

    /// Returns the last events after the end of the body.
    ///
    /// # Errors
    /// `ProviderUnavailable` if the body ended before the reply was complete.
    fn finish(&mut self) -> Result<Vec<ReplyEvent>, Error>;
}

/// What a model accepts and supports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Whether messages may contain images.
    pub images: bool,
    /// Whether the model can call tools.
    pub tools: bool,
    /// The strongest method for making a reply match a schema.
    pub structured_output: StructureSupport,
}

/// A method for making a reply match a schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StructureSupport {
    /// The API has a field for the schema.
    JsonSchema,
    /// The model can be forced to call a tool whose input must match the schema.
    ForcedTool,
    /// The API guarantees valid JSON but knows no schema.
    JsonMode,
    /// Only the prompt contains the schema.
    #[default]
    Prompt,
}

/// Checks a chat and builds the HTTP request for it.
///
/// # Errors
/// `InvalidRequest` if the chat's tools, calls and results do not belong together, or if the API or
/// the model does not support something in it.
pub fn build_request(
    dialect: &dyn Dialect,
    endpoint: &Endpoint,
    chat: &Chat,
) -> Result<BuiltRequest, Error> {
    chat.check()?;
    dialect.build_request(endpoint, chat)
}

/// Creates the error for a tool call or result in a dialect that has no tools.
pub(crate) fn unsupported_tools(index: usize, part_index: usize) -> Error {
    let path = format!("message[{index}].content[{part_index}]");
    Error::invalid(path, "tools are not supported with this provider yet")
}

/// An HTTP request to a provider, and the warnings from building it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BuiltRequest {
    /// The request to send.
    pub request: WireRequest,
    /// One warning for each option that was dropped or changed because the model or the API does
    /// not support it.
    pub warnings: Vec<String>,
}

impl BuiltRequest {
    /// Creates a built request without warnings.
    pub fn new(request: WireRequest) -> Self {
        BuiltRequest { request, warnings: Vec::new() }
    }
}

/// The address of a provider's API, and the name of the API key for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The base URL, without a trailing slash.
    pub base_url: String,
    /// The name of the API key, if the provider needs one.
    pub key: Option<KeyName>,
    /// The configured AWS region, if any.
    pub region: Option<String>,
}
