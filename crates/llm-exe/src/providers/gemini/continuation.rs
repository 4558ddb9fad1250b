//! Continues replies that the API pauses. Gemini 4 generates a limited number of tokens in one
//! request. The reply then ends with the reason `CONTINUATION` and a token, and the same request
//! with this token returns the next parts.
//!
//! Source: the page on long outputs of Gemini 4 at <https://ai.google.dev/gemini-api/docs>.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Number, Value, json};

use super::stream::ContentAssembler;
use crate::error::{Error, ErrorKind};
use crate::providers::lenient::{Lenient, list_items};
use crate::providers::streams::{Assembler, EventOutcome, StreamEvent};
use crate::wire::{WireReply, WireRequest};

/// The name of the field with the token, in requests and in responses.
const TOKEN: &str = "continuationToken";

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    candidates: Option<&'a RawValue>,
    #[serde(borrow, rename = "usageMetadata")]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    #[serde(default)]
    finish_reason: Lenient<String>,
    #[serde(default)]
    continuation_token: Lenient<String>,
}

/// Returns the request for the next part of a reply, if the response contains a token for it. The
/// token after `MAX_TOKENS` is for a request with a higher limit.
pub(super) fn continue_request(request: &WireRequest, wire: &WireReply) -> Option<WireRequest> {
    let response: Response<'_> = serde_json::from_slice(&wire.body).ok()?;
    let candidates = list_items(response.candidates)?;
    let candidate: Candidate = serde_json::from_str(candidates.first()?.get()).ok()?;
    if candidate.finish_reason.as_deref() != Some("CONTINUATION") {
        return None;
    }
    let token = candidate.continuation_token.ok().filter(|token| !token.is_empty())?;
    let mut next = request.clone();
    next.body.push(TOKEN, json!(token));
    Some(next)
}

/// Joins the parts of a reply like the chunks of a stream. Each part has token counts of its own.
///
/// # Errors
/// `ProviderUnavailable` if a part can't be read.
pub(super) fn join_bodies(bodies: &[Bytes]) -> Result<Vec<u8>, Error> {
    let unreadable = || {
        let text = "a part of a reply that was continued can't be read";
        Error::new(ErrorKind::ProviderUnavailable, text)
    };
    let mut assembler = ContentAssembler::default();
    let mut usage = Map::new();
    for body in bodies {
        let data = str::from_utf8(body).map_err(|_| unreadable())?;
        let event = StreamEvent { name: "", is_exception: false, data };
        match assembler.add(&event, &mut String::new())? {
            EventOutcome::Open | EventOutcome::Ending => {}
            EventOutcome::Complete | EventOutcome::Failed(_) => return Err(unreadable()),
        }
        let response: Response<'_> = serde_json::from_str(data).map_err(|_| unreadable())?;
        let counts = response.usage.and_then(|usage| serde_json::from_str(usage.get()).ok());
        add_counts(&mut usage, counts.unwrap_or_default());
    }
    let usage = to_raw_value(&usage).map_err(|_| unreadable())?;
    let body = assembler.join(TOKEN, &usage).ok_or_else(unreadable)?;
    Ok(Box::<str>::from(body).into_string().into_bytes())
}

/// Adds the numbers of an object to a sum. Its other fields replace the earlier ones.
fn add_counts(sum: &mut Map<String, Value>, counts: Map<String, Value>) {
    for (name, value) in counts {
        let count = |value: Option<&Value>| value.and_then(Value::as_u64);
        let value = match (count(sum.get(&name)), value.as_u64()) {
            (Some(known), Some(more)) => Value::Number(Number::from(known.saturating_add(more))),
            _ => value,
        };
        sum.insert(name, value);
    }
}
