//! Tests the decoders of streams: a streamed reply is the same as an unstreamed one, wherever the
//! stream is cut into pieces, and a stream that ends early is never a reply.

use llm_exe::chat::{Chat, Message, Reply, Role, StopReason, Structure, Tool, Usage};
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

/// Returns whether a stream that is cut at a position, or damaged, results in the expected reply.
/// Only the token counts may be missing. Any other outcome than an error fails the test.
fn is_complete(
    decoded: Result<(String, Reply), Error>,
    expected: &(String, Reply),
    case: &str,
) -> bool {
    match decoded {
        Ok((text, mut reply)) => {
            assert!([expected.1.usage, Usage::default()].contains(&reply.usage), "{case}");
            reply.usage = expected.1.usage;
            assert_eq!((text, reply), *expected, "{case}");
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::ProviderUnavailable, "{case}: {error}");
            false
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
        let mut end = None;
        for at in 0..wire.body.len() {
            let (first, second) = wire.body.split_at(at);
            let whole = decode(api, &chat, &wire, [first, second]).unwrap();
            assert_eq!(whole, expected, "{name}: cut at {at}");
            let case = format!("{name}: ends at {at}");
            let is_complete = is_complete(decode(api, &chat, &wire, [first]), &expected, &case);
            // After the sign that the reply is complete, every cut leaves it complete.
            assert!(is_complete || end.is_none(), "{case}");
            end = end.or(is_complete.then_some(at));
        }
        let end = end.unwrap();
        let rest = String::from_utf8_lossy(&wire.body[end..]);
        assert!(!rest.contains("get_rate") && !rest.contains("😀"), "{name}: {rest}");
    }
}

#[tokio::test]
async fn a_damaged_frame_never_changes_a_reply() {
    for (name, model) in [("amazon", "amazon.nova-lite-v1:0"), DIALECTS[3]] {
        let api = api(name);
        let chat = new_chat(model, None, false);
        let wire = receive_stream(api, &chat, Step::text("Né 😀, said it")).await;
        let expected = decode(api, &chat, &wire, [&*wire.body]).unwrap();
        let mut complete = 0;
        for at in 0..wire.body.len() {
            let mut body = wire.body.to_vec();
            body[at] ^= 0x11;
            let case = format!("{name}: damaged at {at}");
            complete +=
                usize::from(is_complete(decode(api, &chat, &wire, [&*body]), &expected, &case));
        }
        // Only bytes after the end of the reply may be damaged.
        assert!(complete < wire.body.len() / 2, "{name}: {complete}");
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
    // The reply is complete without token counts, but not without a reason.
    let uncounted = stream.replace(usage, "");
    let (_, reply) = decode_text("openai", &uncounted).unwrap();
    assert_eq!((reply.stop_reason, reply.usage), (StopReason::ToolCalls, Usage::default()));
    for reason in ["null", "\"\"", "\" \"", "false"] {
        let cut = stream
            .replace(r#""finish_reason":"tool_calls""#, &format!(r#""finish_reason":{reason}"#));
        let error = decode_text("openai", &cut).unwrap_err();
        assert!(error.message().contains("the stream ended before the reply was"), "{error}");
    }
}

/// The beginning of a stream of each dialect that consists of text, with the text `Hi`.
const BEGINNINGS: &[(&str, &str)] = &[
    ("openai", "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n"),
    (
        "anthropic",
        "data: {\"type\":\"message_start\",\"message\":{\"content\":[],\"usage\":\
         {\"input_tokens\":5,\"output_tokens\":1}}}\n\n\
         data: {\"type\":\"content_block_start\",\"index\":0,\
         \"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n\
         data: {\"type\":\"content_block_delta\",\"index\":0,\
         \"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n",
    ),
    ("google", "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]}}]}\n\n"),
    ("ollama", "{\"message\":{\"content\":\"Hi\"},\"done\":false}\n"),
];

/// Returns the beginning of a stream.
fn beginning(name: &str) -> &'static str {
    BEGINNINGS.iter().find(|(known, _)| *known == name).unwrap().1
}

#[test]
fn a_reason_to_stop_completes_a_reply_without_the_rest_of_the_stream() {
    for (name, end, is_complete) in [
        ("openai", "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n", true),
        // A later chunk does not withdraw the reason, and an error is not one of the reply.
        (
            "openai",
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
             data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"\"}]}\n\n\
             data: {\"error\":{\"message\":\"too late\"}}\n\n",
            true,
        ),
        ("openai", "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"\"}]}\n\n", false),
        (
            "anthropic",
            "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n",
            true,
        ),
        (
            "anthropic",
            "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":null}}\n\n",
            false,
        ),
        ("google", "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n", true),
        ("google", "data: {\"candidates\":[{\"finishReason\":\"\"}]}\n\n", false),
        (
            "google",
            "data: {\"candidates\":[{\"finishReason\":\"FINISH_REASON_UNSPECIFIED\"}]}\n\n",
            false,
        ),
        ("ollama", "{\"message\":{\"content\":\"\"},\"done\":true}\n", true),
        ("ollama", "{\"message\":{\"content\":\"\"},\"done\":false,\"done_reason\":\"\"}\n", false),
    ] {
        let stream = format!("{}{end}", beginning(name));
        // An unreadable event after the end changes nothing.
        for rest in ["", "data: {\"choices\":[\n\n", "\u{0}\u{1}"] {
            let decoded = decode_text(name, &format!("{stream}{rest}"));
            if is_complete {
                let (text, reply) = decoded.unwrap();
                assert_eq!((&*text, &*reply.text()), ("Hi", "Hi"), "{name} {end}");
                assert_eq!(reply.usage, Usage::default(), "{name} {end}");
            } else {
                let error = decoded.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ProviderUnavailable, "{name} {end}");
            }
        }
    }
}

