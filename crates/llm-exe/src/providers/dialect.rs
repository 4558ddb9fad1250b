//! Defines the [`Dialect`] trait. A dialect is an API format that one or more providers share.

use crate::chat::{Chat, Reply, Structure};
use crate::error::Error;
use crate::ports::KeyName;
use crate::schema::Schema;
use crate::wire::{WireReply, WireRequest};

use super::capabilities::ModelTable;
use super::failure::{self, Failure};

/// Builds requests and parses responses in one API format.
pub trait Dialect: Send + Sync {
    /// Returns the dialect's name, which the documentation and the simulator use.
    fn name(&self) -> &'static str;

    /// Returns the table with the capabilities of the models, whose rows docs/models.md lists.
    fn models(&self) -> ModelTable;

    /// Chooses how to make the model's reply match a schema. Returns the most reliable method that
    /// the model supports.
    fn structure(&self, model: &str, name: &str, schema: &Schema) -> Structure;

    /// Builds the HTTP request for a chat.
    ///
    /// # Errors
    /// `InvalidRequest` if the chat contains something that the API or the model does not support,
    /// such as an image.
    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error>;

    /// Parses the reply in a successful response.
    ///
    /// # Errors
    /// `ProviderUnavailable` if the response body does not have the expected format.
    fn read_reply(&self, wire: &WireReply) -> Result<Reply, Error>;

    /// Parses an error response, that is, any response whose status is not 2xx.
    fn read_failure(&self, wire: &WireReply) -> Failure {
        failure::read_failure(wire)
    }

    /// Returns whether the API accepts a conversation that consists of a single system message. If
    /// it does not, the caller sends the message as a user message.
    fn accepts_lone_system(&self) -> bool {
        false
    }
}

/// An HTTP request to a provider, and the warnings from building it.
#[derive(Debug, Clone)]
pub struct BuiltRequest {
    /// The request to send.
    pub request: WireRequest,
    /// One warning for each option that was dropped or changed because the model or the API does
    /// not support it.
    pub warnings: Vec<String>,
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
