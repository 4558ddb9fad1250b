//! Defines the [`Dialect`] trait. A dialect is an API format that one or more providers share.

use bytes::Bytes;
use serde_json::Value;

use crate::chat::{Chat, Reply, Structure, ToolChoice, Usage};
use crate::error::{Error, ErrorKind};
use crate::ports::KeyName;
use crate::schema::Schema;
pub use crate::wire::StreamState;
use crate::wire::{Auth, Body, WireReply, WireRequest};

use super::capabilities::ModelTable;
use super::failure::{self, Failure};
use super::options::dropped_option;

/// Builds requests and parses responses in one API format.
///
/// A program registers a dialect with [`Provider::new`](super::Provider::new). Only
/// [`build_request`](Dialect::build_request) and [`read_reply`](Dialect::read_reply) have no
/// default.
///
/// ```
/// use llm_exe::chat::{Chat, Reply};
/// use llm_exe::providers::{BuiltRequest, Dialect, Endpoint};
/// use llm_exe::wire::WireReply;
/// use llm_exe::{Client, Error, Provider};
/// use serde_json::json;
///
/// /// An API that completes a text: `{"model", "prompt"}` returns `{"completion"}`.
/// struct Completions;
///
/// impl Dialect for Completions {
///     fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
///         let temperature = chat.sampling.temperature;
///         let prompt = chat.joined_text();
///         let body = json!({ "model": chat.model, "prompt": prompt, "temperature": temperature });
///         let request = endpoint.post("/complete", body);
///         Ok(BuiltRequest::new(request).warn_of_other_options(chat, &["temperature"]))
///     }
///
///     fn read_reply(&self, wire: &WireReply, _: &Chat) -> Result<Reply, Error> {
///         Ok(Reply::from_text(wire.text_at("/completion")?))
///     }
/// }
///
/// let provider = Provider::new("mine", "https://llm.example.com/v1", Completions);
/// let client = Client::builder().provider(provider).key("mine", "...").build()?;
/// # Ok::<(), llm_exe::BuildError>(())
/// ```
pub trait Dialect: Send + Sync {
    /// Returns the dialect's name. It marks the turns that can be sent back in this format
    /// ([`RawTurn`](crate::chat::RawTurn)). By default, it is the name of the Rust type.
    fn name(&self) -> &str {
        std::any::type_name::<Self>()
    }

    /// Returns what a model accepts and supports. By default, a model accepts only text.
    /// [`build_request`](super::build_request) rejects a chat with images or tools that the model
    /// does not support, so that the dialect does not have to check this.
    fn capabilities(&self, _model: &str) -> Capabilities {
        Capabilities::default()
    }

