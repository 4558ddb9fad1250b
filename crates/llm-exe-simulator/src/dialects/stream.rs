//! Functions for building streams, shared by the dialects.

use serde_json::{Value, json};

/// The number of characters of a piece of text. It is that of a token.
const PIECE_CHARS: usize = 4;

/// The content type of server-sent events.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";
/// The content type of the frames of AWS.
pub const AWS_EVENT_STREAM: &str = "application/vnd.amazon.eventstream";

/// Splits a text into pieces. An empty text has none.
pub(crate) fn pieces(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(PIECE_CHARS).map(|piece| piece.iter().collect()).collect()
}

/// Encodes a server-sent event without a type.
pub(crate) fn data(data: &Value) -> Vec<u8> {
    format!("data: {data}\n\n").into_bytes()
}

/// Encodes a server-sent event whose type is the field `type` of its data.
pub(crate) fn typed(data: &Value) -> Vec<u8> {
    let kind = data.get("type").and_then(Value::as_str).unwrap_or_default();
    format!("event: {kind}\ndata: {data}\n\n").into_bytes()
}

/// Encodes an event as a frame of AWS.
pub(crate) fn frame(kind: &str, payload: &Value) -> Vec<u8> {
    let mut payload = payload.clone();
    // AWS pads the payloads to hide the length of a text.
    payload["p"] = json!("abcdefghijk");
    event_frame(kind, "application/json", payload.to_string().as_bytes())
}

/// Encodes an exception as a frame of AWS.
pub(crate) fn exception(kind: &str, message: &str) -> Vec<u8> {
    let headers = [(":exception-type", kind), (":message-type", "exception")];
    let message = json!({ "message": message }).to_string();
    encode_frame(&headers, "application/json", message.as_bytes())
}

/// Encodes an event of any AWS service as a frame.
///
/// <https://smithy.io/2.0/aws/amazon-eventstream.html>
pub fn event_frame(kind: &str, content_type: &str, payload: &[u8]) -> Vec<u8> {
    let headers = [(":event-type", kind), (":message-type", "event")];
    encode_frame(&headers, content_type, payload)
}

fn encode_frame(names: &[(&str, &str)], content_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in names.iter().chain(&[(":content-type", content_type)]) {
        headers.push(u8::try_from(name.len()).unwrap_or_default());
        headers.extend(name.bytes());
        headers.push(7);
        headers.extend(u16::try_from(value.len()).unwrap_or_default().to_be_bytes());
        headers.extend(value.bytes());
    }
    let number = |size: usize| u32::try_from(size).unwrap_or_default().to_be_bytes();
    let mut frame = number(headers.len() + payload.len() + 16).to_vec();
    frame.extend(number(headers.len()));
    frame.extend(crc32(&frame).to_be_bytes());
    frame.extend(headers);
    frame.extend(payload);
    frame.extend(crc32(&frame).to_be_bytes());
    frame
}

/// Returns the checksum of zlib, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    let add = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
    !bytes.iter().fold(u32::MAX, add)
}

#[cfg(test)]
mod tests {
    use super::{crc32, pieces};

    #[test]
    fn checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn pieces_have_four_characters() {
        assert_eq!(pieces("Größe 😀"), ["Größ", "e 😀"]);
        assert!(pieces("").is_empty());
    }
}
