//! Tests the decoders of streams: a streamed reply is the same as an unstreamed one, wherever the
//! stream is cut into pieces, and a stream that ends early is never a reply.

use llm_exe::chat::{Chat, Message, Reply, Role, StopReason, Structure, Tool};
use llm_exe::providers::{Dialect, ProviderRow, StreamState};
use llm_exe::wire::WireReply;
use llm_exe::{Error, ErrorKind};
use llm_exe_simulator::{Simulator, Step, StreamEnd, StreamScript, ToolCall};
use serde_json::{Value, json};

use crate::common;
use crate::turns::{MODELS, api};

type Api = (&'static ProviderRow, &'static dyn Dialect);

/// A model of each dialect.
const DIALECTS: &[(&str, &str)] = &[
    ("openai", "gpt-4o"),
    ("openai responses", "gpt-4o"),
    ("anthropic", "claude-opus-5-5"),
    ("amazon:anthropic", "us.anthropic.claude-opus-5-5"),
    ("amazon", "us.anthropic.claude-opus-5-5"),
    ("google", "gemini-4-argon"),
    ("ollama", "qwen3"),
];

fn new_chat(model: &str, effort: Option<&str>, has_tools: bool) -> Chat {
    let mut chat = Chat::new(model, vec![Message::text(Role::User, "hi")]);
    chat.sampling.effort = effort.map(str::to_owned);
    let schema = json!({"type": "object", "properties": {}});
    let tool = |name| Tool::new(name, schema.clone()).with_description("A tool.");
    chat.tools = if has_tools { vec![tool("get_rate"), tool("now")] } else { Vec::new() };
    chat
}

/// Returns the steps to test, and whether they need tools.
fn steps() -> Vec<(Step, bool)> {
    let call = |name: &str, arguments: Value| ToolCall { name: name.to_owned(), arguments };
    let calls = vec![call("get_rate", json!({"cur": "€", "n": 1.0})), call("now", json!({}))];
    vec![
        (Step::text("Größe 😀\n\"quoted\" \\ done"), false),
        (Step::text("Größe 😀"), true),
        (Step::tool_calls("I'll look 😀.", calls.clone()), true),
        (Step::tool_calls("", calls), true),
        (Step::new(llm_exe_simulator::ScriptedResponse::Refusal("No.".to_owned())), false),
        (Step::new(llm_exe_simulator::ScriptedResponse::Empty), false),
    ]
}

/// Decodes a stream that arrives in pieces.
fn decode<'a>(
    (_, dialect): Api,
    chat: &Chat,
    wire: &WireReply,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(String, Reply), Error> {
    let mut decoder = dialect.stream_decoder(chat).unwrap();
    let mut text = String::new();
    for piece in pieces {
        if decoder.push(piece, &mut text)? == StreamState::Complete {
            break;
        }
    }
    let body = decoder.finish()?.into();
    let reply = dialect.read_reply(&WireReply { body, ..wire.clone() }, chat)?;
    Ok((text, reply))
}

/// Sends a chat to a new simulator, so that the ids of replies are the same each time.
async fn receive(api: Api, chat: &Chat, step: Step) -> WireReply {
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![step]);
    let wire = common::send(&simulator, api.0, api.1, chat).await;
    let body = String::from_utf8_lossy(&wire.body);
    assert_eq!(wire.status, 200, "{} {}: {body}", api.0.name, chat.model);
    wire
}

async fn receive_stream(api: Api, chat: &Chat, step: Step) -> WireReply {
    let mut chat = chat.clone();
    chat.stream = true;
    let wire = receive(api, &chat, step).await;
    let content_type = wire.header("content-type").unwrap();
    assert_ne!(content_type, "application/json", "{} {}", api.0.name, chat.model);
    wire
}

/// Returns the raw turn as a value, because a stream does not contain all bytes of it.
fn turn(reply: &mut Reply) -> Option<(String, Value)> {
    let raw = reply.raw.take()?;
    let mut turn: Value = serde_json::from_str(raw.json.get()).unwrap();
    // A stream of chat completions begins with an empty content.
    turn.as_object_mut().unwrap().retain(|_, value| !value.is_null() && value != "");
    Some((raw.dialect, turn))
}

