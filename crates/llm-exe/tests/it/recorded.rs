//! Tests how responses are read that providers really sent. `cases/recorded` has a folder for each
//! dialect with the responses (`replies.json`) and the streamed responses (`streams.json`), each
//! with the public test data that it comes from and the reply that a person reads in it. Texts and
//! ids are replaced, and long streams are shortened.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use llm_exe::chat::{Chat, Reply, Tool, Usage};
use llm_exe::providers::{Dialect, provider};
use llm_exe::wire::WireReply;
use llm_exe::{Error, ErrorKind};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::{cases, read_cases};

/// The folders.
const DIALECTS: &[&str] = &[
    "anthropic",
    "bedrock_converse",
    "bedrock_invoke",
    "gemini",
    "ollama",
    "openai_chat",
    "openai_responses",
];

/// Minimum number of responses per dialect, including streamed ones.
const MIN_RESPONSES: usize = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedReply {
    name: String,
    /// A provider, or `local` for a server from `OPENAI_COMPATIBLE_PROVIDERS`.
    provider: String,
    /// The repository and the path of the file.
    source: String,
    license: String,
    #[serde(default = "ok")]
    status: u16,
    /// Whether the request had tools.
    #[serde(default)]
    tools: bool,
    body: Value,
    expected: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedStream {
    name: String,
    provider: String,
    source: String,
    license: String,
    file: String,
    expected: Value,
}

fn ok() -> u16 {
    200
}

/// Returns the dialect that reads the responses in a folder. A server of the user is a provider of
/// chat completions, so OpenAI's dialect reads what such servers send in the Responses API.
fn dialect(folder: &str, name: &str) -> &'static dyn Dialect {
    let name = if name == "local" { "openai" } else { name };
    let row = provider(name).unwrap_or_else(|| panic!("unknown provider {name}"));
    match folder {
        "openai_responses" => row.responses().unwrap(),
        _ => row.dialect,
    }
}

/// Returns a chat that the response belongs to.
fn chat(has_tools: bool) -> Chat {
    let mut chat = Chat::new("m", Vec::new());
    if has_tools {
        chat.tools = vec![Tool::new("f", json!({ "type": "object" }))];
    }
    chat
}

/// Returns the fields of a reply that a case compares.
fn shown(reply: &Reply) -> Value {
    let mut shown = json!({ "text": reply.text() });
    let calls: Vec<Value> = reply
        .tool_calls()
        .map(|call| {
            let text = || json!(call.arguments);
            let arguments = serde_json::from_str(&call.arguments).unwrap_or_else(|_| text());
            json!({ "name": call.name, "arguments": arguments })
        })
        .collect();
    if !calls.is_empty() {
        shown["calls"] = json!(calls);
    }
    shown["stopReason"] = json!(reply.stop_reason.name());
    shown["usage"] = json!(reply.usage);
    shown["model"] = json!(reply.model);
    if !reply.warnings.is_empty() {
        shown["warnings"] = json!(reply.warnings);
    }
    shown
}

/// Returns how a reply or an error differs from the expected one.
fn difference(
    dialect: &dyn Dialect,
    wire: &WireReply,
    tools: bool,
    expected: &Value,
) -> Option<String> {
    if wire.status != 200 {
        let failure = dialect.read_failure(wire);
        let is_expected = failure.kind.name() == expected["error"]
            && failure.message.contains(expected["message"].as_str().unwrap());
        return (!is_expected).then(|| format!("{:?}: {}", failure.kind, failure.message));
    }
    match dialect.read_reply(wire, &chat(tools)) {
        Ok(reply) => {
            let actual = shown(&reply);
            (actual != *expected).then(|| format!("{actual}\n    expected {expected}"))
        }
        Err(error) => Some(error.to_string()),
    }
}

fn wire(status: u16, body: &Value) -> WireReply {
    WireReply { status, headers: HeaderMap::new(), body: body.to_string().into() }
}

