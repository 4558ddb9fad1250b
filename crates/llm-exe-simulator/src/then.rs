//! What a scripted call gets: an answer of the script's choosing, or a fault.
//!
//! In: the `then` of a step, as JSON with exactly one deciding field (`status`, `text`, `json`,
//! `toolCall`, `refusal`, `empty` or `fault`). Out: `Then`, with nothing in it left to check.
//!
//! Each variant is read by a struct of its own rather than by serde's untagged enums, because
//! these lose numbers when serde_json keeps their digits, and their errors name no field.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a scripted call gets.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub enum Then {
    /// A status, and a body (the provider's own error shape when left out).
    Status {
        /// The HTTP status.
        status: u16,
        /// Headers to add.
        headers: Vec<(String, String)>,
        /// The body, instead of the provider's own error shape.
        body: Option<Value>,
    },
    /// A good reply with this text.
    Text {
        /// The text that the model is to have said.
        text: String,
        /// The stop reason, in the provider's own word.
        stop_reason: Option<String>,
        /// The usage object, in the provider's own shape.
        usage: Option<Value>,
    },
    /// Status 200 with this body, whatever it is.
    Json(Value),
    /// A good reply that calls a tool.
    ToolCall {
        /// The tool's name.
        name: String,
        /// What it is called with.
        arguments: Value,
    },
    /// A good reply in which the model declines, with these words.
    Refusal(String),
    /// A good reply without content.
    Empty,
    /// Something that goes wrong below or beside the dialect.
    Fault(Fault),
}

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Reads the request and never answers.
    Hang,
    /// Reads the whole request, then closes the connection without an answer.
    Drop,
    /// Closes the connection before the request's body is read.
    DropEarly,
    /// Promises the whole body, sends half of it, closes the connection.
    Truncate,
    /// Answers 200 with a body that stops being JSON in its midst.
    BadJson,
    /// Waits, then answers as usual.
    Slow(Duration),
    /// Answers 200 with a body that never ends.
    Endless,
    /// Answers 502 with a proxy's HTML page.
    Html,
    /// Answers as usual, then closes the idle connection without having announced it.
    CloseIdle(Duration),
    /// Answers 307 with this location.
    Redirect(String),
}

impl Fault {
    /// The fault's name, as scripts and the journal write it.
    #[must_use]
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

const DECIDING: &[&str] = &["status", "text", "json", "toolCall", "refusal", "empty", "fault"];
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
#[serde(deny_unknown_fields)]
struct ToolCall {
    name: String,
    #[serde(default)]
    arguments: Value,
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

impl TryFrom<Value> for Then {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let present: Vec<&str> =
            DECIDING.iter().copied().filter(|name| value.get(name).is_some()).collect();
        let [deciding] = present.as_slice() else {
            return Err(format!("then: exactly one of {} must be there", DECIDING.join(", ")));
        };
        match *deciding {
            "status" => status(read(value)?),
            "text" => {
                let TextFields { text, stop_reason, usage } = read(value)?;
                Ok(Self::Text { text, stop_reason, usage })
            }
            "json" => read::<JsonFields>(value).map(|fields| Self::Json(fields.json)),
            "toolCall" => {
                let ToolCall { name, arguments } = read::<ToolCallFields>(value)?.tool_call;
                Ok(Self::ToolCall { name, arguments })
            }
            "refusal" => read::<RefusalFields>(value).map(|fields| Self::Refusal(fields.refusal)),
            "empty" => match read::<EmptyFields>(value)?.empty {
                true => Ok(Self::Empty),
                false => Err("then.empty: only true means something".to_owned()),
            },
            _ => fault(read(value)?).map(Self::Fault),
        }
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| format!("then: {error}"))
}

fn status(fields: StatusFields) -> Result<Then, String> {
    let StatusFields { status, headers, body } = fields;
    if !(200..=599).contains(&status) {
        return Err(format!("then.status: {status} is not between 200 and 599"));
    }
    for (name, value) in &headers {
        let fine =
            http::HeaderName::try_from(name).is_ok() && http::HeaderValue::try_from(value).is_ok();
        if !fine {
            return Err(format!("then.headers: \"{name}\" can't be sent"));
        }
    }
    Ok(Then::Status { status, headers: headers.into_iter().collect(), body })
}

fn fault(fields: FaultFields) -> Result<Fault, String> {
    let FaultFields { fault, milliseconds, location } = fields;
    if milliseconds.is_some() && !matches!(fault.as_str(), "slow" | "closeIdle") {
        return Err(format!("then.milliseconds: {fault} has none"));
    }
    if location.is_some() && fault != "redirect" {
        return Err(format!("then.location: {fault} has none"));
    }
    Ok(match fault.as_str() {
        "hang" => Fault::Hang,
        "drop" => Fault::Drop,
        "dropEarly" => Fault::DropEarly,
        "truncate" => Fault::Truncate,
        "badJson" => Fault::BadJson,
        "slow" => match milliseconds {
            Some(wait) => Fault::Slow(Duration::from_millis(wait)),
            None => return Err("then.milliseconds: slow needs it".to_owned()),
        },
        "endless" => Fault::Endless,
        "html" => Fault::Html,
        "closeIdle" => Fault::CloseIdle(Duration::from_millis(milliseconds.unwrap_or(20))),
        "redirect" => match location {
            Some(location) if http::HeaderValue::try_from(&location).is_ok() => {
                Fault::Redirect(location)
            }
            _ => return Err("then.location: redirect needs one that can be sent".to_owned()),
        },
        _ => return Err(format!("then.fault: \"{fault}\" is none of {FAULTS}")),
    })
}
