//! The interface of a dialect, an API format that one or more providers use.

use crate::chat::{Chat, Reply, Structure};
use crate::error::Error;
use crate::ports::KeyName;
use crate::schema::Schema;
use crate::wire::{WireReply, WireRequest};

use super::failure::{self, Failure};

/// An API format: builds requests and reads responses.
pub trait Dialect: Send + Sync {
    /// The dialect's name in the documentation and in the simulator.
    fn name(&self) -> &'static str;

    /// Returns the strongest way in which this model can be made to follow a schema.
    fn structure(&self, model: &str, name: &str, schema: &Schema) -> Structure;

    /// Builds the request for a chat.
    ///
    /// # Errors
    /// `InvalidRequest` if the dialect or the model cannot express the chat.
    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error>;

    /// Reads the reply from a successful response.
    ///
    /// # Errors
    /// `ProviderUnavailable` if the body does not have the dialect's format.
    fn read_reply(&self, wire: &WireReply) -> Result<Reply, Error>;

    /// Reads a response whose status is not 2xx.
    fn read_failure(&self, wire: &WireReply) -> Failure {
        failure::read_failure(wire)
    }

    /// Whether a conversation may consist of a single system message. Otherwise the caller sends
    /// that message as a user message.
    fn accepts_lone_system(&self) -> bool {
        false
    }
}

/// A request and the warnings from building it.
#[derive(Debug, Clone)]
pub struct BuiltRequest {
    /// The request.
    pub request: WireRequest,
    /// The options that were dropped or changed because the model or dialect does not support
    /// them.
    pub warnings: Vec<String>,
}

/// The address of a provider and the name of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The base URL, without a trailing slash.
    pub base_url: String,
    /// The key, if the provider needs one.
    pub key: Option<KeyName>,
    /// The AWS region, if one is configured.
    pub region: Option<String>,
}
