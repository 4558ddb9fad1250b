//! The response of a scripted step (`then` in JSON): a status, a reply or a fault.
//!
//! In JSON, exactly one of the fields `status`, `text`, `json`, `toolCall`, `toolCalls`,
//! `refusal`, `empty` and `fault` selects the variant. With `toolCalls`, `text` is the text before
//! the calls. Each variant is parsed by its own struct instead of a serde untagged enum, because
//! untagged enums lose digits of numbers under serde_json's `arbitrary_precision`, and their errors
//! do not name the field.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A scripted response to a call.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub enum ScriptedResponse {
    /// A response with this status.
    Status {
        /// The HTTP status.
        status: u16,
        /// Additional headers.
        headers: Vec<(String, String)>,
        /// The body. Default: the provider's own error body.
        body: Option<Value>,
    },
    /// A successful reply with this text.
    Text {
        /// The text of the reply.
        text: String,
        /// The stop reason, as the provider spells it.
        stop_reason: Option<String>,
        /// The usage object, in the provider's format.
        usage: Option<Value>,
    },
    /// A response with status 200 and this body.
    Json(Value),
    /// A successful reply that calls tools.
    ToolCalls {
        /// The text before the calls, which may be empty.
        text: String,
        /// The calls.
        calls: Vec<ToolCall>,
    },
    /// A successful reply in which the model refuses the request with this message.
    Refusal(String),
    /// A successful reply without content.
    Empty,
    /// A failure of the network or the service.
    Fault(Fault),
}

/// A failure of the network or the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Reads the request but never responds.
    Hang,
    /// Reads the whole request, then closes the connection without a response.
    Drop,
    /// Closes the connection before reading the request body.
    DropEarly,
    /// Sends a `content-length` for the whole body but only half of the body, then closes the
    /// connection.
    Truncate,
    /// Responds with 200 and the first half of a JSON body.
    BadJson,
    /// Responds as usual after this delay.
    Slow(Duration),
    /// Responds with 200 and a body that never ends.
    Endless,
    /// Responds with 502 and the HTML error page of a proxy.
    Html,
    /// Responds as usual, then closes the connection without notice once it has been idle this
    /// long.
    CloseIdle(Duration),
    /// Responds with a 307 redirect to this location.
    Redirect(String),
}

impl Fault {
    /// Returns the name of the fault in scripts and in the journal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hang => "hang",
            Self::Drop => "drop",
            Self::DropEarly => "dropEarly",
            Self::Truncate => "truncate",
            Self::BadJson => "badJson",
            Self::Slow(_) => "slow",
            Self::Endless => "endless",
            Self::Html => "html",
            Self::CloseIdle(_) => "closeIdle",
            Self::Redirect(_) => "redirect",
        }
    }
}

const VARIANT_FIELDS: &[&str] =
    &["status", "text", "json", "toolCall", "toolCalls", "refusal", "empty", "fault"];
const FAULTS: &str =
    "hang, drop, dropEarly, truncate, badJson, slow, endless, html, closeIdle, redirect";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusFields {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TextFields {
    text: String,
    stop_reason: Option<String>,
    usage: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonFields {
    json: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ToolCallFields {
    tool_call: ToolCall,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ToolCallsFields {
    tool_calls: Vec<ToolCall>,
    #[serde(default)]
    text: String,
}

/// A scripted call of a tool.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// The tool's name.
    pub name: String,
    /// The arguments. A string is sent as it is, so that the arguments can be malformed JSON; an
    /// API whose arguments are objects sends an empty object instead.
    #[serde(default)]
    pub arguments: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefusalFields {
    refusal: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmptyFields {
    empty: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultFields {
    fault: String,
    milliseconds: Option<u64>,
    location: Option<String>,
}

impl TryFrom<Value> for ScriptedResponse {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let mut present: Vec<&str> =
            VARIANT_FIELDS.iter().copied().filter(|name| value.get(name).is_some()).collect();
        if present.contains(&"toolCalls") {
            present.retain(|name| *name != "text");
        }
        let [variant] = present.as_slice() else {
            let found = if present.is_empty() { "none".to_owned() } else { present.join(", ") };
            let known = VARIANT_FIELDS.join(", ");
            return Err(format!("then: expected exactly one of {known}, got {found}"));
        };
        match *variant {
            "status" => parse_status(parse(value)?),
            "text" => {
                let TextFields { text, stop_reason, usage } = parse(value)?;
                Ok(Self::Text { text, stop_reason, usage })
            }
            "json" => parse::<JsonFields>(value).map(|fields| Self::Json(fields.json)),
            "toolCall" => {
                let call = parse::<ToolCallFields>(value)?.tool_call;
                Ok(Self::ToolCalls { text: String::new(), calls: vec![call] })
            }
            "toolCalls" => {
                let ToolCallsFields { tool_calls, text } = parse(value)?;
                Ok(Self::ToolCalls { text, calls: tool_calls })
            }
            "refusal" => parse::<RefusalFields>(value).map(|fields| Self::Refusal(fields.refusal)),
            "empty" => {
                if parse::<EmptyFields>(value)?.empty {
                    Ok(Self::Empty)
                } else {
                    Err("then.empty: expected true, got false".to_owned())
                }
            }
            _ => parse_fault(parse(value)?).map(Self::Fault),
        }
    }
}

fn parse<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| format!("then: {error}"))
}

fn parse_status(fields: StatusFields) -> Result<ScriptedResponse, String> {
    let StatusFields { status, headers, body } = fields;
    if !(200..=599).contains(&status) {
        return Err(format!("then.status: expected 200 to 599, got {status}"));
    }
    for (name, value) in &headers {
        let is_valid =
            http::HeaderName::try_from(name).is_ok() && http::HeaderValue::try_from(value).is_ok();
        if !is_valid {
            return Err(format!("then.headers: \"{name}: {value}\" is not a valid header"));
        }
    }
    Ok(ScriptedResponse::Status { status, headers: headers.into_iter().collect(), body })
}

fn parse_fault(fields: FaultFields) -> Result<Fault, String> {
    let FaultFields { fault, milliseconds, location } = fields;
    if milliseconds.is_some() && !matches!(fault.as_str(), "slow" | "closeIdle") {
        return Err(format!(
            "then.milliseconds: not supported by the fault \"{fault}\"; remove it"
        ));
    }
    if location.is_some() && fault != "redirect" {
        return Err(format!("then.location: not supported by the fault \"{fault}\"; remove it"));
    }
    Ok(match fault.as_str() {
        "hang" => Fault::Hang,
        "drop" => Fault::Drop,
        "dropEarly" => Fault::DropEarly,
        "truncate" => Fault::Truncate,
        "badJson" => Fault::BadJson,
        "slow" => match milliseconds {
            Some(wait) => Fault::Slow(Duration::from_millis(wait)),
            None => return Err("then.milliseconds: required by the fault \"slow\"".to_owned()),
        },
        "endless" => Fault::Endless,
        "html" => Fault::Html,
        "closeIdle" => Fault::CloseIdle(Duration::from_millis(milliseconds.unwrap_or(20))),
        "redirect" => match location {
            Some(location) if http::HeaderValue::try_from(&location).is_ok() => {
                Fault::Redirect(location)
            }
            Some(location) => {
                return Err(format!("then.location: \"{location}\" is not a valid header value"));
            }
            None => return Err("then.location: required by the fault \"redirect\"".to_owned()),
        },
        _ => {
            return Err(format!("then.fault: unknown fault \"{fault}\", expected one of {FAULTS}"));
        }
    })
}
