//! Property tests with arbitrary events. The function must always return a response or a typed
//! error and never panic.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::{Deadline, EnvironmentKeys, ErrorKind};
use llm_exe_events::Invocation;
use llm_exe_function::{Function, HandledEvent, LogLevel, Settings};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const KEY: &str = "sentinel.of.the.key";

/// Creates a function whose providers can't be reached, so that the tests send nothing over the
/// network.
fn function() -> Function {
    let look_up = |name: &str| {
        let value = match name {
            "OPENAI_BASE_URL" | "ANTHROPIC_BASE_URL" => "http://127.0.0.1:1/v1",
            "ENDPOINT_AUTH" => "NONE",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let settings = Settings::parse(&look_up).unwrap();
    Function::new(&settings, Arc::new(EnvironmentKeys::new(|_| Some(KEY.to_owned()))))
}

fn handle(event: &[u8]) -> HandledEvent {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let invocation =
        Invocation { request_id: "id".to_owned(), version: "1", ..Invocation::default() };
    let function = function();
    let deadline = Deadline::after(Duration::from_millis(300));
    runtime.block_on(function.handle(event, invocation, deadline))
}

fn check(event: &[u8]) {
    let handled = handle(event);
    let (response, line) = (handled.response(), handled.line);
    let text = String::from_utf8(line.to_json(LogLevel::Debug).unwrap()).unwrap();
    assert!(!text.contains(KEY), "{text}");
    let logged: Value = serde_json::from_str(&text).unwrap();
    assert!(logged["_aws"].is_object() && logged["requestId"] == "id", "{text}");
    match response {
        Err(error) => {
            assert!(ErrorKind::ALL.contains(&error.kind()));
            assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
            assert_eq!(logged["errorType"], json!(error.kind().name()));
            assert!(!error.message().is_empty());
        }
        Ok(value) if line.source == "http" => {
            let status = value["statusCode"].as_u64().unwrap();
            assert!((200..=599).contains(&status) && status != 500, "{value}");
        }
        // Only a dry run succeeds, because no provider can be reached. If the request sets
        // "return": "full", the result is in the field `result`.
        Ok(value) => {
            let wire = value.get("result").unwrap_or(&value);
            assert_eq!(wire["method"], json!("POST"), "{value}");
        }
    }
}

const NAMES: &[&str] = &[
    "provider",
    "providor",
    "model",
    "message",
    "output",
    "outputOptions",
    "schema",
    "data",
    "options",
    "return",
    "dryRun",
    "strictVariables",
    "role",
    "content",
    "type",
    "text",
    "image_url",
    "url",
    "temperature",
    "maxTokens",
    "stopSequences",
    "effort",
    "timeout",
    "numOfAttempts",
    "maxDelay",
    "jitter",
    "properties",
    "required",
    "items",
    "enum",
    "$ref",
    "pattern",
    "a",
    "repairs",
];
const WORDS: &[&str] = &[
    "openai",
    "anthropic",
    "openai.gpt-4o-mini",
    "gpt-4o-mini",
    "gpt-4",
    "claude-sonnet-5",
    "string",
    "json",
    "list",
    "system",
    "user",
    "assistant",
    "text",
    "image_url",
    "full",
    "result",
    "none",
    "high",
    "object",
    "array",
    "integer",
    "#",
    "#/properties/a",
    "^a+$",
    "{{a}}",
    "{{#if a}}b{{else}}c{{/if}}",
    "{{#each a}}{{this}}{{/each}}",
    "{{",
    "}}",
    "{{{a}}}",
    "{{> a}}",
    "https://example.com/a.png",
    "data:image/png;base64,AAAA",
    "Say hello.",
    "",
];

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => (0_u64..20).prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        6 => prop::sample::select(WORDS).prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 40, 6, |inner| {
        let name = prop::sample::select(NAMES).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Generates valid requests with arbitrary values in some fields.
fn request() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(NAMES).prop_map(str::to_owned);
    prop::collection::vec((name, value()), 0..4).prop_map(|fields| {
        let mut request = json!({
            "provider": "openai", "model": "gpt-4o-mini", "message": "{{a}}!", "dryRun": true
        });
        request.as_object_mut().unwrap().extend(fields);
        request
    })
}

fn post_event(body: &str) -> Value {
    json!({
        "version": "2.0",
        "rawPath": "/",
        "requestContext": { "http": { "method": "POST" } },
        "body": body
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_handled(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&bytes);
        check(post_event(&String::from_utf8_lossy(&bytes)).to_string().as_bytes());
    }

    #[test]
    fn any_value_is_handled(value in value()) {
        let text = value.to_string();
        check(text.as_bytes());
        check(post_event(&text).to_string().as_bytes());
    }

    #[test]
    fn any_request_is_handled(request in request()) {
        check(request.to_string().as_bytes());
    }

    #[test]
    fn truncated_request_is_reported_with_its_position(
        request in request(),
        at in any::<prop::sample::Index>(),
    ) {
        let text = request.to_string();
        let cut = text.as_bytes().get(..at.index(text.len())).unwrap();
        let error = handle(cut).outcome.unwrap_err();
        prop_assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        prop_assert!(error.message().contains("line 1"), "{}", error);
    }
}