#[test]
fn an_error_after_a_limit_is_an_error() {
    for (reason, is_error) in
        [("stop", false), ("tool_calls", false), ("length", true), ("error", true)]
    {
        let stream = format!(
            "{}data: {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":\"{reason}\"}}]}}\n\n\
             data: {{\"error\":{{\"message\":\"on fire\"}}}}\n\n",
            beginning("openai")
        );
        assert_eq!(decode_text("openai", &stream).is_err(), is_error, "{reason}");
    }
}

#[test]
fn events_that_are_not_objects_are_skipped() {
    for data in ["ping", "\"ping\"", "1", "[1]", "true", ": comment", "<b>", "null", "", "[DONE"] {
        for (name, end) in [
            ("openai", "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"),
            (
                "anthropic",
                "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n",
            ),
            ("google", "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n"),
        ] {
            let ping = format!("event: ping\ndata: {data}\n\n");
            let stream = format!("{ping}{}{ping}{end}", beginning(name));
            assert_eq!(decode_text(name, &stream).unwrap().0, "Hi", "{name} {data}");
        }
        let end = "{\"message\":{\"content\":\"\"},\"done\":true}\n";
        let stream = format!("{}{data}\n{end}", beginning("ollama"));
        assert_eq!(decode_text("ollama", &stream).unwrap().0, "Hi", "ollama {data}");
    }
    // An event that is named as an error is one.
    let stream = format!("{}event: error\ndata: \"Overheated\"\n\n", beginning("openai"));
    let error = decode_text("openai", &stream).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProviderUnavailable, "{error}");
}

#[test]
fn an_event_that_is_not_json_is_an_error() {
    for (name, stream, expected) in [
        (
            "openai",
            "data: {\"choices\":[\n\n",
            "the stream contains an event that is not a JSON object",
        ),
        ("anthropic", "data: {oops}\n\n", "the stream contains an event that is not a JSON object"),
        ("google", "data: [1]\n\n", "the stream ended before the reply was complete"),
        ("ollama", "<html>\n", "the response body is not an Ollama chat response"),
    ] {
        let error = decode_text(name, stream).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ProviderUnavailable, "{name}");
        assert!(error.message().starts_with(expected), "{name}: {error}");
    }
}

#[test]
fn calls_with_one_index_are_told_apart_by_their_ids() {
    let piece =
        |call: &str| format!(r#"data: {{"choices":[{{"delta":{{"tool_calls":[{call}]}}}}]}}"#);
    let end = r#"data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#;
    for (pieces, expected) in [
        // All calls have the index 0.
        (
            vec![
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}"#,
                r#"{"index":0,"id":"b","function":{"name":"f","arguments":"{\"x\":"}}"#,
                r#"{"index":0,"function":{"arguments":"2}"}}"#,
                r#"{"index":0,"id":"c","function":{"name":"g","arguments":"{}"}}"#,
            ],
            vec![("a", "f", "{\"x\":1}"), ("b", "f", "{\"x\":2}"), ("c", "g", "{}")],
        ),
        // Their pieces alternate.
        (
            vec![
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#,
                r#"{"index":0,"id":"b","function":{"name":"g","arguments":""}}"#,
                r#"{"index":0,"id":"a","function":{"arguments":"{\"x\":1}"}}"#,
                r#"{"index":0,"id":"b","function":{"arguments":"{}"}}"#,
            ],
            vec![("a", "f", "{\"x\":1}"), ("b", "g", "{}")],
        ),
        // Each piece of a call has another id, with or without the name.
        (
            vec![
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}"#,
                r#"{"index":0,"id":"b","function":{"arguments":":"}}"#,
                r#"{"index":0,"id":"c","function":{"name":"f","arguments":"1}"}}"#,
            ],
            vec![("a", "f", "{\"x\":1}")],
        ),
        // Blank and repeated ids.
        (
            vec![
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}"#,
                r#"{"index":0,"id":"","function":{"arguments":"}"}}"#,
                r#"{"index":1,"id":"a","function":{"name":"g","arguments":"{}"}}"#,
            ],
            vec![("a", "f", "{}"), ("call_0", "g", "{}")],
        ),
    ] {
        let mut events: Vec<String> = pieces.iter().map(|call| piece(call)).collect();
        events.push(end.to_owned());
        let (_, reply) = decode_text("openai", &(events.join("\n\n") + "\n\n")).unwrap();
        let calls: Vec<(&str, &str, &str)> =
            reply.tool_calls().map(|call| (&*call.id, &*call.name, &*call.arguments)).collect();
        assert_eq!(calls, expected, "{pieces:?}");
    }
}

