//! Checks that the schemas can be compiled, and that the reported violation is the one that tells
//! the sender what to change.

use serde_json::{Value, json};

use super::{
    ANTHROPIC_MESSAGES, BEDROCK_CONVERSE, BodyType, GEMINI_GENERATE_CONTENT, OLLAMA_CHAT,
    OPENAI_CHAT, OPENAI_RESPONSES, Problem,
};

const TYPES: &[(&str, &BodyType)] = &[
    ("openai-chat", &OPENAI_CHAT),
    ("openai-responses", &OPENAI_RESPONSES),
    ("anthropic-messages", &ANTHROPIC_MESSAGES),
    ("gemini-generate-content", &GEMINI_GENERATE_CONTENT),
    ("ollama-chat", &OLLAMA_CHAT),
    ("bedrock-converse", &BEDROCK_CONVERSE),
];

/// Returns the path and the problem of a body with this message.
fn violation(message: Value) -> String {
    let body = json!({"model": "gpt-5", "messages": [message]});
    let violation = OPENAI_CHAT.check(&body, &|_| false).unwrap_err();
    let path = violation.path.with_brackets();
    let path = path.strip_prefix("messages[0]").unwrap().trim_start_matches('.');
    let problem = match violation.problem {
        Problem::UnknownField(name) => format!("unknown {name}"),
        Problem::MissingField(name) => format!("missing {name}"),
        Problem::WrongType { expected, value } => {
            let kinds: Vec<&str> = expected.iter().map(|it| it.kind.as_str()).collect();
            format!("{value} is not {}", kinds.join(", "))
        }
        Problem::UnknownValue { supported, value, .. } => {
            let supported: Vec<&str> = supported.iter().filter_map(Value::as_str).collect();
            format!("{value} is not one of {}", supported.join(", "))
        }
        other => format!("{other:?}"),
    };
    format!("{path}: {problem}")
}

#[test]
fn schemas_can_be_compiled() {
    for (name, body_type) in TYPES {
        assert!(body_type.compiled().is_some(), "{name}");
        let schema = &body_type.compiled().unwrap().schema;
        assert!(schema["$comment"].as_str().unwrap().contains(" of 20"), "{name}");
    }
}

#[test]
fn the_violation_of_the_type_with_the_tag_of_the_value_is_reported() {
    let part = |part: Value| json!({"role": "user", "content": [part]});
    for (message, expected) in [
        (json!(5), ": 5 is not object"),
        (json!({"content": "a"}), ": missing role"),
        (json!({"role": 1, "content": "a"}), "role: 1 is not string"),
        (
            json!({"role": "robot", "content": "a"}),
            "role: \"robot\" is not one of developer, system, user, assistant, tool, function",
        ),
        (json!({"role": "user"}), ": missing content"),
        (json!({"role": "user", "content": 5}), "content: 5 is not string, array"),
        (json!({"role": "user", "content": "a", "text": "b"}), ": unknown text"),
        (json!({"role": "tool", "content": "a"}), ": missing tool_call_id"),
        (part(json!({"text": "a"})), "content[0]: missing type"),
        (
            part(json!({"type": "image"})),
            "content[0].type: \"image\" is not one of text, image_url, input_audio, file",
        ),
        (part(json!({"type": "text", "text": 5})), "content[0].text: 5 is not string"),
        (
            part(json!({"type": "image_url", "image_url": {"url": "a", "detail": "huge"}})),
            "content[0].image_url.detail: \"huge\" is not one of auto, low, high, original",
        ),
        (
            json!({"role": "system", "content": [{"type": "image_url"}]}),
            "content[0].type: \"image_url\" is not one of text",
        ),
    ] {
        assert_eq!(violation(message), expected);
    }
}

#[test]
fn accepted_violations_are_not_reported() {
    let body = json!({
        "model": "gpt-5",
        "messages": [{"role": "assistant", "content": "a", "reasoning": "b"}, {"role": "user"}],
    });
    let is_unknown = |problem: &Problem| matches!(problem, Problem::UnknownField(_));
    let violation = OPENAI_CHAT.check(&body, &|it| is_unknown(&it.problem)).unwrap_err();
    assert_eq!(violation.path.with_brackets(), "messages[1]");
    let body = json!({"model": "gpt-5", "messages": [{"role": "user", "content": "a", "b": 1}]});
    assert!(OPENAI_CHAT.check(&body, &|it| is_unknown(&it.problem)).is_ok());
}

#[test]
fn nulls_are_no_values_for_some_vendors() {
    let body =
        json!({"model": "gpt-5", "messages": [{"role": "user", "content": "a"}], "user": null});
    assert!(OPENAI_CHAT.check(&body, &|_| false).is_err());
    assert!(OPENAI_CHAT.check_without_nulls(&body, &|_| false).is_ok());
    let body = json!({"model": "gpt-5", "messages": [{"role": "user", "content": null}]});
    let violation = OPENAI_CHAT.check_without_nulls(&body, &|_| false).unwrap_err();
    assert!(matches!(violation.problem, Problem::MissingField(_)));
}
