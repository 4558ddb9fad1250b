//! Tests that the strings of a provider in errors and reports are short and contain no secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use llm_exe::{Client, Run};
use serde_json::{Value, json};

const KEY: &str = "sk-test-openai";

/// Runs a request with a provider that returns this response.
async fn run(request: Value, status: u16, body: &Value) -> Run {
    let body = Bytes::from(body.to_string());
    let http = move |_: Request<Bytes>| {
        let mut response = Response::new(body.clone());
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
        Ok(response)
    };
    let client = Client::builder().key("openai", KEY).http(http).build().unwrap();
    let mut whole = json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "Hi",
        "options": { "numOfAttempts": 1 }
    });
    for (name, value) in request.as_object().unwrap() {
        whole[name] = value.clone();
    }
    client.run(whole).await
}

fn completion(text: &str, stop_reason: &str, model: &str) -> Value {
    let message = json!({ "role": "assistant", "content": text });
    json!({
        "id": "chatcmpl-1", "model": model,
        "choices": [{ "index": 0, "message": message, "finish_reason": stop_reason }]
    })
}

fn json_output() -> Value {
    json!({
        "output": "json", "outputOptions": { "repairs": 0 },
        "schema": { "type": "object", "additionalProperties": false, "required": ["a"] }
    })
}

/// Checks both messages of the error and the strings of the report.
fn assert_clean(name: &str, run: &Run) {
    let mut texts = vec![
        run.report.provider_stop_reason.clone().unwrap_or_default(),
        run.report.answered_model.clone().unwrap_or_default(),
    ];
    texts.extend(run.report.warnings.clone());
    if let Err(error) = &run.outcome {
        texts.extend([error.message().to_owned(), error.for_log()]);
    }
    for text in texts {
        assert!(!text.to_lowercase().contains(KEY), "{name}: {text:.500}");
        assert!(text.chars().count() <= 1_300, "{name}: {} characters", text.chars().count());
    }
}

#[tokio::test]
async fn stop_reasons_and_models_are_shortened_and_scrubbed() {
    let long = "x".repeat(1_000_000);
    let encoded = STANDARD.encode(format!("Bearer {KEY}"));
    for stop_reason in [long.as_str(), KEY, &encoded, &format!("{KEY} {long}")] {
        for text in ["{}", "", "no"] {
            let run = run(json_output(), 200, &completion(text, stop_reason, KEY)).await;
            assert_clean(stop_reason.get(..20).unwrap_or(stop_reason), &run);
            let reason = run.report.provider_stop_reason.unwrap();
            assert!(reason.chars().count() <= 65 && !reason.contains(&encoded), "{reason}");
        }
    }
    for model in [long.as_str(), KEY, &format!("gpt-{KEY}"), "SK-TEST-OPENAI"] {
        let run = run(json!({}), 200, &completion("Hi", "stop", model)).await;
        assert_clean("model", &run);
        assert!(run.report.answered_model.unwrap().chars().count() <= 257);
    }
    let run = run(json!({}), 200, &completion("Hi", "stop", "gpt-4o-mini-2024-07-18")).await;
    assert_eq!(run.report.answered_model.as_deref(), Some("gpt-4o-mini-2024-07-18"));
    assert_eq!(run.report.provider_stop_reason.as_deref(), Some("stop"));
}

#[tokio::test]
async fn replies_that_are_quoted_in_errors_are_scrubbed() {
    let long_name = "n".repeat(100_000);
    for text in [
        format!("The key is {KEY}"),
        json!({ "a": 1, KEY: 2 }).to_string(),
        json!({ "a": 1, long_name: 2 }).to_string(),
    ] {
        let run = run(json_output(), 200, &completion(&text, "stop", "m")).await;
        assert!(run.outcome.is_err());
        assert_clean(&text[..20], &run);
    }
    let mut refusal = completion("", "stop", "m");
    refusal["choices"][0]["message"]["refusal"] = json!(format!("I can't use {KEY}"));
    let run = run(json!({}), 200, &refusal).await;
    assert!(run.outcome.as_ref().unwrap_err().message().contains("I can't use [redacted]"));
    assert_clean("refusal", &run);
}

#[tokio::test]
async fn encoded_keys_are_removed_from_error_messages() {
    for form in [
        KEY.to_owned(),
        KEY.to_uppercase(),
        KEY.replace('-', "%2D"),
        KEY.replace('-', "&#45;"),
        KEY.replace("test", "te\u{200b}st"),
        KEY.replace("test", "te st"),
        KEY.chars().rev().collect(),
        STANDARD.encode(format!("Bearer {KEY}")),
    ] {
        let body = json!({ "error": { "message": format!("got {form}") } });
        let run = run(json!({}), 401, &body).await;
        let message = run.outcome.unwrap_err().message().to_owned();
        assert!(message.contains("[redacted]") && !message.contains(&form), "{form}: {message}");
    }
}
