//! Validates `stream` and `streamFormat`, and encodes the events of a stream for a caller.

use std::fmt::Display;

use crate::error::Problem;
use crate::json;
use crate::request::Request;

/// The format of a stream for a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamFormat {
    /// Server-sent events.
    ServerSentEvents,
    /// A line of JSON for each event, with the fields `event` and `data`.
    Lines,
}

impl StreamFormat {
    /// Returns the content type of a stream.
    pub fn content_type(self) -> &'static str {
        match self {
            StreamFormat::ServerSentEvents => "text/event-stream",
            StreamFormat::Lines => "application/x-ndjson",
        }
    }

    /// Encodes an event. `data` is displayed as JSON without line breaks, as a
    /// [`Value`](serde_json::Value) is.
    ///
    /// ```
    /// use llm_exe::StreamFormat;
    /// use serde_json::json;
    ///
    /// let data = json!({ "delta": "Hi\n", "turn": 1 });
    /// let event = StreamFormat::ServerSentEvents.encode("text", &data);
    /// assert_eq!(event, "event: text\ndata: {\"delta\":\"Hi\\n\",\"turn\":1}\n\n");
    /// let line = StreamFormat::Lines.encode("reset", &json!({ "reason": "repair" }));
    /// assert_eq!(line, "{\"event\":\"reset\",\"data\":{\"reason\":\"repair\"}}\n");
    /// ```
    pub fn encode(self, name: &str, data: impl Display) -> String {
        // Names need no escapes.
        match self {
            StreamFormat::ServerSentEvents => format!("event: {name}\ndata: {data}\n\n"),
            StreamFormat::Lines => format!("{{\"event\":\"{name}\",\"data\":{data}}}\n"),
        }
    }

    /// Returns what keeps a connection open while there are no events.
    pub fn keep_alive(self) -> &'static str {
        match self {
            StreamFormat::ServerSentEvents => ": keep-alive\n\n",
            StreamFormat::Lines => "\n",
        }
    }
}

/// Returns the format if the request asks for a stream.
pub(super) fn parse(request: &Request, problems: &mut Vec<Problem>) -> Option<StreamFormat> {
    let format = match request.stream_format.as_deref() {
        None | Some("sse") => StreamFormat::ServerSentEvents,
        Some("ndjson") => StreamFormat::Lines,
        Some(other) => {
            let text = format!("expected \"sse\" or \"ndjson\", got {}", json::quoted(other));
            problems.push(Problem::request("streamFormat", text));
            return None;
        }
    };
    request.stream.unwrap_or_default().then_some(format)
}