#[test]
fn halves_of_a_character_in_two_events_are_joined() {
    let half = |name: &str, text: &str| beginning(name).replace("Hi", text);
    for (name, end) in [
        ("openai", "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"),
        (
            "anthropic",
            "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n",
        ),
        ("google", "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n"),
        ("ollama", "{\"message\":{\"content\":\"\"},\"done\":true}\n"),
    ] {
        // The second event of a text is the last one of its beginning.
        let separator = if name == "ollama" { "\n" } else { "\n\n" };
        let second = half(name, "\\ude00!");
        let second = second.trim_end().rsplit(separator).next().unwrap();
        let stream = format!("{}{second}{separator}{end}", half(name, "a\\ud83d"));
        let (text, reply) = decode_text(name, &stream).unwrap();
        assert_eq!((&*text, &*reply.text()), ("a😀!", "a😀!"), "{name}");
        // A half alone is replaced.
        let stream = format!("{}{end}", half(name, "a\\ud83d"));
        let (text, reply) = decode_text(name, &stream).unwrap();
        assert_eq!((&*text, &*reply.text()), ("a\u{fffd}", "a\u{fffd}"), "{name}");
    }
}

#[test]
fn events_of_the_responses_api_can_have_their_type_in_the_event_line() {
    let item = r#"{"type":"message","id":"m","role":"assistant","status":"completed",
        "content":[{"type":"output_text","text":"Hi","annotations":[]}]}"#
        .replace('\n', "");
    let stream = format!(
        "event: response.output_text.delta\ndata: {{\"output_index\":0,\"delta\":\"Hi\"}}\n\n\
         event: response.completed\ndata: {{\"response\":{{\"id\":\"r\",\"status\":\"completed\",\
         \"output\":[{item}]}}}}\n\n"
    );
    let (text, reply) = decode_text("openai responses", &stream).unwrap();
    assert_eq!((&*text, &*reply.text()), ("Hi", "Hi"));
    let failed = "event: error\ndata: {\"code\":\"server_error\",\"message\":\"on fire\"}\n\n";
    let error = decode_text("openai responses", failed).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProviderUnavailable);
    // The same is true for Anthropic's.
    let anthropic = format!(
        "{}event: message_delta\ndata: {{\"delta\":{{\"stop_reason\":\"end_turn\"}},\
         \"usage\":{{\"output_tokens\":2}}}}\n\nevent: message_stop\ndata: {{}}\n\n",
        beginning("anthropic")
    );
    let (_, reply) = decode_text("anthropic", &anthropic).unwrap();
    assert_eq!((&*reply.text(), reply.usage.input_tokens), ("Hi", 5));
}

#[test]
fn the_first_bytes_show_how_a_stream_is_split() {
    let line = r#"{"message":{"content":"Hi"},"done":false}"#;
    let end = r#"{"message":{"content":""},"done":true}"#;
    let chunk = r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}"#;
    let last = r#"{"candidates":[{"finishReason":"STOP"}]}"#;
    let whole = "{\n \"message\": {\"content\": \"Hi\"},\n \"done\": true\n}";
    for (name, stream) in [
        ("ollama", format!("{line}\n{end}\n")),
        ("ollama", format!("data: {line}\n\ndata: {end}\n\n")),
        ("ollama", format!(": hi\n\nevent: x\ndata: {line}\n\ndata: {end}")),
        ("ollama", whole.to_owned()),
        ("ollama", end.replace("\"\"", "\"Hi\"")),
        ("google", format!("[{chunk},\n{last}\n]")),
        ("google", format!("\n\n data: x\n\ndata: {chunk}\n\ndata: {last}\n\n")),
        ("google", format!("{chunk}\n{last}\n")),
    ] {
        let wire =
            WireReply { status: 200, headers: Default::default(), body: stream.clone().into() };
        let chat = new_chat("m", None, true);
        for at in 0..stream.len() {
            let (first, second) = stream.as_bytes().split_at(at);
            let (_, reply) = decode(api(name), &chat, &wire, [first, second]).unwrap();
            assert_eq!(reply.text(), "Hi", "{stream} cut at {at}");
        }
    }
    // The first line of a stream alone is not a reply.
    assert!(decode_text("ollama", line).is_err());
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

#[test]
fn a_large_event_is_an_error() {
    let event = format!("data: {{\"a\":\"{}\"}}\n\n", "x".repeat(10_000_000));
    for name in ["openai", "anthropic", "google"] {
        let error = decode_text(name, &event).unwrap_err();
        assert_eq!(
            error.message(),
            "the response body is larger than the maximum of 8 MiB",
            "{name}"
        );
    }
    let error = decode_text("ollama", event.trim_start_matches("data: ")).unwrap_err();
    assert_eq!(error.message(), "the response body is larger than the maximum of 8 MiB");
}