    /// Returns the maximum number of output tokens of a model, or `None` if it is not known, which
    /// is the default.
    fn max_output_tokens(&self, _model: &str) -> Option<u64> {
        None
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

    /// Chooses the next weaker method for making the reply match a schema, after the provider
    /// rejected `rejected`. By default, the schema is sent only in the prompt.
    fn weaker_structure(
        &self,
        _model: &str,
        _name: &str,
        _schema: &Schema,
        _rejected: &Structure,
    ) -> Structure {
        Structure::PromptOnly
    }

    /// Returns whether a request of this dialect may have both the tools and the structure of the
    /// chat. If not, the schema is sent in the prompt. By default, only the structure
    /// [`Structure::ForcedTool`] excludes tools.
    fn allows_with_tools(&self, chat: &Chat) -> bool {
        chat.tools.is_empty() || !matches!(chat.structure, Structure::ForcedTool { .. })
    }

    /// Returns the tool choice that a request for the chat contains. It differs from that of the
    /// chat if the model can't be forced to call a tool, or a certain tool. The prompt then asks
    /// the model to call it. By default, it is the choice of the chat.
    fn supported_choice(&self, chat: &Chat) -> ToolChoice {
        chat.tool_choice.clone()
    }

    /// Builds the HTTP request for a chat. Call [`build_request`](super::build_request) instead,
    /// which checks the chat first.
    ///
    /// The dialect maps everything in the chat to its API:
    /// - The messages. One that has a turn for this dialect and model ([`RawTurn::fits`]) is sent
    ///   as that turn, byte for byte ([`BodyItem::Raw`]). The results of a turn's calls follow in
    ///   one or several messages, in any order.
    /// - The options in [`Chat::sampling`]. For those that the API does not have, it calls
    ///   [`BuiltRequest::warn_of_other_options`].
    /// - The schema of [`Chat::structure`], if its [`capabilities`](Dialect::capabilities) promise
    ///   it.
    /// - The tools and their choice, if its capabilities promise tools.
    /// - Whether the reply is streamed ([`Chat::stream`]), if it has a
    ///   [`stream_decoder`](Dialect::stream_decoder).
    ///
    /// [`RawTurn::fits`]: crate::chat::RawTurn::fits
    /// [`BodyItem::Raw`]: crate::wire::BodyItem::Raw
    ///
    /// # Errors
    /// `InvalidRequest` if the API does not accept a part of the chat, such as an image by URL.
    /// Images and tools that the model does not support are rejected before this call.
    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error>;

    /// Parses the reply in a successful response to the request for `chat`. A
    /// [`ReplyBuilder`](crate::chat::ReplyBuilder) creates the reply. If the API must receive the
    /// turn unchanged in the next request, for example because of its signatures, the reply also
    /// needs the turn as it was received
    /// ([`ReplyEvent::RawTurn`](crate::chat::ReplyEvent::RawTurn)).
    ///
    /// A part that can't be read is skipped with a
    /// [`ReplyEvent::Warning`](crate::chat::ReplyEvent::Warning), because the reply is paid for.
    ///
    /// # Errors
    /// `ProviderUnavailable` if the response body does not have the expected format, or contains an
    /// error.
    fn read_reply(&self, wire: &WireReply, chat: &Chat) -> Result<Reply, Error>;

    /// Removes the arguments of tool calls from a turn of this dialect
    /// ([`RawTurn`](crate::chat::RawTurn)), so that the other fields can be checked: a conversation
    /// can't be continued if a turn refers to a file, but arguments can have any names. Only the
    /// field with the arguments of a call may be removed. By default, nothing is removed, as in
    /// APIs whose arguments are text.
    fn remove_call_arguments(&self, _turn: &mut Value) {}

    /// Parses an error response, that is, any response whose status is not 2xx. By default, the
    /// status determines the kind of the error, and the message is the one in the body's JSON, or
    /// else the text of the body.
    ///
    /// This function is also called if [`Dialect::read_reply`] fails and the body of the successful
    /// response reports an error. The status of `wire` is then the code of that error.
    fn read_failure(&self, wire: &WireReply) -> Failure {
        failure::read_failure(wire)
    }

    /// Parses the reply in an error response to the request for `chat`. Some servers report a reply
    /// that does not have the requested format as an error. By default, there is none, and
    /// [`Dialect::read_failure`] parses the response.
    fn read_failed_reply(&self, _wire: &WireReply, _chat: &Chat) -> Option<Reply> {
        None
    }

    /// Returns the token counts of a successful response that reports an error, for example because
    /// the provider aborted the reply. These tokens may be billed. By default, there are none.
    fn read_failure_usage(&self, _wire: &WireReply) -> Usage {
        Usage::default()
    }

    /// Returns the request for the next part of a reply that the provider paused because of a limit
    /// of its own ([`StopReason::Pause`](crate::chat::StopReason::Pause)). `request` is the request
    /// for the part in the response. By default, a paused reply is not continued.
    fn continue_request(&self, _request: &WireRequest, _wire: &WireReply) -> Option<WireRequest> {
        None
    }

    /// Joins the bodies of the responses that contain the parts of a reply to one that
    /// [`Dialect::read_reply`] reads. It is called only if [`Dialect::continue_request`] returned a
    /// request. The default implementation returns `Internal`.
    ///
    /// # Errors
    /// `ProviderUnavailable` if the bodies can't be joined.
    fn join_bodies(&self, _bodies: &[Bytes]) -> Result<Vec<u8>, Error> {
        let text = "the dialect can't join the parts of a reply";
        Err(Error::new(ErrorKind::Internal, text))
    }

    /// Returns a decoder for the streamed response to the request for `chat`, or `None` if the
    /// dialect does not support streams, which is the default. The text of a reply then arrives in
    /// one piece.
    fn stream_decoder(&self, _chat: &Chat) -> Option<Box<dyn StreamDecoder>> {
        None
    }
}

/// Decodes the body of a streamed response. It returns the text of the reply as it arrives, and
/// joins the stream to the body of the response that the API would have sent in one piece, which
/// [`Dialect::read_reply`] reads.
///
/// ```
/// use llm_exe::Error;
/// use llm_exe::providers::{StreamDecoder, StreamState};
///
/// /// The stream is the text of the completion, with a final line feed.
/// #[derive(Default)]
/// struct Completion(Vec<u8>);
///
/// impl StreamDecoder for Completion {
///     fn push(&mut self, bytes: &[u8], text: &mut String) -> Result<StreamState, Error> {
///         text.push_str(&String::from_utf8_lossy(bytes));
///         self.0.extend_from_slice(bytes);
///         Ok(if bytes.ends_with(b"\n") { StreamState::Complete } else { StreamState::Open })
///     }
///
///     fn finish(&mut self) -> Result<Vec<u8>, Error> {
///         let completion = String::from_utf8_lossy(&self.0);
///         Ok(serde_json::json!({ "completion": completion }).to_string().into_bytes())
///     }
/// }
/// ```
pub trait StreamDecoder: Send {
    /// Decodes the next bytes, which may end anywhere. Appends the text of the reply that they
    /// complete to `text`.
    ///
    /// An error that the provider reports in the stream is a part of the body that
    /// [`finish`](StreamDecoder::finish) returns, as in a response with an error. The stream is
    /// complete then.
    ///
    /// # Errors
    /// `ProviderUnavailable` if the bytes do not have the expected format, or if the reply is too
    /// large.
    fn push(&mut self, bytes: &[u8], text: &mut String) -> Result<StreamState, Error>;