#[tokio::test]
async fn streamed_replies_equal_unstreamed_ones() {
    for (name, model, effort) in MODELS {
        for (step, has_tools) in steps() {
            if has_tools && *name == "perplexity" {
                continue;
            }
            let case = format!("{name} {model} {step:?}");
            let api = api(name);
            let chat = new_chat(model, *effort, has_tools);
            let plain = receive(api, &chat, step.clone()).await;
            let streamed = receive_stream(api, &chat, step).await;
            let mut expected = api.1.read_reply(&plain, &chat).unwrap();
            let (text, mut reply) = decode(api, &chat, &streamed, [&*streamed.body]).unwrap();
            assert_eq!(turn(&mut reply), turn(&mut expected), "{case}");
            assert_eq!(reply, expected, "{case}");
            // Comments on the work are streamed only if the turn has no other text.
            let is_comment = streamed.body.windows(10).any(|bytes| bytes == b"commentary");
            let expected = if is_comment { String::new() } else { expected.text() };
            assert_eq!(text, expected, "{case}");
        }
    }
}

#[tokio::test]
async fn cuts_do_not_change_a_reply_and_an_early_end_is_an_error() {
    let call = ToolCall { name: "get_rate".to_owned(), arguments: json!({"cur": "€"}) };
    for (name, model) in DIALECTS {
        let api = api(name);
        let chat = new_chat(model, None, true);
        let wire = receive_stream(api, &chat, Step::tool_calls("Né 😀", vec![call.clone()])).await;
        let expected = decode(api, &chat, &wire, [&*wire.body]).unwrap();
        assert_eq!(expected.0, "Né 😀", "{name}");
        let mut complete = 0;
        for at in 0..wire.body.len() {
            let (first, second) = wire.body.split_at(at);
            let whole = decode(api, &chat, &wire, [first, second]).unwrap();
            assert_eq!(whole, expected, "{name}: cut at {at}");
            match decode(api, &chat, &wire, [first]) {
                // The last bytes of a stream are line breaks, or `[DONE]` after the token counts.
                Ok(reply) => {
                    complete += 1;
                    assert_eq!(reply, expected, "{name}: ends at {at}");
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::ProviderUnavailable, "{name}: {error}");
                }
            }
        }
        assert!(complete <= 16, "{name}: {complete}");
    }
}

#[tokio::test]
async fn errors_within_a_stream_are_those_of_the_provider() {
    for (name, model) in DIALECTS {
        let api = api(name);
        let chat = new_chat(model, None, false);
        let script = StreamScript { events: Some(6), end: StreamEnd::Error, ..Default::default() };
        let wire =
            receive_stream(api, &chat, Step::text("Hello there! ".repeat(9)).stream(script)).await;
        let mut decoder = api.1.stream_decoder(&chat).unwrap();
        let state = decoder.push(&wire.body, &mut String::new()).unwrap();
        assert_eq!(state, StreamState::Complete, "{name}");
        let body = decoder.finish().unwrap();
        assert!(String::from_utf8_lossy(&body).contains("scripted"), "{name}");
        let wire = WireReply { body: body.into(), ..wire };
        assert!(api.1.read_reply(&wire, &chat).is_err(), "{name}");
    }
}

