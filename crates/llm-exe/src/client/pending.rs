//! Calls of tools that are handed back to the program.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::deserialize::deserialize;
use crate::error::Error;

/// The calls of tools that a request handed back, and the conversation that their results continue.
/// [`Response::pending_calls`](crate::Response::pending_calls) returns it.
///
/// To continue the conversation, pass it to
/// [`RequestBuilder::resume`](crate::RequestBuilder::resume) of the same request and add the result
/// of each call. It can be serialized, for example to continue the conversation in another process.
/// It contains the prompt and all replies, so store it like other data of its user. Its JSON is
/// that of a [handed-back result] of the Lambda function, which therefore deserializes too.
///
/// [handed-back result]: https://github.com/llm-exe/llm-exe-lambda/blob/main/docs/tools.md
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # let http = |request: Request<Bytes>| {
/// #     let is_first = !String::from_utf8_lossy(request.body()).contains("approved");
/// #     let reply: &[u8] = if is_first {
/// #         br#"{"message": {"content": "", "tool_calls": [
/// #             {"function": {"name": "refund", "arguments": {"order": "1234", "cents": 540}}}
/// #         ]}, "done_reason": "stop"}"#
/// #     } else {
/// #         br#"{"message": {"content": "I refunded $5.40."}, "done_reason": "stop"}"#
/// #     };
/// #     Ok(Response::new(Bytes::from_static(reply)))
/// # };
/// # let client = llm_exe::Client::builder().http(http).build()?;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use llm_exe::{PendingCalls, Tool};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Refund {
///     order: String,
///     cents: u32,
/// }
///
/// let request = client
///     .request("ollama:qwen3")
///     .user("Order 1234 arrived broken.")
///     .tool(Tool::with_arguments::<Refund>("refund", "Refunds money. A person approves it."));
/// let response = request.clone().send().await?;
/// let pending = response.pending_calls().expect("the model calls refund");
/// let stored = serde_json::to_string(&pending)?;
///
/// // Later, perhaps in another process.
/// let pending: PendingCalls = serde_json::from_str(&stored)?;
/// let mut request = request.resume(&pending);
/// for call in pending.calls() {
///     let refund: Refund = call.arguments()?;
///     request = match refund.cents {
///         ..1000 => request.tool_result(call.id(), "approved"),
///         _ => request.tool_error(call.id(), "the manager rejected the refund"),
///     };
/// }
/// assert_eq!(request.send().await?.text()?, "I refunded $5.40.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingCalls {
    /// Always `toolCalls`, as in JSON results.
    status: HandBackStatus,
    tool_calls: Vec<PendingCall>,
    text: String,
    pub(super) conversation: Map<String, Value>,
}

/// The `status` of a result that hands calls back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum HandBackStatus {
    #[serde(rename = "toolCalls")]
    ToolCalls,
}

impl PendingCalls {
    /// Reads the result of a request that handed calls back.
    pub(super) fn from_result(result: &Value) -> Option<Self> {
        PendingCalls::deserialize(result).ok()
    }

    /// Returns the calls in their order. Each of them needs a result.
    pub fn calls(&self) -> &[PendingCall] {
        &self.tool_calls
    }

    /// Returns the text of the model before the calls, which may be empty.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A call of a tool that was handed back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingCall {
    id: String,
    name: String,
    arguments: Map<String, Value>,
}

impl PendingCall {
    /// Returns the id of the call, which its result needs.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the name of the tool.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Deserializes the arguments, which satisfy the parameters of the tool.
    ///
    /// # Errors
    /// `OutputInvalid` if the arguments do not have the type's form.
    pub fn arguments<T: DeserializeOwned>(&self) -> Result<T, Error> {
        deserialize(Value::Object(self.arguments.clone()), "the arguments of the call")
    }

    /// Returns the arguments as JSON.
    pub fn json(&self) -> &Map<String, Value> {
        &self.arguments
    }
}