    /// Returns whether a part of the reply arrived: text, reasoning or a tool call. An error that
    /// follows does not cause another attempt, because the tokens so far are billed. By default,
    /// only text counts.
    fn has_content(&self) -> bool {
        false
    }

    /// Returns the number of bytes that the decoder stores. A large stream waits until the memory
    /// budget for responses has space for them. By default, a stream does not use the budget.
    fn stored_bytes(&self) -> usize {
        0
    }

    /// Returns the body of the response, after the stream has ended or is complete.
    ///
    /// # Errors
    /// `ProviderUnavailable` if the stream ended before the reply was complete.
    fn finish(&mut self) -> Result<Vec<u8>, Error>;
}

/// What a model accepts and supports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Whether messages may contain images.
    pub images: bool,
    /// Whether the model can call tools, at least without reasoning.
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

    /// Adds a warning for each sampling option that the chat sets and that is not in `sent`, the
    /// options that the request contains. Their names are those of a request's `options`, such as
    /// `maxTokens`, or of the fields of [`Sampling`](crate::chat::Sampling), such as `max_tokens`.
    #[must_use]
    pub fn warn_of_other_options(mut self, chat: &Chat, sent: &[&str]) -> Self {
        let without_case = |name: &str| name.replace('_', "").to_ascii_lowercase();
        let sent: Vec<String> = sent.iter().map(|name| without_case(name)).collect();
        let names = chat.sampling.names().into_iter();
        let dropped = names.filter(|name| !sent.contains(&without_case(name)));
        let reason = "the provider does not support this option";
        self.warnings.extend(dropped.map(|name| dropped_option(name, &chat.model, reason)));
        self
    }
}

impl From<WireRequest> for BuiltRequest {
    fn from(request: WireRequest) -> Self {
        BuiltRequest::new(request)
    }
}

/// The address of a provider's API, and the name of the API key for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The base URL, without a trailing slash.
    pub base_url: String,
    /// The name of the API key, if the provider needs one.
    pub key: Option<KeyName>,
    /// The configured AWS region. A built-in provider that is not part of AWS has none.
    pub region: Option<String>,
}

impl Endpoint {
    /// Creates a request to a path below the base URL, such as `/complete`. A slash is added in
    /// front of the path if it has none. If the provider has an API key, the request sends it as
    /// `authorization: Bearer KEY`; [`WireRequest::with_key_header`] selects another header.
    pub fn post(&self, path: &str, body: impl Into<Body>) -> WireRequest {
        let auth = self.key.clone().map_or(Auth::None, Auth::Bearer);
        let path = path.strip_prefix('/').unwrap_or(path);
        WireRequest::new([&*self.base_url, "/", path].concat(), body, auth)
    }
}