#[test]
fn recorded_responses_are_read_as_a_person_reads_them() {
    let mut wrong = Vec::new();
    for folder in DIALECTS {
        let replies: Vec<RecordedReply> = read_cases(&format!("recorded/{folder}/replies.json"));
        for case in &replies {
            let dialect = dialect(folder, &case.provider);
            let wire = wire(case.status, &case.body);
            let difference = difference(dialect, &wire, case.tools, &case.expected);
            wrong.extend(
                difference.map(|it| format!("{folder}: {}: {}: {it}", case.provider, case.name)),
            );
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_dialect_has_enough_recorded_responses_with_their_source_and_license() {
    let is_allowed = |license: &str| matches!(license, "Apache-2.0" | "MIT");
    for folder in DIALECTS {
        let replies: Vec<RecordedReply> = read_cases(&format!("recorded/{folder}/replies.json"));
        let streams: Vec<RecordedStream> = read_cases(&format!("recorded/{folder}/streams.json"));
        let count = replies.len() + streams.len();
        assert!(count >= MIN_RESPONSES && streams.len() >= 3, "{folder}: {count} responses");
        let mut names: Vec<(&str, &str)> =
            replies.iter().map(|case| (&*case.provider, &*case.name)).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "{folder}: two cases have the same provider and name");
        for (source, license) in replies
            .iter()
            .map(|case| (&case.source, &case.license))
            .chain(streams.iter().map(|case| (&case.source, &case.license)))
        {
            assert!(is_allowed(license), "{folder}: {source}: license {license}");
            assert!(source.contains('/') && source.contains(": "), "{folder}: {source}");
        }
        let files = cases().join("recorded").join(folder).read_dir().unwrap();
        for file in files.map(|file| file.unwrap().file_name().into_string().unwrap()) {
            let is_known = matches!(&*file, "replies.json" | "streams.json")
                || streams.iter().any(|case| case.file == file);
            assert!(is_known, "{folder}: {file} is not in streams.json");
        }
    }
}

/// Splits a streamed body into the JSON values of its events.
fn events(file: &str, body: &str) -> Vec<Value> {
    let parse = |text: &str| {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}: {text}"))
    };
    match file.rsplit_once('.').unwrap().1 {
        "ndjson" => body.lines().map(parse).collect(),
        "sse" => sse_data(file, body)
            .iter()
            .filter(|data| *data != "[DONE]")
            .map(|it| parse(it))
            .collect(),
        "eventstream" => frames(file, body).iter().map(|frame| parse(frame)).collect(),
        other => panic!("{file}: unknown format {other}"),
    }
}

/// Returns the data of the server-sent events in a body.
fn sse_data(file: &str, body: &str) -> Vec<String> {
    assert!(body.ends_with("\n\n") || body.ends_with("\r\n\r\n"), "{file}: ends in an event");
    let mut all = Vec::new();
    for event in body.replace("\r\n", "\n").split_terminator("\n\n") {
        let mut name = None;
        for line in event.lines() {
            match line.split_once(": ").unwrap_or_else(|| panic!("{file}: {line}")) {
                ("event", value) => name = Some(value),
                ("data", value) => {
                    // Anthropic and the Responses API repeat the type of the event as its name.
                    let data: Value = serde_json::from_str(value).unwrap_or_default();
                    assert!(name.is_none_or(|name| data["type"] == name), "{file}: {event}");
                    all.push(value.to_owned());
                }
                ("", _) => {}
                _ => panic!("{file}: unknown field in {line}"),
            }
        }
    }
    all
}

/// Returns the payloads of the messages in an `application/vnd.amazon.eventstream` body, which is
/// stored in base64. Source: the Smithy specification of Amazon's event streams.
fn frames(file: &str, base64: &str) -> Vec<String> {
    let bytes = STANDARD.decode(base64.replace('\n', "")).unwrap();
    let mut rest = bytes.as_slice();
    let mut payloads = Vec::new();
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    while !rest.is_empty() {
        let length = number(&rest[..4]) as usize;
        let headers = number(&rest[4..8]) as usize;
        let (frame, next) = rest.split_at(length);
        assert_eq!(number(&frame[8..12]), crc32(&frame[..8]), "{file}: prelude");
        let (content, checksum) = frame.split_at(length - 4);
        assert_eq!(number(checksum), crc32(content), "{file}: message");
        payloads.push(String::from_utf8(content[12 + headers..].to_vec()).unwrap());
        rest = next;
    }
    payloads
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[test]
fn recorded_streams_are_well_formed() {
    for folder in DIALECTS {
        let streams: Vec<RecordedStream> = read_cases(&format!("recorded/{folder}/streams.json"));
        for case in &streams {
            dialect(folder, &case.provider);
            let path = cases().join("recorded").join(folder).join(&case.file);
            let body = std::fs::read_to_string(&path).unwrap();
            let events = events(&case.file, &body);
            assert!(
                !events.is_empty() && events.iter().all(Value::is_object),
                "{}",
                path.display()
            );
            let is_reply = case.expected["usage"]["totalTokens"].is_u64();
            let is_error = case.expected["error"] == true;
            assert!(is_reply != is_error, "{folder}: {}: {}", case.name, case.expected);
        }
    }
}

/// Returns the response that a stream is joined to, or the error of its decoder.
fn join<'a>(
    dialect: &dyn Dialect,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<WireReply, Error> {
    let mut decoder = dialect.stream_decoder(&chat(true)).unwrap();
    for piece in pieces {
        decoder.push(piece, &mut String::new())?;
    }
    let body = decoder.finish()?.into();
    Ok(WireReply { status: 200, headers: HeaderMap::new(), body })
}

#[test]
fn recorded_streams_are_read_as_a_person_reads_them_in_any_pieces() {
    for folder in DIALECTS {
        let streams: Vec<RecordedStream> = read_cases(&format!("recorded/{folder}/streams.json"));
        for case in &streams {
            let name = format!("{folder}: {}: {}", case.provider, case.name);
            let path = cases().join("recorded").join(folder).join(&case.file);
            let mut body = std::fs::read(&path).unwrap();
            if case.file.ends_with(".eventstream") {
                body.retain(|byte| *byte != b'\n');
                body = STANDARD.decode(&body).unwrap();
            }
            let dialect = dialect(folder, &case.provider);
            let whole = join(dialect, [&*body]);
            let Ok(whole) = whole else { panic!("{name}: {whole:?}") };
            if case.expected["error"] == true {
                assert!(dialect.read_reply(&whole, &chat(true)).is_err(), "{name}");
            } else {
                assert_eq!(difference(dialect, &whole, true, &case.expected), None, "{name}");
            }
            // A prime step visits all kinds of places in reasonable time.
            for at in (0..body.len()).step_by(7) {
                let (first, second) = body.split_at(at);
                assert_eq!(
                    join(dialect, [first, second]).unwrap().body,
                    whole.body,
                    "{name}: {at}"
                );
                match join(dialect, [first]) {
                    Ok(reply) => {
                        let is_error = case.expected["error"] == true;
                        // Token counts can follow a complete reply.
                        let without_counts = |expected: &Value| {
                            let mut expected = expected.clone();
                            expected["usage"] = json!(Usage::default());
                            expected
                        };
                        let is_same = |expected: &Value| {
                            difference(dialect, &reply, true, expected).is_none()
                        };
                        assert!(
                            is_error
                                || is_same(&case.expected)
                                || is_same(&without_counts(&case.expected)),
                            "{name}: {at}"
                        );
                    }
                    Err(error) => assert_eq!(error.kind(), ErrorKind::ProviderUnavailable),
                }
            }
        }
    }
}

/// The last event of a stream of the Responses API contains the response that is not streamed.
#[test]
fn last_event_of_a_responses_stream_is_read_like_a_response() {
    let folder = "openai_responses";
    let streams: Vec<RecordedStream> = read_cases(&format!("recorded/{folder}/streams.json"));
    for case in &streams {
        let path = cases().join("recorded").join(folder).join(&case.file);
        let events = events(&case.file, &std::fs::read_to_string(path).unwrap());
        let is_last = |event: &&Value| {
            let kind = event["type"].as_str().unwrap();
            matches!(kind, "response.completed" | "response.incomplete" | "response.failed")
        };
        let response = wire(200, &events.iter().find(is_last).unwrap()["response"]);
        let dialect = dialect(folder, &case.provider);
        if case.expected["error"] == true {
            assert!(dialect.read_reply(&response, &chat(true)).is_err(), "{}", case.name);
        } else {
            let difference = difference(dialect, &response, true, &case.expected);
            assert_eq!(difference, None, "{}", case.name);
        }
    }
}