#[tokio::test]
async fn input_of_a_forced_tool_is_the_text() {
    for (name, model) in [
        ("anthropic", "claude-sonnet-4-5"),
        ("amazon:anthropic", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("amazon", "amazon.nova-lite-v1:0"),
    ] {
        let api = api(name);
        let mut chat = new_chat(model, None, false);
        let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
        chat.structure = Structure::ForcedTool { name: "answer".to_owned(), schema };
        let step = Step::tool_call("answer", json!({"a": "Größe"}));
        let wire = receive_stream(api, &chat, step).await;
        let (text, reply) = decode(api, &chat, &wire, [&*wire.body]).unwrap();
        assert_eq!(text, r#"{"a":"Größe"}"#, "{name}");
        assert_eq!(reply.tool_arguments("answer"), Some(&*text), "{name}");
    }
}

/// Decodes a stream of server-sent events in the dialect of a provider.
fn decode_text(name: &str, stream: &str) -> Result<(String, Reply), Error> {
    let wire = WireReply {
        status: 200,
        headers: llm_exe::http::HeaderMap::new(),
        body: stream.to_owned().into(),
    };
    let chat = new_chat("m", None, true);
    decode(api(name), &chat, &wire, [stream.as_bytes()])
}

#[test]
fn chunks_of_imitators_are_joined() {
    // A comment, a repeated role, no index, and no `[DONE]`.
    let call = |call: &str| format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{call}]}}}}]}}"#);
    let first = r#"{"id":"a","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"}}]}"#;
    let second = r#"{"id":"b","model":"m2","choices":[{"delta":{"role":"assistant",
        "content":" you","reasoning_content":"hm"}}]}"#;
    let usage = r#","usage":{"prompt_tokens":2,"completion_tokens":3}"#;
    let end = r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]USAGE}"#;
    let chunks = [
        first.to_owned(),
        second.replace('\n', "\ndata: "),
        call(r#"{"id":"x","function":{"name":"f","arguments":"{\"a\":"}}"#),
        call(r#"{"id":"","function":{"name":"f","arguments":"1}"}}"#),
        call(r#"{"id":"y","function":{"name":"g","arguments":{"b":2}}}"#),
        r#"{"choices":[{"index":1,"delta":{"content":"other"}}]}"#.to_owned(),
        end.replace("USAGE", usage),
    ];
    let chunks = chunks.map(|chunk| format!(": keep-alive\nevent: ping\n\ndata: {chunk}\n"));
    let stream = &chunks.join("\n");
    let (text, reply) = decode_text("openai", stream).unwrap();
    assert_eq!((&*text, &*reply.text()), ("Hi you", "Hi you"));
    assert_eq!((reply.id.as_deref(), reply.model.as_deref()), (Some("b"), Some("m2")));
    let calls: Vec<(&str, &str, &str)> =
        reply.tool_calls().map(|call| (&*call.id, &*call.name, &*call.arguments)).collect();
    assert_eq!(calls, [("x", "f", r#"{"a":1}"#), ("y", "g", r#"{"b":2}"#)]);
    assert_eq!((reply.stop_reason, reply.usage.input_tokens), (StopReason::ToolCalls, 2));
    // Without token counts, the end of the stream is missing.
    let cut = stream.replace(usage, "");
    let error = decode_text("openai", &cut).unwrap_err();
    assert!(error.message().contains("the stream ended before the reply was complete"), "{error}");
}

#[test]
fn an_event_that_is_not_json_is_an_error() {
    for (name, stream) in [
        ("openai", "data: {\"choices\":[\n\n"),
        ("anthropic", "data: oops\n\n"),
        ("google", "data: [1]\n\n"),
        ("ollama", "<html>\n"),
    ] {
        let error = decode_text(name, stream).unwrap_err();
        let expected = "the stream contains an event that is not a JSON object";
        assert_eq!((error.kind(), error.message()), (ErrorKind::ProviderUnavailable, expected));
    }
}

#[test]
fn a_reply_above_the_limit_is_an_error() {
    let piece = "x".repeat(100_000);
    let event = format!(r#"data: {{"choices":[{{"delta":{{"content":"{piece}"}}}}]}}"#);
    let error = decode_text("openai", &format!("{event}\n\n").repeat(90)).unwrap_err();
    assert_eq!(error.message(), "the response body is larger than the maximum of 8 MiB");
    let small = format!("{event}\n\n").repeat(80) + "data: [DONE]\n\n";
    assert_eq!(decode_text("openai", &small).unwrap().0.len(), 8_000_000);
}
